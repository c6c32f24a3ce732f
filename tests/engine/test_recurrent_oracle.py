"""Recurrent layers over 50 time steps against PyTorch: step by step, and against its own layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradsim.engine.activations import LINEAR, RELU, TANH
from gradsim.engine.recurrent_cells import GRU, LSTM, SIMPLE
from tests.engine.precision import both_dtypes
from tests.engine.recurrent_runs import CELLS, Array, Run, direct_gradient, run_of
from tests.engine.small_nets import needs_torch

pytestmark = needs_torch

STEPS = 50
CASES = {
    "simple tanh": (SIMPLE, TANH, 1.0),
    "simple relu": (SIMPLE, RELU, 1.2),
    "simple linear": (SIMPLE, LINEAR, 0.9),
} | {name: (cell, TANH, 1.5) for name, cell in CELLS.items() if cell != SIMPLE}
cases = pytest.mark.parametrize(("cell", "code", "scale"), CASES.values(), ids=CASES.keys())


def nonlinearity(code: int) -> Any:
    import torch

    return {TANH: torch.tanh, RELU: torch.relu, LINEAR: lambda z: z * 1.0}[code]


def last_step_only(direct: Array) -> Array:
    return np.concatenate([np.zeros_like(direct[:-1]), direct[-1:]])


def assert_agrees(run: Run, twin: dict[str, Array], relative: float) -> None:
    """Every tensor, and of those along time every step, within ``relative`` of its largest number."""
    for name, exact in twin.items():
        value = run.written[name]
        if name in ("hidden", "cell_state"):
            value = value[1:]
        assert value.shape == exact.shape, name
        along_time = len(exact) == STEPS and exact.ndim == 3
        for t, (mine, theirs) in enumerate(
            zip(value, exact, strict=True) if along_time else [(value, exact)]
        ):
            error, size = np.abs(mine - theirs).max(), np.abs(theirs).max()
            assert error <= relative * size, f"{name}, step {t}: wrong by {error:.1e} of {size:.1e}"


@pytest.mark.parametrize("only_last", [False, True], ids=["every step", "last step"])
@pytest.mark.parametrize("truncation", [0, 7, 25])
@cases
def test_states_and_every_derivative_agree_with_autograd_over_fifty_steps(
    cell: int, code: int, scale: float, truncation: int, only_last: bool
) -> None:
    from tests.engine.recurrent_twin import twin_of

    run = run_of(cell, STEPS, 5, 3, 6, scale=scale, code=code, truncation=truncation).forward()
    direct = direct_gradient(run)
    if only_last:
        direct = last_step_only(direct)
    run.backward(direct)
    assert_agrees(run, twin_of(run, direct, nonlinearity(code)), 1e-10)


@pytest.mark.parametrize(("cell", "name"), [(SIMPLE, "tanh"), (SIMPLE, "relu"), (LSTM, ""), (GRU, "")])
def test_outputs_and_gradients_are_those_of_the_layers_of_pytorch(cell: int, name: str) -> None:
    from tests.engine.recurrent_twin import stock_layer_of

    run = run_of(cell, STEPS, 5, 3, 6, code=RELU if name == "relu" else TANH).forward()
    direct = direct_gradient(run)
    run.backward(direct)
    assert_agrees(run, stock_layer_of(run, direct, name or "tanh"), 1e-10)


@both_dtypes
@cases
def test_layers_so_wide_that_products_are_cut_agree_with_autograd(
    cell: int, code: int, scale: float, dtype: Any
) -> None:
    from tests.engine.recurrent_twin import twin_of

    run = run_of(cell, 12, 64, 70, 66, scale=scale, code=code, dtype=dtype).forward()
    direct = direct_gradient(run)
    run.backward(direct)
    twin = twin_of(run, direct, nonlinearity(code))
    for name, exact in twin.items():
        value = run.written[name][1:] if name in ("hidden", "cell_state") else run.written[name]
        room = (2e-4 if dtype == np.float32 else 1e-11) * np.abs(exact).max()
        if code == RELU and dtype == np.float32:  # a number that rounding takes to the other side of the kink
            assert (np.abs(value - exact) > room).mean() < 1e-3, name
        else:
            np.testing.assert_allclose(value, exact, rtol=0, atol=room, err_msg=name)
