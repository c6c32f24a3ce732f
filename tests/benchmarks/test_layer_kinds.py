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
from tests.benchmarks.contenders import Run, machine_run, numpy_run, torch_linear, torch_steps
from tests.benchmarks.racing import race
from tests.benchmarks.report import Figure, microseconds, ratio
from tests.benchmarks.sizes import RATE, experiment_of

KINDS = "One iteration of a net of other layers / of the plain dense net of the same size, all statistics"
RECURRENT = "One iteration of a recurrent layer: 64 units, 100 steps, batch 64, float32, all statistics"
BESIDE = "One iteration of 20 layers of 64 units, batch 128, float32, one thread, all statistics"
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


@pytest.mark.parametrize("kind", ["batch normalization", "residual"])
def test_other_layers_beside_pytorch_and_numpy(benchmark: Any, figures: list[Figure], kind: str) -> None:
    layers, width, batch = 20, 64, 128
    plain = experiment_of(layers, width, batch)
    repeated = Repeat(times=layers - 1, layers=(LAYERS[kind](width),))
    network = msgspec.structs.replace(plain.network, layers=(repeated,))
    own = machine_run(_begun(msgspec.structs.replace(plain, network=network)), measure=True)
    options = {"normalized": kind == "batch normalization", "residual": kind == "residual"}
    contenders: dict[str, Run] = {
        "GradSim": own,
        "NumPy recording the same": numpy_run(layers, width, batch, **options),
    }
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        for name, record in (("recording the same", True), ("recording nothing", False)):
            contenders[f"PyTorch {name}"] = _torch_net(kind, layers, width, batch, record=record)
    medians = race(benchmark, contenders, seconds=12)
    figures.extend(
        Figure(BESIDE, f"{name} / GradSim", kind, ratio(medians[name] / medians["GradSim"]))
        for name in contenders
        if name != "GradSim"
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
        contenders["PyTorch"] = _torch_run(cell, record=False)
        contenders["PyTorch with hooks"] = _torch_run(cell, record=True)
    medians = race(benchmark, contenders, seconds=12)
    own = medians["GradSim"]
    figures.append(Figure(RECURRENT, "GradSim, one iteration", cell, microseconds(own)))
    cost = own / medians["without statistics"]
    figures.append(Figure(RECURRENT, "with all statistics / without", cell, ratio(cost)))
    if "PyTorch" in medians:
        figures.append(
            Figure(RECURRENT, "PyTorch recording nothing / GradSim", cell, ratio(medians["PyTorch"] / own))
        )
        hooked = medians["PyTorch with hooks"] / own
        figures.append(
            Figure(RECURRENT, "PyTorch recording outputs and weights / GradSim", cell, ratio(hooked))
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


def _torch_run(cell: str, *, record: bool) -> Run:
    """The same layer and head by ``torch.nn``; what its gates do inside no hook sees."""
    import torch
    from torch import nn

    kinds: dict[str, Any] = {"simple": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}

    class Net(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = kinds[cell](2, UNITS, batch_first=True), nn.Linear(UNITS, 1)

        def forward(self, x: torch.Tensor) -> Any:
            return self.head(self.layer(x)[0][:, -1])

    torch.manual_seed(0)
    return torch_steps(Net(), (BATCH, STEPS, 2), (BATCH, 1), record=record)


def _torch_net(kind: str, layers: int, width: int, batch: int, *, record: bool) -> Run:
    """The net of ``layers``, the head counted, with a batch normalization or a skip in every hidden layer."""
    from torch import nn

    class Skip(nn.Module):  # type: ignore[misc]
        def __init__(self, branch: Any) -> None:
            super().__init__()
            self.branch, self.sum = branch, nn.Identity()

        def forward(self, x: Any) -> Any:
            return self.sum(x + self.branch(x))

    def hidden() -> Any:
        if kind == "residual":
            return Skip(nn.Sequential(torch_linear(width), nn.Tanh()))
        return nn.Sequential(torch_linear(width), nn.BatchNorm1d(width), nn.Tanh())

    model = nn.Sequential(*(hidden() for _ in range(layers - 1)), torch_linear(width), nn.Tanh())
    return torch_steps(model, (batch, width), (batch, width), record=record)
