"""Recurrent layers through time: the size of the gradient at every step, and what the gates let through."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from gradsim.analysis.through_time import (
    fitted_factor_per_step,
    gates_of,
    kept_product,
    recorded_again,
    recurrent_layers,
    rms_per_step,
    rms_per_unit,
    time_record,
)
from gradsim.spec import Experiment, Head, Network, Recurrent, Training
from gradsim.spec.activation import Linear
from gradsim.spec.data import Adding
from gradsim.spec.training import Sgd
from gradsim.trace import LayerTrace
from tests.kind_runs import NETWORKS, SEQUENCES, STEPS, kind_run

T = 12


def simulator(layer: Recurrent, **training: Any) -> Any:
    from gradsim.engine import Simulator

    return Simulator(
        Experiment(
            seed=3,
            precision="float64",
            data=Adding(samples=60, steps=T),
            network=Network(layers=(layer,), head=Head(activation=Linear())),
            training=Training(loss="mse", batch_size=8, optimizer=Sgd(learning_rate=0.05), **training),
        )
    )


def with_tensors(layer: LayerTrace, **tensors: np.ndarray) -> LayerTrace:
    return dataclasses.replace(layer, tensors=MappingProxyType({**layer.tensors, **tensors}))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_recurrent_layer_and_no_other_goes_through_time(name: str) -> None:
    trace = kind_run(name).trace
    found = recurrent_layers(trace)
    assert bool(found) == (name in SEQUENCES)
    rows = time_record(trace).rms
    assert {index for index, _ in rows} == {layer.index for layer in found}
    for (index, tensor), values in rows.items():
        told = trace.layers[index].tensors[tensor]
        plain = np.sqrt(np.mean(np.square(told), axis=(0, 2)))
        assert values.shape == (STEPS,)
        np.testing.assert_allclose(values, plain, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("fill", "told"),
    [(0.0, 0.0), (np.nan, np.nan), (np.inf, np.inf), (-np.inf, np.inf), (1e-30, 1e-30), (1e30, 1e30)],
)
def test_sizes_say_zero_nan_and_infinity_as_they_are(dtype: Any, fill: float, told: float) -> None:
    values = np.ones((3, 4, 2), dtype)
    values[:, 1] = fill
    expected = np.array([1.0, told, 1.0, 1.0])
    np.testing.assert_allclose(rms_per_step(values), expected, rtol=1e-6)
    np.testing.assert_allclose(rms_per_step(values, sample=2), expected, rtol=1e-6)
    for sample in (None, 1):
        np.testing.assert_allclose(
            rms_per_unit(values, sample), np.repeat(expected[:, None], 2, 1), rtol=1e-6
        )


def test_the_smallest_and_largest_numbers_of_float64_keep_their_size() -> None:
    values = np.array([[[1e-320], [1e300]]])
    np.testing.assert_allclose(rms_per_step(np.repeat(values, 3, axis=0)), [1e-320, 1e300], rtol=1e-3)


def test_one_sample_is_told_by_its_magnitudes() -> None:
    layer = kind_run("lstm").trace.layers[0]
    told = rms_per_unit(layer.cell_gradient, sample=5)
    np.testing.assert_array_equal(told, np.abs(layer.cell_gradient[5]))


@pytest.mark.parametrize("factor", [0.83, 1.0, 1.2, 0.01])
def test_a_gradient_that_shrinks_evenly_has_that_factor_per_step_back(factor: float) -> None:
    fit = fitted_factor_per_step(factor ** np.arange(20)[::-1])
    assert fit.factor == pytest.approx(factor)
    assert fit.words == {0.83: "×0.83 per step back", 1.0: "flat", 1.2: "grows ×1.2 per step back"}.get(
        factor, "×0.01 per step back"
    )


@pytest.mark.parametrize(
    ("values", "words", "note"),
    [
        ([0.0, 0.0, 0.5, 1.0], "×0.5 per step back", "2 of 4 steps are 0 and stand outside the fit"),
        ([np.nan, 0.25, 0.5, 1.0], "×0.5 per step back", "not a number in step 1"),
        ([0.0, 0.0, 0.0], "no slope: all 3 steps are 0", ""),
        ([np.inf, np.inf], "no slope: all 2 steps are infinite", ""),
        ([1.0], "no slope: a single step takes part", ""),
    ],
)
def test_steps_without_a_logarithm_stand_outside_the_fit_and_are_named(
    values: list[float], words: str, note: str
) -> None:
    fit = fitted_factor_per_step(np.array(values))
    assert (fit.words, fit.note) == (words, note)


@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
@pytest.mark.parametrize("window", [1, 4, 5, T])
def test_truncation_gives_exact_zeros_beyond_its_window(cell: Any, window: int) -> None:
    trace = simulator(Recurrent(cell=cell, units=4, truncation=window)).record()
    # The state is detached every so many steps, counted from the first: the last stretch may be shorter.
    reached = (T - 1) // window * window
    for (_index, tensor), sizes in time_record(trace).rms.items():
        # The state handed over at the cut still feels the first step after it in neither h nor c.
        assert (sizes[:reached] == 0).all(), (tensor, sizes)
        assert (sizes[reached:] > 0).all()


@pytest.mark.parametrize("name", ["lstm", "gru", "gru, reset before"])
def test_gates_are_told_by_their_means_and_the_candidate_is_none(name: str) -> None:
    layer = kind_run(name).trace.layers[0]
    units = layer.fan_out
    told = gates_of(layer)
    names = "ifgo" if name == "lstm" else "rzn"
    assert list(told) == [gate for gate in names if gate not in "gn"]
    for gate, values in told.items():
        first = names.index(gate) * units
        np.testing.assert_allclose(values, layer.gates[:, :, first : first + units].mean(axis=(0, 2)))
        assert ((values > 0) & (values < 1)).all()
    one = gates_of(layer, sample=3)
    for gate, values in one.items():
        first = names.index(gate) * units
        np.testing.assert_allclose(values, layer.gates[3, :, first : first + units].mean(axis=1))


def test_a_simple_cell_has_neither_gates_nor_a_product_of_them() -> None:
    layer = kind_run("simple recurrent").trace.layers[0]
    assert gates_of(layer) == {}
    assert kept_product(layer) is None


@pytest.mark.parametrize(("name", "place"), [("lstm", 1), ("gru", 1)])
@pytest.mark.parametrize("sample", [None, 2])
def test_the_product_is_that_of_the_keeping_gates_after_the_step(
    name: str, place: int, sample: int | None
) -> None:
    layer = kind_run(name).trace.layers[0]
    units = layer.fan_out
    keeping = layer.gates[:, :, place * units : (place + 1) * units]
    keeping = keeping if sample is None else keeping[sample : sample + 1]
    told = kept_product(layer, sample)
    assert told is not None
    for t in range(STEPS):
        product = np.log10(keeping[:, t + 1 :].prod(axis=1))
        assert told.log10_mean[t] == pytest.approx(product.mean(), abs=1e-12)
        assert told.log10_least[t] == pytest.approx(product.min(), abs=1e-12)
        assert told.log10_greatest[t] == pytest.approx(product.max(), abs=1e-12)


def test_open_forget_gates_multiply_to_exactly_one_and_a_closed_one_to_zero() -> None:
    layer = kind_run("lstm").trace.layers[0]
    gates, units = layer.gates.copy(), layer.fan_out
    gates[:, :, units : 2 * units] = 1.0
    told = kept_product(with_tensors(layer, gates=gates))
    assert told is not None
    assert (told.log10_mean == 0).all()
    assert (told.log10_least == 0).all()
    gates[:, 4, units : 2 * units] = 0.0
    told = kept_product(with_tensors(layer, gates=gates))
    assert told is not None
    assert np.isneginf(told.log10_mean[:4]).all()
    assert (told.log10_mean[4:] == 0).all()
    gates[:, 6, units] = np.nan
    told = kept_product(with_tensors(layer, gates=gates))
    assert told is not None
    assert np.isnan(told.log10_mean[:6]).all()
    assert (told.log10_mean[6:] == 0).all()


def test_an_lstm_with_forget_gate_one_and_no_input_hands_the_cell_gradient_back_unchanged() -> None:
    machine = simulator(Recurrent(cell="lstm", units=4))
    parameters = {name: np.zeros_like(values) for name, values in machine.parameters().items()}
    bias = parameters["recurrent_1.bias"]
    bias[4:8] = 200.0  # f: the sigmoid is exactly 1 in float64
    parameters["head.weight"][:] = 1.0
    machine.load_parameters(parameters)
    trace = machine.record()
    layer = trace["recurrent_1"]
    told = kept_product(layer)
    assert told is not None
    assert (told.log10_mean == 0).all()
    sizes = rms_per_step(layer.cell_gradient)
    assert sizes[-1] > 0
    assert (sizes == sizes[-1]).all()
    assert fitted_factor_per_step(sizes).words == "flat"


def test_a_product_far_below_float64_keeps_its_logarithm() -> None:
    layer = kind_run("lstm").trace.layers[0]
    gates = np.full((2, 400, 4 * layer.fan_out), 0.01)
    told = kept_product(with_tensors(layer, gates=gates))
    assert told is not None
    assert told.log10_mean[0] == pytest.approx(-2 * 399)


def test_passes_recorded_again_are_those_of_the_first_time_to_the_bit() -> None:
    layer = Recurrent(cell="gru", units=3)
    first, again = simulator(layer), simulator(layer)
    expected = []
    for _ in range(5):
        expected.append(time_record(first.record()))
        first.advance(3)
    told: list[float] = []
    found = recorded_again(again, range(0, 15, 3), lambda words, share: told.append(share))
    assert [one.iteration for one in found] == [0, 3, 6, 9, 12]
    for one, other in zip(found, expected, strict=True):
        assert one.loss == other.loss
        np.testing.assert_array_equal(one.rms[0, "hidden_gradient"], other.rms[0, "hidden_gradient"])
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_what_progress_raises_ends_the_recording() -> None:
    class Enough(Exception):
        pass

    def stop(words: str, share: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        recorded_again(simulator(Recurrent(units=2)), [0, 5], stop)
