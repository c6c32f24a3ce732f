"""A fault's tensor and index lead to the step and to the numbers that show it, in every kind of layer."""

from __future__ import annotations

import math

import pytest

from gradsim.analysis import Fault, Source
from gradsim.trace import IterationTrace
from gradsim.views.inspection.fault_place import fault_place, fault_step
from gradsim.views.inspection.formula import Place
from tests.kind_runs import NETWORKS, kind_run

Z = Source("z", "head", "pre_activation", (9, 2), math.inf)

PLACES = {
    "a signal": ("layer normalization", "dense_1", "pre_activation", (3, 5), Place(3, 5)),
    "a weight": ("layer normalization", "dense_1", "weight_update", (2, 5), Place(0, 5, 2)),
    "a bias": ("layer normalization", "dense_1", "bias_clipped_gradient", (4,), Place(0, 4)),
    "a gamma": ("batch normalization", "normalization_1", "weight_gradient", (4,), Place(0, 4)),
    "a gate": ("lstm", "recurrent_1", "pre_activation", (3, 7, 13), Place(3, 3, time=7)),
    "weights of a gate": ("lstm", "recurrent_2", "input_weight", (1, 9), Place(0, 1, 1)),
    "a signal in time": ("gru", "recurrent_1", "hidden", (3, 7, 4), Place(3, 4, time=7)),
    "counts alone": ("gru", "recurrent_1", "hidden", (), Place()),
    "data": ("lstm", None, "inputs", (6, 2, 1), Place(6, 0, 1)),
    "the loss": ("layer normalization", None, "loss", (0,), Place(9, 2)),
}


def fault(trace: IterationTrace, layer: str | None, tensor: str, index: tuple[int, ...] = ()) -> Fault:
    place = None if layer is None else trace[layer].index
    sources = (Z,) if tensor == "loss" else ()
    return Fault("inf", 0, None, place, layer or "", tensor, "", index, math.inf, 1, 9, sources)


@pytest.mark.parametrize("name", PLACES)
def test_the_index_of_a_value_leads_to_its_numbers(name: str) -> None:
    run, layer, tensor, index, place = PLACES[name]
    trace = kind_run(run).trace
    shown = trace.layers[0 if layer is None and tensor == "inputs" else -1] if layer is None else trace[layer]
    assert fault_place(fault(trace, layer, tensor, index), shown) == place


@pytest.mark.parametrize("name", NETWORKS)
def test_counts_alone_lead_to_the_step_that_tells_the_tensor(name: str) -> None:
    trace = kind_run(name).trace
    for layer in trace.layers:
        told = {
            "activation": ("forward", layer.index, "activation"),
            "delta": ("backward", layer.index, "delta"),
            "activation_gradient": ("backward", layer.index, "activation_gradient"),
        }
        if layer.kind == "dense":
            told["pre_activation"] = ("forward", layer.index, "pre_activation")
        if "weight" in layer.tensors:
            told["weight_gradient"] = ("backward", layer.index, "weight_gradient")
            told["update"] = ("update", layer.index, "update")
            told["weight_clipped_gradient"] = ("clip", None, "clipped_gradient")
        for tensor, wanted in told.items():
            step = trace.steps[fault_step(fault(trace, layer.name, tensor), trace.steps)]
            assert (step.phase, step.layer, step.tensor) == wanted
        if "weight" in layer.tensors:
            step = trace.steps[fault_step(fault(trace, layer.name, "weight"), trace.steps)]
            assert (step.phase, step.layer) == ("forward", layer.index)
    assert trace.steps[fault_step(fault(trace, None, "loss"), trace.steps)].phase == "loss"
    assert fault_step(fault(trace, None, "inputs"), trace.steps) == 0
