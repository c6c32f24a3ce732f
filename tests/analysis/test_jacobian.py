from typing import Any
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim.analysis.jacobian import jacobian_spectrum, singular_values
from gradsim.analysis.jacobian_work import check_work, jacobian_work
from gradsim.analysis.local_jacobian import coupled_layers, is_local, local_jacobian
from gradsim.data import prepare_samples
from gradsim.engine import Simulator
from gradsim.spec import (
    ActivationLayer,
    Dropout,
    Experiment,
    Head,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    placed_layers,
)
from gradsim.spec.activation import Gelu, Linear, Prelu, Relu, Sigmoid, Softmax, Tanh
from gradsim.spec.initializer import Orthogonal
from tests.engine.nested_nets import dense, experiment_of
from tests.kind_runs import NETWORKS, SEQUENCES, _sequences, kind_run

SAMPLE = 3


def simulator_of(name: str) -> Simulator:
    """The simulator of one of ``NETWORKS``, trained a little."""
    with mock.patch(
        "gradsim.engine.simulator.prepare_samples", _sequences if name in SEQUENCES else prepare_samples
    ):
        simulator = Simulator(kind_run(name).experiment)
    simulator.advance(11)
    return simulator


@pytest.mark.parametrize("name", NETWORKS)
def test_a_jacobian_from_the_record_is_the_one_by_passes_backwards(name: str) -> None:
    simulator = simulator_of(name)
    trace = simulator.record()
    for block in placed_layers(simulator.experiment.network):
        if is_local(block):
            expected = simulator.jacobian(SAMPLE, block.name, block.name)
            found = local_jacobian(block, trace, SAMPLE)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize(
    "layer",
    [
        dense(activation=Softmax()),
        dense(activation=Prelu(per="unit")),
        ActivationLayer(activation=Softmax()),
        Dropout(rate=0.4),
        Residual(layers=(dense(7),)),
        Residual(
            layers=(dense(4, normalization=Normalization(method="batch")),), scale=0.3, train_scale=True
        ),
        Residual(layers=(Residual(layers=(Normalization(method="rms"), dense(4, activation=Gelu()))),)),
    ],
    ids=["softmax", "prelu", "softmax layer", "dropout", "projection", "coupled", "nested"],
)
def test_every_kind_of_block_has_the_jacobian_of_its_passes(layer: Any) -> None:
    simulator = Simulator(experiment_of(layer, dense()))
    simulator.advance(5)
    block = placed_layers(simulator.experiment.network)[0]
    assert is_local(block)
    expected = simulator.jacobian(SAMPLE, block.name, block.name)
    found = local_jacobian(block, simulator.record(), SAMPLE)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def deep_dense(activation: Any = Tanh(), depth: int = 6) -> Simulator:  # noqa: B008
    simulator = Simulator(experiment_of(*[dense(8, activation=activation)] * depth))
    simulator.advance(4)
    return simulator


@pytest.mark.parametrize("activation", [Tanh(), Sigmoid(), Relu()], ids=lambda kind: type(kind).__name__)
def test_a_dense_net_has_the_singular_values_of_its_product(activation: Any) -> None:
    simulator = deep_dense(activation)
    spectrum = jacobian_spectrum(simulator, SAMPLE)
    assert spectrum is not None
    p = simulator.parameters()
    x = simulator.record().inputs[SAMPLE]
    onward: list[NDArray[Any]] = []
    factors = []
    slopes = {
        "Tanh": lambda z: 1 / np.cosh(z) ** 2,
        "Sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
        "Relu": lambda z: (z > 0).astype(float),
    }
    values = {"Tanh": np.tanh, "Sigmoid": lambda z: 1 / (1 + np.exp(-z)), "Relu": lambda z: np.maximum(z, 0)}
    kind = type(activation).__name__
    for k in range(1, 7):
        z = x @ p[f"dense_{k}.weight"] + p[f"dense_{k}.bias"]
        factors.append(np.diag(slopes[kind](z)) @ p[f"dense_{k}.weight"].T)
        x = values[kind](z)
    factors.append(p["head.weight"].T)
    for k in range(len(factors)):
        product = np.eye(factors[k].shape[1])
        for factor in factors[k:]:
            product = factor @ product
        onward.append(np.linalg.svd(product, compute_uv=False))
    for found, factor in zip(spectrum.blocks, factors, strict=True):
        expected = np.linalg.svd(factor, compute_uv=False)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * expected[0])
    for found, expected in zip(spectrum.onward, onward, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * expected[0])
    assert spectrum.product_gap < 1e-14
    assert spectrum.names == (*(f"dense_{k}" for k in range(1, 7)), "head")
    assert (spectrum.log10_bounds >= np.log10([values[0] for values in onward]) - 1e-12).all()
    bound = np.prod([values[0] for values in spectrum.blocks])
    assert 10 ** spectrum.log10_bounds[0] == pytest.approx(bound, rel=1e-12)


