"""``gradsim check``: prove the gradients of an experiment, and look for where its numbers broke."""

from __future__ import annotations

import argparse
import dataclasses
import textwrap
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import DONE, FOUND, INTERRUPTED
from gradsim.cli.length import print_length, training_length
from gradsim.cli.progress import Progress
from gradsim.cli.source import opened
from gradsim.cli.table import Cell, Column, laid_out
from gradsim.cli.terminal import Terminal, terminal_of

if TYPE_CHECKING:
    from gradsim.analysis import Forensics, GradientCheck
    from gradsim.spec import Experiment

_READABLE = 100


def prove(arguments: argparse.Namespace) -> int:
    """Train an experiment, compare its gradients with differences of the loss, and look for broken values.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``check``.

    Returns
    -------
    int
        Exit code: 1 if a gradient is wrong or not finite; 130 if Ctrl+C ended the training before the check.
    """
    source = opened(arguments.file, arguments.set, arguments.seed)
    length = training_length(source, arguments.iterations)

    from gradsim.analysis import check_gradients, examine
    from gradsim.cli.documents import json_text
    from gradsim.cli.training import prepare_engine, prepared_simulator, train
    from gradsim.engine import Simulator

    progress = Progress()
    simulator = prepared_simulator(source, progress)
    prepare_engine("float64", progress)
    if not train(simulator, length.iterations, progress):
        return INTERRUPTED

    def make(experiment: Experiment) -> Any:
        """Return a simulator of a variant, whose files lie beside the same document."""
        return Simulator(experiment, source.directory)

    with progress:
        check = check_gradients(
            simulator,
            make=make,
            random_directions=arguments.directions,
            progress=lambda words, share: progress.show("Checking", share, words.removeprefix("Checking ")),
        )
    found = examine(simulator.history(), simulator.record(), make(source.experiment))
    terminal = terminal_of()
    if arguments.json:
        document = check_document(check, found) | {"experiment": source.experiment.name}
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
    else:
        print_length(length, terminal)
        _print_check(check, found, source.experiment.name, terminal)
    return DONE if check.passed else FOUND


def check_document(check: GradientCheck, found: Forensics) -> dict[str, Any]:
    """Return a check as a document of plain values.

    Parameters
    ----------
    check : GradientCheck
        The proof.
    found : Forensics
        Where numbers broke.

    Returns
    -------
    dict
        Whether it passed, every tensor with its directions, and the faults.
    """
    from gradsim.analysis import check_sentences, forensic_sentences

    tensors = [
        dataclasses.asdict(tensor) | {"layer": check.layers[tensor.layer], "error": tensor.error}
        for tensor in check.tensors
    ]
    for tensor, of in zip(tensors, check.tensors, strict=True):
        tensor["verdict"] = of.verdict
    return {
        "passed": check.passed,
        "conclusion": check.conclusion,
        "iteration": check.iteration,
        "precision": check.precision,
        "loss": check.loss,
        "own_loss": check.own_loss,
        "evaluations": check.evaluations,
        "tensors": tensors,
        "words": check_sentences(check),
        "forensics": dataclasses.asdict(found) | {"words": forensic_sentences(found, check.precision)},
    }


def _print_check(check: GradientCheck, found: Forensics, name: str, terminal: Terminal) -> None:
    from gradsim.analysis import VERDICT_WORDS, check_sentences, forensic_sentences

    terminal.write(terminal.painted(terminal.text(name), "bold"))
    columns = [Column("parameter", "left"), Column("‖gradient‖"), Column("relative error")]
    columns += [Column("verdict", "left"), Column(f"error in {check.precision}", rank=1)]
    rows = [
        [
            Cell(tensor.name),
            Cell(f"{tensor.norm:.2e}"),
            Cell(f"{tensor.error:.1e}"),
            Cell(VERDICT_WORDS[tensor.verdict], "broken" if tensor.verdict == "disagrees" else "plain"),
            Cell(f"{tensor.own_error:.1e}"),
        ]
        for tensor in check.tensors
    ]
    for line in laid_out(columns, rows, terminal).lines:
        terminal.write(terminal.text(line))
    terminal.write()
    width = min(terminal.width or _READABLE, _READABLE)
    for sentence in (*check_sentences(check), *forensic_sentences(found, check.precision)):
        for line in textwrap.wrap(sentence, width):
            terminal.write(terminal.text(line))
