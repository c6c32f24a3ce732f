"""A fault in words: the value, its place, and what made it."""

from __future__ import annotations

import math

from gradsim.analysis.fault import Fault
from gradsim.analysis.fault_sources import Source
from gradsim.analysis.forensics import Forensics
from gradsim.analysis.lost_numbers import SMALLEST

_JOINED = {"δ", "W", "x", "R", "h", "∂L/∂a", "φ'", "g", "η"}
_SUMS = ("pre_activation", "activation_gradient", "weight_gradient")


def fault_words(fault: Fault, precision: str = "") -> str:
    """Return a fault in one sentence.

    Parameters
    ----------
    fault : Fault
        Any.
    precision : str, optional
        Of the run, to name its smallest number.

    Returns
    -------
    str
        ``"iteration 37, dense_4 pre_activation[12, 3] = ∞ from x[12, 5] = 3.1e+30 · W[5, 3] = 2.4e+09 …"``.
    """
    place = f"[{', '.join(map(str, fault.index))}]" if fault.index and fault.tensor != "loss" else ""
    value = "0" if fault.kind == "zero" else fault.open_value or _number(fault.value)
    name = f"{fault.layer_name} {fault.tensor}".strip()
    told = f"iteration {fault.iteration:,}, {name}{place} = {value}"
    if fault.sources:
        told += f" from {_sources(fault)}"
    if fault.kind == "zero" and precision in SMALLEST:
        told += f", below the smallest {precision} number {SMALLEST[precision]:.1e}"
    if fault.count > 1:
        told += f" ({fault.count:,} of {fault.size:,} values)"
    return told


def forensic_sentences(found: Forensics, precision: str = "") -> list[str]:
    """Return what forensics have found.

    Parameters
    ----------
    found : Forensics
        Any.
    precision : str, optional
        Of the run.

    Returns
    -------
    list of str
        One sentence for each fault, and for what could not be found out.
    """
    told = [
        f"First broken value: {fault_words(found.broken, precision)}."
        if found.broken
        else "Every value of the run is finite."
    ]
    if found.lost:
        told.append(f"First value lost to 0: {fault_words(found.lost, precision)}.")
    elif not found.note:
        told.append("No value was found that is 0 only because the precision knows none so small.")
    return [*told, found.note] if found.note else told


def _sources(fault: Fault) -> str:
    if fault.tensor in _SUMS and len(fault.sources) >= 2:
        products = [fault.sources[k : k + 2] for k in range(0, len(fault.sources) - 1, 2)]
        told = " and ".join(f"{_source(a)} · {_source(b)}" for a, b in products)
        return f"the sum over {told}, the term that counts most"
    link = " · " if all(source.symbol in _JOINED for source in fault.sources) else " and "
    return link.join(_source(source) for source in fault.sources)


def _source(source: Source) -> str:
    index = f"[{', '.join(map(str, source.index))}]" if source.index else ""
    return f"{source.symbol}{index} = {_number(source.value)}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3g}"
