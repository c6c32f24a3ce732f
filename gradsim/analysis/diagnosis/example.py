"""What an example of a rule is: a network that it must find, and a neighbour that it must not."""

from __future__ import annotations

from dataclasses import dataclass

from gradsim.spec import Experiment


@dataclass(frozen=True, slots=True)
class Example:
    """A network that a rule must find, and one that it must not.

    Attributes
    ----------
    rule : str
        Id of the rule.
    words : str
        What the network is.
    experiment : Experiment
        What the rule must find.
    iterations : int
        Where: after so many updates.
    neighbour_words : str
        What is different in the neighbour.
    neighbour : Experiment
        What it must not find, after as many.
    """

    rule: str
    words: str
    experiment: Experiment
    iterations: int
    neighbour_words: str
    neighbour: Experiment
