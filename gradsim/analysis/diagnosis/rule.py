"""What a rule is: a number, a cut, where the cut comes from, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.diagnosis.case import CONVERGED, Case, Measurement, Unknown
from gradsim.analysis.diagnosis.finding import Relation

Needs = Literal["start", "pass", "history", "training"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding.

    Attributes
    ----------
    id, title : str
        Which, and a few words.
    measure : str
        What its number is.
    relation : {"above", "below"}
        On which side of the cut a finding lies.
    cut : float
        What the number is compared with; a measurement may bring its own.
    source : str
        Where the cut comes from.
    observe : callable
        Measures the number.
    remedies : tuple of str
        Keys of ``REMEDIES``, the most helpful first: as measured on the examples. A measurement may bring its own.
    needs : {"start", "pass", "history", "training"}
        What must be known: nothing but the first iteration, the present one, those before it, or other trainings.
    gate : float
        Loss / baseline at or below which the number is no fault; negative for never.
    is_advice : bool
        Whether a network with this finding may be called healthy.
    """

    id: str
    title: str
    measure: str
    relation: Relation
    cut: float
    source: str
    observe: Callable[[Case], Measurement | Unknown]
    remedies: tuple[str, ...]
    needs: Needs = "pass"
    gate: float = CONVERGED
    is_advice: bool = False
