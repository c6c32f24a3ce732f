"""Factors in words."""

from __future__ import annotations

import math

from gradsim.analysis.cause.records import Factor

HARDLY = math.log10(1.25)
"""A change by less than a quarter, in log10, is none worth a verdict."""


def times(log10: float) -> str:
    """Return a factor in two digits.

    Parameters
    ----------
    log10 : float
        log10 of it, because the factor itself may be beyond float64; NaN for none.

    Returns
    -------
    str
        ``×0.21``, ``×1.03``, ``×4.1e-07``.
    """
    if math.isnan(log10):
        return "×NaN"
    if -2.0 <= log10 < 3.0:
        factor = 10.0**log10
        if 0.895 < factor < 1.095:
            return f"×{factor:.2f}"
        return f"×{factor:.0f}" if factor >= 99.5 else f"×{factor:.2g}"
    exponent = math.floor(log10)
    mantissa = round(10.0 ** (log10 - exponent), 1)
    if mantissa >= 10.0:
        exponent, mantissa = exponent + 1, 1.0
    return f"×{mantissa:.1f}e{exponent:+03d}"


def factor_sentence(factor: Factor, details: bool = False) -> str:
    """Return a factor in words.

    Parameters
    ----------
    factor : Factor
        Any.
    details : bool, default False
        Also what it is made of, if that is known.

    Returns
    -------
    str
        ``sigmoid slope ×0.21 (mean φ' 0.24, correlation ×0.88)``; for 0, NaN and ∞ what they mean.
    """
    if factor.state != "finite":
        words = {
            "nothing arrives": "nothing arrives",
            "vanishes": f"×0 ({size_words(factor.before)} → {size_words(factor.after)})",
            "appears": f"from 0 to {size_words(factor.after)}",
            "infinite": "makes it infinite",
            "not a number": "not a number",
        }
        still = factor.is_idle and factor.state != "nothing arrives"
        return f"{factor.label}: {'still infinite' if still else words[factor.state]}"
    told = f"{factor.label} {times(factor.log10)}"
    aside = _aside(factor) if details else ""
    return f"{told} ({aside})" if aside else told


def size_words(value: float) -> str:
    """Return a size in two digits, or 0, NaN, ∞."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞"
    return "0" if value == 0 else f"{value:.2g}"


def joined(words: list[str]) -> str:
    """Return ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nothing"


def _aside(factor: Factor) -> str:
    told = factor.details
    if "mean_slope" in told:
        return f"mean φ' {size_words(told['mean_slope'])}, correlation {_times(told['correlation'])}"
    if "alignment" in told:
        typical = f"rms W·√{told['fan']:.0f} = {size_words(told['typical'])}"
        return f"{typical}, alignment {_times(told['alignment'])}"
    if "angle" in told:
        sizes = (
            f"{size_words(told['skip_rms'])} by the skip, {size_words(told['branch_rms'])} through the branch"
        )
        return sizes if math.isnan(told["angle"]) else f"{sizes}, {told['angle']:.0f}° apart"
    if "gain" in told:
        return f"rms γ/sd {size_words(told['gain'])}, the rest {_times(told['remainder'])}"
    if "kept" in told:
        return f"{100 * told['kept']:.0f} % kept, rms of the mask {size_words(told['typical'])}"
    if "per_step" in told:
        return f"{_times(told['per_step'])} per step back over {told['steps']:.0f}"
    return f"of {told['steps']:.0f}" if "steps" in told else ""


def _times(value: float) -> str:
    return times(math.log10(value)) if math.isfinite(value) and value > 0 else f"×{size_words(value)}"
