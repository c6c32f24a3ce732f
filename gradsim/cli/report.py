"""A run in words and tables for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradsim.cli.layers import layer_table
from gradsim.cli.result import Result, Scores, first_breakdown
from gradsim.cli.table import Cell, Column, laid_out, scientific
from gradsim.cli.terminal import Terminal
from gradsim.spec import kind_of

if TYPE_CHECKING:
    from gradsim.analysis import Fit

_TENSOR_WORDS = {
    "pre_activation": "the pre-activation z",
    "activation": "the activation a",
    "activation_gradient": "the activation gradient ∂L/∂a",
    "delta": "the error signal δ",
    "weight_gradient": "the weight gradient ∂L/∂W",
    "update": "the update ΔW",
    "weight": "the weight W",
}


def print_report(result: Result, terminal: Terminal, brief: bool = False) -> None:
    """Print what a run has found out.

    Parameters
    ----------
    result : Result
        A run.
    terminal : Terminal
        Where to print.
    brief : bool, default False
        Show only the first and the last few layers.
    """
    for line in [*_heading(result, terminal), "", *_scores(result, terminal), ""]:
        terminal.write(line)
    batch = len(result.trace.inputs)
    terminal.write(
        terminal.painted(f"Layers in the pass of iteration {result.iterations:,}, batch of {batch:,}", "bold")
    )
    table = layer_table(result.rows, terminal, brief)
    for line in table.lines:
        terminal.write(line)
    notes = ["backward: rms δ / rms δ of the next layer; δ = ∂L/∂z; rms over the batch"]
    if table.left_out:
        notes.append(f"no room for {', '.join(table.left_out)}: widen the window, or --csv or --json")
    for note in notes:
        terminal.write(terminal.painted(terminal.text(note), "dim"))
    terminal.write()
    for line in profile_words(result):
        terminal.write(line)
    breakdown = first_breakdown(result)
    if breakdown:
        what = " and ".join(
            f"{count:,} {word}" for count, word in ((breakdown.nans, "NaN"), (breakdown.infs, "∞")) if count
        )
        place = f"{_TENSOR_WORDS[breakdown.tensor]} of {breakdown.layer} at iteration {breakdown.iteration:,}"
        terminal.write(terminal.painted(terminal.text(f"First broken: {place} ({what})"), "broken"))


def profile_words(result: Result) -> list[str]:
    """Return the gradient profile in words.

    Parameters
    ----------
    result : Result
        A run.

    Returns
    -------
    list of str
        Backward, forward, and how it was before training.
    """
    first, last = result.rows[0], result.rows[-1]
    lines = [f"Backward  {_fit_words(result.profile.backward_fit, ' towards the input')}"]
    if len(result.rows) > 1:
        shallow, deep = (f"{scientific(row.delta_rms)} at {row.name}" for row in (first, last))
        lines.append(f"          rms δ {deep}, {shallow}{_quotient(first.delta_rms, last.delta_rms)}")
    lines.append(f"Forward   {_fit_words(result.profile.forward_fit, ' towards the output')}")
    if result.iterations:
        earlier = result.first_profile
        lines.append(
            f"          before training: backward {earlier.backward_fit.words}, "
            f"forward {earlier.forward_fit.words}"
        )
    return lines


def _fit_words(fit: Fit, direction: str) -> str:
    used = len(fit.used)
    if used < 2 or not math.isfinite(fit.factor):
        return fit.words
    certainty = f"R² {fit.r_squared:.2f}, " if math.isfinite(fit.r_squared) else ""
    return f"{fit.words}{direction} ({certainty}{used} layers)"


def _quotient(shallow: float, deep: float) -> str:
    if not (math.isfinite(shallow) and math.isfinite(deep)) or deep == 0:
        return ""
    return f": ×{scientific(shallow / deep)} from end to end"


def _heading(result: Result, terminal: Terminal) -> list[str]:
    experiment, samples = result.experiment, result.samples
    parts = f"{len(samples.training_inputs):,} training"
    if len(samples.validation_inputs):
        parts += f" and {len(samples.validation_inputs):,} validation"
    optimizer = experiment.training.optimizer
    layers = len(result.rows)
    return [
        terminal.painted(terminal.text(experiment.name), "bold"),
        f"{samples.title}: {parts} samples, {samples.features} → {samples.outputs}",
        f"{layers} {'layers' if layers > 1 else 'layer'} with weights, "
        f"{result.parameter_count:,} parameters, {experiment.precision}, seed {experiment.seed}",
        f"{experiment.training.loss}, {kind_of(optimizer)} at learning rate {optimizer.learning_rate:g}, "
        f"batch {experiment.training.batch_size:,}",
    ]


def _scores(result: Result, terminal: Terminal) -> list[str]:
    columns = [Column("", "left"), Column("before")]
    columns += [Column(f"after {result.iterations:,} iterations")] if result.iterations else []
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
