"""The gradient profile: how large the signals are in each layer and how they change from layer to layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fit import Fit, fitted_factor
from gradsim.analysis.kept import kept_for_trace
from gradsim.analysis.residual_stream import ResidualBlock, residual_blocks
from gradsim.trace import TENSORS, History, IterationTrace

_TENSORS = ("delta", "activation", "pre_activation", "weight_gradient", "update", "weight")


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The residual stream: the gradient of the input of each of R residual blocks, and its two ways back.

    Attributes
    ----------
    names : tuple of str
        Stable names of the blocks, inner ones before the block they are in.
    starts : ndarray of float64, shape (R,)
        Where on the axis of the numbered layers a block begins: 1.5 is between layers 1 and 2.
    gradient_rms : ndarray of float64, shape (R,)
        rms of ∂L/∂x of the input x of the block.
    skip_rms, branch_rms : ndarray of float64, shape (R,)
        rms of what came back by the skip and through the branch; NaN where a history does not tell.
    """

    names: tuple[str, ...]
    starts: NDArray[np.float64]
    gradient_rms: NDArray[np.float64]
    skip_rms: NDArray[np.float64]
    branch_rms: NDArray[np.float64]

    def __len__(self) -> int:
        """Return R."""
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Sizes of the signals of the L numbered layers, in forward order, the head last.

    Numbered are the layers that carry weights forward: dense, recurrent, the head. A layer between them
    (normalization, activation, dropout, residual) is part of what one numbered layer hands to the next.

    Every rms is over all values of the batch or of the parameter. Quotients follow IEEE: x / 0 is infinite,
    and 0 / 0, where both layers are dead, is NaN. Arrays are read-only.

    Attributes
    ----------
    iteration : int
        Number of updates made before.
    layer_names : tuple of str
        Stable names.
    numbers : ndarray of int64, shape (L,)
        1…L, as people see them.
    activations : tuple of str
        Kind of the activation of each layer; empty where a history does not tell.
    delta_rms : ndarray of float64, shape (L,)
        rms of δ = ∂L/∂z.
    backward_ratio : ndarray of float64, shape (L − 1,)
        ``[i]`` = rms δ of layer i / rms δ of layer i + 1: below 1 the gradient shrinks on its way back.
    activation_rms, pre_activation_rms : ndarray of float64, shape (L,)
        rms of a and z.
    forward_ratio : ndarray of float64, shape (L − 1,)
        ``[i]`` = rms a of layer i + 1 / rms a of layer i: below 1 the signal shrinks on its way forward.
    weight_gradient_rms, weight_rms : ndarray of float64, shape (L,)
        rms of ∂L/∂W and W.
    update_ratio : ndarray of float64, shape (L,)
        rms of the update / rms of the weight before it.
    backward_fit : Fit
        Of ``delta_rms`` over all L layers, the head among them; its factor is that of a step towards the
        input.
    forward_fit : Fit
        Of ``activation_rms`` over the L − 1 layers before the head, whose activation is the answer and has a
        size of its own; its factor is that of a step towards the output.
    stream : Stream
        Of the residual blocks.
    """

    iteration: int
    layer_names: tuple[str, ...]
    numbers: NDArray[np.int64]
    activations: tuple[str, ...]
    delta_rms: NDArray[np.float64]
    backward_ratio: NDArray[np.float64]
    activation_rms: NDArray[np.float64]
    pre_activation_rms: NDArray[np.float64]
    forward_ratio: NDArray[np.float64]
    weight_gradient_rms: NDArray[np.float64]
    weight_rms: NDArray[np.float64]
    update_ratio: NDArray[np.float64]
    backward_fit: Fit
    forward_fit: Fit
    stream: Stream


@kept_for_trace
def profile(trace: IterationTrace) -> Profile:
    """Return the profile of a recorded iteration.

    Parameters
    ----------
    trace : IterationTrace
        Any record; layers without a number are left out.

    Returns
    -------
    Profile
        Of the numbered layers, and of the residual stream.
    """
    blocks = residual_blocks(trace)
    layers = [layer for layer in trace.layers if layer.number is not None]
    return _profile(
        trace.iteration,
        tuple(layer.name for layer in layers),
        [layer.number for layer in layers if layer.number is not None],
        tuple(layer.activation_kind for layer in layers),
        {name: np.array([layer.statistics[name].rms for layer in layers]) for name in _TENSORS},
        Stream(
            tuple(block.name for block in blocks),
            *(
                _frozen(np.array([getattr(block, name) for block in blocks], dtype=np.float64))
                for name in ("start", "stream_rms", "skip_rms", "branch_rms")
            ),
        ),
    )


def history_profile(history: History, record: int, trace: IterationTrace | None = None) -> Profile:
    """Return the profile of a past iteration of which only statistics were kept.

    Parameters
    ----------
    history : History
        Statistics of a run.
    record : int
        Index into ``history.iterations``; negative from the end.
    trace : IterationTrace, optional
        Any record of the same network, which tells which layers are numbered and where the residual blocks
        stand; without it all layers that have weights are taken, and there is no stream.

    Returns
    -------
    Profile
        Equal to that of the iteration's trace, but for ``activations``, which are empty, and the two ways of
        the stream, which are NaN.
    """
    if trace is None:
        rows = np.flatnonzero(history.sizes[:, TENSORS.index("weight")])
        blocks: tuple[ResidualBlock, ...] = ()
    else:
        rows = np.array([layer.index for layer in trace.layers if layer.number is not None], dtype=np.int64)
        blocks = residual_blocks(trace)
    names = tuple(history.layer_names[row] for row in rows)
    rms = {name: np.array(history.series(name, "rms")[record, rows], dtype=np.float64) for name in _TENSORS}
    unknown = np.full(len(blocks), np.nan)
    stream = Stream(
        tuple(block.name for block in blocks),
        _frozen(np.array([block.start for block in blocks], dtype=np.float64)),
        _frozen(
            np.array(
                history.series("delta", "rms")[
                    record, np.array([block.index for block in blocks], dtype=np.int64)
                ],
                dtype=np.float64,
            )
        ),
        _frozen(unknown),
        _frozen(unknown.copy()),
    )
    return _profile(int(history.iterations[record]), names, range(1, len(names) + 1), (), rms, stream)


def profile_table(of: Profile) -> dict[str, list[Any]]:
    """Return a profile as columns of plain values, one row per numbered layer; their units are in ``TABLE_UNITS``.

    Parameters
    ----------
    of : Profile
        Any profile.

    Returns
    -------
    dict from str to list
        None where a layer has no such value: the head has no backward ratio, the first layer no forward
        ratio.
    """
    count = len(of.layer_names)
    return {
        "layer": of.numbers.tolist(),
        "name": list(of.layer_names),
        "activation": list(of.activations) or [None] * count,
        "delta_rms": of.delta_rms.tolist(),
        "backward_ratio": [*of.backward_ratio.tolist(), None],
        "activation_rms": of.activation_rms.tolist(),
        "pre_activation_rms": of.pre_activation_rms.tolist(),
        "forward_ratio": [None, *of.forward_ratio.tolist()],
        "weight_gradient_rms": of.weight_gradient_rms.tolist(),
        "weight_rms": of.weight_rms.tolist(),
        "update_ratio": of.update_ratio.tolist(),
    }


TABLE_UNITS: Mapping[str, str] = {
    "layer": "number from the input on",
    "name": "",
    "activation": "",
    "delta_rms": "rms of ∂L/∂z over the batch",
    "backward_ratio": "rms δ / rms δ of the next layer",
    "activation_rms": "rms of a over the batch",
    "pre_activation_rms": "rms of z over the batch",
    "forward_ratio": "rms a / rms a of the layer before",
    "weight_gradient_rms": "rms of ∂L/∂W",
    "weight_rms": "rms of W",
    "update_ratio": "rms ΔW / rms W",
}
"""What the numbers of each column of ``profile_table`` are."""


def _profile(
    iteration: int,
    names: tuple[str, ...],
    numbers: Sequence[int],
    activations: tuple[str, ...],
    rms: Mapping[str, NDArray[np.float64]],
    stream: Stream,
) -> Profile:
    delta, activation = rms["delta"], rms["activation"]
    numbered = np.array(numbers, dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        backward_ratio = delta[:-1] / delta[1:]
        forward_ratio = activation[1:] / activation[:-1]
        update_ratio = rms["update"] / rms["weight"]
    return Profile(
        iteration=iteration,
        layer_names=names,
        numbers=_frozen(numbered),
        activations=activations,
        delta_rms=_frozen(delta),
        backward_ratio=_frozen(backward_ratio),
        activation_rms=_frozen(activation),
        pre_activation_rms=_frozen(rms["pre_activation"]),
        forward_ratio=_frozen(forward_ratio),
        weight_gradient_rms=_frozen(rms["weight_gradient"]),
        weight_rms=_frozen(rms["weight"]),
        update_ratio=_frozen(update_ratio),
        backward_fit=fitted_factor(delta, numbered, "backward", among=len(names)),
        forward_fit=fitted_factor(activation, numbered, "forward", among=len(names) - 1),
        stream=stream,
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
