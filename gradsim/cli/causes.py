"""Why signals shrink or grow, in the terminal: a table of factors for each direction, and the same for programs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from gradsim.cli.table import Cell, Column, Table, laid_out, scientific

if TYPE_CHECKING:
    from gradsim.analysis import Causes, LayerCause
    from gradsim.analysis.cause import FactorKind
    from gradsim.analysis.fit import Direction
    from gradsim.cli.terminal import Style, Terminal
    from gradsim.trace import IterationTrace

_BRIEF = 4
_READABLE = 100
_TITLES: dict[FactorKind, str] = {
    "weight": "weights",
    "bias": "bias",
    "slope": "φ",
    "normalization": "norm.",
    "skip": "skip",
    "dropout": "dropout",
    "time": "time",
}
_MEANINGS: dict[Direction, str] = {
    "backward": "Backward: rms δ / rms δ of the next layer = the product of its factors; φ is the slope φ'(z)",
    "forward": "Forward: rms a / rms a of the layer before = the product of its factors; φ is the activation",
}
_HARDLY_ANY_CHANGE = 0.8, 1.25


def print_causes(trace: IterationTrace, terminal: Terminal, brief: bool = False) -> None:
    """Print the factors of every layer, and what the whole net owes to which.

    Parameters
    ----------
    trace : IterationTrace
        A recorded pass.
    terminal : Terminal
        Where to print.
    brief : bool, default False
        Show only the first and the last few layers.
    """
    from gradsim.analysis import budget_sentence, cause_budget, causes

    found = causes(trace, details=False)
    for direction in _directions():
        terminal.write()
        terminal.write(terminal.painted(terminal.text(_MEANINGS[direction]), "bold"))
        if found.of(direction):
            table = cause_lines(found, direction, terminal, brief)
            for line in table.lines:
                terminal.write(line)
            if table.left_out:
                missing = f"no room for {', '.join(table.left_out)}: widen the window, or --json"
                terminal.write(terminal.painted(terminal.text(missing), "dim"))
        for line in textwrap.wrap(
            budget_sentence(cause_budget(found, direction)), min(terminal.width or _READABLE, _READABLE)
        ):
            terminal.write(terminal.text(line))


def cause_lines(found: Causes, direction: Direction, terminal: Terminal, brief: bool = False) -> Table:
    """Lay out the causes of one direction as a table.

    Parameters
    ----------
    found : Causes
        Of a pass.
    direction : {"backward", "forward"}
        Which way.
    terminal : Terminal
        Decides width, colours and characters.
    brief : bool, default False
        Show only the first and the last few layers.

    Returns
    -------
    Table
        One line per layer that has a ratio; no column for a kind of factor that no layer has.
    """
    causes = found.of(direction)
    kinds = [kind for kind in _TITLES if any(cause.value_of(kind) is not None for cause in causes)]
    columns = [Column("layer"), Column("name", "left", rank=2), Column("ratio")]
    columns += [Column(_TITLES[kind]) for kind in kinds]
    columns.append(Column("why", "left", rank=1))
    rows = [_cells(cause, kinds) for cause in causes]
    if brief and len(rows) > 2 * _BRIEF + 1:
        gap = [
            Cell("…", "dim"),
            Cell(f"{len(rows) - 2 * _BRIEF} more", "dim"),
            *[Cell("")] * (len(columns) - 2),
        ]
        rows = [*rows[:_BRIEF], gap, *rows[-_BRIEF:]]
    return laid_out(columns, rows, terminal)


def cause_document(trace: IterationTrace) -> dict[str, Any]:
    """Return the causes of a pass as plain values.

    Parameters
    ----------
    trace : IterationTrace
        A recorded pass.

    Returns
    -------
    dict
        ``backward`` and ``forward``: the layers with their factors and what these are made of, the budget of the
        whole net, and its words.
    """
    from gradsim.analysis import budget_sentence, cause_budget, causes

    found = causes(trace)
    document: dict[str, Any] = {}
    for direction in _directions():
        budget = cause_budget(found, direction)
        document[direction] = {
            "layers": [_layer_document(cause) for cause in found.of(direction)],
            "budget": {
                "log10": budget.log10,
                "parts": [
                    {"kind": part.kind, "label": part.label, "log10": part.log10, "share": part.share}
                    for part in budget.parts
                ],
                "left_out": list(budget.left_out),
                "words": budget_sentence(budget),
            },
        }
    return document


def _directions() -> tuple[Direction, ...]:
    return ("backward", "forward")


def _layer_document(cause: LayerCause) -> dict[str, Any]:
    from gradsim.analysis import cause_sentence

    return {
        "layer": cause.number,
        "name": cause.name,
        "from_layer": cause.other,
        "rms": cause.after,
        "rms_there": cause.before,
        "ratio": cause.ratio,
        "product": cause.product,
        "state": cause.state,
        "factors": [
            {
                "kind": factor.kind,
                "layer": factor.layer,
                "label": factor.label,
                "value": factor.value,
                "before": factor.before,
                "after": factor.after,
                "state": factor.state,
                "details": dict(factor.details),
            }
            for factor in cause.factors
        ],
        "words": cause_sentence(cause),
    }


def _cells(cause: LayerCause, kinds: list[FactorKind]) -> list[Cell]:
    from gradsim.analysis import cause_verdict

    cells = [
        Cell(str(cause.number)),
        Cell(cause.name),
        _factor(cause.ratio, _idle(cause.before, cause.after)),
    ]
    for kind in kinds:
        value = cause.value_of(kind)
        factors = [factor for factor in cause.factors if factor.kind == kind]
        idle = all(factor.state == "nothing arrives" for factor in factors)
        cells.append(Cell("", "dim") if value is None else _factor(value, idle))
    return [*cells, Cell(cause_verdict(cause))]


def _idle(before: float, after: float) -> bool:
    return before == 0 == after


def _factor(value: float, is_idle: bool) -> Cell:
    if is_idle:
        return Cell("0/0", "broken")
    return Cell(scientific(value) if value != value else f"×{scientific(value)}", _style(value))


def _style(value: float) -> Style:
    if value != value or value in (0.0, float("inf")):
        return "broken"
    low, high = _HARDLY_ANY_CHANGE
    return "shrinking" if value < low else "growing" if value > high else "plain"
