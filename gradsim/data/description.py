"""Samples in words."""

from __future__ import annotations

import numpy as np

from gradsim.trace import SampleSet

_NAMED = 3


def describe(samples: SampleSet) -> str:
    """Return what samples are, in one sentence for people.

    Parameters
    ----------
    samples : SampleSet
        Any samples.

    Returns
    -------
    str
        Title, how many, time steps, features, classes or outputs, how many are held back, constant columns.
    """
    training, validation = len(samples.training_inputs), len(samples.validation_inputs)
    form = _counted(samples.features, "feature")
    if samples.steps:
        form = f"{_counted(samples.steps, 'step')} of {form}"
    if samples.task == "classification":
        goal = f"{len(samples.output_names)} classes"
    else:
        goal = _counted(samples.outputs, "number") + " to predict"
    if samples.target_steps > 1:
        goal += " at every step"
    split = f"{validation:,} of them held back for validation" if validation else "none of them held back"
    parts = [f"{samples.title}: {_counted(training + validation, 'sample')}, {form}, {goal}, {split}"]
    constant = np.flatnonzero(np.ptp(samples.training_inputs.reshape(-1, samples.features), axis=0) == 0)
    if len(constant):
        names = ", ".join(samples.feature_names[i] for i in constant[:_NAMED])
        more = f" and {len(constant) - _NAMED} more" if len(constant) > _NAMED else ""
        parts.append(f"constant in training: {names}{more}")
    return "; ".join(parts) + "."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
