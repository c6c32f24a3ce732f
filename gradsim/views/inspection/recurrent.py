"""A recurrent layer at one step of time as formulas with the numbers of one sample and unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradsim.analysis.chain_cells import CellRecord, recurrent_by_weight
from gradsim.analysis.layer_specs import spec_of
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.formula import Formula, Place, ended, number_at, row_at, without_scale
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.nonlinearities import value_at, value_text
from gradsim.views.inspection.number_text import count_text
from gradsim.views.inspection.sums import added, factor_text, product_text, sum_of_products

GATES = {"simple": ("",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "u", "n")}
_SIGMOID_GATES = ("i", "f", "o", "r", "u")


class _At:
    """The numbers of a unit of a sample at a step of time."""

    def __init__(self, trace: IterationTrace, layer: LayerTrace, place: Place) -> None:
        self.layer, self.spec, self.place = layer, spec_of(trace, layer), place
        self.sample, self.unit, self.step = (
            place.sample,
            min(place.unit, layer.fan_out - 1),
            place.step_of(layer),
        )
        self.steps = int(layer.hidden.shape[1])
        self.is_connected = self.step > 0
        truncation = int(self.spec.truncation or 0)
        later = self.step + 1
        self.goes_on = later < self.steps and not (truncation and later % truncation == 0)
        self.words = f"numbers of step {self.step + 1} of {self.steps}"

    def now(self, tensor: str, gate: int = 0) -> float:
        return self._at(tensor, self.step, gate)

    def before(self, tensor: str) -> float:
        """Return the state of the step before; 0 before the first."""
        return self._at(tensor, self.step - 1) if self.is_connected else 0.0

    def after(self, tensor: str, gate: int = 0) -> float:
        return self._at(tensor, self.step + 1, gate)

    def _at(self, tensor: str, step: int, gate: int = 0) -> float:
        return number_at(self.layer[tensor], self.sample, gate * self.layer.fan_out + self.unit, step)

    def ended(self, text: str, value: float, result: float) -> str:
        """Return a formula with its result, of means with what remains."""
        return ended(text, value, result, self.place)


def recurrent_formulas(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return a step of a cell through time."""
    at = _At(trace, layer, place)
    return _CELLS[at.spec.cell](at)


def _sum_text(at: _At) -> str:
    """Return xₜ W + hₜ₋₁ R + b of the unit, written out."""
    layer = at.layer
    column = at.unit
    text, _ = sum_of_products(row_at(layer.input, at.sample, at.step), layer.input_weight[:, column], 3)
    if at.is_connected:
        through, _ = sum_of_products(
            row_at(layer.hidden, at.sample, at.step - 1), layer.recurrent_weight[:, column], 3
        )
        text = f"{text} + {through}"
    return added(text, float(layer.bias[column])) if "bias" in layer.tensors else text


def _simple(at: _At) -> tuple[Formula, ...]:
    z, h = at.now("pre_activation"), at.now("hidden")
    text = f"h = {value_text(at.layer, at.spec.activation, z, at.unit)}"
    start = "" if at.is_connected else "; before the first step h is 0"
    return (
        Formula("zₜ = xₜ W + hₜ₋₁ R + b", f"z = {_sum_text(at)} = {told(z)}", at.words + start),
        Formula("hₜ = φ(zₜ)", at.ended(text, value_at(at.layer, at.spec.activation, z, at.unit), h)),
    )


def _gate_lines(at: _At) -> str:
    lines = []
    for index, gate in enumerate(GATES[at.spec.cell]):
        value = at.now("gates", index)
        if gate == "n":  # its reset stands inside
            lines.append(f"n = {told(value)}")
            continue
        z, kind = at.now("pre_activation", index), "sigmoid" if gate in _SIGMOID_GATES else "tanh"
        lines.append(at.ended(f"{gate} = {kind}({told(z)})", value_at(at.layer, kind, z, at.unit), value))
    return "\n".join(lines)


