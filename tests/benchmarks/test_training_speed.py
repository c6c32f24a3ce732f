"""Iterations with every statistic recorded, beside PyTorch, NumPy and the bare matrix products."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from tests.benchmarks.contenders import (
    advance_run,
    machine_run,
    numpy_run,
    products_run,
    simulator_of,
    torch_run,
)
from tests.benchmarks.racing import race
from tests.benchmarks.report import Figure, microseconds, ratio
from tests.benchmarks.sizes import SIZES, Size

TABLE = "One iteration: layers × width, batch; float32, one thread, tanh, MSE, SGD, all statistics of every iteration"
DEPTH = "Time per layer at 1,000 layers / at 10"


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_one_iteration(benchmark: Any, figures: list[Figure], size: Size) -> None:
    shape = size[:3]
    simulator = simulator_of(*shape)
    contenders = {
        "GradSim": machine_run(simulator, measure=True),
        "advance": advance_run(simulator),
        "without statistics": machine_run(simulator, measure=False),
        "products": products_run(*shape),
        "NumPy": numpy_run(*shape),
    }
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        contenders["PyTorch with hooks"] = torch_run(*shape, record=True)
        contenders["PyTorch alone"] = torch_run(*shape, record=False)
    medians = race(benchmark, contenders, seconds=60 if size.width > 500 else 18)
    own = medians["GradSim"]

    def add(row: str, value: float | None, target: float | None, *, at_most: bool = False) -> None:
        if value is None:
            return
        bound = "" if target is None else f"{'≤' if at_most else '≥'} {target:g}"
        reached = None if target is None else (value <= target if at_most else value >= target)
        figures.append(Figure(TABLE, row, str(size), ratio(value), bound, reached))

    def to_own(name: str) -> float | None:
        return medians[name] / own if name in medians else None

    figures.append(Figure(TABLE, "GradSim, one iteration", str(size), microseconds(own)))
    add("PyTorch recording the same / GradSim", to_own("PyTorch with hooks"), size.hooked)
    add("NumPy recording the same / GradSim", to_own("NumPy"), size.numpy)
    add("PyTorch recording nothing / GradSim", to_own("PyTorch alone"), size.bare_pytorch)
    add("GradSim / bare matrix products", own / medians["products"], size.products, at_most=True)
    add(
        "with all statistics / without",
        own / medians["without statistics"],
        None if size.statistics is None else 1 + size.statistics,
        at_most=True,
    )
    add("Simulator.advance / machine alone", medians["advance"] / own, None)


@pytest.mark.parametrize(
    ("width", "batch"), [(8, 16), (32, 32), (64, 128)], ids=["8, 16", "32, 32", "64, 128"]
)
def test_time_per_layer_in_deep_networks(
    benchmark: Any, figures: list[Figure], width: int, batch: int
) -> None:
    contenders = {str(n): machine_run(simulator_of(n, width, batch), measure=True) for n in (1000, 10)}
    # what the machine's caches alone make of it: the same products, without anything of GradSim
    contenders |= {f"products {n}": products_run(n, width, batch) for n in (1000, 10)}
    medians = race(benchmark, contenders, seconds=5)
    value = medians["1000"] / medians["10"] / 100
    column = f"{width}, {batch}"
    figures.append(Figure(DEPTH, "GradSim", column, ratio(value), "≤ 1.3", value <= 1.3))
    alone = medians["products 1000"] / medians["products 10"] / 100
    figures.append(Figure(DEPTH, "bare matrix products", column, ratio(alone)))
