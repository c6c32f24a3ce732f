"""The way from one pre-activation to the loss as a graph: units joined by weights, slopes and Jacobians.

A *wire* is one signal of the network (z or a of a layer, the sum behind a skip), an *edge* the derivative of one wire
by another, in the rows of the batch that are looked at. A wire *ends* where the loss begins, or before a layer that
mixes rows (batch normalization) or steps of time (a recurrent layer): there the recorded gradient is the last factor,
so that the sum over all paths is always the whole derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_time import States
from gradsim.analysis.chain_wires import Edge, End, Graph, Part
from gradsim.spec import Dropout, Normalization, PlacedLayer, Recurrent, placed_layers
from gradsim.trace import IterationTrace, LayerTrace

FUSED = (("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"))
"""Activation of the head and loss that are derived together: the slope of the one cancels against the other."""

_MOST_OF_JACOBIANS = 4_000_000
"""So many numbers the Jacobians of all rows of a layer may have; beyond it paths end before the layer."""


class Rows:
    """The rows of the batch that are looked at; rows of sequences are samples at steps of time."""

    def __init__(self, shape: tuple[int, ...], sample: int | None, time: int | None) -> None:
        samples = np.arange(shape[0]) if sample is None else np.array([sample])
        steps = np.arange(shape[1]) if len(shape) == 3 else np.array([0])
        if time is not None and len(shape) == 3:
            steps = np.array([time])
        self.is_sequence = len(shape) == 3
        self.samples = np.repeat(samples, len(steps))
        self.steps = np.tile(steps, len(samples))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.samples)

    def of(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return these rows of a tensor, (rows, units)."""
        chosen = values[self.samples, self.steps] if self.is_sequence else values[self.samples]
        return np.asarray(chosen, dtype=np.float64)


Entry = Callable[[Graph, LayerTrace], int | States | None]
"""Adds the first wires of a graph and returns that of the layer's output, or those of all its steps of time."""


def chain_graph(trace: IterationTrace, start: int, rows: Rows, entry: Entry | None = None) -> Graph:
    """Return the graph from the pre-activation of a layer to the loss.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    start : int
        Index of the layer: dense, or one whose output has a gradient by its parameters (normalization, residual).
    rows : Rows
        Which rows of the batch.
    entry : callable, optional
        Adds what is inside the layer of a parameter that does not act on z; the way begins where it says.

    Returns
    -------
    Graph
        Without any wire for a recurrent layer that has no ``entry``.
    """
    building = _Building(trace, start, rows, entry)
    building.walk(placed_layers(trace.experiment.network), None)
    return building.graph


