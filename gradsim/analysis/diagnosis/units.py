"""Findings about the units of a layer: dead, saturated, copies of each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.diagnosis.blocked_remedies import for_dead_units
from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.weights import begins_badly
from gradsim.analysis.diagnosis.words import number, percent
from gradsim.analysis.units import batch_units
from gradsim.spec import Activation, Dense, Recurrent, kind_of
from gradsim.trace import LayerTrace

SATURATING = {"sigmoid": 0.25, "hard_sigmoid": 1.0 / 6.0, "tanh": 1.0, "hard_tanh": 1.0, "softsign": 1.0}
"""Activations that are flat on both sides → largest slope."""

FLAT = 0.06
"""Share of the largest slope below which a value counts as saturated: tanh |a| > 0.97, where CS231n draws the line,
has the slope 1 − 0.97² = 0.06; for a sigmoid it is |z| > 4.1."""


def dead_units(case: Case) -> Measurement | Unknown:
    """Share of the units of a layer whose output and slope are exactly 0 for every sample, in the worst layer.

    Over the whole training part where a simulator could be asked, or else over the batch. SageMaker Debugger calls a
    layer dead from one half on. In a deep ReLU net the samples come out alike, so that half of the units are silent
    for all of them by chance alone: three standard deviations come on top.
    """
    survey = case.survey or batch_units(case.trace)
    shares: dict[str, float] = {}
    cuts: dict[str, float] = {}
    known = {units.name: units for units in survey.layers if units.activation not in ("linear", "softmax")}
    for layer in case.trace.layers[:-1]:
        units = known.get(layer.name)
        if units is None or np.isnan(units.largest_output).any() or np.isnan(units.largest_slope).any():
            continue
        shares[layer.name] = float(units.dead.mean())
        cuts[layer.name] = min(0.99, 0.5 + 1.5 / math.sqrt(len(units)))
    if not shares:
        return Unknown("no activation can be flat, or its values are not numbers")
    worst = max(shares, key=lambda name: shares[name] / cuts[name])
    layer = case.trace[worst]
    whole = f"all {survey.samples:,} training samples"
    batch = f"every one of the {survey.samples:,} samples of the batch; the others were not looked at"
    stuck = int(known[worst].stuck.sum())
    # A signal that has all but vanished, or exploded, falls to one side of 0 with the first biases.
    is_begun_badly = begins_badly(case)
    return Measurement(
        shares[worst],
        f"{percent(shares[worst])} of the units of {worst} are dead, so that nothing is learned through them: output "
        f"and slope are 0 for {batch if case.survey is None else whole}.",
        _cause_of_death(layer),
        shares,
        {"units": float(len(known[worst])), "samples": float(survey.samples)}
        | ({"units with slope 0 and another output": float(stuck)} if stuck else {}),
        cut=cuts[worst],
        remedies=("batch_normalization", "fitting_weights")
        if is_begun_badly
        else for_dead_units(case, layer),
        after=("poor_initialization",) if is_begun_badly else (),
    )


def saturation(case: Case) -> Measurement | Unknown:
    """Share of the values of a layer where φ' is below 6 % of its largest, in the worst layer."""
    shares: dict[str, float] = {}
    sizes: dict[str, float] = {}
    fused = case.experiment.training.loss in ("cross_entropy", "binary_cross_entropy")
    for layer in case.trace.layers[: -1 if fused else None]:
        kind, slope = _slope(case, layer)
        if slope is None or not np.isfinite(slope).all():
            continue
        shares[layer.name] = float((slope < FLAT * SATURATING[kind]).mean())
        sizes[layer.name] = float(layer.statistics["pre_activation"].rms)
    if not shares:
        return Unknown("no activation saturates")
    worst = max(shares, key=lambda name: shares[name])
    layer = case.trace[worst]
    inputs = "the activations before it" if layer.index else "its inputs"
    return Measurement(
        shares[worst],
        f"{percent(shares[worst])} of the values of {worst} lie where its activation is flat: "
        "their slope is below 6 % of the largest.",
        f"Its pre-activations have an rms of {number(sizes[worst])}: its weights or {inputs} are too large.",
        shares,
        {"rms of the pre-activation": sizes[worst]},
    )


def symmetry(case: Case) -> Measurement | Unknown:
    """Largest difference between units that start alike: of their weights or of their gradients, relative.

    Units with the same weights and the same gradient stay the same for ever (Goodfellow et al. 2016, section 8.4).
    Either difference is the rms of the deviation from the mean unit / the rms of all: about 1 for random weights.
    """
    spreads: dict[str, float] = {}
    for layer in case.hidden:
        if not isinstance(case.placed[layer.name].layer, Dense) or layer.fan_out < 2:
            continue
        weights = [layer["weight"], *([layer["bias"][None, :]] if "bias" in layer.tensors else [])]
        gradients = [layer["weight_gradient"]]
        spread = max(_spread(weights), _spread(gradients))
        if not math.isnan(spread):
            spreads[layer.name] = spread
    if not spreads:
        return Unknown("no dense layer before the head has two units and finite weights")
    worst = min(spreads, key=lambda name: spreads[name])
    zero = not np.any(case.trace[worst]["weight"])
    return Measurement(
        spreads[worst],
        f"The units of {worst} are copies of each other: their weights and gradients differ by "
        f"{number(spreads[worst])} of their size.",
        f"All its weights are {'0' if zero else 'the same number'}: every unit gets the same gradient and moves "
        "alike, so that the layer is worth a single unit.",
        spreads,
        {"units": float(case.trace[worst].fan_out)},
    )


def _slope(case: Case, layer: LayerTrace) -> tuple[str, NDArray[Any] | None]:
    """Kind of a saturating activation and φ' of its values; None where there is none."""
    spec: Any = case.placed[layer.name].layer
    if isinstance(spec, Recurrent):
        if spec.cell == "simple" and spec.activation == "tanh":
            return "tanh", np.asarray(1.0 - np.square(np.asarray(layer["hidden"], np.float64)))
        return "", None
    activation: Activation | None = getattr(spec, "activation", None)
    if activation is None or kind_of(activation) not in SATURATING or "slope" not in layer.tensors:
        return "", None
    return kind_of(activation), layer["slope"]


def _spread(tensors: list[NDArray[Any]]) -> float:
    """Rms deviation from the mean column / rms; 0 where all is 0."""
    values = np.vstack([np.asarray(tensor, np.float64) for tensor in tensors])
    with np.errstate(all="ignore"):
        size = float(np.sqrt(np.square(values).mean()))
        if size == 0:
            return 0.0
        return float(np.sqrt(values.var(axis=1).mean()) / size)


def _cause_of_death(layer: LayerTrace) -> str:
    z = np.asarray(layer["pre_activation"], np.float64)
    mean, spread = float(z.mean()), float(z.std())
    told = f"Its pre-activations lie around {number(mean)} with a standard deviation of {number(spread)}"
    if "bias" in layer.tensors:
        told += f"; the mean of its biases is {number(float(np.mean(layer['bias'], dtype=np.float64)))}"
    return f"{told}."
