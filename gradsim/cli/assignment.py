"""``--set path=value``: single values of an experiment changed from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gradsim.spec import Experiment, SpecError
from gradsim.spec.assignment import experiment_with_values


def experiment_with(experiment: Experiment, assignments: Sequence[str]) -> Experiment:
    """Return an experiment in which some values are others.

    Parameters
    ----------
    experiment : Experiment
        Where to start; it stays as it is.
    assignments : sequence of str
        Such as ``network.layers[0].units=32`` or ``network.layers[*].activation=relu``, made one after the
        other. The value is read as JSON; what is not JSON is a string. A changed ``kind`` starts from the
        defaults of the new kind.

    Returns
    -------
    Experiment
        Checked as a whole, after the last assignment.

    Raises
    ------
    SpecError
        If a path leads nowhere or the result is not a valid experiment.
    """
    if not assignments:
        return experiment
    return experiment_with_values(experiment, map(_path_and_value, assignments), "--set")


def _path_and_value(assignment: str) -> tuple[str, Any]:
    path, equals, text = assignment.partition("=")
    if not equals:
        raise SpecError("--set", f"expected path=value, got {assignment!r}")
    return path.strip(), _value(text)


def _value(text: str) -> Any:
    def refused(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(text, parse_constant=refused)
    except (ValueError, RecursionError):
        return text
