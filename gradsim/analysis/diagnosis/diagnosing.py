"""Diagnosing a run on screen or a simulator: what is looked at, and with which other seeds."""

from __future__ import annotations

import math
from collections.abc import Callable

from gradsim.analysis.diagnosis.applying import diagnosis_of
from gradsim.analysis.diagnosis.case import case_of
from gradsim.analysis.diagnosis.finding import Diagnosis
from gradsim.analysis.diagnosis.looking import case_with_simulator
from gradsim.analysis.diagnosis.other_seeds import OtherSeeds
from gradsim.analysis.diagnosis.simulation import Progress, Simulate, Simulation
from gradsim.analysis.diagnosis.thorough import thorough_diagnosis
from gradsim.trace import History, Run

SEEDS = 3

EFFORT = 2.0
"""Seconds that trainings of other seeds may be estimated to take."""


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
    effort: float = EFFORT,
    history: History | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Return what keeps a network from learning, at the iteration where a simulator stands.

    It records that iteration, runs the training part forwards once to see which units are dead, and trains other
    seeds to the same iteration as far as the effort allows. Of a run that has broken it also records the last
    finite pass. Thorough, it trains all other seeds, the same network at half its depth, and every remedy.

    Parameters
    ----------
    simulator : Simulation
        Usually ``gradsim.Simulator``; it is left where it stands.
    simulate : callable, optional
        Makes a fresh simulator of an experiment, usually ``gradsim.Simulator``; without it no other seeds are
        looked at.
    thorough : bool, default False
        Whether to train all that helps to be sure.
    seeds : int, default 3
        How many other seeds.
    effort : float, default 2
        Seconds that training the other seeds may take, estimated from counted operations, so that the answer does
        not depend on the machine: fewer seeds are trained where all would take longer. 0 looks at no other seed and
        leaves out what else is not instant; ``math.inf`` trains them all.
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
    stop, tell = should_stop or _never, progress or _silent
    case = case_with_simulator(simulator, history, simulate, math.inf if thorough else effort, stop)
    if simulate is None:
        return diagnosis_of(case, "instant")
    if thorough:
        return thorough_diagnosis(case, simulate, seeds, stop, tell)
    return diagnosis_of(case, "instant", OtherSeeds(case, simulate, seeds, effort, stop, tell))


def _never() -> bool:
    return False


def _silent(words: str, share: float) -> None:
    pass
