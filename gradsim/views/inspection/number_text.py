"""Numbers as people read them in this window: short, with a true minus, and 0, NaN and ∞ by their names."""

from __future__ import annotations

import math

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_text(value: float, digits: int = 4) -> str:
    """Return a number in a few significant digits.

    Parameters
    ----------
    value : float
        Any number.
    digits : int, default 4
        Significant digits; zeros at the end of decimals are left out.

    Returns
    -------
    str
        Such as ``0.25``, ``−1.5·10⁻⁷``, ``0``, ``NaN`` or ``−∞``.
    """
    value = float(value)
    if math.isnan(value):
        return "NaN"
    sign = "−" if value < 0 else ""
    if math.isinf(value):
        return f"{sign}∞"
    if value == 0:
        return "0"
    mantissa, _, power = f"{abs(value):.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -4 <= exponent < max(digits + 1, 5):
        text = f"{abs(value):.{max(digits - 1 - exponent, 0)}f}"
        return sign + (text.rstrip("0").rstrip(".") if "." in text else text)
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{sign}{mantissa}·{power_of_ten(exponent)}"


def count_text(count: int, noun: str) -> str:
    """Return how many there are of something.

    Parameters
    ----------
    count : int
        0 or more.
    noun : str
        For one of them.

    Returns
    -------
    str
        Such as ``1 sample`` or ``16 samples``.
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def power_of_ten(exponent: int) -> str:
    """Return a power of ten, such as ``10⁻³``."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def exact_text(value: float) -> str:
    """Return a number in as many digits as give the same double back, for copying into other programs."""
    return repr(float(value))


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape, such as ``64 × 10``; a single number in brackets is a vector."""
    return " × ".join(str(size) for size in shape)
