"""What normalization, skips, recurrence and narrow precision cost: beside the plain dense net, and beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from gradsim.engine import Simulator
from gradsim.spec import (
    Dense,
    Experiment,
    Head,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    Training,
)
from gradsim.spec.activation import Linear, Tanh
from gradsim.spec.data import Adding
from gradsim.spec.training import Sgd
from tests.benchmarks.contenders import Run, machine_run
from tests.benchmarks.racing import race
from tests.benchmarks.report import Figure, microseconds, ratio
from tests.benchmarks.sizes import RATE, experiment_of

KINDS = "One iteration of a net of other layers / of the plain dense net of the same size, all statistics"
RECURRENT = "One iteration of a recurrent layer: 64 units, 100 steps, batch 64, float32, all statistics"
UNITS, STEPS, BATCH = 64, 100, 64

LAYERS: dict[str, Callable[[int], Any]] = {
    "batch normalization": lambda n: Dense(units=n, activation=Tanh(), normalization=Normalization()),
    "layer normalization": lambda n: Dense(
        units=n, activation=Tanh(), normalization=Normalization(method="layer")
    ),
    "rms normalization": lambda n: Dense(
        units=n, activation=Tanh(), normalization=Normalization(method="rms")
    ),
    "residual": lambda n: Residual(layers=(Dense(units=n, activation=Tanh()),)),
}
NARROW = ("float16", "bfloat16")


@pytest.mark.parametrize(
    ("layers", "width", "batch"), [(20, 64, 128), (100, 128, 128)], ids=["20×64", "100×128"]
)
def test_other_layers_beside_the_plain_net(
    benchmark: Any, figures: list[Figure], layers: int, width: int, batch: int
) -> None:
    plain = experiment_of(layers, width, batch)
    contenders = {"plain": machine_run(_begun(plain), measure=True)}
    for name, layer in LAYERS.items():
        repeated = Repeat(times=layers - 1, layers=(layer(width),))
        network = msgspec.structs.replace(plain.network, layers=(repeated,))
        experiment = msgspec.structs.replace(plain, network=network)
        contenders[name] = machine_run(_begun(experiment), measure=True)
    for precision in NARROW:
        experiment = msgspec.structs.replace(plain, precision=precision)
        contenders[precision] = machine_run(_begun(experiment), measure=True)
    medians = race(benchmark, contenders, seconds=20)
    column = f"{layers}×{width}, {batch}"
    for name in LAYERS:
        value = medians[name] / medians["plain"]
        figures.append(Figure(KINDS, name, column, ratio(value), "≤ 1.5", value <= 1.5))
    figures.extend(
        Figure(KINDS, f"emulated {name}", column, ratio(medians[name] / medians["plain"])) for name in NARROW
    )


@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
def test_a_recurrent_layer(benchmark: Any, figures: list[Figure], cell: Any) -> None:
    simulator = _begun(_recurrent(cell))
    contenders: dict[str, Run] = {
        "GradSim": machine_run(simulator, measure=True),
        "without statistics": machine_run(simulator, measure=False),
    }
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        contenders["PyTorch"] = _torch_run(cell)
    medians = race(benchmark, contenders, seconds=12)
    own = medians["GradSim"]
    figures.append(Figure(RECURRENT, "GradSim, one iteration", cell, microseconds(own)))
    cost = own / medians["without statistics"]
    figures.append(Figure(RECURRENT, "with all statistics / without", cell, ratio(cost)))
    if "PyTorch" in medians:
        figures.append(
            Figure(RECURRENT, "PyTorch recording nothing / GradSim", cell, ratio(medians["PyTorch"] / own))
        )


def _begun(experiment: Experiment) -> Simulator:
    simulator = Simulator(experiment)
    simulator.advance(1)
    return simulator


def _recurrent(cell: Any) -> Experiment:
    return Experiment(
        data=Adding(samples=BATCH, steps=STEPS, validation=0.0),
        network=Network(layers=(Recurrent(cell=cell, units=UNITS),), head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=BATCH, shuffle=False, optimizer=Sgd(learning_rate=RATE)),
    )


def _torch_run(cell: str) -> Run:
    """The same layer and head by ``torch.nn``, recording nothing."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    kinds: dict[str, Any] = {"simple": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
    layer = kinds[cell](2, UNITS, batch_first=True)
    head = nn.Linear(UNITS, 1)
    x, targets = torch.randn(BATCH, STEPS, 2), torch.randn(BATCH, 1)
    optimizer = torch.optim.SGD([*layer.parameters(), *head.parameters()], lr=RATE)

    def run(n: int) -> None:
        for _ in range(n):
            optimizer.zero_grad()
            outputs, _state = layer(x)
            nn.functional.mse_loss(head(outputs[:, -1]), targets).backward()
            optimizer.step()

    return run
