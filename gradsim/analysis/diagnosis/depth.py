"""The finding that takes trainings: a deeper network worse than its shallower self."""

from __future__ import annotations

import math

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number


def deeper_but_worse(case: Case) -> Measurement | Unknown:
    """Return final training loss / that of the same network with half as many hidden layers, geometric mean over seeds.

    The training loss, because a deeper net could always copy its shallower self (He et al. 2016, figure 1): that
    it is worse there is a fault of the training, not of what it could express.
    """
    if case.comparison is None:
        return Unknown("it takes trainings: ask for a thorough diagnosis")
    deep, shallow = np.array(case.comparison.deep), np.array(case.comparison.shallow)
    usable = np.isfinite(shallow) & (shallow > 0)
    if not usable.any():
        return Unknown("the shallower network did not train either")
    with np.errstate(all="ignore"):
        ratios = np.where(np.isfinite(deep), deep / shallow, math.inf)[usable]
        value = float(np.exp(np.log(ratios).mean()))
    return Measurement(
        value,
        f"After {case.comparison.iterations} iterations its training loss is {number(value)} times that of the same "
        f"network with half the hidden layers (over {len(ratios)} seeds).",
        case.cause("backward"),
        {},
        {
            "training loss": float(np.median(deep)),
            "training loss with half the layers": float(np.median(shallow)),
            "seeds in which it is worse": float((ratios > 1.0).sum()),
        },
    )
