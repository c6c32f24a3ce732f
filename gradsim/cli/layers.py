"""The numbers of every layer as the terminal tells them: one row per layer for the table, JSON and CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradsim.cli.table import Cell, Column, Table, laid_out, scientific
from gradsim.cli.terminal import Style, Terminal

if TYPE_CHECKING:
    from gradsim.analysis import Profile
    from gradsim.trace import IterationTrace

_BRIEF = 4
_SHORTEST_STRIP, _LONGEST_STRIP = 12, 40
_HARDLY_ANY_CHANGE = 0.8, 1.25
_ACTIVATED = ("dense", "recurrent", "activation")
_NARROW = ("float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer, after a pass; None where a layer has nothing of the kind.

    Attributes
    ----------
    number : int or None
        1…L from the input on, for dense and recurrent layers and the head.
    name, kind, activation : str
        As in the experiment.
    units : int
        Width of its output.
    activation_rms, delta_rms : float
        Of all values of the batch. δ of a layer without a number is the gradient of its input.
    weight_gradient_rms, weight_rms : float or None
        Of all values of the parameter; of gamma for a normalization, of the projection for a residual block.
    backward_ratio : float or None
        rms δ of this layer / rms δ of the next numbered layer; None for the head and layers without a number.
    update_ratio : float or None
        rms of the update / rms of the weight.
    saturation : float
        1 − mean φ'(z) / max φ'; NaN where there is no φ.
    zero_share : float
        Share of the values of δ that are exactly 0, from 0 to 1.
    nans, infs : int
        Values that are NaN or ±Inf in all tensors whose statistics are taken together.
    flushed, overflowed : int or None
        Values that rounding to a narrow format made 0 or infinite, in the pass and in the update; None in float32
        and float64.
    is_still : bool
        Whether the pass is in a phase in which all layers but one stand still: no δ is handed from layer to layer,
        and a ratio, 0 / 0 or x / 0, would be a statement about nothing. There is none then.
    """

    number: int | None
    name: str
    kind: str
    activation: str
    units: int
    activation_rms: float
    delta_rms: float
    backward_ratio: float | None
    weight_gradient_rms: float | None
    weight_rms: float | None
    update_ratio: float | None
    saturation: float
    zero_share: float
    nans: int
    infs: int
    flushed: int | None = None
    overflowed: int | None = None
    is_still: bool = False


def layer_rows(trace: IterationTrace, profile: Profile) -> tuple[LayerRow, ...]:
    """Return the numbers of all layers.

    Parameters
    ----------
    trace : IterationTrace
        A recorded pass.
    profile : Profile
        What ``gradsim.analysis`` makes of that pass.

    Returns
    -------
    tuple of LayerRow
        In forward order, the head last; a residual block behind its branch.
    """
    from gradsim.spec import phase_at

    ratios = dict(zip(profile.layer_names, profile.backward_ratio.tolist(), strict=False))
    is_narrow = trace.experiment.precision in _NARROW
    is_still = phase_at(trace.experiment, trace.iteration).layer is not None
    rows = []
    for layer in trace.layers:
        rounding = layer.rounding
        delta = layer.statistics["delta"]
        weight = layer.statistics.get("weight")
        update = layer.statistics.get("update")
        gradient = layer.statistics.get("weight_gradient")
        rows.append(
            LayerRow(
                number=layer.number,
                name=layer.name,
                kind=layer.kind,
                activation=layer.activation_kind if layer.kind in _ACTIVATED else "",
                units=layer.fan_out,
                activation_rms=layer.statistics["activation"].rms,
                delta_rms=delta.rms,
                backward_ratio=None if is_still else ratios.get(layer.name),
                weight_gradient_rms=gradient.rms if gradient else None,
                weight_rms=weight.rms if weight else None,
                update_ratio=_quotient(update.rms, weight.rms) if update and weight else None,
                saturation=float(layer.saturation) if layer.kind in _ACTIVATED else math.nan,
                zero_share=delta.zeros / delta.count if delta.count else 0.0,
                nans=sum(statistics.nans for statistics in layer.statistics.values()),
                infs=sum(statistics.infs for statistics in layer.statistics.values()),
                flushed=rounding.flushed_forward + rounding.flushed_backward if is_narrow else None,
                overflowed=rounding.overflowed_forward + rounding.overflowed_backward if is_narrow else None,
                is_still=is_still,
            )
        )
    return tuple(rows)


def _quotient(dividend: float, divisor: float) -> float:
    """As IEEE says: x / 0 is infinite, 0 / 0 is NaN."""
    if divisor:
        return dividend / divisor
    return math.inf if dividend > 0 else math.nan