NESTED: dict[str, tuple[Any, ...]] = {
    "residual": (dense(5), Repeat(times=3, layers=(Residual(layers=(dense(5), dense(5)), scale=0.7),))),
    "layer normalization": (dense(5, normalization=Normalization(method="layer")), dense(6)),
    "rms normalization": (
        Normalization(method="rms"),
        dense(6),
        Residual(layers=(Normalization(method="layer"), dense(6))),
    ),
    "projection": (dense(5), Residual(layers=(dense(7), dense(3)), train_scale=True, scale=0.4)),
    "softmax inside": (dense(5, activation=Softmax()), ActivationLayer(activation=Gelu())),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_nets_have_the_jacobian_of_finite_differences(name: str) -> None:
    simulator = Simulator(experiment_of(*NESTED[name]))
    simulator.advance(3)
    spectrum = jacobian_spectrum(simulator, SAMPLE)
    assert spectrum is not None
    expected = differences(simulator, simulator.record().inputs[SAMPLE])
    whole = simulator.jacobian(SAMPLE, spectrum.names[0], "head")
    np.testing.assert_allclose(whole, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    np.testing.assert_allclose(spectrum.whole, np.linalg.svd(expected, compute_uv=False), rtol=1e-6)
    assert spectrum.product_gap < 1e-13


@pytest.mark.parametrize("name", [name for name in SEQUENCES if name != "every step to the loss"])
def test_recurrent_nets_have_the_jacobian_of_finite_differences(name: str) -> None:
    simulator = simulator_of(name)
    spectrum = jacobian_spectrum(simulator, SAMPLE)
    assert spectrum is not None
    expected = differences(simulator, simulator.record().inputs[SAMPLE])
    np.testing.assert_allclose(spectrum.whole, np.linalg.svd(expected, compute_uv=False), rtol=1e-6)
    assert spectrum.shapes[0] == (45, 27)
    assert spectrum.product_gap < 1e-12


def differences(simulator: Simulator, x: NDArray[Any], step: float = 1e-5) -> NDArray[Any]:
    """∂ outputs / ∂ inputs of one sample, inputs time step after time step."""
    moves = step * np.eye(x.size).reshape(x.size, *x.shape)
    up, down = simulator.outputs(x + moves), simulator.outputs(x - moves)
    return ((up - down) / (2 * step)).reshape(x.size, -1).T


def test_the_whole_is_that_of_the_passes_where_batch_normalization_ties_the_samples() -> None:
    simulator = simulator_of("batch normalization")
    blocks = placed_layers(simulator.experiment.network)
    assert sum(map(coupled_layers, blocks)) == 4
    spectrum = jacobian_spectrum(simulator, SAMPLE)
    assert spectrum is not None
    assert np.isnan(spectrum.product_gap)
    for name, values in zip(spectrum.names, spectrum.onward, strict=True):
        expected = np.linalg.svd(simulator.jacobian(SAMPLE, name, "head"), compute_uv=False)
        np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_layers_of_a_branch_belong_to_their_block() -> None:
    simulator = simulator_of("nested residual")
    spectrum = jacobian_spectrum(simulator, 0)
    assert spectrum is not None
    trace = simulator.record()
    assert sorted(layer for held in spectrum.layers for layer in held) == list(range(len(trace.layers)))
    assert spectrum.names == ("dense_1", "residual_1", "residual_3", "head")
    assert spectrum.block_of(trace["dense_3"].index) == 1
    assert spectrum.block_of(None) is None


def test_orthogonal_linear_layers_keep_every_direction() -> None:
    layers = [dense(4, activation=Linear(), initializer=Orthogonal(), bias=False)] * 5
    spectrum = jacobian_spectrum(Simulator(experiment_of(*layers)), 0)
    assert spectrum is not None
    for values in spectrum.blocks[:-1]:
        np.testing.assert_allclose(values, 1.0, rtol=1e-12)


def test_zeros_and_what_is_not_a_number_are_kept() -> None:
    simulator = deep_dense(Relu(), depth=2)
    simulator.load_parameters({"dense_1.weight": np.zeros((4, 8))})
    spectrum = jacobian_spectrum(simulator, 0)
    assert spectrum is not None
    assert (spectrum.blocks[0] == 0).all()
    assert (spectrum.whole == 0).all()
    assert spectrum.log10_bounds[0] == -np.inf
    assert spectrum.product_gap == 0.0
    simulator.load_parameters({"dense_1.weight": np.full((4, 8), np.nan)})
    spectrum = jacobian_spectrum(simulator, 0)
    assert spectrum is not None
    assert np.isnan(spectrum.whole).all()
    assert np.isnan(spectrum.product_gap)
    assert len(singular_values(np.full((2, 5), np.inf))) == 2


def test_a_silent_unit_makes_a_singular_value_of_exactly_0() -> None:
    matrix = np.random.default_rng(1).normal(size=(5, 7))
    matrix[[1, 3]] = 0.0
    matrix[:, 2] = 0.0
    found = singular_values(matrix)
    assert (found[3:] == 0).all()
    np.testing.assert_allclose(found, np.linalg.svd(matrix, compute_uv=False), rtol=0, atol=1e-14)
    assert singular_values(np.zeros((2, 3))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("precision", "eps"), [("float32", 2.0**-23), ("float16", 2.0**-10), ("bfloat16", 2.0**-7)]
)
def test_a_coarser_precision_says_how_far_its_values_mean_anything(precision: str, eps: float) -> None:
    simulator = Simulator(experiment_of(*[dense(6)] * 5, precision=precision))
    spectrum = jacobian_spectrum(simulator, 0)
    assert spectrum is not None
    assert spectrum.eps == eps
    assert spectrum.product_gap < 20 * eps


def test_it_can_be_stopped_and_tells_how_far_it_is() -> None:
    told: list[str] = []
    simulator = deep_dense(depth=3)
    assert (
        jacobian_spectrum(simulator, 0, lambda: len(told) == 2, lambda words, share: told.append(words))
        is None
    )
    assert told == ["Jacobian of head", "Jacobian of dense_3"]
    with pytest.raises(ValueError, match="row of the batch from 0 to 7, got 8"):
        jacobian_spectrum(simulator, 8)


def big(units: int, depth: int = 2) -> Experiment:
    return experiment_of(*[dense(units)] * depth)


def test_what_would_take_too_long_is_refused_with_what_would_fit() -> None:
    trace = Simulator(big(60)).record()
    blocks = placed_layers(trace.experiment.network)
    work = jacobian_work(trace, blocks)
    check_work(trace, blocks, work)
    with pytest.raises(
        ValueError, match=r"about \d·10.* multiplications, and the limit is .*up to about \d+ units"
    ):
        check_work(trace, blocks, work / 2)
    with pytest.raises(ValueError, match="would fit"):
        jacobian_spectrum(Simulator(big(60)), 0, most_work=10.0)


def test_what_is_said_to_fit_does() -> None:
    blocks = placed_layers(big(300).network)
    trace = Simulator(big(300)).record()
    limit = jacobian_work(trace, blocks) / 9
    with pytest.raises(ValueError, match="units would fit") as refused:
        check_work(trace, blocks, limit)
    fitting = int(str(refused.value).split("up to about ")[1].split(" ")[0])
    smaller = Simulator(big(fitting)).record()
    check_work(smaller, placed_layers(smaller.experiment.network), 1.1 * limit)


def test_a_long_sequence_is_told_how_many_steps_would_fit() -> None:
    simulator = simulator_of("simple recurrent")
    trace = simulator.record()
    with pytest.raises(ValueError, match=r"or about \d time steps \(now 6 units, 9 time steps\)"):
        check_work(trace, placed_layers(trace.experiment.network), 1e6)


def test_recurrent_blocks_are_left_to_the_passes() -> None:
    blocks = placed_layers(kind_run("residual recurrent").experiment.network)
    assert [is_local(block) for block in blocks] == [False, False, False, True]
    assert isinstance(blocks[0].layer, Recurrent)
    assert isinstance(blocks[-1].layer, Head)
    with pytest.raises(ValueError, match="recurrent_1 is not known from a record"):
        local_jacobian(blocks[0], kind_run("residual recurrent").trace, 0)
