"""Diagnosing a run on screen or a simulator: what is looked at, and with which other seeds."""

from __future__ import annotations

from collections.abc import Callable

from gradsim.analysis.diagnosis.applying import diagnosis_of, is_found
from gradsim.analysis.diagnosis.case import Case, case_of
from gradsim.analysis.diagnosis.finding import Confidence, Diagnosis
from gradsim.analysis.diagnosis.rule import Rule
from gradsim.analysis.diagnosis.simulation import Progress, Simulate, Simulation, other_seed
from gradsim.analysis.diagnosis.thorough import thorough_diagnosis
from gradsim.trace import History, Run

SEEDS = 3


def diagnose_run(run: Run) -> Diagnosis:
    """Return what is found in a run as it stands on screen, from its record and its history.

    Parameters
    ----------
    run : Run
        Any run; nothing is computed by its network.

    Returns
    -------
    Diagnosis
        Of the one seed.
    """
    return diagnosis_of(case_of(run.trace, run.history, run.samples), "instant")


def diagnose(
    simulator: Simulation,
    *,
    simulate: Simulate | None = None,
    thorough: bool = False,
    seeds: int = SEEDS,
    history: History | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Return what keeps a network from learning, at the iteration where a simulator stands.

    Instant, it records that iteration and the first one of some other seeds. Thorough, it also trains: other
    seeds up to the same iteration, the same network at half its depth, and every remedy.

    Parameters
    ----------
    simulator : Simulation
        Usually ``gradsim.Simulator``; it stays where it stands.
    simulate : callable, optional
        Makes a fresh simulator of an experiment, usually ``gradsim.Simulator``; without it no other seeds are
        looked at.
    thorough : bool, default False
        Whether to train.
    seeds : int, default 3
        How many other seeds.
    history : History, optional
        What was before; by default what the simulator remembers.
    should_stop : callable, optional
        Asked between and during trainings; True ends with what is known by then.
    progress : callable, optional
        Told what is being done, and the share that is done.

    Returns
    -------
    Diagnosis
        With ``depth`` ``"thorough"`` only where every training was made.

    Raises
    ------
    ValueError
        If a thorough diagnosis is asked for without ``simulate``.
    """
    if thorough and simulate is None:
        raise ValueError("a thorough diagnosis trains other networks: expected `simulate`, got None")
    case = case_of(simulator.record(), simulator.history() if history is None else history, simulator.samples)
    if simulate is None:
        return diagnosis_of(case, "instant")
    if thorough:
        return thorough_diagnosis(case, simulate, seeds, should_stop or _never, progress or _silent)
    return diagnosis_of(case, "instant", _FirstPasses(case, simulate, seeds, should_stop or _never))


class _FirstPasses:
    """The first pass of other seeds, recorded when the first rule asks for it."""

    def __init__(self, case: Case, simulate: Simulate, seeds: int, should_stop: Callable[[], bool]) -> None:
        self.case, self.simulate, self.seeds, self.should_stop = case, simulate, seeds, should_stop
        self.cases: list[Case] | None = None

    def __call__(self, rule: Rule) -> Confidence:
        at_start = rule.needs == "pass" or self.case.trace.iteration == 0
        # Weights from a file are the same with every seed: nothing would be learned from another.
        if not at_start or self.case.experiment.parameters is not None:
            return Confidence(1, 1, self.case.trace.iteration)
        if self.cases is None:
            self.cases = []
            for number in range(1, self.seeds + 1):
                if self.should_stop():
                    break
                other = self.simulate(other_seed(self.case.experiment, number))
                self.cases.append(case_of(other.record(), other.history(), other.samples))
        seen = sum(is_found(rule, case) for case in self.cases)
        return Confidence(1 + seen, 1 + len(self.cases), 0)


def _never() -> bool:
    return False


def _silent(words: str, share: float) -> None:
    pass
