"""What helps where the gradient is exactly 0: nothing that only changes how fast the weights would move."""

from __future__ import annotations

from gradsim.analysis.diagnosis.blockage import Blockage
from gradsim.analysis.diagnosis.case import Case
from gradsim.trace import TENSORS, LayerTrace

FOR_DEAD_UNITS = ("batch_normalization", "zero_biases", "leaky_relu", "fitting_weights")

DIED = ("lower_rate", "batch_normalization")
"""For units that were alive at the beginning: a step too long pushed them off."""

FOR_NO_GRADIENT = ("fitting_weights", "batch_normalization", "relu_he")
"""Where the gradient is 0 for another reason, such as weights that are all 0."""


def remedies_for(case: Case, blockage: Blockage | None) -> tuple[str, ...] | None:
    """Return what helps against a blockage; None where the remedies of the rule do."""
    if blockage is None:
        return None
    if blockage.finding == "dead_units":
        return for_dead_units(case, case.trace[blockage.layer])
    return None


def for_dead_units(case: Case, layer: LayerTrace) -> tuple[str, ...]:
    """Return what helps the units of a layer, depending on whether they were alive once."""
    return DIED if was_alive(case, layer) else FOR_DEAD_UNITS


def was_alive(case: Case, layer: LayerTrace) -> bool:
    """Return whether less than nine tenths of its activations were 0 at the first record."""
    if not len(case.history) or case.history.iterations[0] != 0:
        return False
    zeros = float(case.history.series("activation", "zeros", layer.index)[0])
    return zeros < 0.9 * float(case.history.sizes[layer.index, TENSORS.index("activation")])
