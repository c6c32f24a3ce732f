"""One time step of the LSTM cell, forwards and backwards; gates in the order i, f, g, o.

c_t = f ⊙ c_{t−1} + i ⊙ g and h_t = o ⊙ tanh c_t. Rows of z, gates and delta are 4 · units long. The loops are
over few stretches each: with more, the compiler gives up proving that they do not overlap.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.activation_passes import sigmoid_pass, tanh_pass
from gradsim.engine.compilation import kernel
from gradsim.engine.memory import stretch
from gradsim.engine.scalar_activations import tanh_of


@kernel
def lstm_step(
    z: Any,
    gates: Any,
    slopes: Any,
    cell_before: Any,
    cell: Any,
    hidden: Any,
    units: Any,
) -> None:
    """Write gates, slopes, c_t and h_t; z, gates, slopes are (batch · 4 · units,), states (batch · units,)."""
    width = 4 * units
    for row in range(cell.shape[0] // units):
        first = row * width
        line = stretch(z, first, width)
        gate = stretch(gates, first, width)
        slope = stretch(slopes, first, width)
        sigmoid_pass(stretch(line, 0, 2 * units), stretch(gate, 0, 2 * units), stretch(slope, 0, 2 * units))
        start = 2 * units
        tanh_pass(stretch(line, start, units), stretch(gate, start, units), stretch(slope, start, units))
        start = 3 * units
        sigmoid_pass(stretch(line, start, units), stretch(gate, start, units), stretch(slope, start, units))
        start = row * units
        before = stretch(cell_before, start, units)
        now = stretch(cell, start, units)
        out = stretch(hidden, start, units)
        for j in range(units):
            now[j] = gate[units + j] * before[j] + gate[j] * gate[2 * units + j]
        for j in range(units):
            out[j] = gate[3 * units + j] * tanh_of(now[j])[0]


@kernel
def lstm_step_back(
    gates: Any, cell_before: Any, cell: Any, hidden_gradient: Any, cell_gradient: Any, delta: Any, units: Any
) -> None:
    """Turn the slopes in ``delta`` into δ_t, and dL/dc_t of later steps in ``cell_gradient`` into all of it.

    Shapes as in ``lstm_step``; ``hidden_gradient`` is already the total derivative dL/dh_t.
    """
    width = 4 * units
    for row in range(cell.shape[0] // units):
        gate = stretch(gates, row * width, width)
        slope = stretch(delta, row * width, width)
        before = stretch(cell_before, row * units, units)
        now = stretch(cell, row * units, units)
        dh = stretch(hidden_gradient, row * units, units)
        dc = stretch(cell_gradient, row * units, units)
        slope_o = stretch(slope, 3 * units, units)
        for j in range(units):
            value, decay = tanh_of(now[j])
            slope_o[j] *= dh[j] * value
            dc[j] += dh[j] * (gate[3 * units + j] * decay)
        slope_i, slope_g = stretch(slope, 0, units), stretch(slope, 2 * units, units)
        for j in range(units):
            slope_i[j] *= dc[j] * gate[2 * units + j]
            slope_g[j] *= dc[j] * gate[j]
        slope_f = stretch(slope, units, units)
        for j in range(units):
            slope_f[j] *= dc[j] * before[j]


@kernel
def lstm_carry(gates: Any, cell_gradient: Any, carried: Any, units: Any) -> None:
    """Write dL/dc_t ⊙ f_t, what c_{t−1} gets through c_t, into ``carried`` (batch · units,)."""
    for row in range(carried.shape[0] // units):
        forget = stretch(gates, row * 4 * units + units, units)
        dc = stretch(cell_gradient, row * units, units)
        out = stretch(carried, row * units, units)
        for j in range(units):
            out[j] = dc[j] * forget[j]
