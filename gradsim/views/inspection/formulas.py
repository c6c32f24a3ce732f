"""The step under the cursor as a formula, and with the numbers of one sample, step of time and unit filled in.

One function for each operation, found by its name in ``_TELLERS``. Every result is the recorded number, not
one computed here again; only means and sums of terms that are not written out are taken here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradsim.analysis.layer_specs import spec_of
from gradsim.trace import IterationTrace, LayerTrace, Step
from gradsim.views.inspection.backward import activation_gradient, delta, hidden_gradient, weight_gradient
from gradsim.views.inspection.between import (
    dropout_formula,
    normalization_formula,
    residual_formula,
)
from gradsim.views.inspection.formula import (
    Formula,
    Place,
    Told,
    ended,
    means_words,
    number_at,
    row_at,
    when,
)
from gradsim.views.inspection.losses import loss_formula
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.nonlinearities import value_at, value_text
from gradsim.views.inspection.recurrent import (
    recurrent_formulas,
)
from gradsim.views.inspection.sums import added, sum_of_products
from gradsim.views.inspection.updates import clip_formula, update_formula


def formulas_at(trace: IterationTrace, step: Step, layer: int, place: Place) -> tuple[Formula, ...]:
    """Return the formulas of a step for a layer.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    step : Step
        What is done.
    layer : int
        Index of the layer to fill in, which need not be that of the step.
    place : Place
        Sample, unit, source and step of time; beyond the end the last one is taken. A step of the iteration
        that is one of time brings its own.

    Returns
    -------
    tuple of Formula
        At least one; a single sentence without numbers for an operation not known here.
    """
    teller = _TELLERS.get(step.operation)
    if step.operation == "recurrent" and step.phase == "backward":
        teller = hidden_gradient
    here = trace.layers[layer]
    place = Place(
        None if place.sample is None else min(place.sample, len(trace.inputs) - 1),
        min(place.unit, here.fan_out - 1),
        min(place.source, (max(here.fan_in, here.fan_out) if here.kind == "recurrent" else here.fan_in) - 1),
        place.time if step.time is None else step.time,
    )
    if teller is None:
        return (Formula(step.operation, ""),)
    formulas = teller(trace, here, place)
    if not place.is_mean or step.operation in (*WEIGHTS, "loss"):  # those are about the whole batch anyway
        return formulas
    return tuple(
        replace(one, told="; ".join(part for part in (one.told, means_words(trace, one)) if part))
        for one in formulas
    )


def activation_words(trace: IterationTrace, layer: int) -> str:
    """Return the definition of a layer's activation, such as ``φ(z) = tanh z``."""
    spec: Any = spec_of(trace, trace.layers[layer]).activation
    if isinstance(spec, str):
        return f"φ is {spec}"
    return (type(spec).__doc__ or "").split("\n")[0].split("; ")[0].rstrip(".")


def _linear(_trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    step = place.step_of(layer)
    text, _written = sum_of_products(row_at(layer.input, place.sample, step), layer.weight[:, place.unit])
    symbols = "z = Σᵢ xᵢ Wᵢ"
    if "bias" in layer.tensors:
        text, symbols = added(text, float(layer.bias[place.unit])), "z = Σᵢ xᵢ Wᵢ + b"
    total = told(number_at(layer.pre_activation, place.sample, place.unit, step))
    note = f"the linear map: every input times its weight{when(layer, place)}"
    return (Formula(symbols, f"z = {text} = {total}", note),)


def _activation(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    formulas, step = [], place.step_of(layer)
    z = number_at(layer.pre_activation, place.sample, place.unit, step)
    if "scaled" in layer.tensors:
        formulas.append(Formula(*normalization_formula(trace, layer, place)))
        z = number_at(layer.scaled, place.sample, place.unit, step)
    a = number_at(layer.activation, place.sample, place.unit, step)
    spec = spec_of(trace, layer).activation
    if layer.activation_kind == "softmax":
        row = np.asarray(
            row_at(layer.tensors.get("scaled", layer.pre_activation), place.sample, step), np.float64
        )
        with np.errstate(all="ignore"):
            value = float(1.0 / np.exp(row - z).sum())
        filled = ended(f"a = exp({told(z)}) / Σⱼ exp zⱼ", value, a, place)
    else:
        text = value_text(layer, spec, z, place.unit)
        filled = ended(f"a = {text}", value_at(layer, spec, z, place.unit), a, place)
    symbols = "a = φ(y)" if formulas else "a = φ(z)"
    words = activation_words(trace, layer.index) + when(layer, place)
    return (*formulas, Formula(symbols, filled, words))


def _loss(trace: IterationTrace, _layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = loss_formula(trace, place.sample, place.step_of(trace.layers[-1]))
    return (Formula(symbols, filled, note),)


def _clip(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    symbols, filled, note = clip_formula(trace, layer, place.source, place.unit)
    return (Formula(symbols, filled, note),)


def _update(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return tuple(Formula(*told) for told in update_formula(trace, layer, place.source, place.unit))


def _forward(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Tell a layer on the way forward by its kind: it may be looked at while another is in work."""
    if layer.kind == "recurrent":
        return recurrent_formulas(trace, layer, place)
    teller = _FORWARD.get(layer.kind)
    if teller is None:
        return _linear(trace, layer, place) if layer.kind == "dense" else _activation(trace, layer, place)
    return (Formula(*teller(trace, layer, place)),)


def _activation_or_own(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    return (_activation if layer.kind in ("dense", "activation") else _forward)(trace, layer, place)


_FORWARD: dict[str, Callable[[IterationTrace, LayerTrace, Place], Told]] = {
    "normalization": normalization_formula,
    "dropout": dropout_formula,
    "residual": residual_formula,
}


_TELLERS: dict[str, Callable[[IterationTrace, LayerTrace, Place], tuple[Formula, ...]]] = {
    **dict.fromkeys(("linear", "recurrent", "normalization", "dropout", "residual"), _forward),
    "activation": _activation_or_own,
    "loss": _loss,
    "activation_gradient": activation_gradient,
    "delta": delta,
    "weight_gradient": weight_gradient,
    "clip": _clip,
    "update": _update,
}

WEIGHTS = ("weight_gradient", "clip", "update")
"""Operations whose formula is about one weight, not one unit alone."""
