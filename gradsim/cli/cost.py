"""``gradsim cost``: what an iteration costs, and what faster hardware would buy."""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
import time
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import DONE, INTERRUPTED
from gradsim.cli.length import print_length, training_length
from gradsim.cli.progress import Progress
from gradsim.cli.source import opened
from gradsim.cli.table import Cell, Column, laid_out
from gradsim.cli.terminal import Terminal, terminal_of

if TYPE_CHECKING:
    from gradsim.analysis import Cost, Speed

_READABLE = 100
_LEAST_SECONDS = 0.3


def tell_cost(arguments: argparse.Namespace) -> int:
    """Train an experiment for a while and tell what that cost.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``cost``.

    Returns
    -------
    int
        Exit code: 130 if Ctrl+C ended the training early; what was done so far is told all the same.
    """
    source = opened(arguments.file, arguments.set, arguments.seed)
    length = training_length(source, arguments.iterations)

    from gradsim.analysis import cost, measured_speed
    from gradsim.cli.documents import json_text
    from gradsim.cli.training import prepared_simulator, train

    progress = Progress()
    simulator = prepared_simulator(source, progress)
    simulator.record()  # loads what is compiled, which is no part of the training
    began, finished = time.perf_counter(), True
    finished = train(simulator, length.iterations, progress)
    seconds = time.perf_counter() - began
    trace, history = simulator.record(), simulator.history()
    speed: Speed | None = None
    rate = simulator.iteration / seconds
    if finished and seconds < _LEAST_SECONDS:  # too short to be a measurement
        speed = measured_speed(simulator, _LEAST_SECONDS)
        rate = speed.rate
    found = cost(trace, history, rate)
    terminal = terminal_of()
    if arguments.json:
        document = cost_document(found, speed) | {"experiment": source.experiment.name}
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
    else:
        print_length(length, terminal)
        _print_cost(found, speed, source.experiment.name, terminal)
    return DONE if finished else INTERRUPTED


def cost_document(found: Cost, speed: Speed | None = None) -> dict[str, Any]:
    """Return a cost as a document of plain values.

    Parameters
    ----------
    found : Cost
        What to tell.
    speed : Speed, optional
        The measurement it rests on, where it was not the training itself.

    Returns
    -------
    dict
        Operations, speed, how the layers move, machines.
    """
    from gradsim.analysis import CONVENTION, TARGET, cost_sentences

    counted = found.operations
    return {
        "iteration": found.iteration,
        "convention": CONVENTION,
        "operations": {
            "total": counted.total,
            "forward": counted.forward,
            "backward": counted.backward,
            "update": counted.update,
            "products": counted.products,
            "forward_passes": counted.forward_passes,
            "layers": [dataclasses.asdict(layer) for layer in counted.layers],
        },
        "iterations_per_second": found.rate,
        "flops": found.flops,
        "factor_per_layer": found.factor_per_layer,
        "target": TARGET,
        "motions": [dataclasses.asdict(motion) for motion in found.motions],
        "machines": [dataclasses.asdict(machine) for machine in found.machines],
        "words": cost_sentences(found, speed),
    }


def _print_cost(found: Cost, speed: Speed | None, name: str, terminal: Terminal) -> None:
    from gradsim.analysis import CONVENTION, cost_sentences, duration_words, factor_words

    terminal.write(terminal.painted(terminal.text(name), "bold"))
    width = min(terminal.width or _READABLE, _READABLE)
    for sentence in cost_sentences(found, speed):
        for line in textwrap.wrap(sentence, width):
            terminal.write(terminal.text(line))
    terminal.write()
    columns = [Column("machine", "left"), Column("iterations/s"), Column("1 %, straight")]
    columns += [Column("1 %, random walk"), Column("layers bought")]
    rows = [
        [
            Cell("this one" if machine.factor == 1 else factor_words(machine.factor)),
            Cell(f"{machine.rate:,.4g}"),
            Cell(duration_words(machine.straight), "broken" if found.first.ratio == 0 else "plain"),
            Cell(duration_words(machine.walk), "broken" if found.first.ratio == 0 else "plain"),
            Cell(f"{machine.layers_bought:.2g}"),
        ]
        for machine in found.machines
    ]
    for line in laid_out(columns, rows, terminal).lines:
        terminal.write(terminal.text(line))
    terminal.write()
    for line in textwrap.wrap(CONVENTION, width):
        terminal.write(terminal.painted(terminal.text(line), "dim"))
