"""A time step told in one line: which layer, which step, and what is done."""

from __future__ import annotations

import pytest

from gradsim.views.inspection.wording import step_text, time_words
from tests.kind_runs import NETWORKS, STEPS, kind_run


@pytest.mark.parametrize("name", NETWORKS)
def test_every_time_step_is_told_with_its_time_and_no_other_step(name: str) -> None:
    trace = kind_run(name).trace
    for step in trace.steps:
        told = step_text(step, trace.layers)
        if step.time is None:
            assert time_words(step, trace.layers) == ""
            assert " of " not in told
            continue
        assert step.layer is not None
        assert f"{trace.layers[step.layer].name} · t = {step.time + 1} of {STEPS} · " in told
        assert ("cell(xₜ, hₜ₋₁)" if step.phase == "forward" else "∂L/∂hₜ = from above") in told
