"""A run in words and tables for people."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradsim.cli.layers import layer_table
from gradsim.cli.phases import phases_of
from gradsim.cli.result import Result, Scores, first_breakdown
from gradsim.cli.table import Cell, Column, laid_out, scientific
from gradsim.cli.terminal import Terminal
from gradsim.spec import kind_of

if TYPE_CHECKING:
    from gradsim.analysis import Forensics

_READABLE = 100
_TENSOR_WORDS = {
    "pre_activation": "the pre-activation z",
    "activation": "the activation a",
    "activation_gradient": "the activation gradient ∂L/∂a",
    "delta": "the error signal δ",
    "weight_gradient": "the weight gradient ∂L/∂W",
    "update": "the update ΔW",
    "weight": "the weight W",
}


def print_report(
    result: Result, terminal: Terminal, brief: bool = False, found: Forensics | None = None
) -> None:
    """Print what a run has found out.

    Parameters
    ----------
    result : Result
        A run.
    terminal : Terminal
        Where to print.
    brief : bool, default False
        Show only the first and the last few layers.
    found : Forensics, optional
        Where its numbers broke or were lost.
    """
    for line in [
        *_heading(result, terminal),
        "",
        *_scores(result, terminal),
        "",
        *_phase_lines(result, terminal),
    ]:
        terminal.write(line)
    batch = len(result.trace.inputs)
    terminal.write(
        terminal.painted(f"Layers in the pass of iteration {result.iterations:,}, batch of {batch:,}", "bold")
    )
    table = layer_table(result.rows, terminal, brief)
    for line in table.lines:
        terminal.write(line)
    notes = [
        "a = φ(z), δ = ∂L/∂z, ∂W = ∂L/∂W; backward = rms δ / rms δ of the next layer",
        *_pass_words(result),
    ]
    if table.left_out:
        notes += _left_out(result, table.left_out)
    for note in notes:
        terminal.write(terminal.painted(terminal.text(note), "dim"))
    terminal.write()
    for line in profile_words(result, terminal):
        terminal.write(line)
    breakdown = first_breakdown(result)
    if breakdown:
        what = " and ".join(
            f"{count:,} {word}" for count, word in ((breakdown.nans, "NaN"), (breakdown.infs, "∞")) if count
        )
        place = f"{_TENSOR_WORDS[breakdown.tensor]} of {breakdown.layer} at iteration {breakdown.iteration:,}"
        terminal.write(terminal.painted(terminal.text(f"First broken: {place} ({what})"), "broken"))
    for line in _fault_words(result, found, terminal):
        terminal.write(terminal.painted(terminal.text(line), "broken"))


def _pass_words(result: Result) -> list[str]:
    """Return what is not as usual about the last pass: its phase, and how its gradients are stored."""
    from gradsim.spec import phase_at

    trace, told = result.trace, []
    phase = phase_at(result.experiment, trace.iteration)
    if phase.layer is not None:
        told.append(f"in the {phase.title} all other layers stand still: δ and updates 0, no ratio")
    if trace.loss_scale != 1.0:
        told.append(f"δ as stored, ×{trace.loss_scale:,.10g} loss scale; ∂W without it")
    if result.rows[0].flushed is not None:
        told.append(
            "flushed, overflowed = values that rounding made 0 or infinite, in the pass and in the update"
        )
    return told


def _phase_lines(result: Result, terminal: Terminal) -> list[str]:
    """Return the phases of the training as a table, or the way it went without gradients; mostly nothing."""
    from gradsim.spec.method import Evolution

    method = result.experiment.training.method
    if isinstance(method, Evolution):
        line = (
            f"evolution: {method.population:,} passes forward in each iteration; "
            "no gradient is used, those below are only observed"
        )
        return [terminal.text(line), ""]
    phases = phases_of(result)
    if len(phases) == 1:
        return []
    columns = [
        Column("phase", "left"),
        Column("iterations"),
        Column("loss at its start"),
        Column("at its end"),
        Column("which loss", "left", rank=1),
    ]
    rows = []
    for phase in phases:
        was_done = phase.first_loss is not None
        cells = ["·" if loss is None else scientific(loss) for loss in (phase.first_loss, phase.last_loss)]
        span = f"{phase.start:,}–{phase.stop - 1:,}" if was_done else f"from {phase.start:,}"
        goal = phase.loss.replace("_", " ")
        rows.append([Cell(phase.title), Cell(span), *map(Cell, cells), Cell(terminal.text(goal))])
    lines = list(laid_out(columns, rows, terminal).lines)
    return [*lines, terminal.painted("losses of single batches", "dim"), ""]


def _fault_words(result: Result, found: Forensics | None, terminal: Terminal) -> list[str]:
    """Return how numbers broke or were lost; nothing where none did."""
    from gradsim.analysis import fault_words

    told = []
    if found is not None and found.broken is not None and found.broken.sources:
        told.append(f"It came about so: {fault_words(found.broken)}.")
    if found is not None and found.lost is not None:
        told.append(f"First lost to 0: {fault_words(found.lost, result.experiment.precision)}.")
    width = min(terminal.width or _READABLE, _READABLE)
    return [line for sentence in told for line in textwrap.wrap(sentence, width)]


def _left_out(result: Result, titles: Sequence[str]) -> list[str]:
    """Sentences about columns for which there was no room: those full of zeros need none."""
    none = {"NaN": not any(row.nans for row in result.rows), "Inf": not any(row.infs for row in result.rows)}
    quiet = [title for title in titles if none.get(title)]
    loud = [title for title in titles if title not in quiet]
    return [
        *([f"no {' and no '.join(quiet)} in any tensor"] if quiet else []),
        *([f"no room for {', '.join(loud)}: widen the window, or --csv, --json"] if loud else []),
    ]


def profile_words(result: Result, terminal: Terminal) -> list[str]:
    """Return the gradient profile in words, as the window tells it.

    Parameters
    ----------
    result : Result
        A run.
    terminal : Terminal
        Decides where lines are broken.

    Returns
    -------
    list of str
        Backward, forward, the main cause, and how it was before training.
    """
    from gradsim.analysis import cause_budget, causes, sentence
    from gradsim.analysis.cause import total_cause_sentence

    budget = cause_budget(causes(result.trace, ("backward",), details=False), "backward")
    text = f"{sentence(result.profile)} {total_cause_sentence(budget)}".rstrip()
    if result.iterations:
        earlier = result.first_profile
        text += (
            f" Before training: backward {earlier.backward_fit.words}, forward {earlier.forward_fit.words}."
        )
    return textwrap.wrap(text, min(terminal.width or _READABLE, _READABLE))


def _heading(result: Result, terminal: Terminal) -> list[str]:
    experiment, samples = result.experiment, result.samples
    parts = f"{len(samples.training_inputs):,} training"
    if len(samples.validation_inputs):
        parts += f" and {len(samples.validation_inputs):,} validation"
    optimizer = experiment.training.optimizer
    layers = sum(row.number is not None for row in result.rows)
    time = f"{samples.steps} steps of " if samples.steps > 1 else ""
    asked, used = experiment.training.batch_size, len(result.trace.inputs)
    all_of_them = (
        f" of {asked:,} asked for: all samples" if used == len(samples.training_inputs) < asked else ""
    )
    return [
        terminal.painted(terminal.text(experiment.name), "bold"),
        f"{samples.title}: {parts} samples, {time}{samples.features} → {samples.outputs}",
        f"{layers} {'layers' if layers > 1 else 'layer'} with weights, "
        f"{result.parameter_count:,} parameters, {experiment.precision}, seed {experiment.seed}",
        f"{experiment.training.loss}, {kind_of(optimizer)} at learning rate {optimizer.learning_rate:g}, "
        f"batch {used if all_of_them else asked:,}{all_of_them}",
    ]


def _scores(result: Result, terminal: Terminal) -> list[str]:
    columns = [Column("", "left"), Column("before")]
    columns += (
        [Column(f"after {result.iterations:,} iteration{'s' if result.iterations > 1 else ''}")]
        if result.iterations
        else []
    )
    rows = []
    for name, before, after in zip(Scores._fields, result.before, result.after, strict=True):
        if before is None:
            continue
        told = _percent if name.endswith("accuracy") else scientific
        cells = [Cell(name.replace("_", " ")), Cell(told(before))]
        if result.iterations:
            broken = after is not None and not math.isfinite(after)
            cells.append(Cell(told(after), "broken" if broken else "plain"))
        rows.append(cells)
    lines = list(laid_out(columns, rows, terminal).lines)
    if result.interrupted:
        lines.append(f"Stopped after {result.iterations:,} of {result.asked:,} iterations.")
    return lines


def _percent(value: float | None) -> str:
    return "·" if value is None else f"{100 * value:.1f} %"