class _Building:
    """Goes through the layers in forward order and adds what can be reached from the start."""

    def __init__(self, trace: IterationTrace, start: int, rows: Rows, entry: Entry | None) -> None:
        self.trace, self.start, self.rows, self.entry = trace, start, rows, entry
        self.graph = Graph()
        self.index = 0

    def walk(self, placed: tuple[PlacedLayer, ...], wire: int | None) -> int | None:
        states: States | None = None  # of a recurrent layer that hands on every step
        for one in placed:
            inner = self.walk(one.branch, wire) if one.branch else None
            layer = self.trace.layers[self.index]
            spec: Any = one.layer
            goes_on = states is not None and isinstance(spec, Recurrent)
            if states is not None and not goes_on:
                states.end(self.graph)
                states = None
            if states is not None or (self.entry is not None and layer.index == self.start):
                found = self._reached(states, layer, spec)
                states, wire = (found, None) if isinstance(found, States) else (None, found)
            elif one.branch:
                wire = self._residual(layer, spec, wire, inner)
            elif isinstance(spec, Normalization):
                wire = self._normalization_layer(layer, spec, wire)
            elif isinstance(spec, Recurrent):
                wire = self._ended(wire, "handed", layer, layer.input_gradient)
            elif isinstance(spec, Dropout):
                wire = self._slope(layer, wire, "mask")
            elif layer.kind == "activation":
                wire = self._slope(layer, wire, "slope")
            else:
                wire = self._dense(layer, spec, wire)
            self.index += 1
        if states is not None:
            states.end(self.graph)
        return wire

    def _reached(self, states: States | None, layer: LayerTrace, spec: Any) -> int | States | None:
        """Return where a recurrent layer, or the one that is begun with, hands on."""
        if states is not None:
            return states.through(self.graph, layer, spec)
        assert self.entry is not None
        found = self.entry(self.graph, layer)
        if isinstance(found, int) and layer.index == len(self.trace.layers) - 1:
            return self._ended(found, "loss", layer, layer.activation_gradient)
        return found

    def _dense(self, layer: LayerTrace, spec: Any, wire: int | None) -> int | None:
        if layer.index == self.start:
            z: int | None = self.graph.add(layer.index, layer.fan_out)
        elif wire is None:
            return None
        else:
            z = self._edge(wire, layer, "weight", np.asarray(layer.weight, np.float64)[None])
        below = "delta"
        if spec.normalization is not None:
            z = self._normalized(layer, spec.normalization, z, layer.delta)
            below = "normalized_gradient"
        is_head = layer.index == len(self.trace.layers) - 1
        if is_head and (layer.activation_kind, self.trace.experiment.training.loss) in FUSED:
            return self._ended(z, "loss_and_slope", layer, layer[below])
        a = self._slope(layer, z, "slope", layer[below])
        return self._ended(a, "loss", layer, layer.activation_gradient) if is_head else a

    def _slope(
        self, layer: LayerTrace, wire: int | None, part: Part, gradient: NDArray[Any] | None = None
    ) -> int | None:
        if wire is None:
            return None
        if layer.activation_kind == "softmax":
            if self._is_too_wide(layer):
                return self._ended(wire, "handed", layer, layer.delta if gradient is None else gradient)
            a = self.rows.of(layer.activation)
            values = a[:, None, :] * (np.eye(layer.fan_out) - a[:, :, None])
            return self._edge(wire, layer, "jacobian", values)
        return self._edge(wire, layer, part, self.rows.of(layer.slope))

    def _normalization_layer(self, layer: LayerTrace, spec: Normalization, wire: int | None) -> int | None:
        if layer.index == self.start:  # its gamma acts on its output
            return self.graph.add(layer.index, layer.fan_out)
        return self._normalized(layer, spec, wire, layer.input_gradient)

    def _normalized(
        self, layer: LayerTrace, spec: Normalization, wire: int | None, gradient: NDArray[Any]
    ) -> int | None:
        if wire is None or spec.method == "batch" or self._is_too_wide(layer):
            return self._ended(wire, "handed", layer, gradient)
        x, width = self.rows.of(layer.pre_activation), layer.fan_out
        hat = self.rows.of(layer.normalized)
        centred = x if spec.method == "rms" else x - x.mean(axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            sd = np.sqrt(np.square(centred).mean(axis=1) + spec.eps)
            values = np.eye(width) - hat[:, :, None] * hat[:, None, :] / width
            if spec.method == "layer":
                values -= 1.0 / width
            values /= sd[:, None, None]
            if "gamma" in layer.tensors:
                values *= np.asarray(layer.gamma, np.float64)
        return self._edge(wire, layer, "jacobian", values)

    def _is_too_wide(self, layer: LayerTrace) -> bool:
        return len(self.rows) * layer.fan_out**2 > _MOST_OF_JACOBIANS

    def _residual(self, layer: LayerTrace, spec: Any, wire: int | None, inner: int | None) -> int | None:
        graph = self.graph
        if layer.index == self.start:
            return graph.add(layer.index, layer.fan_out)
        if wire is None and inner is None:
            return None
        target = graph.add(layer.index, layer.fan_out)
        count = len(self.rows)
        if inner is not None:
            alpha = float(layer.scale[0]) if "scale" in layer.tensors else float(spec.scale)
            self._join(inner, target, layer, "branch", np.full((count, layer.fan_out), alpha))
        if wire is not None:
            values = np.ones((count, layer.fan_out))
            if "skip" in layer.tensors:
                values = np.asarray(layer.weight, np.float64)[None]
            self._join(wire, target, layer, "skip", values)
        return target

    def _edge(self, wire: int, layer: LayerTrace, part: Part, values: NDArray[np.float64]) -> int:
        target = self.graph.add(layer.index, layer.fan_out)
        self._join(wire, target, layer, part, values)
        return target

    def _join(
        self, source: int, target: int, layer: LayerTrace, part: Part, values: NDArray[np.float64]
    ) -> None:
        self.graph.edges[source].append(Edge(source, target, part, layer.index, values))

    def _ended(self, wire: int | None, part: Part, layer: LayerTrace, gradient: NDArray[Any]) -> int | None:
        """End the paths on a wire, if there are any; what comes after it is not reached."""
        if wire is not None:
            values = self.rows.of(gradient)
            # In a narrow precision all gradients but those of parameters are recorded times the loss scale.
            values = values if self.trace.loss_scale == 1 else values / self.trace.loss_scale
            self.graph.ends[wire].append(End(part, layer.index, values))
        return None
