"""One recorded iteration: every array of every layer, and the steps that tell it in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Experiment
from gradsim.trace.statistics import TensorStatistics

Phase = Literal["forward", "loss", "backward", "clip", "update"]
PHASES: tuple[Phase, ...] = ("forward", "loss", "backward", "clip", "update")

PARAMETER_TENSORS = {"weight": "weight", "bias": "bias", "prelu_slope": "slope"}
"""Tensor that holds a parameter in a layer's record → last part of the parameter's name. They differ for
the trained slope of a PReLU, because ``slope`` in a record is φ'(z)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One told moment of an iteration.

    Attributes
    ----------
    phase : {"forward", "loss", "backward", "clip", "update"}
        The part of the iteration it belongs to.
    layer : int or None
        Index into ``IterationTrace.layers``; None for the loss and for clipping all layers together.
    operation : str
        What is done: ``linear`` (z = x @ W + b), ``activation`` (a = φ(z)), ``recurrent``, ``normalization``,
        ``dropout``, ``residual``, ``loss``,
        ``activation_gradient`` (∂L/∂a handed down by the layer above), ``delta`` (times the slope),
        ``weight_gradient``, ``clip``, ``update``.
    tensor : str
        The tensor of the layer that exists from this step on (``"loss"`` for the loss).
    time : int or None
        The time step that is told, of a layer that goes through time: forwards ``recurrent`` makes
        ``hidden[:, time]``, backwards ``hidden_gradient[:, time]``.
    """

    phase: Phase
    layer: int | None
    operation: str
    tensor: str
    time: int | None = None


class Rounding(NamedTuple):
    """How many values of a layer a narrow precision has lost in one iteration."""

    flushed_forward: int = 0
    """Not 0 before rounding, 0 after it, on the way forward."""
    overflowed_forward: int = 0
    """Finite before rounding, infinite after it, on the way forward."""
    flushed_backward: int = 0
    """Likewise on the way back and in the update."""
    overflowed_backward: int = 0
    """Likewise on the way back and in the update."""


NO_ROUNDING = Rounding()


@dataclass(frozen=True, slots=True, eq=False)
class LayerTrace:
    """What one layer computed in one iteration.

    Every array of ``tensors`` is also an attribute: ``layer.delta`` is ``layer.tensors["delta"]``.

    Attributes
    ----------
    name : str
        Stable name, such as ``dense_3`` or ``head``.
    kind : str
        As in the experiment; ``dense`` for the head.
    index : int
        Position in ``IterationTrace.layers``.
    number : int or None
        1…L for layers that carry weights.
    activation_kind : str
        The kind of its activation.
    fan_in, fan_out : int
        Width of its input and of its output.
    tensors : mapping from str to ndarray
        Read-only arrays in the precision of the experiment, batch first. A dense layer has ``input``,
        ``pre_activation``, ``activation``, ``output`` (the same array), ``slope``, ``delta``,
        ``activation_gradient``, ``output_gradient`` (the same array), ``input_gradient``, and for each
        parameter P (``weight`` (fan_in, fan_out), ``bias`` (fan_out,), ``prelu_slope`` (1,) or (fan_out,)) P
        itself before the update, ``P_gradient``, ``P_clipped_gradient`` and ``P_update``; ``update`` is
        the same array as ``weight_update``.
    statistics : mapping from str to TensorStatistics
        Of each tensor named in ``trace.TENSORS``.
    saturation : float
        1 − mean φ'(z) / max φ', between 0 and 1 for monotone activations; NaN where φ has no slope.
    rounding : Rounding
        What a narrow precision did to the values that the layer stored.
    """

    name: str
    kind: str
    index: int
    number: int | None
    activation_kind: str
    fan_in: int
    fan_out: int
    tensors: Mapping[str, NDArray[Any]]
    statistics: Mapping[str, TensorStatistics]
    saturation: float
    rounding: Rounding = NO_ROUNDING

    def __getattr__(self, name: str) -> NDArray[Any]:
        """Return a tensor by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.tensors[name]
        except KeyError:
            known = ", ".join(self.tensors)
            raise AttributeError(f"layer {self.name!r} has no tensor {name!r}; it has {known}") from None

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a tensor by its name."""
        return self.tensors[name]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class IterationTrace:
    """One whole iteration: forward, loss, backward, clip, update.

    Attributes
    ----------
    experiment : Experiment
        What was asked for.
    iteration : int
        Number of updates that had been made before this iteration; the first is 0.
    loss : float
        Loss of the batch before the update.
    accuracy : float or None
        Share of the batch classified rightly; None for a regression.
    learning_rate : float
        Of this iteration, after the schedule.
    gradient_norm : float
        l2 norm over all parameter gradients together, before clipping.
    layers : tuple of LayerTrace
        In forward order, the head last.
    steps : tuple of Step
        The iteration told in order.
    inputs, targets : ndarray, shape (batch, features) and (batch, outputs)
        The batch, in the precision of the experiment.
    sample_indices : ndarray of int64, shape (batch,)
        Rows of the training samples that make the batch.
    loss_scale : float
        Factor by which the gradients of all layers are larger than those of the loss, as they are stored in a
        narrow precision; it is taken off those of the parameters.
    """

    experiment: Experiment
    iteration: int
    loss: float
    accuracy: float | None
    learning_rate: float
    gradient_norm: float
    layers: tuple[LayerTrace, ...]
    steps: tuple[Step, ...]
    inputs: NDArray[Any]
    targets: NDArray[Any]
    sample_indices: NDArray[np.int64]
    loss_scale: float = 1.0

    def __getitem__(self, name: str) -> LayerTrace:
        """Return the record of a layer by its name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise KeyError(f"no layer {name!r}; there are {known}")

    def statistics(self, layer: str, tensor: str) -> TensorStatistics:
        """Return the statistics of a tensor of a layer.

        Parameters
        ----------
        layer : str
            Name of the layer.
        tensor : str
            One of ``trace.TENSORS``.

        Returns
        -------
        TensorStatistics
            Over all values of the tensor.
        """
        return self[layer].statistics[tensor]
