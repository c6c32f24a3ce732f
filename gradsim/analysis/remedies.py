"""The remedies: pure edits of an experiment, one function of ``remedy_edits`` and one row of ``REMEDIES`` each.

An edit returns None where it does not apply or would change nothing. It may be told numbers that a finding has
measured, such as the size of the gradient, and does without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gradsim.analysis import remedy_edits as edits
from gradsim.analysis.remedy import Remedy
from gradsim.spec import Experiment, SpecError, checked


@dataclass(frozen=True, slots=True)
class RemedyRule:
    """A row of ``REMEDIES``: an edit with what it is called and why it should help."""

    title: str
    description: str
    edit: edits.Edit


def remedy_for(
    name: str, experiment: Experiment, numbers: Mapping[str, float] | None = None
) -> Remedy | None:
    """Return a remedy for an experiment.

    Parameters
    ----------
    name : str
        Key of ``REMEDIES``.
    experiment : Experiment
        What is to be cured; it is not changed.
    numbers : mapping from str to float, optional
        What was measured, for edits whose size depends on it.

    Returns
    -------
    Remedy or None
        None where the edit does not apply, would change nothing, or would make an experiment that cannot be run.
    """
    row = REMEDIES[name]
    try:
        edited = row.edit(experiment, numbers or {})
    except SpecError:
        return None
    edited = None if edited is None else _sound(edited)
    if edited is None or edited == experiment:
        return None
    return Remedy(name, row.title, row.description, edited)


@lru_cache(maxsize=64)
def _sound(edited: Experiment) -> Experiment | None:
    """Return an experiment as it can be run, or None; kept, because several findings propose the same remedies."""
    try:
        return checked(edited)
    except SpecError:
        return None


REMEDIES: Mapping[str, RemedyRule] = {
    "relu_he": RemedyRule(
        "ReLU with He weights",
        "Its slope is 1 wherever a unit is on, and weights of variance 2/fan_in make up for those that are off.",
        edits.relu,
    ),
    "tanh": RemedyRule(
        "tanh with Glorot weights", "Its slope reaches 1, not ¼, and it is centred on 0.", edits.tanh
    ),
    "leaky_relu": RemedyRule(
        "Leaky ReLU, slope 0.1",
        "A unit that is off still passes a tenth of its gradient and can come back.",
        edits.leaky_relu,
    ),
    "fitting_weights": RemedyRule(
        "Weights that fit the activation",
        "Random weights whose gain undoes what the activation takes from the gradient: He, LeCun or Glorot.",
        edits.fitting_weights,
    ),
    "zero_biases": RemedyRule(
        "Biases start at 0", "Units begin where their activation has a slope.", edits.zero_biases
    ),
    "batch_normalization": RemedyRule(
        "Batch normalization",
        "Sets the pre-activations of every unit to mean 0 and variance 1 over the batch, whatever the weights do.",
        edits.normalization("batch"),
    ),
    "layer_normalization": RemedyRule(
        "Layer normalization",
        "Sets the pre-activations of every sample to mean 0 and variance 1, whatever the weights do.",
        edits.normalization("layer"),
    ),
    "layer_for_batch": RemedyRule(
        "Layer normalization instead",
        "Takes mean and variance over the units of one sample, so that the batch may be small.",
        edits.layer_for_batch,
    ),
    "skips": RemedyRule(
        "Skip connections",
        "The gradient comes back past every layer unchanged; each branch adds 1/√blocks of its own.",
        edits.skips,
    ),
    "fewer_layers": RemedyRule(
        "Half the layers", "The gradient has half as many factors on its way.", edits.fewer_layers
    ),
    "lower_rate": RemedyRule("Learning rate ÷ 10", "Steps that do not overshoot.", edits.rate(0.1)),
    "higher_rate": RemedyRule("Learning rate × 10", "Steps that get somewhere.", edits.rate(10.0)),
    "much_higher_rate": RemedyRule("Learning rate × 1000", "Steps that get somewhere.", edits.rate(1000.0)),
    "adam": RemedyRule(
        "Adam",
        "Divides every gradient by its own running size, so that layers with small gradients move too.",
        edits.adam,
    ),
    "clip": RemedyRule(
        "Clip the gradient's norm to 1",
        "No step is longer than the learning rate; the direction stays.",
        edits.clip,
    ),
    "no_clipping": RemedyRule(
        "No clipping", "Steps follow the size of the gradient again.", edits.no_clipping
    ),
    "raised_threshold": RemedyRule(
        "Higher clipping threshold", "Clips only the gradients that stand out.", edits.raised_threshold
    ),
    "lowered_threshold": RemedyRule(
        "Lower clipping threshold", "Clips the gradients that stand out.", edits.lowered_threshold
    ),
    "dynamic_loss_scale": RemedyRule(
        "Dynamic loss scale",
        "The loss is multiplied before the way back, by as much as just overflows nothing, and the gradient divided "
        "after it.",
        edits.dynamic_loss_scale,
    ),
    "loss_scale": RemedyRule(
        "Loss scale 1024",
        "The loss is multiplied before the way back and the gradient divided after it: three decades of it are no "
        "longer rounded to 0.",
        edits.loss_scale,
    ),
    "bfloat16": RemedyRule(
        "bfloat16",
        "Holds numbers as small and as large as float32 does, with fewer digits.",
        edits.precision("bfloat16"),
    ),
    "float32": RemedyRule(
        "float32", "Holds numbers down to 1e-45 and up to 3e38.", edits.precision("float32")
    ),
    "no_schedule": RemedyRule(
        "Constant learning rate", "The schedule no longer takes the steps away.", edits.no_schedule
    ),
    "no_weight_decay": RemedyRule(
        "No weight decay", "Nothing pulls the weights to 0.", edits.no_weight_decay
    ),
    "standard_scaling": RemedyRule(
        "Scale the inputs", "Every column gets mean 0 and standard deviation 1.", edits.standard_scaling
    ),
    "larger_batch": RemedyRule(
        "Batches of 32",
        "The mean and variance of more samples are closer to those of all.",
        edits.larger_batch,
    ),
    "lstm": RemedyRule(
        "LSTM cells",
        "The cell state is carried on by a sum, and a gate decides what is kept.",
        edits.cell("lstm"),
    ),
    "gru": RemedyRule("GRU cells", "The state is carried on where its gate is open.", edits.cell("gru")),
    "orthogonal": RemedyRule(
        "Orthogonal recurrent weights",
        "Every step back keeps the length of the gradient, but for the slopes.",
        edits.orthogonal,
    ),
    "remembering": RemedyRule(
        "Forget bias 3", "The gate keeps 95 % of the cell state per step instead of 73 %.", edits.remembering
    ),
}
"""Id → what it does, in the order of this file; findings list those that help them in ``diagnosis.RULES``."""