def _lstm(at: _At) -> tuple[Formula, ...]:
    i, f, g, o = (at.now("gates", index) for index in range(4))
    c, old = at.now("cell"), at.before("cell")
    state = at.ended(f"c = {product_text(f, old)} + {product_text(i, g)}", f * old + i * g, c)
    result = at.ended(f"h = {factor_text(o)}·tanh({told(c)})", o * float(np.tanh(c)), at.now("hidden"))
    return (
        Formula(
            "gates: σ or tanh of xₜ W + hₜ₋₁ R + b",
            _gate_lines(at),
            f"input, forget, candidate, output; {at.words}",
        ),
        Formula(
            "cₜ = f cₜ₋₁ + i g", state, f"cₜ₋₁ = {told(old)}: the forget gate keeps it, the input gate adds"
        ),
        Formula("hₜ = o tanh cₜ", result, "the output gate shows the state"),
    )


def _gru(at: _At) -> tuple[Formula, ...]:
    u, n, old = at.now("gates", 1), at.now("gates", 2), at.before("hidden")
    text = f"h = (1 − {told(u)})·{factor_text(n)} + {product_text(u, old)}"
    result = at.ended(text, (1 - u) * n + u * old, at.now("hidden"))
    inside = (
        "n = tanh(xₜ W + b + r (hₜ₋₁ R + bᵣ))" if at.spec.reset_after else "n = tanh(xₜ W + b + (r hₜ₋₁) R)"
    )
    return (
        Formula(
            "r, u = σ(xₜ W + hₜ₋₁ R + b);  " + inside,
            _gate_lines(at),
            f"reset, update, candidate; {at.words}",
        ),
        Formula("hₜ = (1 − u) n + u hₜ₋₁", result, f"hₜ₋₁ = {told(old)}: the update gate keeps it"),
    )


_CELLS: dict[str, Callable[[_At], tuple[Formula, ...]]] = {"simple": _simple, "lstm": _lstm, "gru": _gru}


