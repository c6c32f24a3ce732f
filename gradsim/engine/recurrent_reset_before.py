"""The GRU whose reset comes before the recurrent product: n = tanh(x_t W_n + b_n + (r ⊙ h_{t−1}) R_n).

Here the columns of R for the gates and those for the candidate meet different vectors, so that each is kept as a
matrix of its own, and so are δ of the gates and of the candidate, over all time steps: every gradient of a
parameter is then still one product.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.activation_passes import sigmoid_pass, tanh_pass
from gradsim.engine.compilation import kernel
from gradsim.engine.memory import clear, stretch
from gradsim.engine.precision import FLOAT32, round_stored
from gradsim.engine.products import copy_transposed, product, product_of_transposed
from gradsim.engine.recurrent_gru import gru_carry, mix, mix_back
from gradsim.engine.recurrent_rows import add_into, add_rows_into, copy_columns


@kernel
def reset_before_forward(
    bias: Any,
    recurrent_weight: Any,
    z: Any,
    gates: Any,
    slopes: Any,
    hidden: Any,
    weights: Any,
    workspace: Any,
    steps: Any,
    batch: Any,
    units: Any,
    form: Any,
    rounded: Any,
) -> None:
    """Run all time steps; arguments as of ``recurrent_forward``, z holds x W already.

    ``weights`` (3 · units²,) is room for the two parts of R, ``workspace`` ((4 · steps + 1) · batch · units,)
    keeps r ⊙ h_{t−1} for the backward pass.
    """
    square = units * units
    state = batch * units
    weight_rz, weight_n = stretch(weights, 0, 2 * square), stretch(weights, 2 * square, square)
    copy_columns(recurrent_weight, 3 * units, 0, weight_rz, 2 * units, 0, 2 * units)
    copy_columns(recurrent_weight, 3 * units, 2 * units, weight_n, units, 0, units)
    kept = stretch(workspace, 0, steps * state)
    felt_rz = stretch(workspace, steps * state, steps * 2 * state)
    felt_n = stretch(workspace, 3 * steps * state, steps * state)
    for t in range(steps):
        before, now = stretch(hidden, t * state, state), stretch(hidden, (t + 1) * state, state)
        z_t, gates_t = stretch(z, 3 * t * state, 3 * state), stretch(gates, 3 * t * state, 3 * state)
        slopes_t = stretch(slopes, 3 * t * state, 3 * state)
        kept_t, rz_t = stretch(kept, t * state, state), stretch(felt_rz, 2 * t * state, 2 * state)
        n_t = stretch(felt_n, t * state, state)
        product(before, weight_rz, rz_t, batch, units, 2 * units)
        round_stored(form, rz_t, rounded)
        _gates(z_t, rz_t, bias, gates_t, slopes_t, before, kept_t, units)
        round_stored(form, kept_t, rounded)
        product(kept_t, weight_n, n_t, batch, units, units)
        round_stored(form, n_t, rounded)
        _candidate(z_t, n_t, gates_t, slopes_t, before, now, units)
        if form != FLOAT32:
            round_stored(form, z_t, rounded)
            round_stored(form, gates_t, rounded)
            round_stored(form, slopes_t, rounded)
            round_stored(form, now, rounded)


@kernel
def reset_before_backward(
    recurrent_weight: Any,
    gates: Any,
    hidden: Any,
    scratch: Any,
    weights: Any,
    workspace: Any,
    delta: Any,
    hidden_gradient: Any,
    recurrent_weight_gradient: Any,
    bias_gradient: Any,
    truncation: Any,
    steps: Any,
    batch: Any,
    units: Any,
    form: Any,
    rounded: Any,
) -> None:
    """Run all time steps backwards; arguments as of ``recurrent_backward``.

    ``scratch`` and ``weights`` are room for 3 · units² numbers each, ``workspace`` is as forward left it.
    """
    square = units * units
    state = batch * units
    weight_rz, weight_n = stretch(scratch, 0, 2 * square), stretch(scratch, 2 * square, square)
    copy_transposed(recurrent_weight, 3 * units, 0, 2 * units, weight_rz)
    copy_transposed(recurrent_weight, 3 * units, 2 * units, units, weight_n)
    kept = stretch(workspace, 0, steps * state)
    delta_rz = stretch(workspace, steps * state, steps * 2 * state)
    delta_n = stretch(workspace, 3 * steps * state, steps * state)
    felt = stretch(workspace, 4 * steps * state, state)
    clear(bias_gradient)
    for t in range(steps - 1, -1, -1):
        before = stretch(hidden, t * state, state)
        gates_t, delta_t = stretch(gates, 3 * t * state, 3 * state), stretch(delta, 3 * t * state, 3 * state)
        dh = stretch(hidden_gradient, t * state, state)
        rz_t, n_t = stretch(delta_rz, 2 * t * state, 2 * state), stretch(delta_n, t * state, state)
        round_stored(form, dh, rounded)
        _candidate_back(gates_t, before, dh, delta_t, n_t, units)
        round_stored(form, n_t, rounded)
        product(n_t, weight_n, felt, batch, units, units)
        round_stored(form, felt, rounded)
        _reset_back(gates_t, before, felt, delta_t, rz_t, units)
        round_stored(form, rz_t, rounded)
        round_stored(form, delta_t, rounded)
        add_rows_into(bias_gradient, delta_t)
        if t > 0 and (truncation == 0 or t % truncation > 0):
            earlier = stretch(hidden_gradient, (t - 1) * state, state)
            add_into(earlier, felt)
            gru_carry(gates_t, dh, earlier, units)
            product(rz_t, weight_rz, felt, batch, 2 * units, units)
            add_into(earlier, felt)
    rows = steps * batch
    gradient_rz, gradient_n = stretch(weights, 0, 2 * square), stretch(weights, 2 * square, square)
    before_all = stretch(hidden, 0, steps * state)
    product_of_transposed(before_all, delta_rz, gradient_rz, scratch, units, rows, 2 * units)
    product_of_transposed(kept, delta_n, gradient_n, scratch, units, rows, units)
    copy_columns(gradient_rz, 2 * units, 0, recurrent_weight_gradient, 3 * units, 0, 2 * units)
    copy_columns(gradient_n, units, 0, recurrent_weight_gradient, 3 * units, 2 * units, units)


@kernel
def _gates(
    z: Any,
    from_hidden: Any,
    bias: Any,
    gates: Any,
    slopes: Any,
    hidden_before: Any,
    kept: Any,
    units: Any,
) -> None:
    """Write the gates r and z and r ⊙ h_{t−1} into ``kept`` (batch · units,), for a reset before the product.

    ``from_hidden`` (batch · 2 · units,) holds h_{t−1} times the first 2 · units columns of R. The bias goes
    into all of z.
    """
    width = 3 * units
    for row in range(kept.shape[0] // units):
        line = stretch(z, row * width, width)
        gate = stretch(gates, row * width, width)
        slope = stretch(slopes, row * width, width)
        if bias.shape[0] > 0:
            add_into(line, bias)
        line_rz = stretch(line, 0, 2 * units)
        add_into(line_rz, stretch(from_hidden, row * 2 * units, 2 * units))
        sigmoid_pass(line_rz, stretch(gate, 0, 2 * units), stretch(slope, 0, 2 * units))
        before = stretch(hidden_before, row * units, units)
        out = stretch(kept, row * units, units)
        for j in range(units):
            out[j] = gate[j] * before[j]


@kernel
def _candidate(
    z: Any, from_kept: Any, gates: Any, slopes: Any, hidden_before: Any, hidden: Any, units: Any
) -> None:
    """Write the candidate and h_t; ``from_kept`` (batch · units,) holds (r ⊙ h_{t−1}) R_n."""
    width = 3 * units
    for row in range(hidden.shape[0] // units):
        gate = stretch(gates, row * width, width)
        slope = stretch(slopes, row * width, width)
        line_n = stretch(z, row * width + 2 * units, units)
        add_into(line_n, stretch(from_kept, row * units, units))
        tanh_pass(line_n, stretch(gate, 2 * units, units), stretch(slope, 2 * units, units))
        mix(gate, slope, stretch(hidden_before, row * units, units), stretch(hidden, row * units, units))


@kernel
def _candidate_back(
    gates: Any, hidden_before: Any, hidden_gradient: Any, delta: Any, delta_n: Any, units: Any
) -> None:
    """Turn the slopes of z and n in ``delta`` into their δ; copy that of n to ``delta_n`` (batch · units,)."""
    width = 3 * units
    for row in range(hidden_before.shape[0] // units):
        slope = stretch(delta, row * width, width)
        before = stretch(hidden_before, row * units, units)
        dh = stretch(hidden_gradient, row * units, units)
        mix_back(stretch(gates, row * width, width), slope, before, dh)
        slope_n, out = stretch(slope, 2 * units, units), stretch(delta_n, row * units, units)
        for j in range(units):
            out[j] = slope_n[j]


@kernel
def _reset_back(
    gates: Any, hidden_before: Any, kept_gradient: Any, delta: Any, delta_rz: Any, units: Any
) -> None:
    """Turn the slope of r in ``delta`` into its δ, and ``kept_gradient`` into what h_{t−1} gets through it.

    ``kept_gradient`` (batch · units,) is ∂L/∂(r ⊙ h_{t−1}); δ of r and z go to ``delta_rz``, too,
    (batch · 2 · units,).
    """
    width = 3 * units
    for row in range(kept_gradient.shape[0] // units):
        gate = stretch(gates, row * width, units)
        slope = stretch(delta, row * width, 2 * units)
        before = stretch(hidden_before, row * units, units)
        gradient = stretch(kept_gradient, row * units, units)
        for j in range(units):
            slope[j] *= gradient[j] * before[j]
        for j in range(units):
            gradient[j] *= gate[j]
        out = stretch(delta_rz, row * 2 * units, 2 * units)
        for j in range(2 * units):
            out[j] = slope[j]
