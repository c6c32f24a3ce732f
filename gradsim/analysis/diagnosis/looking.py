"""What a simulator can tell beyond its record: all units over the whole training part, and where the run broke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gradsim.analysis.diagnosis.breaking import Breaking, recorded_breaking
from gradsim.analysis.diagnosis.case import Case, case_of
from gradsim.analysis.diagnosis.effort import INSTANT, iteration_seconds, survey_seconds
from gradsim.analysis.diagnosis.simulation import Simulate, Simulation
from gradsim.analysis.units import unit_survey
from gradsim.trace import History


def case_with_simulator(
    simulator: Simulation,
    history: History | None,
    simulate: Simulate | None,
    effort: float,
    should_stop: Callable[[], bool],
) -> Case:
    """Return the case at which a simulator stands, with what it tells within the effort; it is left where it was."""
    known = simulator.history() if history is None else history
    case = case_of(simulator.record(), known, simulator.samples)
    if case.breaking is not None:
        recorded = _recorded(case, simulator if history is None else None, simulate, effort, should_stop)
        case = replace(case, recorded=recorded)
    # Of a pass that is not finite, the units say nothing.
    if not case.is_past and survey_seconds(case.trace, case.samples) <= max(INSTANT, effort):
        case = replace(case, survey=unit_survey(simulator, should_stop))
    return case


def _recorded(
    case: Case,
    simulator: Simulation | None,
    simulate: Simulate | None,
    effort: float,
    should_stop: Callable[[], bool],
) -> Breaking | None:
    """Return where the run broke with the pass before it, recorded again where that does not take too long."""
    if simulator is not None:
        try:
            return recorded_breaking(case.trace, case.history, simulator, _seeking(simulator))
        except ValueError:  # it was put where it stands, so that it has no past
            pass
        finally:
            if simulator.iteration != case.trace.iteration:
                simulator.seek(case.trace.iteration)
    breaking = case.breaking
    if simulate is None or breaking is None:
        return None
    if breaking.fault.iteration * iteration_seconds(case.trace) > max(INSTANT, effort):
        return None
    other = simulate(case.experiment)
    return recorded_breaking(case.trace, case.history, other, _seeking(other, should_stop))


def _seeking(simulator: Simulation, should_stop: Callable[[], bool] | None = None) -> Callable[[int], bool]:
    def go(iteration: int) -> bool:
        if iteration > simulator.iteration:
            simulator.advance(iteration - simulator.iteration, should_stop)
        else:
            simulator.seek(iteration)
        return simulator.iteration == iteration

    return go
