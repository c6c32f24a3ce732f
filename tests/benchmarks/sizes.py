"""The networks whose speed is measured, and the figures of the design that they should reach."""

from __future__ import annotations

from typing import NamedTuple

from gradsim.spec import Dense, Experiment, Head, Network, Repeat, Training
from gradsim.spec.activation import Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.training import Sgd

RATE = 0.01


class Size(NamedTuple):
    """A tanh MLP of equal layers under MSE and SGD in float32."""

    layers: int
    width: int
    batch: int
    hooked: float
    """PyTorch recording the same / GradSim, at least."""
    numpy: float
    """NumPy recording the same / GradSim, at least."""
    bare_pytorch: float
    """PyTorch recording nothing / GradSim recording all, at least."""
    products: float | None
    """GradSim / the bare matrix products, at most."""
    statistics: float | None
    """Cost of all statistics as a share of an iteration without them, at most."""

    def __str__(self) -> str:
        return f"{self.layers}×{self.width}, {self.batch}"


SIZES = (
    Size(3, 1, 1, 300, 70, 100, None, None),
    Size(6, 8, 16, 200, 40, 50, None, None),
    Size(20, 64, 128, 13, 3.5, 2.7, 1.75, 0.30),
    Size(100, 128, 128, 5.5, 2, 1.5, 1.7, 0.20),
    Size(50, 1024, 256, 2, 1.25, 1, 1.35, 0.08),
)


def experiment_of(layers: int, width: int, batch: int) -> Experiment:
    """As many samples as a batch has, in their own order; ``layers`` counts the head."""
    dense = Dense(units=width, activation=Tanh())
    return Experiment(
        data=GaussianNoise(samples=max(2, batch), features=width, outputs=width),
        network=Network(layers=(Repeat(times=layers - 1, layers=(dense,)),), head=Head(activation=Tanh())),
        training=Training(loss="mse", batch_size=batch, shuffle=False, optimizer=Sgd(learning_rate=RATE)),
    )
