"""With how many seeds a finding is met: the same network from other random numbers, at the same iteration."""

from __future__ import annotations

import math
from collections.abc import Callable

from gradsim.analysis.diagnosis.applying import is_found
from gradsim.analysis.diagnosis.case import Case, case_of
from gradsim.analysis.diagnosis.effort import INSTANT, iteration_seconds, survey_seconds
from gradsim.analysis.diagnosis.finding import Confidence
from gradsim.analysis.diagnosis.rule import Rule
from gradsim.analysis.diagnosis.simulation import Progress, Simulate, other_seed
from gradsim.analysis.units import unit_survey


class OtherSeeds:
    """Trains as many other seeds as the effort allows, when the first rule asks for them.

    Parameters
    ----------
    case : Case
        What was found in is looked for in the others too.
    simulate : callable
        Makes a simulator of an experiment.
    seeds : int
        How many at most.
    effort : float
        Seconds that all trainings together may be estimated to take; 0 for no other seed at all.
    should_stop : callable
        Asked between and during trainings; True ends with the seeds that are there by then.
    progress : callable
        Told which seed is trained, and the share that is done.
    """

    def __init__(
        self,
        case: Case,
        simulate: Simulate,
        seeds: int,
        effort: float,
        should_stop: Callable[[], bool],
        progress: Progress,
    ) -> None:
        self.case, self.simulate, self.seeds, self.effort = case, simulate, seeds, effort
        self.should_stop, self.progress = should_stop, progress
        self._there: tuple[Case, ...] | None = None
        self._at_start: tuple[Case, ...] | None = None

    def __call__(self, rule: Rule) -> Confidence:
        """Return with how many seeds a rule finds the same."""
        iteration = self.case.trace.iteration
        if self.effort <= 0 or self.seeds <= 0:
            return Confidence(1, 1, iteration)
        # Weights from a file are the same with every seed: nothing would be learned from another.
        if self.case.experiment.parameters is not None:
            return Confidence(1, 1, iteration, "its weights come from a file")
        count = self.affordable
        if count == 0 and rule.needs == "start":
            return self._counted(rule, self.at_start(), 0)
        if count == 0:
            took = iteration * iteration_seconds(self.case.trace)
            return Confidence(
                1, 1, iteration, f"another takes about {_seconds(took)} to train to iteration {iteration:,}"
            )
        return self._counted(rule, self.there(), iteration)

    @property
    def affordable(self) -> int:
        """How many seeds can be trained to the present iteration."""
        each = self.case.trace.iteration * iteration_seconds(self.case.trace)
        return self.seeds if each * self.seeds <= self.effort else int(self.effort / each)

    def there(self) -> tuple[Case, ...]:
        """Return the other seeds at the present iteration."""
        if self._there is None:
            self._there = self._trained(min(self.seeds, self.affordable), self.case.trace.iteration)
        return self._there

    def at_start(self) -> tuple[Case, ...]:
        """Return the first passes of the other seeds."""
        if self._at_start is None:
            self._at_start = self._trained(self.seeds, 0)
        return self._at_start

    def _trained(self, count: int, iteration: int) -> tuple[Case, ...]:
        cases: list[Case] = []
        for number in range(1, count + 1):
            if self.should_stop():
                break
            self.progress(f"Seed {number} of {count}", (number - 1) / count)
            simulator = self.simulate(other_seed(self.case.experiment, number))
            simulator.advance(iteration, self.should_stop)
            if simulator.iteration < iteration:
                break
            trace = simulator.record()
            survey = None
            if self.case.survey is not None and survey_seconds(trace, simulator.samples) <= max(
                INSTANT, self.effort
            ):
                survey = unit_survey(simulator, self.should_stop)
            cases.append(case_of(trace, simulator.history(), simulator.samples, survey=survey))
        return tuple(cases)

    def _counted(self, rule: Rule, cases: tuple[Case, ...], iteration: int) -> Confidence:
        return Confidence(1 + sum(is_found(rule, case) for case in cases), 1 + len(cases), iteration)


def _seconds(seconds: float) -> str:
    """Return a time in words."""
    if seconds < 120:
        return f"{max(1, math.ceil(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