def hidden_gradient_formulas(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return the gradient of a state at a step: what comes from above and from the step after it."""
    at = _At(trace, layer, place)
    total = at.now("hidden_gradient")
    above = (
        at.now("output_gradient") if at.spec.return_sequences else 0.0 if at.step < at.steps - 1 else total
    )
    with np.errstate(all="ignore"):
        later = told(total - above)
    note = at.words
    if at.spec.cell == "simple" and at.goes_on:
        delta = row_at(layer.delta, at.sample, at.step + 1)
        later, _ = sum_of_products(delta, layer.recurrent_weight[at.unit], 3)
        note += "; from the next step: its δ through R"
    elif not at.goes_on:
        later = "0"
        note += "; nothing comes from a later step" + ("" if at.step == at.steps - 1 else ": truncated here")
    filled = f"∂L/∂h = {told(above)} + {later} = {told(total)}"
    formulas = [Formula("∂L/∂hₜ = from above + from step t + 1", filled, note)]
    if "cell" in layer.tensors:
        formulas.append(_cell_gradient(at))
    return tuple(formulas)


def _cell_gradient(at: _At) -> Formula:
    gradient, o, c = at.now("hidden_gradient"), at.now("gates", 3), at.now("cell")
    through = f"∂L/∂c = {product_text(gradient, o)}·(1 − tanh({told(c)})²)"
    value = gradient * o * (1 - float(np.tanh(c)) ** 2)
    if at.goes_on:
        f, later = at.after("gates", 1), at.after("cell_gradient")
        through += f" + {product_text(f, later)}"
        value += f * later
    return Formula(
        "∂L/∂cₜ = ∂L/∂hₜ o (1 − tanh² cₜ) + fₜ₊₁ ∂L/∂cₜ₊₁",
        at.ended(through, value, at.now("cell_gradient")),
        "by the state the gradient comes back through the forget gate alone, without weights or slopes",
    )


def delta_formulas(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return δ of every gate at a step."""
    at = _At(trace, layer, place)
    if at.spec.cell == "simple":
        gradient, delta = at.now("hidden_gradient"), at.now("delta")
        lines = f"∂L/∂h = {told(gradient)}\nδ = {told(delta)}"
        if layer.activation_kind == "tanh":
            h = at.now("hidden")
            text = f"δ = {factor_text(gradient)}·(1 − {factor_text(h)}²)"
            lines = at.ended(text, gradient * (1 - h * h), delta)
        return (Formula("δₜ = ∂L/∂hₜ · φ′(zₜ)", lines, at.words),)
    lines = "\n".join(_gate_delta(at, index) for index in range(len(GATES[at.spec.cell])))
    symbols = "δₜ = ∂L/∂zₜ of every gate: of what it is to the loss, through its slope σ (1 − σ) or 1 − tanh²"
    return (Formula(symbols, lines, at.words),)


def _gate_delta(at: _At, index: int) -> str:
    """Return δ of a gate: ∂L/∂c or ∂L/∂h times what the gate is multiplied by, times its slope."""
    name, result, gate = GATES[at.spec.cell][index], at.now("delta", index), at.now("gates", index)
    if name == "r":  # what it is multiplied by is no recorded number
        return f"δ of r = {told(result)}"
    gradient = at.now("cell_gradient" if name in ("i", "f", "g") else "hidden_gradient")
    beside, text = {
        "i": lambda: (at.now("gates", 2), ""),
        "f": lambda: (at.before("cell"), ""),
        "g": lambda: (at.now("gates", 0), ""),
        "o": lambda: (float(np.tanh(at.now("cell"))), ""),
        "u": lambda: (at.before("hidden") - at.now("gates", 2), ""),
        "n": lambda: (1.0 - at.now("gates", 1), f"(1 − {told(at.now('gates', 1))})"),
    }[name]()
    slope = gate * (1.0 - gate) if name in _SIGMOID_GATES else 1.0 - gate * gate
    by_slope = f"(1 − {factor_text(gate)}²)"
    if name in _SIGMOID_GATES:
        by_slope = f"{factor_text(gate)}·(1 − {told(gate)})"
    text = f"δ of {name} = {factor_text(gradient)}·{text or factor_text(beside)}·{by_slope}"
    return at.ended(text, gradient * beside * slope, result)


def weight_gradient_formulas(trace: IterationTrace, layer: LayerTrace, place: Place) -> tuple[Formula, ...]:
    """Return the gradients of the weights into every gate of a unit as sums over the batch and all steps."""
    spec: Any = spec_of(trace, layer)
    record = CellRecord(layer, spec, np.arange(len(layer.input)))
    source, column = min(place.source, layer.fan_out - 1), min(place.source, layer.fan_in - 1)
    by_state, by_input = [], []
    for index, gate in enumerate(GATES[spec.cell]):
        unit = index * layer.fan_out + place.unit
        delta, of_gate = layer.delta[:, :, unit].ravel(), f" of {gate}" if gate else ""
        before = recurrent_by_weight(record, "recurrent_weight", source, unit).ravel()
        text = without_scale(trace, sum_of_products(before, delta)[0])
        result = told(float(layer.recurrent_weight_gradient[source, unit]))
        by_state.append(f"∂L/∂R{of_gate} = {text} = {result}")
        text = without_scale(trace, sum_of_products(layer.input[:, :, column].ravel(), delta)[0])
        result = told(float(layer.input_weight_gradient[column, unit]))
        by_input.append(f"∂L/∂W{of_gate} = {text} = {result}")
    words = f"summed over {count_text(record.steps, 'step')} and {count_text(len(layer.input), 'sample')}"
    if spec.cell == "gru":
        words += "; for n the reset gate r stands between hₜ₋₁ and z"
    return (
        Formula("∂L/∂R = Σₛ Σₜ hₜ₋₁ δₜ", "\n".join(by_state), words),
        Formula("∂L/∂W = Σₛ Σₜ xₜ δₜ", "\n".join(by_input)),
    )
