import dataclasses
import math

import numpy as np
import pytest

from gradsim.analysis import TABLE_UNITS, history_profile, profile, profile_table, sentence
from tests.reference import reference_trace, repeated_history, trained_history

NUMBERS = (
    "delta_rms",
    "backward_ratio",
    "activation_rms",
    "pre_activation_rms",
    "forward_ratio",
    "weight_gradient_rms",
    "weight_rms",
    "update_ratio",
)
FAULTS = [None, "zero", "nan", "inf", "mixed"]


def with_rms(trace, **rms_of):
    """The trace with other rms in the statistics of some tensors, one value per layer."""
    layers = []
    for i, layer in enumerate(trace.layers):
        told = {
            name: dataclasses.replace(layer.statistics[name], rms=values[i])
            for name, values in rms_of.items()
        }
        layers.append(dataclasses.replace(layer, statistics={**layer.statistics, **told}))
    return dataclasses.replace(trace, layers=tuple(layers))


def test_sizes_are_those_of_the_arrays():
    trace = reference_trace(layers=5, precision="float64")
    found = profile(trace)

    def rms(tensor):
        return [np.sqrt(np.mean(layer[tensor] ** 2)) for layer in trace.layers]

    np.testing.assert_allclose(found.delta_rms, rms("delta"), rtol=1e-12)
    np.testing.assert_allclose(found.activation_rms, rms("activation"), rtol=1e-12)
    np.testing.assert_allclose(found.pre_activation_rms, rms("pre_activation"), rtol=1e-12)
    np.testing.assert_allclose(found.weight_gradient_rms, rms("weight_gradient"), rtol=1e-12)
    np.testing.assert_allclose(found.update_ratio, np.divide(rms("update"), rms("weight")), rtol=1e-12)
    np.testing.assert_allclose(
        found.backward_ratio, np.divide(rms("delta")[:-1], rms("delta")[1:]), rtol=1e-12
    )
    assert found.layer_names == ("dense_1", "dense_2", "dense_3", "dense_4", "head")
    assert found.numbers.tolist() == [1, 2, 3, 4, 5]
    assert found.activations == ("tanh",) * 4 + ("softmax",)


def test_geometric_deltas_give_their_factor_going_back():
    trace = with_rms(reference_trace(layers=20), delta=[0.24**k for k in reversed(range(20))])
    found = profile(trace)
    np.testing.assert_allclose(found.backward_ratio, 0.24, rtol=1e-12)
    assert found.backward_fit.factor == pytest.approx(0.24, rel=1e-12)
    assert found.backward_fit.r_squared == pytest.approx(1.0)
    assert found.backward_fit.words == "×0.24 per layer"
    assert len(found.backward_fit.used) == 20


def test_the_forward_fit_leaves_the_head_out():
    found = profile(with_rms(reference_trace(layers=4), activation=[1.0, 3.0, 9.0, 1e-9]))
    assert found.forward_fit.factor == pytest.approx(3.0)
    assert found.forward_fit.used.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.forward_ratio[:2], 3.0)


def test_quotients_of_dead_layers_follow_ieee():
    found = profile(
        with_rms(
            reference_trace(layers=4),
            delta=[1.0, 0.0, 0.0, 2.0],
            update=[1.0, 0.0, 1.0, 0.0],
            weight=[2.0, 0.0, 0.0, 1.0],
        )
    )
    np.testing.assert_array_equal(found.backward_ratio, [math.inf, math.nan, 0.0])
    np.testing.assert_array_equal(found.update_ratio, [0.5, math.nan, math.inf, 0.0])


@pytest.mark.parametrize("layers", [1, 2, 3, 200])
@pytest.mark.parametrize("fault", FAULTS)
def test_any_depth_and_any_breakdown_has_a_profile(layers, fault):
    found = profile(reference_trace(layers=layers, units=4, fault=fault))
    for name in NUMBERS:
        array = getattr(found, name)
        assert array.shape == ((layers - 1,) if name in ("backward_ratio", "forward_ratio") else (layers,))
        assert array.dtype == np.float64
        assert not array.flags.writeable
    assert sentence(found).endswith(".")


@pytest.mark.parametrize("layers", [1, 3, 8])
def test_a_record_of_the_history_has_the_profile_of_its_trace(layers):
    trace = reference_trace(layers=layers, iteration=4)
    past, present = history_profile(trained_history(trace.experiment, 6), 4), profile(trace)
    for name in (*NUMBERS, "numbers"):
        np.testing.assert_array_equal(getattr(past, name), getattr(present, name), err_msg=name)
    assert past.layer_names == present.layer_names
    assert past.iteration == present.iteration == 4
    assert past.backward_fit.words == present.backward_fit.words
    assert past.activations == ()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_record_of_the_history_has_a_profile_that_says_so(fault):
    trace = reference_trace(layers=9, fault=fault)
    past, present = history_profile(repeated_history(trace, 3), -1), profile(trace)
    np.testing.assert_array_equal(past.delta_rms, present.delta_rms)
    assert sentence(past) == sentence(present)


def test_a_history_stays_writable_by_nobody_and_unchanged_by_its_profile():
    history = trained_history(reference_trace().experiment, 2)
    found = history_profile(history, 0)
    assert found.delta_rms.base is None
    assert not history.values.flags.writeable


@pytest.mark.parametrize("layers", [1, 4])
def test_the_table_has_a_row_per_layer_and_a_unit_per_column(layers):
    found = profile(reference_trace(layers=layers))
    table = profile_table(found)
    assert set(table) == set(TABLE_UNITS)
    assert {len(column) for column in table.values()} == {layers}
    assert table["backward_ratio"][-1] is None
    assert table["forward_ratio"][0] is None
    assert table["delta_rms"] == found.delta_rms.tolist()
    assert all(isinstance(value, str | int | float | None) for column in table.values() for value in column)
