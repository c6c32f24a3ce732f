"""The way of a weight through the steps of time of a recurrent layer, as wires and edges of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_cells import CellRecord
from gradsim.analysis.chain_wires import Edge, End, Graph, Part
from gradsim.spec import Recurrent
from gradsim.trace import LayerTrace

Numbers = NDArray[np.float64]


def add_cells(
    graph: Graph, record: CellRecord, column: int, by_weight: Numbers, used: NDArray[np.bool_]
) -> list[int]:
    """Add the way of a weight through all steps of time.

    Parameters
    ----------
    graph : Graph
        Empty; gets as its first wire the weight itself, as many units wide as the layer.
    record : CellRecord
        The layer.
    column : int
        Of the weight: its gate and unit.
    by_weight : ndarray of float64, shape (rows, time)
        ∂z_t/∂w: what the weight is multiplied by at each step.
    used : ndarray of bool, shape (time,)
        Steps at which the weight is looked at.

    Returns
    -------
    list of int
        The wires of h_t of every step.
    """
    cells = _Cells(graph, record)
    start = graph.add(record.layer.index, record.units)
    gate = column // record.units
    states: list[int] = []
    for step in range(record.steps):
        cells.step(step)
        if used[step]:
            values = np.broadcast_to(by_weight[:, step, None], (len(by_weight), record.units))
            cells.join(start, cells.z[gate], "input", values, step, gate)
        states.append(cells.h)
    return states


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What a recurrent layer hands on that hands on every step.

    Attributes
    ----------
    record : CellRecord
        The layer.
    wires : tuple of int
        Of h_t, for every step.
    scale : float
        Loss scale that the recorded gradients hold.
    """

    record: CellRecord
    wires: tuple[int, ...]
    scale: float

    def end(self, graph: Graph) -> None:
        """End paths wherever they leave the layer, with the recorded gradient from above."""
        gradients = self.record.of("output_gradient") / self.scale
        for step, wire in enumerate(self.wires):
            graph.ends[wire].append(End("handed", self.record.layer.index, gradients[:, step], step))

    def through(self, graph: Graph, layer: LayerTrace, spec: Recurrent) -> int | States:
        """Go through the recurrent layer above; return what it hands on."""
        record = CellRecord(layer, spec, self.record.samples)
        cells, units, states = _Cells(graph, record), record.units, []
        weight = np.asarray(layer.input_weight, dtype=np.float64)
        by_gate = [weight[None, :, gate * units : (gate + 1) * units] for gate in range(record.gate_count)]
        for step, below in enumerate(self.wires):
            cells.step(step)
            for gate, z in enumerate(cells.z):
                cells.join(below, z, "weight", by_gate[gate], step, gate)
            states.append(cells.h)
        return handed_on(record, states, self.scale)


def handed_on(record: CellRecord, states: list[int], scale: float) -> int | States:
    """Return the last of the wires of a layer's states, or all of them where it hands on every step.

    Parameters
    ----------
    record : CellRecord
        The layer.
    states : list of int
        Wires of h_t.
    scale : float
        Loss scale that the recorded gradients hold.

    Returns
    -------
    int or States
        For the layers above.
    """
    return States(record, tuple(states), scale) if record.spec.return_sequences else states[-1]


class _Cells:
    """Adds one step of time after the other; wires of a step come after all of the one before."""

    def __init__(self, graph: Graph, record: CellRecord) -> None:
        self.graph, self.record = graph, record
        self.z: list[int] = []
        self.h = self.c = -1
        self._weights = [record.recurrent_weight(gate)[None] for gate in range(record.gate_count)]
        self._slopes = [record.slope(gate) for gate in range(record.gate_count)]

    def step(self, step: int) -> None:
        """Add a step, joined to the one before unless the state is detached there."""
        earlier = self.h if step and self.record.goes_on(step - 1) else None
        {"simple": self._simple, "lstm": self._lstm, "gru": self._gru}[self.record.spec.cell](step, earlier)

    def join(
        self, source: int, target: int, part: Part, values: Numbers, step: int, gate: int | None = None
    ) -> None:
        gate = gate if self.record.gate_count > 1 else None
        self.graph.edges[source].append(
            Edge(source, target, part, self.record.layer.index, values, step, gate)
        )

    def _wire(self) -> int:
        return self.graph.add(self.record.layer.index, self.record.units)

    def _from_state(self, earlier: int | None, gate: int, step: int) -> int:
        """Add the pre-activation of a gate, which gets the state before by its recurrent weights."""
        z = self._wire()
        if earlier is not None:
            self.join(earlier, z, "recurrent", self._weights[gate], step, gate)
        return z

    def _simple(self, step: int, earlier: int | None) -> None:
        self.z = [self._from_state(earlier, 0, step)]
        self.h = self._wire()
        self.join(self.z[0], self.h, "slope", self._slopes[0][:, step], step)

    def _lstm(self, step: int, earlier: int | None) -> None:
        record, last = self.record, self.c
        self.z = [self._from_state(earlier, gate, step) for gate in range(4)]
        self.c = self._wire()
        beside = (record.gate(2), self._cell_before, record.gate(0))
        with np.errstate(all="ignore"):
            for gate in range(3):
                values = self._slopes[gate][:, step] * beside[gate][:, step]
                self.join(self.z[gate], self.c, "gate", values, step, gate)
            if earlier is not None:
                self.join(last, self.c, "keep", record.gate(1)[:, step], step, 1)
            self.h = self._wire()
            value, slope = record.shown
            self.join(self.c, self.h, "show", record.gate(3)[:, step] * slope[:, step], step, 3)
            self.join(self.z[3], self.h, "gate", self._slopes[3][:, step] * value[:, step], step, 3)

    def _gru(self, step: int, earlier: int | None) -> None:
        record, weights = self.record, self._weights
        hidden = self._hidden_before[:, step]
        with np.errstate(all="ignore"):
            z_r = self._from_state(earlier, 0, step)
            between = self._wire()
            if record.spec.reset_after:  # h R + bias, then times r
                if earlier is not None:
                    self.join(earlier, between, "recurrent", weights[2], step, 2)
                z_n = self._wire()
                self.join(between, z_n, "reset", record.gate(0)[:, step], step, 0)
                self.join(z_r, z_n, "gate", self._slopes[0][:, step] * record.felt[:, step], step, 0)
            else:  # r h, then times R
                if earlier is not None:
                    self.join(earlier, between, "reset", record.gate(0)[:, step], step - 1, 0)
                self.join(z_r, between, "gate", self._slopes[0][:, step] * hidden, step, 0)
                z_n = self._wire()
                self.join(between, z_n, "recurrent", weights[2], step, 2)
            z_u = self._from_state(earlier, 1, step)
            self.z = [z_r, z_u, z_n]
            self.h = self._wire()
            values = self._slopes[1][:, step] * (hidden - record.gate(2)[:, step])
            self.join(z_u, self.h, "gate", values, step, 1)
            self.join(z_n, self.h, "gate", self._slopes[2][:, step] * self._complement[:, step], step, 2)
            if earlier is not None:
                self.join(earlier, self.h, "keep", record.gate(1)[:, step], step, 1)

    @cached_property
    def _cell_before(self) -> Numbers:
        return self.record.before("cell")

    @cached_property
    def _hidden_before(self) -> Numbers:
        return self.record.before("hidden")

    @cached_property
    def _complement(self) -> Numbers:
        return self.record.complement(1)
