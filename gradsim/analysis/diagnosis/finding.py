"""What a diagnosis is made of: the findings, and every check with its number whether it found something or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.remedy import Remedy

Relation = Literal["above", "below"]
State = Literal["found", "clear", "converged", "unknown"]
Depth = Literal["instant", "thorough"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The same number in a layer that is not part of a finding.

    Attributes
    ----------
    layer : str
        Stable name.
    value : float
        In the unit of the finding.
    """

    layer: str
    value: float


@dataclass(frozen=True, slots=True)
class Confidence:
    """With how many seeds a check found the same thing.

    Attributes
    ----------
    seen, of : int
        With ``seen`` of ``of`` seeds; the seed on screen is one of them.
    iteration : int
        Where the other seeds were looked at: 0 is their first pass.
    reason : str
        Why no other seed was looked at; empty where some were, or none was asked for.
    """

    seen: int
    of: int
    iteration: int
    reason: str = ""

    @property
    def words(self) -> str:
        """Return it in words, such as "4 of 4 seeds at iteration 60"."""
        if self.of == 1:
            return f"this seed only: {self.reason}" if self.reason else "this seed only"
        return f"{self.seen} of {self.of} seeds at iteration {self.iteration:,}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps a network from learning, with the number that shows it.

    Attributes
    ----------
    id : str
        Which check, a key of ``RULES``.
    title : str
        A few words.
    is_advice : bool
        True where the network may well learn all the same, such as clipping that never acts: it is told, but
        does not make a network unhealthy.
    layers : tuple of str
        Stable names of the layers concerned, in forward order; empty where it is the whole network.
    measure : str
        What ``value`` is, in words with its symbol.
    value : float
        The number of the worst layer; may be 0, infinite or NaN.
    cut : float
        What it was compared with.
    relation : {"above", "below"}
        On which side of the cut the finding lies.
    source : str
        Where the cut comes from.
    evidence : mapping from str to float
        Other numbers that belong to it, by their names in words.
    neighbours : tuple of Neighbour
        Layers outside the finding that come nearest to the cut, the nearest first.
    confidence : Confidence
        Over seeds.
    sentence : str
        The finding with its number, for people.
    why : str
        Its cause, in one or two sentences.
    remedies : tuple of Remedy
        Edits of the experiment, the most helpful first: as measured on the examples of the finding, after a thorough
        diagnosis as measured on this very network.
    """

    id: str
    title: str
    is_advice: bool
    layers: tuple[str, ...]
    measure: str
    value: float
    cut: float
    relation: Relation
    source: str
    evidence: Mapping[str, float]
    neighbours: tuple[Neighbour, ...]
    confidence: Confidence
    sentence: str
    why: str
    remedies: tuple[Remedy, ...]

    @property
    def is_measured(self) -> bool:
        """Return whether the order of the remedies was measured on this network."""
        return any(remedy.effect is not None for remedy in self.remedies)


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the rules, applied.

    Attributes
    ----------
    id, title : str
        Which check.
    state : {"found", "clear", "converged", "unknown"}
        ``converged``: the number is past the cut, but the loss is low, so that it is no fault. ``unknown``: it
        could not be measured; ``reason`` says why.
    measure : str
        What ``value`` is.
    value, cut : float
        The number of the worst layer, and what it was compared with; NaN where unknown.
    relation : {"above", "below"}
        On which side of the cut a finding lies.
    layer : str
        The worst layer; empty where it is the whole network.
    reason : str
        Why the state is what it is, where that is not plain from the numbers.
    """

    id: str
    title: str
    state: State
    measure: str
    value: float
    cut: float
    relation: Relation
    layer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found in a network at one iteration.

    Attributes
    ----------
    iteration : int
        Number of updates made before.
    depth : {"instant", "thorough"}
        Whether other trainings were made for it.
    loss : float
        Of the last batches, the median over one epoch.
    baseline : float
        Loss of the best constant answer on the training samples: what can be had without looking at the inputs.
    is_converged : bool
        Whether the loss is so far below the baseline that no number is a fault.
    findings : tuple of Finding
        The most telling first, advice last.
    checks : tuple of Check
        Every check, in the order of the rules.
    sentence : str
        The whole in a sentence or two.
    """

    iteration: int
    depth: Depth
    loss: float
    baseline: float
    is_converged: bool
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    sentence: str

    @property
    def is_healthy(self) -> bool:
        """Return whether nothing but advice was found."""
        return all(finding.is_advice for finding in self.findings)

    @property
    def has_learned(self) -> bool:
        """Return whether it was trained and does better than a constant answer; before, nothing found proves little.

        A loss that cannot be compared, because a constant answer costs nothing, counts as learned.
        """
        return self.is_converged or (self.iteration > 0 and not self.loss_share >= 1.0)

    @property
    def loss_share(self) -> float:
        """Return loss / baseline: 1 is a network that has learned nothing, 0 one without error."""
        return self.loss / self.baseline if self.baseline > 0 else math.nan

    def __getitem__(self, name: str) -> Finding:
        """Return the finding of a check by its id."""
        for finding in self.findings:
            if finding.id == name:
                return finding
        raise KeyError(f"no finding {name!r}; there are {', '.join(f.id for f in self.findings) or 'none'}")
