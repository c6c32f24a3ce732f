"""A gradient check in sentences: what agrees, what does not, and what kinks and the precision do to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradsim.analysis.gradient_verdict import Conclusion, DirectionCheck, GradientCheck, TensorCheck, Verdict

_FEW = 4
_EXPECTED = {"float32": 1e-5, "float64": 1e-12}

VERDICT_WORDS: dict[Verdict, str] = {
    "agrees": "agrees",
    "zero": "both are 0",
    "kink": "at a kink",
    "undecided": "below the rounding of the loss",
    "deliberate": "truncated on purpose",
    "not finite": "not finite",
    "disagrees": "disagrees",
}
"""Verdict → words for a table."""

NOT_FINITE = "gradient or loss is not finite, in float64 too"
_TITLES: dict[Conclusion, str] = {
    "passed": "Passed",
    "nothing compared": "Nothing to compare",
    "not finite": "Nothing can be proven",
    "failed": "Not passed",
}


def check_title(check: GradientCheck) -> str:
    """Return the verdict on all tensors together.

    Parameters
    ----------
    check : GradientCheck
        Any.

    Returns
    -------
    str
        ``Passed``; ``Not passed`` where something disagrees; else ``Nothing can be proven`` where something is
        not finite; ``Nothing to compare`` where no gradient could be told from 0 or stands on a kink.
    """
    return _TITLES[check.conclusion]


def check_sentences(check: GradientCheck) -> list[str]:
    """Return what a gradient check has found.

    Parameters
    ----------
    check : GradientCheck
        Any.

    Returns
    -------
    list of str
        The verdict first; then gradients that are 0 and why, kinks, what could not be decided, and what the
        network's own precision does.
    """
    told = [_verdict(check)]
    told += _zeros(check)
    told += _kinks(check)
    undecided = _with(check, "undecided")
    if undecided:
        told.append(
            f"In {_names(undecided)} the loss changes by less than its own rounding: as far as differences can "
            "tell the gradient is 0 there, because it has vanished or because a normalization takes the parameter "
            "out again."
        )
    cut = _with(check, "deliberate")
    if cut:
        told.append(
            f"{_list(check.truncated)} {'forgets' if len(check.truncated) == 1 else 'forget'} the gradient of "
            f"earlier steps on purpose (truncation): in {_names(cut)} backpropagation is off by up to "
            f"{max(tensor.error for tensor in cut):.1e} of the true gradient."
        )
    own = _own_precision(check)
    return [*told, own] if own else told


def _verdict(check: GradientCheck) -> str:
    if check.conclusion == "failed":
        wrong = _with(check, "disagrees")
        worst = max(wrong, key=lambda tensor: tensor.error)
        way = max(worst.directions, key=lambda d: d.error if d.verdict == "disagrees" else -1.0)
        return (
            f"FAILED: backpropagation and differences of the loss disagree in {_names(wrong)}. In {worst.name} along "
            f"{_along(way)} backpropagation says {way.backpropagated:.6g}, differences {way.difference.value:.6g} "
            f"± {way.difference.uncertainty:.1g} (relative error {way.error:.1e})."
        )
    if check.conclusion == "not finite":
        loss = "" if math.isfinite(check.loss) else f"; the loss is {_number(check.loss)}"
        return f"{check_title(check)}: in {_names(_with(check, 'not finite'))} {NOT_FINITE}{loss}."
    if check.conclusion == "nothing compared":
        if all(tensor.verdict in ("zero", "undecided") for tensor in check.tensors):
            return f"In none of the {_of_all(check)} is there a gradient that differences could tell from 0."
        return f"In none of the {_of_all(check)} can differences of the loss prove the gradient."
    agreeing = _with(check, "agrees")
    largest = max(agreeing, key=lambda tensor: tensor.error)
    return (
        f"Backpropagation agrees with differences of the loss in {len(agreeing)} of {_of_all(check)}: the largest "
        f"relative error is {largest.error:.1e}, in {largest.name} "
        f"({check.evaluations:,} passes of iteration {check.iteration:,} in float64)."
    )


def _of_all(check: GradientCheck) -> str:
    return f"{len(check.tensors)} parameter tensor{'' if len(check.tensors) == 1 else 's'}"


def _zeros(check: GradientCheck) -> list[str]:
    """Say for each reason which gradients are 0, so that 0 = 0 is not taken for a proof that failed."""
    told = []
    zeros = _with(check, "zero")
    for reason in dict.fromkeys(tensor.zero_reason for tensor in zeros):
        these = [tensor for tensor in zeros if tensor.zero_reason == reason]
        is_exact = all(way.difference.value == 0 for tensor in these for way in tensor.directions)
        differences = "exactly 0, too" if is_exact else "0 within the rounding of the loss"
        why = f" No gradient gets there: {reason}." if reason else ""
        told.append(
            f"In {_names(these)} the gradient is exactly 0 and the differences of the loss are {differences}: they "
            f"agree as 0 = 0.{why}"
        )
    return told


def _kinks(check: GradientCheck) -> list[str]:
    at = _with(check, "kink")
    told = []
    if at:
        way = next(d for d in at[0].directions if d.verdict == "kink")
        told.append(
            f"In {_names(at)} the network stands exactly on kinks of its activations, where there is no derivative: "
            f"in {at[0].name} the slopes to both sides are {way.difference.backward:.3g} and "
            f"{way.difference.forward:.3g}, and backpropagation, {way.backpropagated:.3g}, takes φ'(0) as it is "
            "defined (0 for relu). Nothing is proven there; another seed or bias leaves the kink."
        )
    ways = [d for tensor in check.tensors for d in tensor.directions if d.verdict == "agrees"]
    near = [d for d in ways if d.difference.kink is not None]
    if near:
        least = min(d.difference.step for d in near)
        told.append(
            f"In {len(near)} of {len(ways)} directions a kink lay within the first step, where differences are "
            f"wrong; smaller steps, down to {least:.0e} of the size of the weights, stay on this side of it."
        )
    return told


def _own_precision(check: GradientCheck) -> str:
    if check.precision == "float64":
        return ""
    told = []
    known = [tensor for tensor in check.tensors if not math.isnan(tensor.own_error)]
    if known:
        worst = max(known, key=lambda tensor: tensor.own_error)
        told.append(f"its gradient is off by up to {worst.own_error:.1e} ({worst.name}) from that in float64")
    zeros = sum(tensor.own_zeros for tensor in check.tensors)
    if zeros:
        size = sum(tensor.size for tensor in check.tensors)
        told.append(f"{zeros:,} of {size:,} gradient values are 0 only because they are below its range")
    broken = sum(tensor.own_broken for tensor in check.tensors)
    if broken:
        told.append(f"{broken:,} gradient values are NaN or ∞ only because they are beyond its range")
    if not told:
        return ""
    end = "."
    if known and not zeros and not broken and worst.own_error <= _EXPECTED.get(check.precision, 0.0):
        end = ", as its rounding lets expect."
    return f"The network runs in {check.precision}: {'; '.join(told)}{end}"


def _with(check: GradientCheck, verdict: Verdict) -> list[TensorCheck]:
    return [tensor for tensor in check.tensors if tensor.verdict == verdict]


def _names(tensors: Sequence[TensorCheck]) -> str:
    return _list([tensor.name for tensor in tensors])


def _list(names: Sequence[str]) -> str:
    if len(names) > _FEW:
        return f"{', '.join(names[: _FEW - 1])} and {len(names) - _FEW + 1} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _along(way: DirectionCheck) -> str:
    return "its gradient" if way.along == "gradient" else "a random direction"


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
