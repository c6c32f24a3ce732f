"""How fast gradients grow or shrink in random nets: real passes over nine seeds against closed formulas.

Averaged is the logarithm, over interior layers only: the first and the last have factors of their own. The bands stand
in the tests. Sources: He et al. 2015 (ReLU), Yang et al. 2019 (arXiv 1902.08129, batch normalization), Yang and
Schoenholz 2017 (arXiv 1712.08969, residual nets).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim.engine import Simulator
from gradsim.spec import (
    ActivationLayer,
    Dense,
    Experiment,
    Head,
    Network,
    Normalization,
    Repeat,
    Residual,
    Training,
)
from gradsim.spec.activation import Linear, Relu, Sigmoid, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import GlorotNormal, HeNormal, Initializer, LecunNormal, Normal, VarianceScaling

SEEDS = range(9)
ENDS = 2
"""Layers left out at either end."""


def log_ratios(*layers: Any, width: int, batch: int = 64, kind: str = "dense") -> NDArray[np.float64]:
    """ln (rms δ of a layer / rms δ of the next of its kind), one row per seed; δ of a block is that of its input."""
    rows = []
    for seed in SEEDS:
        experiment = Experiment(
            seed=seed,
            precision="float64",
            data=GaussianNoise(samples=batch, features=width, outputs=8),
            # A small last layer: else the gradient is not independent of the weights through which it comes back.
            network=Network(layers=layers, head=Head(activation=Linear(), initializer=Normal(std=1e-6))),
            training=Training(loss="mse", batch_size=batch),
        )
        trace = Simulator(experiment).record()
        sizes = [layer.statistics["delta"].rms for layer in trace.layers[:-1] if layer.kind == kind]
        rows.append(-np.diff(np.log(sizes)))
    return np.array(rows)


def factor(ratios: NDArray[np.float64]) -> float:
    """Per layer, from the mean logarithm of the interior."""
    return float(np.exp(ratios[:, ENDS:-ENDS].mean()))


def repeated(depth: int, *layers: Any) -> Repeat:
    return Repeat(times=depth, layers=layers)


def normalized(width: int, activation: Any, method: Any, initializer: Initializer) -> Dense:
    norm = Normalization(method=method, eps=1e-12)
    return Dense(units=width, activation=activation, initializer=initializer, normalization=norm)


def gaussian_mean(function: Any) -> float:
    """E[function(z)] of a standard normal z."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    return float((weights * function(nodes)).sum() / math.sqrt(2 * math.pi))


@pytest.mark.parametrize("width", [64, 192])
def test_a_relu_net_of_he_weights_keeps_its_gradient(width: int) -> None:
    ratios = log_ratios(
        repeated(10, Dense(units=width, activation=Relu(), initializer=HeNormal())), width=width
    )
    assert factor(ratios) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("scale", [0.5, 8.0])
def test_a_relu_net_changes_its_gradient_by_the_root_of_half_the_weight_variance(scale: float) -> None:
    rule = VarianceScaling(scale=scale, distribution="normal")
    ratios = log_ratios(repeated(10, Dense(units=128, activation=Relu(), initializer=rule)), width=128)
    assert factor(ratios) == pytest.approx(math.sqrt(scale / 2), rel=0.04)


def test_a_batch_normalized_relu_net_grows_by_the_root_of_pi_over_pi_minus_1() -> None:
    layer = normalized(96, Relu(), "batch", HeNormal())
    grown = factor(log_ratios(repeated(14, layer), width=96, batch=96))
    # A batch of 96 adds less than a percent; 1.21 is far from the 1 of the same net without normalization.
    assert grown == pytest.approx(math.sqrt(math.pi / (math.pi - 1)), rel=0.03)


def test_that_growth_does_not_depend_on_the_scale_of_the_weights() -> None:
    small, large = (
        log_ratios(
            repeated(8, normalized(32, Relu(), "batch", VarianceScaling(scale=scale, distribution="normal"))),
            width=32,
            batch=32,
        )
        for scale in (0.02, 200.0)
    )
    # But for eps the passes are the same: every layer has the ratio it had.
    np.testing.assert_allclose(small, large, rtol=1e-6, atol=1e-8)


def test_a_small_batch_makes_a_batch_normalized_net_grow_faster() -> None:
    # Linear layers, wide: (B − 2) / (B − 3) of the squared gradient.
    for batch in (6, 24):
        layer = normalized(256, Linear(), "batch", LecunNormal())
        grown = factor(log_ratios(repeated(8, layer), width=256, batch=batch))
        assert grown == pytest.approx(math.sqrt((batch - 2) / (batch - 3)), rel=0.025)