def _columns(rows: Sequence[LayerRow]) -> tuple[Column, ...]:
    """Headings; those under which there is nothing but zeros are the first to go where room is short."""
    return (
        Column("layer"),
        Column("name", "left"),
        Column("activation", "left", rank=2),
        Column("units", rank=3),
        Column("rms a", rank=1),
        Column("rms δ"),
        Column("backward"),
        Column("rms ∂W", rank=1),
        Column("ΔW/W", rank=2),
        Column("saturated", rank=5),
        Column("δ = 0", rank=4 if any(row.zero_share for row in rows) else 6),
        Column("NaN", rank=1 if any(row.nans for row in rows) else 7),
        Column("Inf", rank=1 if any(row.infs for row in rows) else 7),
        *((Column("flushed", rank=1), Column("overflowed", rank=1)) if _is_narrow(rows) else ()),
    )


def _is_narrow(rows: Sequence[LayerRow]) -> bool:
    return any(row.flushed is not None for row in rows)


def layer_table(rows: Sequence[LayerRow], terminal: Terminal, brief: bool = False) -> Table:
    """Lay out the layers as a table, with a strip that draws rms δ where there is room.

    Parameters
    ----------
    rows : sequence of LayerRow
        All layers.
    terminal : Terminal
        Decides width, colours and characters.
    brief : bool, default False
        Show only the first and the last few layers.

    Returns
    -------
    Table
        One line per layer, forward order.
    """
    shown: list[LayerRow | None] = list(rows)
    if brief and len(rows) > 2 * _BRIEF + 1:
        shown = [*rows[:_BRIEF], None, *rows[-_BRIEF:]]
    hidden = len(rows) - 2 * _BRIEF
    columns = _columns(rows)
    cells = [_cells(row) if row else _gap(hidden, len(columns)) for row in shown]
    table = laid_out(columns, cells, terminal)
    room = _LONGEST_STRIP if terminal.width is None else min(_LONGEST_STRIP, terminal.width - table.width - 2)
    values = [row.delta_rms for row in rows if row.delta_rms > 0 and math.isfinite(row.delta_rms)]
    if table.left_out or room < _SHORTEST_STRIP or not values:
        return table
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    strip = Column(f"rms δ, 1e{low:+03d} … 1e{high:+03d}", "left")
    room = max(room, len(strip.title)) if terminal.width is None else room
    if room < len(strip.title):
        return table
    for row, line in zip(shown, cells, strict=True):
        line.append(Cell(_strip(row.delta_rms, low, high, room)) if row else Cell(""))
    return laid_out((*columns, strip), cells, terminal)


def _cells(row: LayerRow) -> list[Cell]:
    broken: Style = "broken"
    ratio = row.backward_ratio
    return [
        Cell("" if row.number is None else str(row.number)),
        Cell(row.name),
        Cell(row.activation),
        Cell(str(row.units)),
        _number(row.activation_rms),
        _number(row.delta_rms),
        _ratio(ratio, row.number is not None, row.is_still),
        _number(row.weight_gradient_rms),
        _number(row.update_ratio),
        Cell(_share(row.saturation)),
        Cell(_share(row.zero_share), "broken" if row.zero_share == 1.0 else "plain"),
        Cell(str(row.nans), broken if row.nans else "dim"),
        Cell(str(row.infs), broken if row.infs else "dim"),
        *(_lost(count) for count in (row.flushed, row.overflowed) if count is not None),
    ]


def _lost(count: int) -> Cell:
    return Cell(f"{count:,}", "shrinking" if count else "dim")


def _gap(hidden: int, columns: int) -> list[Cell]:
    return [Cell("…", "dim"), Cell(f"{hidden} more", "dim"), *[Cell("")] * (columns - 2)]


def _ratio(ratio: float | None, is_numbered: bool, is_still: bool) -> Cell:
    """Nothing where there is none to be: the head's is a point, a layer without a number has not even that.

    A dash in a phase in which all layers but one stand still: no δ is handed from layer to layer.
    """
    if ratio is None:
        return Cell(("–" if is_still else "·") if is_numbered else "", "dim")
    return Cell(_factor(ratio), _direction(ratio))


def _number(value: float | None) -> Cell:
    if value is None:
        return Cell("")
    return Cell(scientific(value), "plain" if math.isfinite(value) and value != 0 else "broken")


def _factor(ratio: float) -> str:
    return scientific(ratio) if math.isnan(ratio) else f"×{scientific(ratio)}"


def _direction(ratio: float) -> Style:
    if not math.isfinite(ratio) or ratio == 0:
        return "broken"
    low, high = _HARDLY_ANY_CHANGE
    return "shrinking" if ratio < low else "growing" if ratio > high else "plain"


def _share(value: float) -> str:
    if math.isnan(value):
        return "·"
    # Neither "0 %" nor "100 %" may stand for a share that is not exactly that.
    if 0 < value < 0.005:
        return "<1 %"
    if 0.995 < value < 1:
        return ">99 %"
    return f"{100 * value:.0f} %"


def _strip(value: float, low: int, high: int, room: int) -> str:
    if math.isnan(value):
        return "NaN"
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞".rjust(room)
    place = round((math.log10(value) - low) / (high - low) * (room - 1))
    return "·" * place + "●"
