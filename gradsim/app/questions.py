"""Every question a view may ask: a new one is one row here. What answers it is imported when it is asked."""

from __future__ import annotations

from typing import Any

from gradsim.app.inquiries import Inquiry, Question, recorded_parameters


def _units(inquiry: Inquiry, options: Any) -> Any:
    from gradsim.analysis.units import unit_survey

    return unit_survey(inquiry.twin(), inquiry.should_stop, inquiry.progress)


def _unit_deaths(inquiry: Inquiry, options: Any) -> Any:
    from gradsim.analysis.unit_deaths import unit_deaths

    simulator, trace = inquiry.simulator(inquiry.run.experiment), inquiry.run.trace
    there = recorded_parameters(trace, simulator.parameters())
    return unit_deaths(simulator, trace.iteration, inquiry.should_stop, inquiry.progress, parameters=there)


def _jacobian(inquiry: Inquiry, options: Any) -> Any:
    from gradsim.analysis.jacobian import jacobian_spectrum

    return jacobian_spectrum(inquiry.twin(), int(options), inquiry.should_stop, inquiry.progress)


QUESTIONS: dict[str, Question] = {
    "units": Question(_units),
    "unit_deaths": Question(_unit_deaths),
    "jacobian": Question(_jacobian),
}
