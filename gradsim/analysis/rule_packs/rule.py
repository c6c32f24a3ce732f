"""What a published rule is, and what comes of it on one network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.rule_packs.record import Record

Topic = Literal[
    "vanishing gradient",
    "exploding gradient",
    "values that are not finite",
    "dead units",
    "saturated units",
    "initial weights",
    "activations",
    "size of the updates",
    "course of the loss",
]
State = Literal["fires", "quiet", "not applicable"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rule has measured.

    Attributes
    ----------
    value : float
        The number of the worst layer; may be 0, infinite or NaN.
    fires : bool
        Whether it is past the cut. NaN is never past a cut, as in the programs themselves.
    layer : str
        The worst layer; empty where it is the whole network.
    detail : str
        A second number that the rule looks at, in words.
    """

    value: float
    fires: bool
    layer: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Why a rule says nothing here, in a few words."""

    reason: str


@dataclass(frozen=True, slots=True)
class PublishedRule:
    """One rule of somebody else.

    Attributes
    ----------
    pack : str
        Who published it.
    name : str
        As it is called there.
    topic : str
        What it looks for: rules of different packs on one topic can contradict each other.
    measure : str
        What is measured.
    cut : str
        Where it fires, as published.
    read : callable
        Takes a record; its docstring says what was published and where.
    """

    pack: str
    name: str
    topic: Topic
    measure: str
    cut: str
    read: Callable[[Record], Measured | NotApplicable]

    @property
    def source(self) -> str:
        """What was published, and where."""
        return inspect.getdoc(self.read) or ""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One row of the table: a rule, and what came of it.

    Attributes
    ----------
    pack, name, topic, measure, cut, source : str
        Of the rule.
    state : {"fires", "quiet", "not applicable"}
        What came of it.
    value : float
        What was measured, in the worst layer; NaN where it is not applicable, and maybe where it is.
    layer : str
        The worst layer; empty where it is the whole network.
    detail : str
        A second number that the rule looks at, or why it is not applicable.
    """

    pack: str
    name: str
    topic: Topic
    measure: str
    cut: str
    source: str
    state: State
    value: float
    layer: str
    detail: str
