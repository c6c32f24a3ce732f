"""Causes in words: which factors change the signal of a layer, and which of them decide."""

from __future__ import annotations

import math

from gradsim.analysis.cause.factor_wording import HARDLY, factor_sentence, joined, size_words, times
from gradsim.analysis.cause.records import Factor, FactorKind, LayerCause
from gradsim.analysis.fit import Direction

_ENOUGH = 0.75
"""The kinds named as the cause make up at least this share of what pulls the same way."""


def cause_sentence(cause: LayerCause, details: bool = False) -> str:
    """Return why a signal shrinks or grows from one layer to its neighbour.

    Parameters
    ----------
    cause : LayerCause
        Of one layer and direction.
    details : bool, default False
        Also what the factors are made of, if that is known.

    Returns
    -------
    str
        ``sigmoid slope ×0.21, weights ×1.03: the slope shrinks it``; the strongest first.
    """
    if cause.state in ("nothing arrives", "not a number"):
        return cause_verdict(cause)
    strongest = sorted(cause.factors, key=lambda factor: -_weight(factor))
    told = ", ".join(factor_sentence(factor, details) for factor in strongest if not factor.is_idle)
    return f"{told}: {cause_verdict(cause)}"


def layer_sentence(cause: LayerCause, details: bool = True) -> str:
    """Return the cause of one layer as a whole sentence.

    Parameters
    ----------
    cause : LayerCause
        Of one layer and direction.
    details : bool, default True
        Also what the factors are made of, if that is known.

    Returns
    -------
    str
        ``Layer 3 (dense_3): rms δ is ×0.22 that of layer 4: sigmoid slope ×0.21, …: the slope shrinks it.``
    """
    symbol = "δ" if cause.direction == "backward" else "a"
    size = (
        times(cause.log10)
        if cause.state == "finite"
        else f"{size_words(cause.after)} after {size_words(cause.before)}"
    )
    head = f"Layer {cause.number} ({cause.name}): rms {symbol} is {size}"
    if cause.state == "finite":
        head += f" that of layer {cause.other}"
    else:
        head += f" in layer {cause.other}"
    return f"{head}: {cause_sentence(cause, details)}."


def cause_verdict(cause: LayerCause) -> str:
    """Return which factors decide, without numbers.

    Parameters
    ----------
    cause : LayerCause
        Of one layer and direction.

    Returns
    -------
    str
        ``the slope shrinks it``; which one turns the signal into 0, ∞ or NaN; or that it is so already.
    """
    if cause.state == "nothing arrives":
        return f"nothing arrives: it is 0 in layer {cause.other} already"
    if cause.state == "not a number":
        return _broken(cause)
    if cause.state != "finite":
        return _turning_point(cause)
    by_kind = cause.log10_by_kind
    down = {kind: value for kind, value in by_kind.items() if value < 0}
    up = {kind: value for kind, value in by_kind.items() if value > 0}
    if abs(cause.log10) <= HARDLY:
        if max((abs(value) for value in by_kind.values()), default=0.0) <= HARDLY:
            return "it hardly changes"
        return f"{_nouns(_main(up), cause.direction)} {_verb(_main(up), 'makes', 'make')} up for " + _nouns(
            _main(down), cause.direction
        )
    pull, against = (down, up) if cause.log10 < 0 else (up, down)
    main = _main(pull)
    told = _nouns(main, cause.direction) + (
        f" {_verb(main, 'shrinks', 'shrink')} it"
        if cause.log10 < 0
        else f" {_verb(main, 'makes', 'make')} it grow"
    )
    if math.fsum(abs(value) for value in against.values()) > HARDLY:
        told += f", {_nouns(_main(against), cause.direction)} against it"
    return told


# -- inside --------------------------------------------------------------------------------------------------


def _turning_point(cause: LayerCause) -> str:
    """Say which factor turns a size into 0 or ∞, or brings it back."""
    label = next((factor.label for factor in cause.factors if factor.state == cause.state), "signal")
    many = label.split()[-1] in ("weights", "gates", "steps")
    if cause.state == "infinite":
        return f"the {label} {'make' if many else 'makes'} it infinite"
    if cause.state == "appears":
        return f"it comes from the {label} alone"
    if math.isinf(cause.before):
        return "it was infinite before"
    return f"the {label} {'let' if many else 'lets'} nothing through"


def _broken(cause: LayerCause) -> str:
    first = next((factor for factor in cause.factors if not math.isfinite(factor.after)), None)
    if not math.isfinite(cause.before):
        return f"it is {size_words(cause.before)} in layer {cause.other} already"
    return f"it becomes {size_words(first.after)} by the {first.label}" if first else "it is not a number"


def _main(kinds: dict[FactorKind, float]) -> list[FactorKind]:
    """Return the fewest kinds, two at most, that make up enough of the sum."""
    ordered = sorted(kinds, key=lambda kind: -abs(kinds[kind]))
    whole = math.fsum(abs(value) for value in kinds.values())
    return ordered[:1] if not ordered or abs(kinds[ordered[0]]) >= _ENOUGH * whole else ordered[:2]


def _nouns(kinds: list[FactorKind], direction: Direction) -> str:
    return joined([_noun(kind, direction) for kind in kinds])


def _noun(kind: FactorKind, direction: Direction) -> str:
    if kind == "slope":
        return "the slope" if direction == "backward" else "the activation"
    return {
        "weight": "the weights",
        "bias": "the bias",
        "normalization": "the normalization",
        "skip": "the skip",
        "dropout": "dropout",
        "time": "the time steps",
    }[kind]


def _verb(kinds: list[FactorKind], one: str, many: str) -> str:
    return many if len(kinds) > 1 or kinds in (["weight"], ["time"]) else one


def _weight(factor: Factor) -> float:
    return abs(factor.log10) if factor.state == "finite" else math.inf
