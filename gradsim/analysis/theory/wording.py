"""Theory beside the measurement, in sentences for people."""

from __future__ import annotations

import math

import numpy as np

from gradsim.analysis.theory.expected_profile import ExpectedProfile
from gradsim.analysis.theory.mean_field import MeanField


def theory_words(expected: ExpectedProfile) -> str:
    """Return theory beside measurement in a few words.

    Parameters
    ----------
    expected : ExpectedProfile
        Of a record.

    Returns
    -------
    str
        ``"theory ×0.24 per layer, measured ×0.23"``, or that there is none.
    """
    if expected.fit is None or expected.measured_fit is None:
        return "no theory here"
    return f"theory {expected.fit.words}, measured {_bare(expected.measured_fit.words)}"


def theory_sentence(expected: ExpectedProfile) -> str:
    """Return what theory expects, whether the measurement follows, and why it may not.

    Parameters
    ----------
    expected : ExpectedProfile
        Of a record.

    Returns
    -------
    str
        One to four sentences.
    """
    return theory_sentences(expected)[0]


def theory_sentences(expected: ExpectedProfile) -> tuple[str, ...]:
    """Return what ``theory_sentence`` tells, and the same in fewer and fewer words.

    Parameters
    ----------
    expected : ExpectedProfile
        Of a record.

    Returns
    -------
    tuple of str
        For less and less room, the longest first: without the mean field, with one reason alone, with none.
    """
    if not expected.applies or expected.fit is None:
        short = expected.why_not.split(". ")[0].removesuffix(".") + "."
        return (expected.why_not,) if short == expected.why_not else (expected.why_not, short)
    told = f"{_upper(theory_words(expected))} (layers 1–{len(expected.numbers) - 1}, without the head)."
    if expected.mean_field is not None:
        told += f" {field_sentence(expected.mean_field)}"
    within = _within_sentence(expected)
    inner, outside, forward = _parting(expected)
    brief = f"In the band (±2 sd): δ of {inner - outside} of {inner} layers, a of {inner + 1 - forward} of {inner + 1}."
    if not expected.reasons:
        return f"{told} {within}", within, brief
    parts = "Why they part" if outside or forward else "What theory leaves out"
    whole = f"{parts}: {'; '.join(expected.reasons)}."
    first = f"{brief} {parts}: {expected.reasons[0]}."
    return f"{told} {within} {whole}", f"{within} {whole}", f"{brief} {whole}", first, brief


def _parting(expected: ExpectedProfile) -> tuple[int, int, int]:
    """Layers below the last before the head, and how many lie outside the band of δ and of a."""
    return len(expected.numbers) - 2, len(expected.outside), len(expected.outside_forward)


def _within_sentence(expected: ExpectedProfile) -> str:
    inner, outside, forward = _parting(expected)
    what = (
        f"All {inner} layers below the last lie"
        if not outside
        else f"{inner - outside} of {inner} layers below the last lie"
    )
    if inner == 1:
        what = (
            "The one layer below the last lies"
            if not outside
            else "The one layer below the last does not lie"
        )
    of_forward = f"all {inner + 1} lie" if not forward else f"{inner + 1 - forward} of {inner + 1} lie"
    least, most = expected.widths
    width = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return (
        f"{what} in the band of finite width ({width} units, ±2 sd over draws of the weights; rms over a batch of "
        f"{expected.batch:,}); of the activations a, {of_forward} in theirs."
    )


def field_sentence(field: MeanField) -> str:
    """Return the mean-field theory of a layer in a sentence.

    Parameters
    ----------
    field : MeanField
        Of one layer repeated for ever.

    Returns
    -------
    str
        χ, the side of the edge of chaos, the depth scale, and whether the signal settles.
    """
    told = f"Mean field: χ = {field.chi:.3g} ({field.regime}"
    if math.isfinite(field.depth_scale) and field.regime != "edge of chaos":
        told += f", depth scale {field.depth_scale:.2g} layers"
    told += "), "
    if math.isinf(field.q_star):
        return f"{told}the signal grows for ever."
    if field.q_star == 0:
        return f"{told}the signal dies out."
    if field.is_stable:
        return f"{told}the signal settles at q* = {field.q_star:.3g}."
    if abs(field.q_slope - 1.0) < 1e-6:
        return f"{told}the signal keeps its size."
    return f"{told}at q* = {field.q_star:.3g}, which is not stable."


def theory_table(expected: ExpectedProfile) -> dict[str, list[float | None]]:
    """Return the theory as columns, one row per numbered layer; their units are in ``THEORY_UNITS``.

    Parameters
    ----------
    expected : ExpectedProfile
        Of a record.

    Returns
    -------
    dict from str to list of float
        NaN where theory has nothing to say.
    """
    with np.errstate(over="ignore", under="ignore"):
        columns = {
            "theory_delta_rms": 10.0**expected.log10_delta,
            "theory_low": 10.0**expected.log10_low,
            "theory_high": 10.0**expected.log10_high,
            "theory_activation_rms": 10.0**expected.log10_activation,
            "theory_activation_low": 10.0**expected.log10_activation_low,
            "theory_activation_high": 10.0**expected.log10_activation_high,
        }
    ratio = [*expected.backward_ratio.tolist(), math.nan, math.nan][: len(expected.numbers)]
    told: dict[str, list[float | None]] = {name: values.tolist() for name, values in columns.items()}
    return told | {"theory_ratio": list(ratio), "theory_q": expected.q.tolist()}


def power_words(log10: float) -> str:
    """Return a power of ten in the same few characters whatever its size, also beyond what a float can hold.

    Parameters
    ----------
    log10 : float
        Logarithm of a number of 0 or more.

    Returns
    -------
    str
        ``0``, ``NaN``, ``∞``, three digits, with an exponent outside 0.001 to 1,000.
    """
    if not math.isfinite(log10):
        return "NaN" if math.isnan(log10) else "∞" if log10 > 0 else "0"
    if -3.0 <= log10 < math.log10(999.5):
        return f"{10.0**log10:#.3g}".rstrip(".")
    exponent = math.floor(log10)
    digits = f"{10.0 ** (log10 - exponent):.2f}"
    return f"1.00e{exponent + 1:+03d}" if digits == "10.00" else f"{digits}e{exponent:+03d}"


THEORY_UNITS = {
    "theory_delta_rms": "rms δ that theory expects; 0 below 1e-323",
    "theory_low": "the same less 2 sd of finite width",
    "theory_high": "the same plus 2 sd of finite width",
    "theory_activation_rms": "rms a that theory expects; 0 below 1e-323",
    "theory_activation_low": "the same less 2 sd of finite width",
    "theory_activation_high": "the same plus 2 sd of finite width",
    "theory_ratio": "√χ here: expected rms δ / that of the next layer",
    "theory_q": "expected variance of what enters φ",
}
"""What the numbers of each column of ``theory_table`` are."""


def _bare(words: str) -> str:
    return words.removeprefix("grows ").removesuffix(" per layer")


def _upper(words: str) -> str:
    return words[0].upper() + words[1:]
