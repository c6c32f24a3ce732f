"""Loss scaling: the gradient at the loss is made larger, so that what is small survives a narrow format.

The scale is taken off the gradients of the parameters, which are then no longer rounded: as with the master
gradients of Micikevicius et al., "Mixed precision training" (2018).
"""

from __future__ import annotations

import math
from typing import Any

from gradsim.engine.compilation import inner_kernel
from gradsim.engine.instructions import FUSED, OUTPUT_GRADIENT, SLOPE
from gradsim.engine.memory import stretch

NO_SCALING, FIXED, DYNAMIC = range(3)
SCALING_CODES = {"none": NO_SCALING, "fixed": FIXED, "dynamic": DYNAMIC}

LARGEST_SCALE = 2.0**60

# Places of ``Buffers.scaling``.
SCALE = 0
GOOD = 1


@inner_kernel
def multiply(x: Any, factor: Any) -> None:
    """Multiply every element by a factor, in place."""
    for i in range(x.shape[0]):
        x[i] *= factor


@inner_kernel
def scale_head(row: Any, work: Any, size: Any, factor: Any) -> None:
    """Multiply the gradient with which the pass backwards begins; ``row`` is the last instruction."""
    multiply(stretch(work, row[OUTPUT_GRADIENT], size), factor)
    if row[FUSED]:
        multiply(stretch(work, row[SLOPE], size), factor)


@inner_kernel
def move_scale(choices: Any, scaling: Any, norm: Any) -> Any:
    """Change a dynamic scale after an iteration; return whether its update is made.

    ``norm`` is that of all gradients: it is finite exactly where they all are.
    """
    if choices.loss_scaling != DYNAMIC:
        return True
    if not math.isfinite(norm):
        scaling[SCALE] *= 0.5
        scaling[GOOD] = 0.0
        return False
    scaling[GOOD] += 1.0
    if scaling[GOOD] >= choices.scaling_interval:
        scaling[SCALE] = min(2.0 * scaling[SCALE], LARGEST_SCALE)
        scaling[GOOD] = 0.0
    return True
