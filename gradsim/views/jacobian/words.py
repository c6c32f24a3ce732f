"""What the singular values of a network mean, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gradsim.views.plot.numbers import brief, grouped, power_of_ten

if TYPE_CHECKING:
    from gradsim.analysis.jacobian import JacobianSpectrum

VANISHED, EXPLODED = 1e-3, 1e3
"""Largest singular values of the whole below and above which the words say so: conventions of ours."""
ISOMETRY = 2.0
"""All singular values within this factor of 1 count as dynamical isometry: a convention of ours."""


def whole_words(spectrum: JacobianSpectrum) -> str:
    """Return what passes from the input to the output, in one sentence.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of any network.

    Returns
    -------
    str
        With its numbers.
    """
    values = spectrum.whole
    largest, least = float(values[0]), float(values[-1])
    if np.isnan(largest):
        return "The Jacobian of the whole holds NaN or ∞: no singular value is a number."
    if largest == 0:
        return (
            "Every singular value of the whole is exactly 0: nothing of the input reaches the output, and no "
            "gradient the input."
        )
    said = f"The largest singular value of the whole is {brief(largest)}"
    if largest < VANISHED:
        return f"{said}: no direction of the input reaches the output, and no gradient the input."
    if largest > EXPLODED:
        return f"{said}: some change of the input, and the gradient on its way back, is enlarged that much."
    if least >= 1 / ISOMETRY and largest <= ISOMETRY:
        return (
            f"All singular values of the whole lie between {brief(least)} and {brief(largest)}: dynamical "
            "isometry, every direction passes at about its size."
        )
    return f"{said}, the smallest {brief(least)}."


def verdict(spectrum: JacobianSpectrum) -> str:
    """Return the same in a few words.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of any network.

    Returns
    -------
    str
        For a line above a plot.
    """
    largest, least = float(spectrum.whole[0]), float(spectrum.whole[-1])
    if np.isnan(largest):
        return "NaN or ∞ in the Jacobian of the whole"
    if largest < VANISHED:
        return f"at most {brief(largest)} of the input reaches the output"
    if largest > EXPLODED:
        return f"up to {brief(largest)} times enlarged from input to output"
    if least >= 1 / ISOMETRY and largest <= ISOMETRY:
        return "dynamical isometry: every direction passes"
    between = brief(largest) if len(spectrum.whole) == 1 else f"{brief(least)} to {brief(largest)}"
    return f"input to output: {between}"


def shorter_verdict(spectrum: JacobianSpectrum) -> str:
    """Return the verdict where there is room for hardly more than its number.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of any network.

    Returns
    -------
    str
        Such as ``at most 2.3·10⁻⁵ arrives``.
    """
    words = verdict(spectrum)
    for long, short in _SHORTER:
        words = words.replace(long, short)
    return words


_SHORTER = (
    (" of the input reaches the output", " arrives"),
    (" times enlarged from input to output", " times enlarged"),
    (" in the Jacobian of the whole", ""),
    ("dynamical isometry: every direction passes", "dynamical isometry"),
    ("input to output: ", ""),
)


def condition_words(values: NDArray[np.float64], eps: float) -> str:
    """Return the condition number, largest over smallest, as far as rounding lets it be known.

    Parameters
    ----------
    values : ndarray of float64
        Descending.
    eps : float
        Relative rounding.

    Returns
    -------
    str
        Such as ``condition number 34.5``.
    """
    largest, least = float(values[0]), float(values[-1])
    if np.isnan(largest):
        return "condition number NaN"
    if least == 0:
        return "condition number ∞"
    if least < eps * largest:
        return f"condition number above {brief(1 / eps, 2)} (rounding)"
    return f"condition number {brief(largest / least)}"


def bound_words(spectrum: JacobianSpectrum) -> str:
    """Return what the largest singular values of the layers would allow beside what is.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of any network.

    Returns
    -------
    str
        One sentence; empty where there is nothing to compare.
    """
    largest, bound = float(spectrum.whole[0]), float(spectrum.log10_bounds[0])
    if not largest > 0 or not np.isfinite(bound):
        return ""
    allowed = f"The largest values of the {len(spectrum.blocks)} blocks multiply to {_power(bound)}"
    below = bound - np.log10(largest)
    if below < 0.3:
        return f"{allowed}: each layer favours the direction that the one before hands it."
    return f"{allowed}, {_power(below)} times what passes: no direction is favoured by all of them."


def proof_words(spectrum: JacobianSpectrum) -> str:
    """Return how well passes backwards and the product of the blocks agree.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of any network.

    Returns
    -------
    str
        One sentence.
    """
    if np.isnan(spectrum.product_gap):
        if np.isnan(spectrum.whole[0]):
            return ""
        return "Batch normalization ties the samples together, so every value is by passes backwards."
    return (
        f"Passes backwards through all layers and the product of the blocks agree to "
        f"{brief(spectrum.product_gap, 2)} of the largest entry."
    )


def rounding_words(spectrum: JacobianSpectrum) -> str:
    """Return how many values of the whole lie below its rounding; empty for none.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of any network.

    Returns
    -------
    str
        One sentence.
    """
    values = spectrum.whole
    zeros = int(np.count_nonzero(values == 0))
    noise = int(np.count_nonzero((values > 0) & (values < spectrum.eps * values[0])))
    parts = [f"{grouped(zeros)} exactly 0"] if zeros else []
    if noise:
        parts.append(f"{grouped(noise)} below {brief(spectrum.eps, 2)} of the largest, which is rounding")
    return f"Of its {grouped(len(values))} singular values {' and '.join(parts)}." if parts else ""


def _power(log10: float) -> str:
    return brief(10.0**log10) if -4 < log10 < 4 else power_of_ten(round(log10))
