"""A recurrent layer run by the engine's kernels, and the same layer in NumPy for complex steps.

The loss is Σ ⟨direct_t, h_t⟩, so that ``direct`` is what the layer above gives to each hidden state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.activations import TANH
from gradsim.engine.precision import FLOAT32
from gradsim.engine.recurrent import recurrent_backward, recurrent_forward
from gradsim.engine.recurrent_cells import (
    GRU,
    GRU_RESET_BEFORE,
    LSTM,
    SIMPLE,
    gate_count,
    workspace_size,
)

Array = NDArray[Any]
CELLS = {"simple": SIMPLE, "lstm": LSTM, "gru": GRU, "gru, reset before": GRU_RESET_BEFORE}
PARAMETERS = ("input_weight", "recurrent_weight", "bias", "recurrent_bias")
TINY = 1e-30
"""The step of complex differences: nothing cancels, so it can be as small as one likes."""


@dataclass
class Run:
    """Parameters and inputs of a layer; what the kernels wrote, with the shapes it is meant to have."""

    cell: int
    x: Array
    parameters: dict[str, Array]
    code: int = TANH
    constants: tuple[float, float] = (0.0, 0.0)
    truncation: int = 0
    written: dict[str, Array] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Array:
        try:
            return self.__dict__["written"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        steps, batch, fan_in = self.x.shape
        return steps, batch, fan_in, len(self.parameters["recurrent_weight"])

    def _room(self, *shape: int) -> Array:
        # whatever is not overwritten shows
        return np.full(shape, np.nan, self.x.dtype)

    def _flat_parameters(self) -> list[Array]:
        empty = np.empty(0, self.x.dtype)
        return [self.parameters.get(name, empty).reshape(-1) for name in PARAMETERS]

    def forward(self) -> Run:
        steps, batch, fan_in, units = self.sizes
        gates = gate_count(self.cell)
        w = self.written
        w["z"], w["slope"] = (self._room(steps, batch, gates * units) for _ in range(2))
        w["gates"] = self._room(steps if gates > 1 else 0, batch, gates * units)
        w["hidden"] = self._room(steps + 1, batch, units)
        w["cell_state"] = self._room(steps + 1 if self.cell == LSTM else 0, batch, units)
        w["workspace"] = self._room(workspace_size(self.cell, *self.sizes))
        recurrent_forward(
            self.cell,
            self.code,
            *self.constants,
            self.x.reshape(-1),
            *self._flat_parameters(),
            *(w[name].reshape(-1) for name in ("z", "gates", "slope", "hidden", "cell_state", "workspace")),
            steps,
            batch,
            fan_in,
            units,
            FLOAT32,
            np.zeros(2, np.int64),
        )
        return self

    def backward(self, direct: Array, input_gradient: bool = True) -> Run:
        steps, batch, fan_in, units = self.sizes
        w = self.written
        w["delta"] = w["slope"].copy()
        w["hidden_gradient"] = direct.astype(self.x.dtype)
        w["cell_gradient"] = self._room(steps if self.cell == LSTM else 0, batch, units)
        w["x_gradient"] = self._room(*(self.x.shape if input_gradient else (0, batch, fan_in)))
        empty = np.empty(0, self.x.dtype)
        for name in PARAMETERS:
            w[f"{name}_gradient"] = self._room(*self.parameters.get(name, empty).shape)
        weights = self._flat_parameters()[:2]
        read = [w[name].reshape(-1) for name in ("gates", "hidden", "cell_state")]
        names = ["workspace", "delta", "hidden_gradient", "cell_gradient"]
        names += [f"{name}_gradient" for name in PARAMETERS] + ["x_gradient"]
        recurrent_backward(
            self.cell,
            self.x.reshape(-1),
            *weights,
            *read,
            *(w[name].reshape(-1) for name in names),
            self.truncation,
            steps,
            batch,
            fan_in,
            units,
            FLOAT32,
            np.zeros(2, np.int64),
        )
        return self


def run_of(
    cell: int,
    steps: int = 7,
    batch: int = 3,
    fan_in: int = 2,
    units: int = 4,
    *,
    scale: float = 0.8,
    dtype: Any = np.float64,
    bias: bool = True,
    seed: int = 1,
    **rest: Any,
) -> Run:
    """A layer with random parameters and inputs; recurrent weights of about the size that keeps a signal."""
    random = np.random.default_rng(seed)
    width = gate_count(cell) * units
    parameters = {
        "input_weight": random.normal(size=(fan_in, width)),
        "recurrent_weight": random.normal(size=(units, width)) * scale / np.sqrt(units),
    }
    if bias:
        parameters["bias"] = random.normal(size=width) * 0.5
        if cell == GRU:
            parameters["recurrent_bias"] = random.normal(size=width) * 0.5
    x = random.normal(size=(steps, batch, fan_in))
    return Run(cell, x.astype(dtype), {k: v.astype(dtype) for k, v in parameters.items()}, **rest)


def direct_gradient(run: Run, seed: int = 2) -> Array:
    steps, batch, _, units = run.sizes
    return np.random.default_rng(seed).normal(size=(steps, batch, units)).astype(run.x.dtype)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def reference(
    run: Run,
    x: Array,
    parameters: dict[str, Array],
    kick: dict[str, Array] | None = None,
) -> dict[str, Array]:
    """Return hidden and cell states, gates and pre-activations as the formulas say, tanh for a simple cell.

    ``kick`` is added to h or c of each time step right after it has been computed. Detached states lose
    their imaginary part: a complex step does not pass.
    """
    steps, batch, _, units = run.sizes
    h = c = np.zeros((batch, units))
    w, r = parameters["input_weight"], parameters["recurrent_weight"]
    b, rb = parameters.get("bias", 0.0), parameters.get("recurrent_bias", 0.0)
    kick = kick or {}
    told: dict[str, list[Array]] = {"hidden": [h], "cell_state": [c], "z": [], "gates": []}
    for t in range(steps):
        if run.truncation and t % run.truncation == 0:
            h, c = h.real, c.real
        from_x, from_h = x[t] @ w + b, h @ r
        if run.cell == SIMPLE:
            z = from_x + from_h
            gates = h = np.tanh(z)
        elif run.cell == LSTM:
            z = from_x + from_h
            i, f, g, o = np.split(z, 4, axis=1)
            i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
            gates = np.concatenate([i, f, g, o], axis=1)
            c = f * c + i * g + kick.get("cell_state", np.zeros(steps))[t]
            h = o * np.tanh(c)
        else:
            rz = sigmoid((from_x + from_h + rb)[:, : 2 * units])
            reset, keep = np.split(rz, 2, axis=1)
            if run.cell == GRU:
                felt = reset * (from_h + rb)[:, 2 * units :]
            else:
                felt = (reset * h) @ r[:, 2 * units :]
            z_n = from_x[:, 2 * units :] + felt
            z = np.concatenate([(from_x + from_h + rb)[:, : 2 * units], z_n], axis=1)
            n = np.tanh(z_n)
            gates = np.concatenate([reset, keep, n], axis=1)
            h = (1 - keep) * n + keep * h
        h = h + kick.get("hidden", np.zeros(steps))[t]
        for name, value in (("hidden", h), ("cell_state", c), ("z", z), ("gates", gates)):
            told[name].append(value)
    return {name: np.array(values) for name, values in told.items()}


def complex_step_gradients(run: Run, direct: Array) -> dict[str, Array]:
    """Return every derivative of the loss, one complex step for each number, named as the kernels' results."""
    places = {f"{name}_gradient": value for name, value in run.parameters.items()}
    places["x_gradient"] = run.x
    places["hidden_gradient"] = np.zeros_like(direct)
    if run.cell == LSTM:
        places["cell_gradient"] = np.zeros_like(direct)
    gradients = {}
    for name, value in places.items():
        gradients[name] = np.empty(value.shape)
        for index in np.ndindex(value.shape):
            stepped = value.astype(np.complex128)
            stepped[index] += TINY * 1j
            parameters, x, kick = run.parameters, run.x, {}
            if name == "x_gradient":
                x = stepped
            elif name in ("hidden_gradient", "cell_gradient"):
                kick["hidden" if name == "hidden_gradient" else "cell_state"] = stepped
            else:
                parameters = parameters | {name.removesuffix("_gradient"): stepped}
            hidden = reference(run, x, parameters, kick)["hidden"][1:]
            gradients[name][index] = np.sum(direct * hidden).imag / TINY
    return gradients
