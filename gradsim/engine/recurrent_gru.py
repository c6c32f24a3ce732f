"""One time step of the GRU cell, forwards and backwards; gates in the order r, z, n.

h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}, where the candidate n sees r ⊙ (h_{t−1} R_n + recurrent bias): the reset comes
after the product. The other order is in ``recurrent_reset_before``. Rows of the pre-activations, gates and deltas
are 3 · units long.
"""

from __future__ import annotations

from typing import Any

from gradsim.engine.activation_passes import sigmoid_pass, tanh_pass
from gradsim.engine.compilation import elementary, kernel
from gradsim.engine.elementary import like
from gradsim.engine.memory import stretch
from gradsim.engine.recurrent_rows import add_into


@elementary
def _complement(value: Any, slope: Any) -> Any:
    """Return 1 − σ from σ and its slope σ (1 − σ), with its digits also where σ is nearly 1."""
    one = like(value, 1.0)
    return slope / value if value > like(value, 0.5) else one - value


@kernel
def mix(gate: Any, slope: Any, before: Any, out: Any) -> None:
    """Write h_t from the gates of one row."""
    units = out.shape[0]
    keep = stretch(gate, units, units)
    candidate = stretch(gate, 2 * units, units)
    keep_slope = stretch(slope, units, units)
    for j in range(units):
        out[j] = _complement(keep[j], keep_slope[j]) * candidate[j] + keep[j] * before[j]


@kernel
def mix_back(gate: Any, slope: Any, before: Any, dh: Any) -> None:
    """Turn the slopes of z and n in one row into their δ."""
    units = dh.shape[0]
    keep = stretch(gate, units, units)
    candidate = stretch(gate, 2 * units, units)
    slope_z, slope_n = stretch(slope, units, units), stretch(slope, 2 * units, units)
    for j in range(units):
        slope_n[j] *= dh[j] * _complement(keep[j], slope_z[j])
    for j in range(units):
        slope_z[j] *= dh[j] * (before[j] - candidate[j])


@kernel
def gru_step(
    z: Any,
    from_hidden: Any,
    bias: Any,
    recurrent_bias: Any,
    gates: Any,
    slopes: Any,
    hidden_before: Any,
    hidden: Any,
    units: Any,
) -> None:
    """Complete z, which holds x_t W; write gates, slopes and h_t. The reset comes after the product.

    z, gates, slopes and ``from_hidden`` are flat, (batch · 3 · units,); the last holds h_{t−1} R and gets the
    recurrent bias, which like the bias is (3 · units,) or empty.
    """
    width = 3 * units
    for row in range(hidden.shape[0] // units):
        first = row * width
        line = stretch(z, first, width)
        felt = stretch(from_hidden, first, width)
        gate = stretch(gates, first, width)
        slope = stretch(slopes, first, width)
        if recurrent_bias.shape[0] > 0:
            add_into(felt, recurrent_bias)
        if bias.shape[0] > 0:
            add_into(line, bias)
        line_rz = stretch(line, 0, 2 * units)
        add_into(line_rz, stretch(felt, 0, 2 * units))
        sigmoid_pass(line_rz, stretch(gate, 0, 2 * units), stretch(slope, 0, 2 * units))
        line_n = stretch(line, 2 * units, units)
        felt_n = stretch(felt, 2 * units, units)
        for j in range(units):
            line_n[j] += gate[j] * felt_n[j]
        tanh_pass(line_n, stretch(gate, 2 * units, units), stretch(slope, 2 * units, units))
        mix(gate, slope, stretch(hidden_before, row * units, units), stretch(hidden, row * units, units))


@kernel
def gru_step_back(
    gates: Any, hidden_before: Any, hidden_gradient: Any, delta: Any, from_hidden: Any, units: Any
) -> None:
    """Turn the slopes in ``delta`` into δ_t, and ``from_hidden`` into ∂L/∂(h_{t−1} R + recurrent bias).

    Shapes as in ``gru_step``; ``hidden_gradient`` is already the total derivative dL/dh_t.
    """
    width = 3 * units
    for row in range(hidden_before.shape[0] // units):
        gate = stretch(gates, row * width, width)
        slope = stretch(delta, row * width, width)
        before = stretch(hidden_before, row * units, units)
        dh = stretch(hidden_gradient, row * units, units)
        felt = stretch(from_hidden, row * width, width)
        mix_back(gate, slope, before, dh)
        felt_n, slope_n = stretch(felt, 2 * units, units), stretch(slope, 2 * units, units)
        for j in range(units):
            slope[j] *= slope_n[j] * felt_n[j]
        for j in range(units):
            felt_n[j] = slope_n[j] * gate[j]
        for j in range(2 * units):
            felt[j] = slope[j]


@kernel
def gru_carry(gates: Any, hidden_gradient: Any, carried: Any, units: Any) -> None:
    """Add dL/dh_t ⊙ z_t, what h_{t−1} gets past the gates, to ``carried`` (batch · units,)."""
    for row in range(carried.shape[0] // units):
        keep = stretch(gates, row * 3 * units + units, units)
        dh = stretch(hidden_gradient, row * units, units)
        out = stretch(carried, row * units, units)
        for j in range(units):
            out[j] += dh[j] * keep[j]
