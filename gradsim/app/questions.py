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


def _through_training(inquiry: Inquiry, iterations: Any) -> Any:
    from gradsim.analysis.through_time import recorded_again

    return recorded_again(inquiry.simulator(inquiry.run.experiment), iterations, inquiry.progress)


def _diagnosis(inquiry: Inquiry, options: Any) -> Any:
    """At once, from the pass on screen alone; with the published rules."""
    return _diagnosed(inquiry, effort=0.0)


def _diagnosis_of_seeds(inquiry: Inquiry, options: Any) -> Any:
    """Also how sure it is: other seeds are trained to this pass where that takes about two seconds."""
    return _diagnosed(inquiry)


def _thorough_diagnosis(inquiry: Inquiry, options: Any) -> Any:
    """Other seeds, a shallower network and every remedy are trained for it; with the published rules."""
    return _diagnosed(inquiry, thorough=True)


def _diagnosed(inquiry: Inquiry, **fields: Any) -> Any:
    from gradsim.analysis.diagnosis import diagnose
    from gradsim.analysis.rule_packs import apply_published_rules

    diagnosis = diagnose(
        inquiry.twin(),
        simulate=inquiry.simulator,
        history=inquiry.run.history,
        should_stop=inquiry.should_stop,
        progress=inquiry.progress,
        **fields,
    )
    return diagnosis, apply_published_rules(inquiry.run)


def _gradient_check(inquiry: Inquiry, options: Any) -> Any:
    from gradsim.analysis.gradient_check import check_gradients

    return check_gradients(inquiry.twin(), make=inquiry.simulator, progress=inquiry.progress)


def _forensics(inquiry: Inquiry, options: Any) -> Any:
    from gradsim.analysis.forensics import examine

    run = inquiry.run
    return examine(run.history, run.trace, inquiry.simulator(run.experiment), inquiry.progress)


def _speed(inquiry: Inquiry, seconds: Any) -> Any:
    from gradsim.analysis.speed import measured_speed

    return measured_speed(inquiry.twin(), float(seconds), inquiry.should_stop)


def _theory(inquiry: Inquiry, options: Any) -> Any:
    from gradsim.analysis import expected_profile

    return expected_profile(inquiry.run.trace)


def _beside(inquiry: Inquiry, iterations: Any) -> Any:
    from gradsim.analysis.beside import trained_beside

    run = inquiry.run
    return trained_beside(
        run.trace,
        inquiry.simulator,
        int(iterations),
        should_stop=inquiry.should_stop,
        progress=inquiry.progress,
    )


QUESTIONS: dict[str, Question] = {
    "beside": Question(_beside, "experiment", is_long=True),
    "theory": Question(_theory),
    "gradient_check": Question(_gradient_check),
    "forensics": Question(_forensics, "experiment"),
    "speed": Question(_speed, "experiment"),
    "diagnosis": Question(_diagnosis),
    "diagnosis.seeds": Question(_diagnosis_of_seeds, is_long=True),
    "diagnosis.thorough": Question(_thorough_diagnosis, is_long=True),
    "units": Question(_units),
    "unit_deaths": Question(_unit_deaths),
    "jacobian": Question(_jacobian),
    "through_training": Question(_through_training, "experiment"),
}
