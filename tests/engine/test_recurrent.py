"""Recurrent layers against complex steps of their formulas in NumPy, and what is exactly true of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradsim.engine.activations import ACTIVATIONS, LINEAR, RELU, activation_code
from gradsim.engine.recurrent_cells import (
    GRU,
    GRU_RESET_BEFORE,
    LSTM,
    SIMPLE,
    cell_code,
    gate_count,
    workspace_size,
)
from tests.engine.precision import both_dtypes
from tests.engine.recurrent_runs import (
    CELLS,
    PARAMETERS,
    Run,
    complex_step_gradients,
    direct_gradient,
    reference,
    run_of,
)
from tests.engine.small_nets import assert_same_bits

pytestmark = pytest.mark.jitless

every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
SIZES = {
    "small": (7, 3, 2, 4),
    "one of each": (1, 1, 1, 1),
    "one unit": (4, 2, 3, 1),
    "longer than tiny products": (3, 9, 7, 8),
}
every_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
RESULTS = ("hidden_gradient", "cell_gradient", "delta", "x_gradient", *(f"{p}_gradient" for p in PARAMETERS))


def close(value: Any, exact: Any, relative: float = 1e-12) -> None:
    """Within ``relative`` of the largest number of the tensor."""
    assert value.shape == exact.shape
    if exact.size:
        np.testing.assert_allclose(value, exact, rtol=0, atol=relative * np.abs(exact).max())


def test_a_cell_of_an_experiment_has_its_number_and_its_gates() -> None:
    assert [cell_code("simple"), cell_code("lstm"), cell_code("gru")] == [SIMPLE, LSTM, GRU]
    assert cell_code("gru", reset_after=False) == GRU_RESET_BEFORE
    assert [gate_count(cell) for cell in (SIMPLE, LSTM, GRU, GRU_RESET_BEFORE)] == [1, 4, 3, 3]
    assert workspace_size(LSTM, 100, 64, 64, 64) == 64 * 4 * 64 + 64 * 4 * 64


@every_size
@both_dtypes
@every_cell
def test_states_gates_and_pre_activations_are_those_of_the_formulas(
    cell: int, dtype: Any, sizes: tuple[int, ...]
) -> None:
    run = run_of(cell, *sizes, dtype=dtype).forward()
    wide = {name: value.astype(np.float64) for name, value in run.parameters.items()}
    exact = reference(run, run.x.astype(np.float64), wide)
    for name in ("hidden", "z", "gates", "cell_state"):
        if run.written[name].size:
            close(run.written[name], exact[name], 200 * np.finfo(dtype).eps)


@pytest.mark.parametrize("bias", [True, False], ids=["biased", "unbiased"])
@pytest.mark.parametrize("truncation", [0, 1, 3, 7])
@every_cell
def test_every_derivative_agrees_with_complex_steps(cell: int, truncation: int, bias: bool) -> None:
    run = run_of(cell, truncation=truncation, bias=bias).forward()
    direct = direct_gradient(run)
    run.backward(direct)
    for name, exact in complex_step_gradients(run, direct).items():
        close(run.written[name], exact)


@every_size
@every_cell
def test_every_derivative_agrees_with_complex_steps_at_other_sizes(cell: int, sizes: tuple[int, ...]) -> None:
    run = run_of(cell, *sizes).forward()
    direct = direct_gradient(run)
    run.backward(direct)
    for name, exact in complex_step_gradients(run, direct).items():
        close(run.written[name], exact)


@pytest.mark.parametrize("row", [row for row in ACTIVATIONS if row.elementwise], ids=lambda row: row.name)
def test_a_simple_cell_takes_every_activation_of_single_numbers(row: Any) -> None:
    run = run_of(SIMPLE, code=activation_code(row.name), constants=(0.25, 0.5)).forward()
    direct = direct_gradient(run)
    run.backward(direct)
    step, random = 1e-6, np.random.default_rng(5)
    directions = {name: random.normal(size=value.shape) for name, value in run.parameters.items()}
    losses = []
    for sign in (1, -1):
        moved = {name: value + sign * step * directions[name] for name, value in run.parameters.items()}
        shifted = Run(SIMPLE, run.x, moved, run.code, run.constants).forward()
        losses.append(np.sum(direct * shifted.hidden[1:]))
    slope = sum(np.sum(run.written[f"{name}_gradient"] * way) for name, way in directions.items())
    assert slope == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-7, abs=1e-8)


@both_dtypes
@every_cell
def test_the_same_pass_gives_the_same_bits_whatever_stood_in_its_places(cell: int, dtype: Any) -> None:
    first = run_of(cell, dtype=dtype).forward()
    direct = direct_gradient(first)
    first.backward(direct)
    again = run_of(cell, dtype=dtype).forward()
    again.written["workspace"][-again.sizes[1] * again.sizes[3] :] = 77  # where each step's product goes
    again.backward(direct)
    for name in RESULTS:
        assert_same_bits(first.written[name], again.written[name], name)
        assert not np.isnan(first.written[name]).any()


@every_cell
def test_gradients_nobody_wants_are_left_out_and_change_nothing_else(cell: int) -> None:
    run, lean = run_of(cell).forward(), run_of(cell).forward()
    direct = direct_gradient(run)
    run.backward(direct)
    lean.backward(direct, input_gradient=False)
    for name in set(RESULTS) - {"x_gradient"}:
        assert_same_bits(run.written[name], lean.written[name], name)


# ---- what is exactly true


def saturated(cell: int, gates: list[float], dtype: Any, steps: int = 30) -> Run:
    """A layer whose pre-activations are constants, one for each gate, but for its random recurrent weights."""
    run = run_of(cell, steps, dtype=dtype)
    run.parameters["input_weight"][:] = 0
    run.parameters["bias"][:] = np.repeat(gates, run.sizes[3])
    return run


@both_dtypes
def test_an_lstm_that_forgets_nothing_and_takes_nothing_in_passes_the_gradient_of_its_cell_unchanged(
    dtype: Any,
) -> None:
    run = saturated(LSTM, [-3000.0, 3000.0, 0.3, 0.7], dtype).forward()
    direct = np.zeros((30, 3, 4))
    direct[-1] = direct_gradient(run)[-1]
    run.backward(direct)
    assert (run.gates[..., 0:4] == 0).all()
    assert (run.gates[..., 4:8] == 1).all()
    assert (run.cell_gradient[-1] != 0).all()
    for earlier in run.cell_gradient:
        assert_same_bits(earlier, run.cell_gradient[-1])
    assert (run.hidden_gradient[:-1] == 0).all()


@both_dtypes
def test_a_gru_that_keeps_everything_passes_state_and_gradient_unchanged(dtype: Any) -> None:
    for cell in (GRU, GRU_RESET_BEFORE):
        run = saturated(cell, [0.3, 3000.0, 0.7], dtype)
        run.parameters["bias"][4:8] = 0  # the first time step lets something in, through one input
        run.parameters["input_weight"][0, 4:8] = 3000
        run.x[:, :, 0] = 1
        run.x[0, :, 0] = 0
        run.forward()
        direct = np.zeros((30, 3, 4))
        direct[-1] = direct_gradient(run)[-1]
        run.backward(direct)
        assert (run.gates[1:, :, 4:8] == 1).all()
        assert (run.hidden[1] != 0).all()
        for later in run.hidden[2:]:
            assert_same_bits(later, run.hidden[1])
        for gradient in run.hidden_gradient:
            assert_same_bits(gradient, run.hidden_gradient[-1])


@both_dtypes
@pytest.mark.parametrize("z", [8.0, 17.5, 30.0])
def test_the_share_that_a_nearly_closed_gru_lets_in_keeps_its_digits(z: float, dtype: Any) -> None:
    for cell in (GRU, GRU_RESET_BEFORE):
        run = saturated(cell, [0.0, z, 0.7], dtype, steps=1).forward()
        run.parameters["recurrent_weight"][:] = 0
        if cell == GRU:
            run.parameters["recurrent_bias"][:] = 0
        run.forward().backward(np.ones((1, 3, 4)))
        share, n = 1 / (1 + np.exp(z)), np.tanh(np.float64(dtype(0.7)))
        np.testing.assert_allclose(run.hidden[1], share * n, rtol=8 * np.finfo(dtype).eps)
        np.testing.assert_allclose(run.delta[0, :, 8:], share * (1 - n * n), rtol=8 * np.finfo(dtype).eps)


def test_a_linear_cell_that_permutes_passes_the_gradient_unchanged_bit_for_bit() -> None:
    run = run_of(SIMPLE, 50, code=LINEAR)
    order, sign = np.array([2, 0, 3, 1]), np.array([1.0, -1.0, -1.0, 1.0])
    run.parameters["recurrent_weight"][:] = np.eye(4)[order] * sign
    direct = np.zeros((50, 3, 4))
    direct[-1] = direct_gradient(run)[-1]
    run.forward().backward(direct)
    expected = direct[-1]
    for gradient in run.hidden_gradient[::-1]:
        np.testing.assert_array_equal(gradient, expected)
        expected = expected @ run.parameters["recurrent_weight"].T
    assert_same_bits(np.sort(np.abs(run.hidden_gradient[0])), np.sort(np.abs(direct[-1])))


@both_dtypes
def test_a_linear_cell_with_orthogonal_weights_passes_every_norm_unchanged(dtype: Any) -> None:
    run = run_of(SIMPLE, 60, units=16, code=LINEAR, bias=False, dtype=dtype)
    orthogonal, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))
    run.parameters["recurrent_weight"][:] = orthogonal
    run.x[1:] = 0
    direct = np.zeros((60, 3, 16))
    direct[-1] = direct_gradient(run)[-1]
    run.forward().backward(direct)
    room = 300 * np.finfo(dtype).eps
    norms = np.linalg.norm(run.hidden[1:], axis=2)
    np.testing.assert_allclose(norms, np.broadcast_to(norms[0], norms.shape), rtol=room)
    norms = np.linalg.norm(run.hidden_gradient, axis=2)
    np.testing.assert_allclose(norms, np.broadcast_to(norms[-1], norms.shape), rtol=room)


@both_dtypes
@pytest.mark.parametrize(("truncation", "window"), [(1, 1), (4, 2), (5, 5), (9, 1), (10, 10), (11, 10)])
@every_cell
def test_beyond_the_window_of_truncation_everything_is_exactly_zero(
    cell: int, truncation: int, window: int, dtype: Any
) -> None:
    run = run_of(cell, 10, truncation=truncation, dtype=dtype).forward()
    direct = np.zeros((10, 3, 4))
    direct[-1] = direct_gradient(run)[-1]
    run.backward(direct)
    for name in ("hidden_gradient", "delta", "x_gradient", *(["cell_gradient"] if cell == LSTM else [])):
        tensor = run.written[name]
        assert (tensor[: 10 - window] == 0).all(), name
        assert (np.abs(tensor[10 - window :]).max(axis=(1, 2)) > 0).all(), name


@every_cell
def test_truncation_detaches_before_steps_k_2k_and_so_on_and_cuts_nothing_else(cell: int) -> None:
    whole = run_of(cell, 6).forward()
    cut = run_of(cell, 6, truncation=3).forward()
    assert_same_bits(whole.hidden, cut.hidden)
    direct = direct_gradient(whole)
    whole.backward(direct)
    cut.backward(direct)
    assert_same_bits(cut.hidden_gradient[3:], whole.hidden_gradient[3:])
    assert (cut.hidden_gradient[:2] != whole.hidden_gradient[:2]).all()
    assert_same_bits(cut.hidden_gradient[2], direct[2])


# ---- NaN and Inf


@both_dtypes
@every_cell
def test_nan_in_one_input_stays_with_its_sample_and_shows_in_all_that_comes_after(
    cell: int, dtype: Any
) -> None:
    run = run_of(cell, dtype=dtype)
    run.x[3, 1, 0] = np.nan
    run.forward().backward(direct_gradient(run))
    hidden = run.hidden[1:]
    assert np.isfinite(hidden[:3]).all()
    assert np.isnan(hidden[3:, 1]).all()
    assert np.isfinite(hidden[:, [0, 2]]).all()
    assert np.isnan(run.delta[:, 1]).all()
    assert np.isfinite(run.delta[:, [0, 2]]).all()
    assert np.isnan(run.hidden_gradient[:-1, 1]).sum() >= run.hidden_gradient[:3, 1].size
    assert np.isnan(run.input_weight_gradient).all()
    assert np.isnan(run.recurrent_weight_gradient).all()
    assert np.isnan(run.bias_gradient).all()


@every_size
@both_dtypes
@every_cell
def test_infinite_weights_meet_the_zeros_of_the_initial_state_as_ieee_says(
    cell: int, dtype: Any, sizes: tuple[int, ...]
) -> None:
    run = run_of(cell, *sizes, dtype=dtype)
    run.parameters["recurrent_weight"][0, 0] = np.inf
    run.forward().backward(direct_gradient(run))
    with np.errstate(all="ignore"):
        exact = reference(run, run.x, run.parameters)
    assert np.isnan(run.z[0, :, 0]).all()  # 0 · Inf
    for name in ("hidden", "z"):
        np.testing.assert_array_equal(np.isnan(run.written[name]), np.isnan(exact[name]))


@both_dtypes
def test_an_infinite_input_saturates_the_gates_and_leaves_the_states_finite(dtype: Any) -> None:
    run = run_of(LSTM, dtype=dtype)
    run.x[3, 1, 0] = np.inf
    run.forward().backward(direct_gradient(run))
    assert np.isinf(run.z[3, 1]).all()
    assert set(np.abs(run.gates[3, 1])) <= {0.0, 1.0}
    assert np.isfinite(run.hidden).all()
    assert np.isfinite(run.hidden_gradient).all()
    assert (run.delta[3, 1] == 0).all()
    assert np.isnan(run.input_weight_gradient[0]).all()  # Inf · 0
    assert np.isfinite(run.input_weight_gradient[1]).all()


@both_dtypes
def test_a_cell_that_explodes_runs_through_infinity_into_nan(dtype: Any) -> None:
    steps = 150 if dtype == np.float32 else 1200
    run = run_of(SIMPLE, steps, 1, 1, 1, code=RELU, bias=False, dtype=dtype)
    for name in ("input_weight", "recurrent_weight"):
        run.parameters[name][:] = 2
    run.x[:] = 1
    direct = np.zeros((steps, 1, 1))
    direct[-1] = 1
    run.forward().backward(direct)
    hidden, gradient = run.hidden[1:].ravel(), run.hidden_gradient.ravel()
    largest = np.finfo(dtype).maxexp
    np.testing.assert_array_equal(np.isinf(hidden), np.arange(steps) >= largest - 2)
    np.testing.assert_array_equal(np.isinf(gradient), np.arange(steps)[::-1] >= largest)
    assert gradient[-largest] == 2.0 ** (largest - 1)
    assert np.isnan(run.recurrent_weight_gradient).all()  # 0 · Inf at the first time step
