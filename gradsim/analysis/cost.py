"""What an iteration costs, and what faster hardware would buy: operations, speed, and how far layers move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.magnitude import rms
from gradsim.analysis.operations import Operations, operations
from gradsim.analysis.profile import profile
from gradsim.trace import History, IterationTrace, LayerTrace

FASTER = (1.0, 10.0, 1e3, 1e6)
"""Machines to compare: this one, and others so many times as fast."""

TARGET = 0.01
"""How far a layer shall move: a share of the rms of its weights."""

_RECENT = 100
_FEW = 3


@dataclass(frozen=True, slots=True)
class LayerMotion:
    """How fast one layer moves.

    Attributes
    ----------
    name : str
        Of the layer.
    number : int
        1…L.
    ratio : float
        rms of what one update really changes / rms of the weight: additions that the precision rounds away
        change nothing. ∞ where the weights are all 0, NaN where some weight or update is NaN or ∞.
    standing_still : float
        Share of the weights with an update other than 0 that stay the same to the last bit.
    straight : float
        Iterations until the layer has moved by ``TARGET`` if all updates point the same way: the fewest
        possible. ∞ for never.
    walk : float
        The same if the updates are a random walk, whose distance grows with √n. ∞ for never.
    """

    name: str
    number: int
    ratio: float
    standing_still: float
    straight: float
    walk: float


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: that on which it was measured, or one that is faster.

    Attributes
    ----------
    factor : float
        How many times as fast as this one.
    rate : float
        Iterations per second; NaN where none was measured.
    straight, walk : float
        Seconds until the first layer has moved by ``TARGET``, see ``LayerMotion``; ∞ for never.
    layers_bought : float
        How many more layers leave the first one as fast as it is now, at the measured factor per layer: log of
        the speed / −log of the factor. 0 for this machine; ∞ where the gradient does not shrink on its way
        back; NaN where it has no fitted factor.
    """

    factor: float
    rate: float
    straight: float
    walk: float
    layers_bought: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What one iteration costs and achieves.

    Attributes
    ----------
    iteration : int
        Of the record it was made from.
    operations : Operations
        Counted, see :mod:`gradsim.analysis.operations`.
    rate : float
        Iterations per second, as measured; NaN where nothing was.
    flops : float
        Floating-point operations per second reached; NaN without a rate.
    motions : tuple of LayerMotion
        Of the layers that carry weights, the first one first.
    factor_per_layer : float
        By what the error signal is multiplied per layer on its way back; NaN where fewer than three layers
        could tell it.
    machines : tuple of Machine
        One for each of ``FASTER``.
    """

    iteration: int
    operations: Operations
    rate: float
    flops: float
    motions: tuple[LayerMotion, ...]
    factor_per_layer: float
    machines: tuple[Machine, ...]

    @property
    def first(self) -> LayerMotion:
        """The first layer."""
        return self.motions[0]


def cost(
    trace: IterationTrace,
    history: History | None = None,
    rate: float | None = None,
    counted: Operations | None = None,
) -> Cost:
    """Return what an iteration costs, and how long the first layer takes to move.

    Parameters
    ----------
    trace : IterationTrace
        A record, with its update.
    history : History, optional
        Statistics of the run: the update ratio is then the median of the last records up to the trace, at most
        100, times the share of it that the precision keeps at the trace.
    rate : float, optional
        Iterations per second, measured on this machine.
    counted : Operations, optional
        What ``operations(trace)`` gives, where it is known: of one experiment every iteration of the same phase of
        training has the same.

    Returns
    -------
    Cost
        Operations per iteration and, for this machine and faster ones, the seconds until the first layer has
        moved by 1 %.
    """
    counted = operations(trace) if counted is None else counted
    speed = math.nan if rate is None else float(rate)
    layers = [layer for layer in trace.layers if layer.number is not None]
    recent = _recent_ratios(history, [layer.index for layer in layers], trace.iteration)
    precision = trace.experiment.precision
    motions = tuple(_motion(layer, of, precision) for layer, of in zip(layers, recent, strict=True))
    fit = profile(trace).backward_fit
    factor = fit.factor if len(fit.used) >= _FEW else math.nan
    machines = tuple(_machine(times, speed, motions[0], factor) for times in FASTER)
    return Cost(trace.iteration, counted, speed, counted.total * speed, motions, factor, machines)


def iterations_to_move(ratio: float, target: float = TARGET) -> tuple[float, float]:
    """Return after how many iterations a layer has moved by a share of its weights.

    Parameters
    ----------
    ratio : float
        rms of one update / rms of the weights.
    target : float, default 0.01
        The share.

    Returns
    -------
    straight, walk : float
        Whole numbers: target / ratio where all updates point the same way (triangle inequality: no sum of n of
        them is longer than n), and (target / ratio)² for a random walk, whose rms distance is √n. At least 1;
        ∞ for a ratio of 0; NaN where the ratio is none.
    """
    if math.isnan(ratio):
        return math.nan, math.nan
    if ratio == 0:
        return math.inf, math.inf
    needed = target / ratio
    if needed <= 1:
        return 1.0, 1.0
    # Beyond 2⁵³ every float is whole; beyond 1e154 its square is infinite, which ``walk`` then says.
    return _whole(needed), _whole(needed * needed)


def layers_bought(times: float, factor: float) -> float:
    """Return how many more layers a faster machine makes up for.

    Parameters
    ----------
    times : float
        How many times as fast.
    factor : float
        By what the gradient is multiplied per layer on its way back.

    Returns
    -------
    float
        log(times) / −log(factor); ∞ for a gradient that does not shrink, NaN without a factor.
    """
    if math.isnan(factor):
        return math.nan
    if factor >= 1:
        return math.inf if times > 1 else 0.0
    return math.log(times) / -math.log(factor) if factor > 0 else 0.0


def _whole(value: float) -> float:
    # A hair above a whole number is that number: 0.01 / 0.001 is not 11 iterations.
    return float(math.ceil(value * (1 - 1e-12))) if value < 2.0**53 else value


def _motion(layer: LayerTrace, recent: float, precision: str) -> LayerMotion:
    weight, update = layer["weight"], layer["update"]
    with np.errstate(all="ignore"):
        applied = _stored(weight + update, precision) - weight
        ratio = _moved_share(applied, weight)
        moves = update != 0  # truths are counted faster than numbers
        moving = int(np.count_nonzero(moves))
        if math.isnan(ratio):
            kept = int(np.count_nonzero(moves & (applied == 0)))
        else:  # where nothing was to move nothing did
            kept = moving - int(np.count_nonzero(applied != 0))
        still = kept / max(moving, 1)
        here = np.float64(layer.statistics["update"].rms) / np.float64(layer.statistics["weight"].rms)
        if math.isfinite(recent) and 0 < ratio < math.inf and here > 0:
            ratio = float(recent * (ratio / here))
    straight, walk = iterations_to_move(ratio)
    return LayerMotion(layer.name, layer.number or 0, ratio, still, straight, walk)


def _stored(values: NDArray[Any], precision: str) -> NDArray[Any]:
    """Values as a precision keeps them, to nearest even; float32 and float64 have theirs already."""
    if precision == "float16":
        return values.astype(np.float16).astype(values.dtype)
    if precision == "bfloat16":
        bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
        kept = (bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) & np.uint32(0xFFFF0000)
        return np.where(np.isfinite(values), kept.view(np.float32), values)
    return values


def _moved_share(applied: NDArray[Any], weight: NDArray[Any]) -> float:
    """Any step is infinitely far for weights that are all 0; a step that is no number leads nowhere."""
    moved, size = rms(applied), rms(weight)
    if not (math.isfinite(moved) and math.isfinite(size)):
        return math.nan
    if size == 0:
        return math.inf if moved else 0.0
    return moved / size


def _recent_ratios(history: History | None, layers: Sequence[int], iteration: int) -> list[float]:
    """Return the median ratio of the last records of some layers; NaN where there are too few, or one is none."""
    until = 0
    if history is not None:
        until = int(np.searchsorted(history.iterations, iteration, side="right"))
    window = slice(max(until - _RECENT, 0), until)
    if history is None or window.stop - window.start < _FEW:
        return [math.nan] * len(layers)
    with np.errstate(all="ignore"):
        ratios = history.series("update", "rms")[window] / history.series("weight", "rms")[window]
        found: list[float] = np.median(ratios[:, layers], axis=0).tolist()
    return found


def _machine(times: float, rate: float, first: LayerMotion, factor: float) -> Machine:
    fast = times * rate
    with np.errstate(all="ignore"):
        straight, walk = (float(np.float64(n) / fast) for n in (first.straight, first.walk))
    return Machine(times, fast, straight, walk, layers_bought(times, factor))
