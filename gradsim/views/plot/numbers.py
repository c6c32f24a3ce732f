"""Numbers as people read them: powers of ten with superscripts, a few digits, 0, NaN and ∞ as such."""

from __future__ import annotations

import math
import re

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = "−"
_E_NOTATION = re.compile(r"(?<![\w.])(-?)(\d+(?:\.\d+)?)e([+-]?\d+)(?![\w.]*\w)")


def power_of_ten(exponent: int) -> str:
    """Return ``10⁻³`` for −3.

    Parameters
    ----------
    exponent : int
        Of ten.

    Returns
    -------
    str
        With Unicode superscripts, which every drawing device can write.
    """
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def brief(value: float, digits: int = 3) -> str:
    """Return a number with few digits, never rounded to a false 0.

    Parameters
    ----------
    value : float
        Any, also NaN and ±∞.
    digits : int, default 3
        How many significant digits.

    Returns
    -------
    str
        Such as ``0.0123``, ``12,345``, ``4.56·10⁻⁷``, ``NaN``, ``∞``, ``0``.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -4 < power < max(digits, 5):
        return f"{value:,.{max(digits - 1 - power, 0)}f}".replace("-", MINUS)
    return f"{mantissa}·{power_of_ten(power)}".replace("-", MINUS)


def typeset(text: str) -> str:
    """Return a sentence with its powers of ten as the axes and the inspector write them.

    Parameters
    ----------
    text : str
        Written for a terminal too, such as ``"×6.8e-06 in all"``.

    Returns
    -------
    str
        ``"×6.8·10⁻⁶ in all"``; names of layers such as ``block_1e5`` stay as they are.
    """
    if "e" not in text:
        return text
    return _E_NOTATION.sub(
        lambda found: f"{MINUS if found[1] else ''}{found[2]}·{power_of_ten(int(found[3]))}", text
    )


def grouped(value: int) -> str:
    """Return a whole number with commas between thousands.

    Parameters
    ----------
    value : int
        Any.

    Returns
    -------
    str
        ``10,000`` for 10000.
    """
    return f"{value:,}".replace("-", MINUS)


def percent(share: float) -> str:
    """Return a share in percent, with more digits near 0 and 1 where they matter.

    Parameters
    ----------
    share : float
        From 0 to 1, or NaN.

    Returns
    -------
    str
        ``97.2 %``; never 0 % or 100 % for a share that is not.
    """
    if math.isnan(share):
        return "NaN"
    for digits in (1, 2, 3, 4, 6):
        text = f"{100 * share:.{digits}f}"
        if share in (0.0, 1.0) or float(text) not in (0.0, 100.0):
            break
    return f"{text} %"
