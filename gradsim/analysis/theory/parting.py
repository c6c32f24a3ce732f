"""Why a measurement and the theory of random wide nets part: what the theory leaves out, and is so in this network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.theory.mean_field import MeanField
from gradsim.analysis.theory.signals import Passage
from gradsim.analysis.theory.variances import weight_variance
from gradsim.spec import Dense, Residual, unrolled_layers
from gradsim.trace import IterationTrace

_NARROW = 32
_OTHER_SIZE = 0.05
_SETTLED = 1.1
_SMALL_BATCH = 8
_BAND = 2.0
_RARE = 3.5
"""Standard deviations that are still called chance: over a few hundred layers they come up."""


def reasons_to_part(
    trace: IterationTrace,
    passages: Sequence[Passage],
    field: MeanField | None,
    told: Sequence[str],
    expected: NDArray[np.float64],
    measured: NDArray[np.float64],
    band: NDArray[np.float64],
) -> tuple[str, ...]:
    """Return the reasons why measurement and theory may part.

    Parameters
    ----------
    trace : IterationTrace
        The record measured.
    passages : sequence of Passage
        How theory went through it.
    field : MeanField or None
        Of its plain layers.
    told : sequence of str
        Names of layers at which theory took a measured size.
    expected, measured, band : ndarray of float64, shape (L,)
        log10 rms δ by theory and by the pass, and half the width of the band.

    Returns
    -------
    tuple of str
        Beginnings of sentences, without a full stop; most weighty first.
    """
    found = tuple(
        reason
        for reason in (
            _trained(trace),
            _other_weights(trace),
            _broken(measured),
            _rounding(trace),
            _narrow(trace, band),
            _skips(trace, passages),
            _unsettled(trace, field),
            _batch(trace),
            f"the walk took the measured size of the signal at {_listed(told)}" if told else "",
        )
        if reason
    )
    return found or tuple(filter(None, (_chance(expected, measured, band),)))


def _trained(trace: IterationTrace) -> str:
    if not trace.iteration:
        return ""
    times = "once" if trace.iteration == 1 else f"for {trace.iteration:,} iterations"
    return f"trained {times}: the weights are no longer random"


def _other_weights(trace: IterationTrace) -> str:
    """Name the layer whose weights are furthest from the size that its initializer gives them."""
    worst, name, most = 1.0, "", 1.0
    for placed in unrolled_layers(trace.experiment.network):
        if not isinstance(placed.layer, Dense):
            continue
        layer = trace[placed.name]
        variance = weight_variance(placed.layer.initializer, layer.fan_in, layer.fan_out)
        size = layer.statistics["weight"].rms
        if variance and layer["weight"].size >= 100:
            ratio = size / math.sqrt(variance)
            if not ratio > 0 or not math.isfinite(ratio):
                return f"the weights of {placed.name} are {'0' if ratio == 0 else 'not finite'}"
            # Chance alone moves the rms of n weights by 1 / √(2 n).
            beyond = abs(math.log(ratio)) / (_OTHER_SIZE + 5.0 / math.sqrt(2.0 * layer["weight"].size))
            if beyond > most:
                worst, name, most = ratio, placed.name, beyond
    if not name:
        return ""
    return f"the weights of {name} are ×{worst:.2g} of the size that its initializer draws"


def _chance(expected: NDArray[np.float64], measured: NDArray[np.float64], band: NDArray[np.float64]) -> str:
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.abs(measured - expected)[:-2] / band[:-2] * _BAND
    away = away[np.isfinite(away)]
    worst = float(away.max()) if len(away) else 0.0
    if worst <= _BAND:
        return ""
    if worst <= _RARE:
        return (
            "chance: one draw in twenty leaves a band of ±2 sd, and then in many layers in a row, for each hands "
            "down what the one above has drawn"
        )
    return f"up to {worst:.1f} sd: more than chance, and nothing that this program knows of explains it"


def _broken(measured: NDArray[np.float64]) -> str:
    lost, broken = (
        int(np.isneginf(measured[:-1]).sum()),
        int((np.isnan(measured) | np.isposinf(measured))[:-1].sum()),
    )
    if broken:
        return f"δ of {_count(broken)} not finite"
    return f"δ of {_count(lost)} exactly 0" if lost else ""


def _rounding(trace: IterationTrace) -> str:
    lost = sum(layer.rounding.flushed_backward + layer.rounding.overflowed_backward for layer in trace.layers)
    return f"{trace.experiment.precision} has lost {lost:,} values on the way back" if lost else ""


def _narrow(trace: IterationTrace, band: NDArray[np.float64]) -> str:
    widths = [layer.fan_out for layer in trace.layers if layer.number is not None][:-1]
    least = min(widths)
    if least >= _NARROW:
        return ""
    spread = 10.0 ** float(np.max(band[:-1]))
    return (
        f"width {least}: one draw of the weights may lie a factor {_brief(spread)} off by the first layer, and "
        "theory counts on many units"
    )


def _skips(trace: IterationTrace, passages: Sequence[Passage]) -> str:
    blocks = [p for p in _all(passages) if p.branch]
    if not blocks:
        return ""
    told = "a residual stream adds up: there is no one factor per layer"
    uneven = [
        placed
        for placed in unrolled_layers(trace.experiment.network)
        if isinstance(placed.layer, Residual)
        and placed.branch
        and abs(placed.layer.scale) > 0
        and any(p.name == placed.name and p.has_mean for p in blocks)
    ]
    if uneven:
        told += (
            ", and a branch whose output is positive on average feeds one direction of the signal, along which the "
            "gradient grows faster"
        )
    return told


def _unsettled(trace: IterationTrace, field: MeanField | None) -> str:
    if field is None:
        return ""
    if math.isinf(field.q_star):
        return "the signal grows without end, and never settles at a q*"
    if not field.is_stable:
        if abs(field.q_slope - 1.0) >= 1e-6:
            return "q* is not stable: small differences grow from layer to layer"
        slowly = "q* = 0 is neared ever more slowly: as long as there is a signal, χ is another"
        return slowly if field.q_star == 0 else ""
    first = next(layer for layer in trace.layers if layer.number is not None)
    start = float(np.mean(first["pre_activation"].astype(np.float64) ** 2))
    if field.q_star == 0 or not start > 0:
        return "the signal dies out: its q* is 0" if field.q_star == 0 else ""
    away = abs(math.log(start / field.q_star))
    if away <= math.log(_SETTLED) or not 0 < field.q_slope < 1:
        return ""
    layers = math.ceil(math.log(math.log(_SETTLED) / away) / math.log(field.q_slope))
    many = f"about {layers} layers" if layers > 1 else "one layer"
    return f"q* is not reached at once: it takes {many}, before which χ is another"


def _batch(trace: IterationTrace) -> str:
    normalized = any(
        getattr(placed.layer, "method", "") == "batch"
        or getattr(getattr(placed.layer, "normalization", None), "method", "") == "batch"
        for placed in unrolled_layers(trace.experiment.network)
    )
    batch = len(trace.inputs)
    if not normalized:
        return ""
    if batch < _SMALL_BATCH:
        return f"a batch of {batch}: theory corrects for 1/batch only to first order"
    return ""


def _all(passages: Sequence[Passage]) -> Iterator[Passage]:
    for passage in passages:
        yield from _all(passage.branch)
        yield passage


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more layers"


def _count(layers: int) -> str:
    return "1 layer is" if layers == 1 else f"{layers} layers is"


def _brief(factor: float) -> str:
    return f"{factor:.2g}" if factor < 100 else f"{factor:.0f}" if factor < 1e4 else f"{factor:.0e}"
