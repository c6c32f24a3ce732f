"""Theory beside the measurement, in the terminal: a table with one line per layer, and the same for programs."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from gradsim.cli.table import Cell, Column, Table, laid_out, scientific

if TYPE_CHECKING:
    from gradsim.analysis import ExpectedProfile, MeanField
    from gradsim.cli.result import Result
    from gradsim.cli.terminal import Terminal
    from gradsim.trace import IterationTrace

_BRIEF = 4
_READABLE = 100
_MEANING = "Theory of random wide layers: rms δ and rms a to expect, each within a factor ×/÷ (±2 sd of finite width)"
_COLUMNS = (
    Column("layer"),
    Column("name", "left", rank=3),
    Column("rms δ"),
    Column("theory"),
    Column("×/÷", rank=1),
    Column("√χ", rank=2),
    Column("rms a"),
    Column("theory"),
    Column("×/÷", rank=1),
    Column("q", rank=4),
    Column("outside", "left"),
)


def print_theory(result: Result, terminal: Terminal, brief: bool = False) -> None:
    """Print what theory expects of every layer, what was measured, and why the two part.

    Parameters
    ----------
    result : Result
        A run; its last pass makes the table, the first one is told in a sentence if it is another.
    terminal : Terminal
        Where to print.
    brief : bool, default False
        Show only the first and the last few layers.
    """
    from gradsim.analysis import expected_profile, theory_sentence

    expected = expected_profile(result.trace)
    terminal.write()
    terminal.write(terminal.painted(terminal.text(_MEANING), "bold"))
    if expected.applies:
        table = theory_lines(expected, result.trace, terminal, brief)
        for line in table.lines:
            terminal.write(line)
        if table.left_out:
            missing = f"no room for {', '.join(table.left_out)}: widen the window, or --json"
            terminal.write(terminal.painted(terminal.text(missing), "dim"))
    told = [theory_sentence(expected)]
    if result.iterations and expected.applies:
        told.append(f"At iteration 0: {theory_sentence(expected_profile(result.first))}")
    for sentence in told:
        for line in textwrap.wrap(sentence, min(terminal.width or _READABLE, _READABLE)):
            terminal.write(terminal.text(line))


def theory_lines(
    expected: ExpectedProfile, trace: IterationTrace, terminal: Terminal, brief: bool = False
) -> Table:
    """Lay out theory and measurement as a table.

    Parameters
    ----------
    expected : ExpectedProfile
        Of a pass.
    trace : IterationTrace
        The pass.
    terminal : Terminal
        Decides width, colours and characters.
    brief : bool, default False
        Show only the first and the last few layers.

    Returns
    -------
    Table
        One line per numbered layer; ``·`` where theory says nothing, as of the head.
    """
    names = [layer.name for layer in trace.layers if layer.number is not None]
    rows = [_cells(expected, place, name) for place, name in enumerate(names)]
    if brief and len(rows) > 2 * _BRIEF + 1:
        gap = [Cell("…", "dim"), Cell(f"{len(rows) - 2 * _BRIEF} more", "dim")]
        rows = [*rows[:_BRIEF], [*gap, *[Cell("")] * (len(_COLUMNS) - 2)], *rows[-_BRIEF:]]
    return laid_out(_COLUMNS, rows, terminal)


def theory_document(result: Result) -> dict[str, Any]:
    """Return theory and measurement as plain values.

    Parameters
    ----------
    result : Result
        A run.

    Returns
    -------
    dict
        ``last`` and ``first``: of the last pass and the one at iteration 0, with one entry per layer, the mean field,
        the reasons and the sentence; and ``units`` of the columns.
    """
    from gradsim.analysis import THEORY_UNITS

    return {"last": _pass(result.trace), "first": _pass(result.first), "units": dict(THEORY_UNITS)}


def _pass(trace: IterationTrace) -> dict[str, Any]:
    from gradsim.analysis import expected_profile, theory_sentence, theory_table, theory_words

    expected = expected_profile(trace)
    columns = theory_table(expected)
    names = [layer.name for layer in trace.layers if layer.number is not None]
    layers = [
        {
            "layer": number,
            "name": name,
            "delta_rms": trace[name].statistics["delta"].rms,
            "activation_rms": trace[name].statistics["activation"].rms,
            "theory_log10_delta": float(expected.log10_delta[place]),
            "theory_log10_activation": float(expected.log10_activation[place]),
            **{column: values[place] for column, values in columns.items()},
        }
        for place, (number, name) in enumerate(zip(expected.numbers.tolist(), names, strict=True))
    ]
    return {
        "iteration": trace.iteration,
        "applies": expected.applies,
        "widths": list(expected.widths),
        "batch": expected.batch,
        "words": theory_words(expected),
        "sentence": theory_sentence(expected),
        "mean_field": None if expected.mean_field is None else _field(expected.mean_field),
        "layers": layers,
        "outside": {"delta": expected.outside.tolist(), "activation": expected.outside_forward.tolist()},
        "reasons": list(expected.reasons),
    }


def _field(field: MeanField) -> dict[str, Any]:
    from gradsim.spec import kind_of

    return {
        "activation": kind_of(field.activation),
        "weight_variance": field.weight_variance,
        "bias_variance": field.bias_variance,
        "q_star": field.q_star,
        "chi": field.chi,
        "factor": field.factor,
        "depth_scale": field.depth_scale,
        "q_slope": field.q_slope,
        "q_depth_scale": field.q_depth_scale,
        "regime": field.regime,
    }


def _cells(expected: ExpectedProfile, place: int, name: str) -> list[Cell]:
    ratio = expected.backward_ratio[place] if place < len(expected.backward_ratio) else math.nan
    number = expected.numbers[place]
    outside = {"δ": number in expected.outside, "a": number in expected.outside_forward}
    return [
        Cell(str(number)),
        Cell(name),
        _power(expected.log10_measured[place]),
        _power(expected.log10_delta[place], "·"),
        _power(expected.log10_high[place] - expected.log10_delta[place], "·"),
        _number(ratio),
        _power(expected.log10_activation_measured[place]),
        _power(expected.log10_activation[place], "·"),
        _power(expected.log10_activation_high[place] - expected.log10_activation[place], "·"),
        _number(expected.q[place]),
        Cell(", ".join(symbol for symbol, is_out in outside.items() if is_out), "broken"),
    ]


def _power(log10: float, missing: str = "NaN") -> Cell:
    from gradsim.analysis import power_words

    if math.isnan(log10):
        return Cell(missing, "broken" if missing == "NaN" else "dim")
    return Cell(power_words(log10))


def _number(value: float) -> Cell:
    return Cell("·", "dim") if math.isnan(value) else Cell(scientific(value))
