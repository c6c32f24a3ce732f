"""What the chain rule of a recurrent cell is made of: what each gate is to the loss, slopes, states before.

LSTM (Hochreiter and Schmidhuber 1997, Gers et al. 2000): c_t = f c_{t−1} + i g, h_t = o tanh c_t; GRU (Cho et al.
2014): h_t = (1 − z) n + z h_{t−1}; the simple cell: h_t = φ(x_t W + h_{t−1} R + b).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.activation_functions import FUNCTIONS
from gradsim.spec import Recurrent
from gradsim.trace import LayerTrace

Numbers = NDArray[np.float64]

_KINDS = {
    "lstm": ("sigmoid", "sigmoid", "tanh", "sigmoid"),
    "gru": ("sigmoid", "sigmoid", "tanh"),
}
"""Nonlinearity of each gate, in the order of the columns: i, f, g, o and r, z, n."""


@dataclass(frozen=True, eq=False)
class CellRecord:
    """The numbers of a recurrent layer in some samples, in float64, with what follows from them.

    Attributes
    ----------
    layer : LayerTrace
        The layer.
    spec : Recurrent
        As it was asked for.
    samples : ndarray of int64, shape (rows,)
        Rows of the batch.
    """

    layer: LayerTrace
    spec: Recurrent
    samples: NDArray[np.int64]

    @property
    def steps(self) -> int:
        """How many steps of time there are."""
        return int(self.layer.hidden.shape[1])

    @property
    def units(self) -> int:
        """Width of the state."""
        return self.layer.fan_out

    @property
    def gate_count(self) -> int:
        """How many times ``units`` the pre-activation is wide."""
        return int(self.layer.recurrent_weight.shape[1]) // self.units

    def goes_on(self, step: int) -> bool:
        """Return whether a gradient comes back from the step after one: not where the state is detached."""
        truncation = int(self.spec.truncation or 0)
        return step + 1 < self.steps and (truncation == 0 or (step + 1) % truncation > 0)

    def of(self, tensor: str) -> Numbers:
        """Return a tensor, (rows, time, …)."""
        return np.asarray(self.layer[tensor][self.samples], dtype=np.float64)

    def gate(self, index: int) -> Numbers:
        """Return the values of a gate, (rows, time, units)."""
        return self._gates[..., index * self.units : (index + 1) * self.units]

    def slope(self, index: int) -> Numbers:
        """Return the slope of a gate, or of the simple cell, at its pre-activation, (rows, time, units)."""
        if index in self._slopes:
            return self._slopes[index]
        kind = _KINDS[self.spec.cell][index] if self.spec.cell != "simple" else self.spec.activation
        z = self._z[..., index * self.units : (index + 1) * self.units]
        with np.errstate(all="ignore"):
            self._slopes[index] = np.where(np.isnan(z), np.nan, FUNCTIONS[kind].of(z, 0.0, 0.0)[1])
        return self._slopes[index]

    def complement(self, index: int) -> Numbers:
        """Return 1 minus a gate with its digits also where the gate is nearly 1, (rows, time, units)."""
        gate = self.gate(index)
        with np.errstate(all="ignore"):
            return np.where(gate > 0.5, self.slope(index) / gate, 1.0 - gate)

    def before(self, tensor: str) -> Numbers:
        """Return a state one step earlier, 0 before the first, (rows, time, units)."""
        values = self.of(tensor)
        earlier = np.zeros_like(values)
        earlier[:, 1:] = values[:, :-1]
        return earlier

    def recurrent_weight(self, gate: int) -> Numbers:
        """Return the recurrent weights into a gate, (units, units)."""
        place = slice(gate * self.units, (gate + 1) * self.units)
        return np.asarray(self.layer.recurrent_weight[:, place], dtype=np.float64)

    @cached_property
    def shown(self) -> tuple[Numbers, Numbers]:
        """Of an LSTM tanh c_t and its slope, (rows, time, units)."""
        with np.errstate(all="ignore"):
            return FUNCTIONS["tanh"].of(self.of("cell"), 0.0, 0.0)

    @cached_property
    def felt(self) -> Numbers:
        """h_{t−1} R + recurrent bias of the candidate of a GRU whose reset comes after it, (rows, time, units)."""
        with np.errstate(all="ignore"):
            felt = self.before("hidden") @ self.recurrent_weight(2)
            if "recurrent_bias" in self.layer.tensors:
                felt = felt + np.asarray(self.layer.recurrent_bias, np.float64)[2 * self.units :]
        return np.asarray(felt)

    def loss_by_gate(self, index: int) -> Numbers:
        """Return the derivative of the loss by a gate, or by h_t of the simple cell, (rows, time, units).

        Parameters
        ----------
        index : int
            Gate: i, f, g, o of an LSTM; r, z, n of a GRU; 0 of the simple cell.

        Returns
        -------
        ndarray of float64
            Times ``slope(index)`` it is δ: the recorded total derivatives ∂L/∂h_t and ∂L/∂c_t times what the
            gate is multiplied by.
        """
        gradient = self.of("hidden_gradient")
        with np.errstate(all="ignore"):
            if self.spec.cell == "simple":
                return gradient
            if self.spec.cell == "lstm":
                if index == 3:
                    return gradient * self.shown[0]
                by_cell = self.of("cell_gradient")
                beside = self.before("cell") if index == 1 else self.gate(2 if index == 0 else 0)
                return by_cell * beside
            if index == 2:
                return gradient * self.complement(1)
            if index == 1:
                return gradient * (self.before("hidden") - self.gate(2))
            delta = self.of("delta")[..., 2 * self.units :]
            if self.spec.reset_after:
                return delta * self.felt
            return np.asarray((delta @ self.recurrent_weight(2).T) * self.before("hidden"))

    @cached_property
    def _slopes(self) -> dict[int, Numbers]:
        return {}

    @cached_property
    def _gates(self) -> Numbers:
        return self.of("gates")

    @cached_property
    def _z(self) -> Numbers:
        return self.of("pre_activation")


def recurrent_by_weight(record: CellRecord, tensor: str, row: int, column: int) -> Numbers:
    """Return ∂z_t/∂w: what a parameter of a recurrent layer is multiplied by at each step, (rows, time).

    Parameters
    ----------
    record : CellRecord
        The layer.
    tensor : str
        ``recurrent_weight``, ``input_weight``, ``bias`` or ``recurrent_bias``.
    row, column : int
        Place of the parameter.

    Returns
    -------
    ndarray of float64
        In a GRU the reset gate of the unit a weight leads to, or comes from, stands between it and the
        candidate.
    """
    steps = record.steps
    if tensor == "bias":
        return np.ones((len(record.samples), steps))
    if tensor == "input_weight":
        return record.of("input")[:, :, row]
    is_candidate = record.spec.cell == "gru" and column >= 2 * record.units
    if tensor == "recurrent_bias":
        return (
            record.gate(0)[:, :, column - 2 * record.units]
            if is_candidate
            else np.ones((len(record.samples), steps))
        )
    hidden = record.before("hidden")[:, :, row]
    if is_candidate:
        gate = column - 2 * record.units if record.spec.reset_after else row
        with np.errstate(all="ignore"):
            return np.asarray(hidden * record.gate(0)[:, :, gate])
    return hidden
