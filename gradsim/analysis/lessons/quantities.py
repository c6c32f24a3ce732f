"""What the names in a lesson's expressions stand for: the numbers of a recorded pass and of the run it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gradsim.analysis.lessons.expression_tree import Array, ExpressionError
from gradsim.analysis.profile import Profile, profile
from gradsim.spec.limits import suggestion
from gradsim.trace import History, IterationTrace, LayerTrace

RECENT = 20
"""Iterations over which ``recent_loss`` is the mean."""
WHOLE = {
    "loss": "of the batch, before the update",
    "recent_loss": f"mean over the last {RECENT} iterations trained, or loss where there are none",
    "first_loss": "of the first iteration trained",
    "accuracy": "share of the batch that is right",
    "learning_rate": "after the schedule",
    "gradient_norm": "l2 of all parameter gradients together",
    "clipped_gradient_norm": "the same after clipping",
    "iteration": "updates made before",
    "layers": "numbered layers, the head among them",
    "backward_factor": "fitted factor of delta rms per layer on the way back",
    "forward_factor": "fitted factor of activation rms per layer on the way forward",
}
"""Names without a layer, and what they are."""
OF_LAYER = {
    "backward_ratio": "delta rms of the layer / delta rms of the next numbered layer",
    "forward_ratio": "activation rms of the layer / activation rms of the numbered layer before",
    "update_ratio": "rms of the update / rms of the weight",
    "saturation": "1 − mean slope / largest slope",
    "fan_in": "width of the input",
    "fan_out": "width of the output",
}
"""Names after a layer that are not tensors, and what they are."""


@dataclass(eq=False)
class Quantities:
    """Looks up names in one pass.

    Attributes
    ----------
    trace : IterationTrace
        The pass.
    history : History or None
        Of the run, as far as it has come.
    kept : mapping from str to float
        Values that earlier steps kept by name.
    """

    trace: IterationTrace
    history: History | None = None
    kept: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def _profile(self) -> Profile:
        return profile(self.trace)

    def value(self, path: tuple[str, ...]) -> Array:
        """Return what a name stands for.

        Parameters
        ----------
        path : tuple of str
            Such as ``("loss",)`` or ``("dense_1", "delta")``.

        Returns
        -------
        ndarray of float64
            Shape () for a single number.

        Raises
        ------
        ExpressionError
            With what there is instead.
        """
        name, *rest = path
        if not rest:
            if name in self.kept:
                return np.asarray(self.kept[name])
            if name in WHOLE:
                return np.asarray(self._whole(name), dtype=np.float64)
            if name in self._layers:
                raise ExpressionError(f"{name} is a layer: say what of it, as in {name}.delta rms")
            known = [*WHOLE, *self.kept, *self._layers]
            raise ExpressionError(f"there is no {name!r} here; {suggestion(name, known)}")
        if name not in self._layers:
            raise ExpressionError(f"there is no layer {name!r}; {suggestion(name, self._layers)}")
        if len(rest) > 1:
            raise ExpressionError(f"{'.'.join(path)}: expected one point, between a layer and its tensor")
        return self._of_layer(self._layers[name], rest[0])

    @cached_property
    def _layers(self) -> dict[str, LayerTrace]:
        return {layer.name: layer for layer in self.trace.layers}

    def _whole(self, name: str) -> float:
        trace, history = self.trace, self.history
        match name:
            case "accuracy":
                return float("nan") if trace.accuracy is None else trace.accuracy
            case "recent_loss":
                if history is None or not (past := history.iterations < trace.iteration).any():
                    return trace.loss
                with np.errstate(all="ignore"):
                    return float(np.mean(history.loss[past][-RECENT:]))
            case "first_loss":
                return float(history.loss[0]) if history is not None and len(history) else trace.loss
            case "clipped_gradient_norm":
                return _norm(trace)
            case "layers":
                return len(self._profile.layer_names)
            case "backward_factor":
                return float(self._profile.backward_fit.factor)
            case "forward_factor":
                return float(self._profile.forward_fit.factor)
            case _:
                return float(getattr(trace, name))

    def _of_layer(self, layer: LayerTrace, what: str) -> Array:
        if what in layer.tensors:
            return np.asarray(layer.tensors[what], dtype=np.float64)
        if what in ("saturation", "fan_in", "fan_out"):
            return np.asarray(getattr(layer, what), dtype=np.float64)
        if what in OF_LAYER:
            table = self._profile
            if layer.name in table.layer_names:
                place = table.layer_names.index(layer.name)
                columns: dict[str, Array] = {
                    "backward_ratio": np.append(table.backward_ratio, np.nan),
                    "forward_ratio": np.insert(table.forward_ratio, 0, np.nan),
                    "update_ratio": table.update_ratio,
                }
                column = columns[what]
                return np.asarray(column[place], dtype=np.float64)
            raise ExpressionError(f"{layer.name} carries no weights: it has no {what}")
        known = [*layer.tensors, *OF_LAYER]
        raise ExpressionError(f"{layer.name} has no {what!r}; {suggestion(what, known)}")


def _norm(trace: IterationTrace) -> float:
    """Return the l2 norm over all clipped parameter gradients."""
    most, total = 0.0, 0.0
    found = [
        np.asarray(layer.tensors[name], dtype=np.float64)
        for layer in trace.layers
        for name in layer.tensors
        if name.endswith("_clipped_gradient")
    ]
    if not found:
        return 0.0
    with np.errstate(all="ignore"):
        most = float(np.max([np.max(np.abs(array)) for array in found]))
        if most == 0.0 or not np.isfinite(most):
            return most
        total = sum(float(np.sum((array / most) ** 2)) for array in found)
    return most * float(np.sqrt(total))
