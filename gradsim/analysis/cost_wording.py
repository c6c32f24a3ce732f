"""Costs in sentences: how long, how much, and what faster hardware would buy."""

from __future__ import annotations

import math

from gradsim.analysis.cost import Cost
from gradsim.analysis.speed import Speed

_UNITS = (
    (1e-9, "ns"),
    (1e-6, "µs"),
    (1e-3, "ms"),
    (1.0, "s"),
    (60.0, "min"),
    (3600.0, "h"),
    (86_400.0, "days"),
    (31_557_600.0, "years"),
)
AGE_OF_UNIVERSE = 13.8e9 * 31_557_600.0
"""Seconds, to compare with; 13.8 billion years (Planck Collaboration 2018)."""

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def duration_words(seconds: float) -> str:
    """Return a duration in the unit that suits it.

    Parameters
    ----------
    seconds : float
        Any; ∞ is never.

    Returns
    -------
    str
        ``"3.4 min"``, ``"2.1e+09 years"``, ``"never"``, ``"not a number"``.
    """
    if math.isnan(seconds):
        return "not a number"
    if math.isinf(seconds):
        return "never"
    size, unit = next((u for u in reversed(_UNITS) if seconds >= u[0]), _UNITS[0])
    return f"{seconds / size:.2g} {unit}" if seconds / size < 99.5 else f"{_large(seconds / size)} {unit}"


def amount_words(number: float, unit: str) -> str:
    """Return a large amount with a prefix.

    Parameters
    ----------
    number : float
        Such as operations per second.
    unit : str
        Such as ``"FLOP/s"``.

    Returns
    -------
    str
        ``"1.2 GFLOP/s"``.
    """
    if not math.isfinite(number):
        return f"{'unknown' if math.isnan(number) else '∞'} {unit}"
    size, prefix = next((p for p in _PREFIXES if abs(number) >= p[0]), (1.0, ""))
    return f"{number / size:.3g} {prefix}{unit}"


def cost_sentences(cost: Cost, speed: Speed | None = None) -> list[str]:
    """Return what an iteration costs and what faster hardware buys, in sentences.

    Parameters
    ----------
    cost : Cost
        Any.
    speed : Speed, optional
        A measurement, whose distance is then set beside the two bounds.

    Returns
    -------
    list of str
        The counts; the speed where there is one; the first layer; what faster machines buy.
    """
    counted = cost.operations
    told = [
        f"One iteration takes {amount_words(counted.total, 'FLOP')}: {amount_words(counted.forward, 'FLOP')} "
        f"forward, {amount_words(counted.backward, 'FLOP')} backward, {amount_words(counted.update, 'FLOP')} for "
        f"the update; as much as {counted.forward_passes:.2f} forward passes."
    ]
    if math.isfinite(cost.rate):
        told.append(
            f"Measured here: {cost.rate:,.0f} iterations per second, {amount_words(cost.flops, 'FLOP/s')}."
            if cost.rate >= 10
            else f"Measured here: {cost.rate:.2g} iterations per second, {amount_words(cost.flops, 'FLOP/s')}."
        )
    told.append(_motion_words(cost, speed))
    told.append(_bought(cost))
    return told


def factor_words(factor: float) -> str:
    """Return how many times as fast.

    Parameters
    ----------
    factor : float
        A power of ten, from 1 on.

    Returns
    -------
    str
        ``"10×"``, ``"1,000×"``, ``"10⁶×"``.
    """
    if factor < 1e5:
        return f"{factor:,.0f}×"
    return f"10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(d)] for d in str(round(math.log10(factor))))}×"


def span_words(straight: float, walk: float) -> str:
    """Return the two bounds of a duration.

    Parameters
    ----------
    straight, walk : float
        Seconds.

    Returns
    -------
    str
        ``"2.1 s (straight) to 4 h (random walk)"``, or one word where both are the same.
    """
    if straight == walk or math.isnan(straight):
        return duration_words(straight)
    last = "longer than float64 can say" if math.isinf(walk) else duration_words(walk)
    return f"{duration_words(straight)} (straight) to {last} (random walk)"


def _motion_words(cost: Cost, speed: Speed | None) -> str:
    first = cost.first
    name = f"the first layer ({first.name})"
    if math.isnan(first.ratio):
        return f"How far an update moves {name} is not a number."
    if math.isinf(first.ratio):
        return f"The weights of {name} are all 0: any update is infinitely far for them."
    if first.ratio == 0:
        reason = "its update is exactly 0"
        if first.standing_still > 0:
            reason = (
                "every update is below half the spacing of its weights in this precision and is rounded away"
            )
        return f"The first layer ({first.name}) never moves: {reason}."
    told = f"One update moves {name} by {share_words(first.ratio)} of its weights"
    if first.standing_still > 0:
        told += f" ({share_words(first.standing_still)} of them stay the same to the last bit)"
    machine = cost.machines[0]
    if first.straight == 1:
        told += ", more than 1 % at once"
    else:
        told += (
            f": 1 % takes {_large(first.straight)} iterations if all point the same way, "
            f"{_large(first.walk)} as a random walk"
        )
    if math.isfinite(machine.rate):
        told += f"; here {span_words(machine.straight, machine.walk)}"
    if speed is not None and math.isfinite(moved := speed.moved(first.name)):
        told += f". In {speed.iterations:,} measured iterations it moved {share_words(moved)}"
    return f"{told}."


def _bought(cost: Cost) -> str:
    faster = [machine for machine in cost.machines if machine.factor > 1]
    bought = faster[0].layers_bought
    if math.isnan(bought):
        return (
            "How many layers a faster machine buys cannot be told: fewer than three layers say by what factor the "
            "gradient changes."
        )
    if math.isinf(bought):
        return "The gradient does not shrink on its way back: a faster machine is faster for any depth."
    layers = ", ".join(f"{factor_words(m.factor)} as fast {m.layers_bought:.2g}" for m in faster)
    return (
        f"At ×{cost.factor_per_layer:.2g} per layer speed meets an exponential: a machine {layers} more layers, "
        "after which the first one is as slow as here."
    ).replace(f" {bought:.2g},", f" buys {bought:.2g},", 1)


def share_words(share: float) -> str:
    """Return a share in percent.

    Parameters
    ----------
    share : float
        From 0 on.

    Returns
    -------
    str
        ``"0.02 %"``, ``"140 %"``.
    """
    return f"{100 * share:.2g} %" if not 0.995 <= share < 1e4 else f"{100 * share:,.0f} %"


def _large(number: float) -> str:
    if math.isinf(number):
        return "more than 1e+308"
    return f"{number:,.0f}" if number < 1e6 else f"{number:.2g}"
