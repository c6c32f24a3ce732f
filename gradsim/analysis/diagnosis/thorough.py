"""The thorough diagnosis: other seeds trained as far, the network at half its depth, and every remedy tried."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from gradsim.analysis.diagnosis.applying import diagnosis_of
from gradsim.analysis.diagnosis.case import Case, Comparison
from gradsim.analysis.diagnosis.finding import Confidence, Diagnosis
from gradsim.analysis.diagnosis.other_seeds import OtherSeeds
from gradsim.analysis.diagnosis.rule import Rule
from gradsim.analysis.diagnosis.simulation import Progress, Simulate
from gradsim.analysis.diagnosis.trials import Trial, effect_of, trial, with_effects
from gradsim.analysis.network_edits import halved
from gradsim.analysis.remedy import Effect
from gradsim.spec import Experiment, SpecError

SHORTEST, LONGEST = 200, 1000
"""Iterations of a trial: as many as were made, within these."""

TRIAL_SEEDS = 3
"""Seeds of a trial: the least that have a median."""


class Stopped(Exception):
    """A diagnosis was asked to end early."""


def thorough_diagnosis(
    case: Case, simulate: Simulate, seeds: int, should_stop: Callable[[], bool], progress: Progress
) -> Diagnosis:
    """Return the diagnosis of a case with trainings; an instant one with what is known where it was stopped."""
    training = _Trainings(case, simulate, seeds, should_stop, progress)
    diagnosis = diagnosis_of(case, "instant")
    try:
        training.run_other_seeds()
        training.compare_depths()
        found = diagnosis_of(replace(case, comparison=training.comparison), "thorough", training.confidence)
        diagnosis = replace(found, depth="instant")
        return training.with_remedies_tried(found)
    except Stopped:
        return diagnosis


class _Trainings:
    """The trainings of one diagnosis; each is made once, whoever asks for it."""

    def __init__(
        self,
        case: Case,
        simulate: Simulate,
        seeds: int,
        should_stop: Callable[[], bool],
        progress: Progress,
    ) -> None:
        self.case, self.simulate = case, simulate
        self.should_stop, self.progress = should_stop, progress
        self.iterations = min(LONGEST, max(SHORTEST, case.trace.iteration))
        self.others = OtherSeeds(
            case, simulate, seeds, math.inf, should_stop, lambda words, share: progress(words, 0.3 * share)
        )
        self.comparison: Comparison | None = None
        self.trials: dict[Experiment, Trial] = {}

    def run_other_seeds(self) -> None:
        """Train other seeds as far as the network has come."""
        if self.others.case.experiment.parameters is None:
            self.others.there()
            self._tell("Other seeds", 0.3)

    def compare_depths(self) -> None:
        """Train the network as it is and at half its depth."""
        shallower = halved(self.case.experiment)
        if shallower is None:
            return
        try:
            deep = self.trial(self.case.experiment, "The network as it is", 0.3, 0.1)
            shallow = self.trial(shallower, "The network at half its depth", 0.4, 0.1)
        except SpecError:
            return
        self.comparison = Comparison(deep.losses, shallow.losses, self.iterations)

    def confidence(self, rule: Rule) -> Confidence:
        """Return with how many seeds a rule finds the same."""
        if rule.needs == "training":
            comparison = self.comparison
            assert comparison is not None
            pairs = zip(comparison.deep, comparison.shallow, strict=True)
            worse = sum(not deep <= rule.cut * shallow for deep, shallow in pairs)
            return Confidence(worse, len(comparison.deep), self.iterations)
        return self.others(rule)

    def with_remedies_tried(self, diagnosis: Diagnosis) -> Diagnosis:
        """Return a diagnosis whose remedies know what they do."""
        remedies = {
            remedy.experiment: remedy for finding in diagnosis.findings for remedy in finding.remedies
        }
        effects: dict[Experiment, Effect] = {}
        for i, (experiment, remedy) in enumerate(remedies.items()):
            words, share, width = (
                f"Trying: {remedy.title}",
                0.5 + 0.5 * i / len(remedies),
                0.5 / len(remedies),
            )
            try:
                before = self.trial(self.case.experiment, words, share, 0.0)
                after = self.trial(experiment, words, share, width)
            except SpecError:
                continue
            effects[experiment] = effect_of(before, after, self.iterations)
        self.progress("Done", 1.0)
        return replace(
            diagnosis, findings=tuple(with_effects(finding, effects) for finding in diagnosis.findings)
        )

    def trial(self, experiment: Experiment, words: str, share: float, width: float) -> Trial:
        """Return how a network trains; ``width`` is the share of the whole that it takes."""
        if experiment not in self.trials:
            made = trial(
                experiment,
                self.simulate,
                self.iterations,
                TRIAL_SEEDS,
                self.should_stop,
                lambda number: self._tell(
                    f"{words}, seed {number + 1} of {TRIAL_SEEDS}", share + width * number / TRIAL_SEEDS
                ),
            )
            if made is None:
                raise Stopped
            self.trials[experiment] = made
        return self.trials[experiment]

    def _tell(self, words: str, share: float) -> None:
        if self.should_stop():
            raise Stopped
        self.progress(words, share)
