"""Recurrent layers through time: the order of the passes and the products over all time steps at once.

Everything is time-major and flat. States have one block of (batch · units,) more than there are time steps: block
0 is the initial state, which is 0, and block t + 1 is h_t. So the hidden states before all steps are one stretch, as
are those after all steps. One step's arithmetic stands in the file of its cell.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.activations import activate
from gradsim.engine.compilation import kernel
from gradsim.engine.elementwise import multiply_into
from gradsim.engine.memory import clear, stretch
from gradsim.engine.precision import BFLOAT16, FLOAT32, OVERFLOWED, created_infinities, round_stored
from gradsim.engine.products import copy_transposed, product, product_of_transposed
from gradsim.engine.recurrent_cells import GRU, GRU_RESET_BEFORE, LSTM, SIMPLE, gates_of
from gradsim.engine.recurrent_gru import gru_carry, gru_step, gru_step_back
from gradsim.engine.recurrent_lstm import lstm_carry, lstm_step, lstm_step_back
from gradsim.engine.recurrent_reset_before import reset_before_backward, reset_before_forward
from gradsim.engine.recurrent_rows import add_into, add_rows_into, add_with_bias


@kernel
def recurrent_forward(
    cell: Any,
    code: Any,
    constant_0: Any,
    constant_1: Any,
    x: Any,
    input_weight: Any,
    recurrent_weight: Any,
    bias: Any,
    recurrent_bias: Any,
    z: Any,
    gates: Any,
    slopes: Any,
    hidden: Any,
    cell_state: Any,
    workspace: Any,
    steps: Any,
    batch: Any,
    fan_in: Any,
    units: Any,
    form: Any,
    rounded: Any,
) -> None:
    """Run a recurrent layer over all time steps.

    Parameters
    ----------
    cell : int
        ``SIMPLE``, ``LSTM``, ``GRU`` or ``GRU_RESET_BEFORE``.
    code : int
        Opcode of the activation of a simple cell, any that ``activate`` computes.
    constant_0, constant_1 : float
        Constants of that activation.
    x : ndarray, shape (steps · batch · fan_in,)
        Inputs, time step after time step.
    input_weight : ndarray, shape (fan_in · gates · units,)
        W.
    recurrent_weight : ndarray, shape (units · gates · units,)
        R.
    bias : ndarray, shape (gates · units,) or (0,)
        Added to x W.
    recurrent_bias : ndarray, shape (3 · units,) or (0,)
        Added to h R by ``GRU``; the others ignore it.
    z : ndarray, shape (steps · batch · gates · units,)
        Overwritten with what each gate's nonlinearity is applied to.
    gates : ndarray, shape as z, or (0,) for ``SIMPLE``
        Overwritten with the gates' values: i, f, g, o or r, z, n.
    slopes : ndarray, shape as z
        Overwritten with the slopes of the nonlinearities at z; the place that will hold δ.
    hidden : ndarray, shape ((steps + 1) · batch · units,)
        Overwritten: zeros, then h of each time step.
    cell_state : ndarray, shape as hidden, or (0,) for all but ``LSTM``
        Overwritten: zeros, then c of each time step.
    workspace : ndarray, shape (workspace_size(cell, steps, batch, fan_in, units),)
        Overwritten; a GRU's backward pass needs it as it is left here.
    steps, batch, fan_in, units : int
        Sizes.
    form : int
        The format to which everything stored is rounded, as of ``round_stored``.
    rounded : ndarray of int64, shape (2,)
        To its counts, how many values that flushed to zero or overflowed is added.
    """
    state = batch * units
    width = gates_of(cell) * units
    product(x, input_weight, z, steps * batch, fan_in, width)
    if form == BFLOAT16:
        rounded[OVERFLOWED] += created_infinities(z, x, input_weight)
    round_stored(form, z, rounded)
    clear(stretch(hidden, 0, state))
    taken = max(units, fan_in) * width
    if cell == GRU_RESET_BEFORE:
        weights = stretch(workspace, taken, width * units)
        rest = stretch(workspace, taken + width * units, (4 * steps + 1) * state)
        reset_before_forward(
            bias,
            recurrent_weight,
            z,
            gates,
            slopes,
            hidden,
            weights,
            rest,
            steps,
            batch,
            units,
            form,
            rounded,
        )
        return
    if cell == LSTM:
        clear(stretch(cell_state, 0, state))
    size = batch * width
    for t in range(steps):
        before, now = stretch(hidden, t * state, state), stretch(hidden, (t + 1) * state, state)
        felt = stretch(workspace, taken + (t * size if cell == GRU else 0), size)
        z_t, slopes_t = stretch(z, t * size, size), stretch(slopes, t * size, size)
        product(before, recurrent_weight, felt, batch, units, width)
        if form == BFLOAT16:
            rounded[OVERFLOWED] += created_infinities(felt, before, recurrent_weight)
        round_stored(form, felt, rounded)
        gates_t = stretch(gates, t * size, size if cell != SIMPLE else 0)
        if cell == GRU:
            gru_step(z_t, felt, bias, recurrent_bias, gates_t, slopes_t, before, now, units)
        else:
            add_with_bias(z_t, felt, bias, width)
            if cell == SIMPLE:
                activate(code, z_t, now, slopes_t, constant_0, constant_1)
            else:
                c_before, c = (
                    stretch(cell_state, t * state, state),
                    stretch(cell_state, (t + 1) * state, state),
                )
                lstm_step(z_t, gates_t, slopes_t, c_before, c, now, units)
                round_stored(form, c, rounded)
        if form != FLOAT32:
            round_stored(form, z_t, rounded)
            round_stored(form, gates_t, rounded)
            round_stored(form, slopes_t, rounded)
            round_stored(form, now, rounded)


@kernel
def recurrent_backward(
    cell: Any,
    x: Any,
    input_weight: Any,
    recurrent_weight: Any,
    gates: Any,
    hidden: Any,
    cell_state: Any,
    workspace: Any,
    delta: Any,
    hidden_gradient: Any,
    cell_gradient: Any,
    input_weight_gradient: Any,
    recurrent_weight_gradient: Any,
    bias_gradient: Any,
    recurrent_bias_gradient: Any,
    x_gradient: Any,
    truncation: Any,
    steps: Any,
    batch: Any,
    fan_in: Any,
    units: Any,
    form: Any,
    rounded: Any,
) -> None:
    """Run a recurrent layer backwards over all time steps, after ``recurrent_forward``.

    Parameters
    ----------
    cell : int
        As in ``recurrent_forward``, like all that is not told here.
    x, input_weight, recurrent_weight, gates, hidden, cell_state : ndarray
        Only read.
    workspace : ndarray, shape (workspace_size(cell, steps, batch, fan_in, units),)
        Overwritten.
    delta : ndarray, shape (steps · batch · gates · units,)
        On entry the slopes, on exit δ = ∂L/∂z of each gate.
    hidden_gradient : ndarray, shape (steps · batch · units,)
        On entry what the layers above give to each h_t directly, on exit the total derivative dL/dh_t over
        all later time steps.
    cell_gradient : ndarray, shape as hidden_gradient, or (0,) for all but ``LSTM``
        Overwritten with the total derivative dL/dc_t.
    input_weight_gradient, recurrent_weight_gradient : ndarray
        Overwritten; shapes as the parameters.
    bias_gradient : ndarray, shape (gates · units,) or (0,)
        Overwritten, or left out.
    recurrent_bias_gradient : ndarray, shape (3 · units,) or (0,)
        Overwritten by ``GRU``, or left out.
    x_gradient : ndarray, shape (steps · batch · fan_in,) or (0,)
        Overwritten, or left out.
    truncation : int
        The state is detached before steps k, 2k, …: no gradient passes from them to the step before. 0 never.
    steps, batch, fan_in, units : int
        Sizes.
    form : int
        The format to which everything stored is rounded, as of ``round_stored``.
    rounded : ndarray of int64, shape (2,)
        To its counts, how many values that flushed to zero or overflowed is added.
    """
    state = batch * units
    width = gates_of(cell) * units
    rows = steps * batch
    taken = max(units, fan_in) * width
    scratch = stretch(workspace, 0, taken)
    if cell == GRU_RESET_BEFORE:
        reset_before_backward(
            recurrent_weight,
            gates,
            hidden,
            scratch,
            stretch(workspace, taken, width * units),
            stretch(workspace, taken + width * units, (4 * steps + 1) * state),
            delta,
            hidden_gradient,
            recurrent_weight_gradient,
            bias_gradient,
            truncation,
            steps,
            batch,
            units,
            form,
            rounded,
        )
    else:
        size = batch * width
        room = stretch(workspace, taken, (steps * width + units) * batch if cell == GRU else size)
        product_room = stretch(room, steps * size if cell == GRU else 0, state)
        transposed = stretch(scratch, 0, units * width)
        copy_transposed(recurrent_weight, width, 0, width, transposed)
        clear(bias_gradient)
        if cell == GRU:
            clear(recurrent_bias_gradient)
        if cell == LSTM:
            clear(stretch(cell_gradient, (steps - 1) * state, state))
        for t in range(steps - 1, -1, -1):
            dh = stretch(hidden_gradient, t * state, state)
            delta_t = stretch(delta, t * size, size)
            connected = t > 0 and (truncation == 0 or t % truncation > 0)
            felt = delta_t
            round_stored(form, dh, rounded)
            if cell == SIMPLE:
                multiply_into(delta_t, dh)
            elif cell == LSTM:
                gates_t, dc = stretch(gates, t * size, size), stretch(cell_gradient, t * state, state)
                c_before, c = (
                    stretch(cell_state, t * state, state),
                    stretch(cell_state, (t + 1) * state, state),
                )
                lstm_step_back(gates_t, c_before, c, dh, dc, delta_t, units)
                round_stored(form, dc, rounded)
                if connected:
                    lstm_carry(gates_t, dc, stretch(cell_gradient, (t - 1) * state, state), units)
                elif t > 0:
                    clear(stretch(cell_gradient, (t - 1) * state, state))
            else:
                gates_t, before = stretch(gates, t * size, size), stretch(hidden, t * state, state)
                felt = stretch(room, t * size, size)
                gru_step_back(gates_t, before, dh, delta_t, felt, units)
                add_rows_into(recurrent_bias_gradient, felt)
                if connected:
                    gru_carry(gates_t, dh, stretch(hidden_gradient, (t - 1) * state, state), units)
            round_stored(form, delta_t, rounded)
            add_rows_into(bias_gradient, delta_t)
            if connected:
                product(felt, transposed, product_room, batch, width, units)
                add_into(stretch(hidden_gradient, (t - 1) * state, state), product_room)
        felt_all = room if cell == GRU else delta  # the gradient of h_{t−1} R
        before_all = stretch(hidden, 0, steps * state)
        product_of_transposed(before_all, felt_all, recurrent_weight_gradient, scratch, units, rows, width)
    round_stored(form, recurrent_weight_gradient, rounded)
    round_stored(form, bias_gradient, rounded)
    round_stored(form, recurrent_bias_gradient, rounded)
    product_of_transposed(x, delta, input_weight_gradient, scratch, fan_in, rows, width)
    round_stored(form, input_weight_gradient, rounded)
    if x_gradient.shape[0] > 0:
        copy_transposed(input_weight, width, 0, width, scratch)
        product(delta, scratch, x_gradient, rows, width, fan_in)
        round_stored(form, x_gradient, rounded)