def test_a_batch_normalized_relu_net_with_a_small_batch_follows_the_correction_to_first_order() -> None:
    batch = 12
    layer = normalized(256, Relu(), "batch", HeNormal())
    grown = factor(log_ratios(repeated(8, layer), width=256, batch=batch))
    # E[φ'²] of gradients of mean 0 over the batch, less what the normalization takes out; variance of φ within it.
    swing = 0.5 - 1 / (2 * math.pi)
    slope = ((batch - 1) * 0.5 + 0.25 - swing) / batch
    spread = (1 - 1 / batch) * (0.5 - 1 / (2 * math.pi) + 0.25 / (batch - 1))
    wanted = math.sqrt((batch - 1) / (batch - 3) * slope / spread)
    assert wanted > 1.05 * math.sqrt(math.pi / (math.pi - 1))
    assert grown == pytest.approx(wanted, rel=0.03)


def test_a_layer_normalized_sigmoid_net_shrinks_by_the_root_of_the_ratio_of_two_means() -> None:
    def sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 / (1 + np.exp(-z))

    slope_square = gaussian_mean(lambda z: (sigmoid(z) * (1 - sigmoid(z))) ** 2)
    wanted = math.sqrt(slope_square / gaussian_mean(lambda z: sigmoid(z) ** 2))
    ratios = [
        log_ratios(repeated(10, normalized(128, Sigmoid(), method, GlorotNormal())), width=128, batch=32)
        for method in ("layer", "rms")
    ]
    assert wanted == pytest.approx(0.39, abs=0.01)
    for found in ratios:
        assert factor(found) == pytest.approx(wanted, rel=0.06)
    # Without normalization the sigmoids' outputs around 1/2 leave z larger, and the gradient shrinks faster.
    plain = Dense(units=128, activation=Sigmoid(), initializer=GlorotNormal())
    assert factor(log_ratios(repeated(10, plain), width=128, batch=32)) < 0.75 * wanted


def blocks(depth: int, scale: float, *branch: Any) -> tuple[Any, ...]:
    return (
        Dense(units=64, activation=Linear(), initializer=LecunNormal()),
        repeated(depth, Residual(scale=scale, layers=branch)),
    )


TANH_BRANCH = (Dense(units=64, activation=Tanh(), initializer=LecunNormal()),)
RELU_BRANCH = (
    ActivationLayer(activation=Relu()),
    Dense(units=64, activation=Linear(), initializer=HeNormal()),
)


def stream(depth: int, scale: float, branch: tuple[Any, ...]) -> NDArray[np.float64]:
    """Mean ln growth of the gradient of the residual stream, block by block from the first."""
    return log_ratios(*blocks(depth, scale, *branch), width=64, batch=32, kind="residual").mean(axis=0)


def test_the_gradient_of_x_plus_tanh_w_x_grows_less_and_less_from_block_to_block() -> None:
    grown = stream(60, 1.0, TANH_BRANCH)
    early, middle, late = grown[2:8].mean(), grown[15:25].mean(), grown[45:57].mean()
    # Its stream grows like the square root of the depth, so the slopes fall, and with them what a block adds.
    assert early > 1.6 * middle > 1.6 * 1.4 * late > 0
    assert 0.04 < early < 0.2


def test_the_gradient_of_an_unscaled_x_plus_w_relu_x_grows_by_the_root_of_2_in_every_block() -> None:
    grown = stream(30, 1.0, RELU_BRANCH)
    first, second = grown[2:14].mean(), grown[16:28].mean()
    assert math.exp(first) == pytest.approx(math.sqrt(2), rel=0.06)
    assert math.exp(second) == pytest.approx(math.sqrt(2), rel=0.06)


@pytest.mark.parametrize("depth", [10, 40])
def test_a_branch_scaled_by_the_root_of_the_depth_keeps_the_growth_below_the_root_of_e(depth: int) -> None:
    grown = math.exp(stream(depth, depth**-0.5, RELU_BRANCH).sum())
    # (1 + 1/L)^((L − 1)/2), which is below √e = 1.65 whatever the depth.
    assert grown == pytest.approx((1 + 1 / depth) ** ((depth - 1) / 2), rel=0.08)
    assert grown < 1.08 * math.sqrt(math.e)
