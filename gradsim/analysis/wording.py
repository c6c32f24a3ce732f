"""What the analysis has found, in sentences for people."""

from __future__ import annotations

import math

import numpy as np

from gradsim.analysis.fit import Fit
from gradsim.analysis.profile import Profile, Stream

_UNEVEN = 0.9


def sentence(profile: Profile) -> str:
    """Return a profile in words: the gradient on its way back, then the signal on its way forward.

    Parameters
    ----------
    profile : Profile
        Any profile.

    Returns
    -------
    str
        Two sentences, three with residual blocks. Layers that stand outside a fit are named, with the reason.
    """
    last, first = len(profile.layer_names) - 1, 0
    back = f"From the output back to the input the error signal (rms δ) {_course(profile.backward_fit)}"
    if not math.isnan(profile.backward_fit.factor):
        ends = (profile.delta_rms[last], profile.delta_rms[first])
        back += (
            f": {_number(ends[0])} in layer {profile.numbers[last]}, "
            f"{_number(ends[1])} in layer {profile.numbers[first]}"
        )
    forth = f"From the input forward the activation (rms a) before the head {_course(profile.forward_fit)}"
    told = f"{back}{_aside(profile.backward_fit)}. {forth}{_aside(profile.forward_fit)}."
    return f"{told} {_stream_words(profile.stream)}".rstrip()


def course_words(fit: Fit) -> str:
    """Return the words of a fit, and whether what it tells of the whole hides how uneven the layers are.

    Parameters
    ----------
    fit : Fit
        Any.

    Returns
    -------
    str
        ``grows ×1.006 per layer, unevenly`` where the line explains less than nine tenths of the variance.
    """
    is_uneven = fit.r_squared < _UNEVEN and not fit.words.startswith("flat")
    return f"{fit.words}, unevenly" if is_uneven else fit.words


def _stream_words(stream: Stream) -> str:
    """How much of the gradient of the residual stream comes back through the branches; empty without blocks."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = stream.branch_rms / stream.skip_rms
    known = ratios[np.isfinite(ratios)]
    if not len(known):
        return ""
    blocks = f"{len(known)} residual block{'s' if len(known) > 1 else ''}"
    middle = _number(float(np.median(known)))
    return f"In {blocks} the branch hands back {middle} (median) of what the skip does (rms)."


def _course(fit: Fit) -> str:
    if math.isnan(fit.factor):
        return f"has {fit.words}"
    if fit.words.startswith("flat"):
        return f"is {fit.words} ({len(fit.used)} layers)"
    verb = "" if fit.words.startswith("grows") else "shrinks "
    return f"{verb}{course_words(fit)} (R² {fit.r_squared:.2f} over {len(fit.used)} layers)"


def _aside(fit: Fit) -> str:
    return f"; {fit.note}" if fit.note else ""


def _number(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    return "infinite" if math.isinf(value) else f"{value:.2g}"
