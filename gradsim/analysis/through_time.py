"""Recurrent layers through time: how large the gradient is at every step, and what the gates let through.

Everything is read from recorded passes. Steps are counted from 0 here; views show them from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fit import Fit, fitted_factor
from gradsim.analysis.magnitude import rms_over
from gradsim.trace import IterationTrace, LayerTrace

STATE_GRADIENTS = ("hidden_gradient", "cell_gradient")
"""Tensors that hold the total derivatives dL/dh_t and dL/dc_t; only an LSTM has the second."""

_GATES = {4: ("i", "f", "g", "o"), 3: ("r", "z", "n")}
_KEEPING = {4: "f", 3: "z"}


@dataclass(frozen=True, slots=True, eq=False)
class KeptProduct:
    """The product of the gates that keep the old state, over all steps after t: what reaches t from the end.

    Attributes
    ----------
    gate : str
        Which gate it is: ``f`` of an LSTM, ``z`` of a GRU.
    log10_mean : ndarray of float64, shape (time,)
        Mean of log10 over samples and units (log10 of the geometric mean); 0 at the last step, where the
        product is empty; −∞ where a gate is exactly 0.
    log10_least, log10_greatest : ndarray of float64, shape (time,)
        Of the least and of the most open unit of any sample.
    """

    gate: str
    log10_mean: NDArray[np.float64]
    log10_least: NDArray[np.float64]
    log10_greatest: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TimeRecord:
    """What is kept of one pass: the gradient of every recurrent layer at every step, in one number each.

    Attributes
    ----------
    iteration : int
        Number of updates before the pass.
    loss : float
        Its loss.
    rms : mapping from (int, str) to ndarray of float64, shape (time,)
        By index of the layer and tensor (one of ``STATE_GRADIENTS``), over the batch and the units.
    """

    iteration: int
    loss: float
    rms: Mapping[tuple[int, str], NDArray[np.float64]]


class Machine(Protocol):
    """A simulator, as far as it is needed here."""

    def seek(self, iteration: int) -> None:
        """Go to an iteration."""

    def record(self) -> IterationTrace:
        """Return the pass at the present iteration."""


def recurrent_layers(trace: IterationTrace) -> tuple[LayerTrace, ...]:
    """Return the layers that go through time.

    Parameters
    ----------
    trace : IterationTrace
        Any record.

    Returns
    -------
    tuple of LayerTrace
        In forward order; empty for a network without them.
    """
    return tuple(layer for layer in trace.layers if layer.kind == "recurrent")


def rms_per_step(values: NDArray[Any], sample: int | None = None) -> NDArray[np.float64]:
    """Return the root mean square of a state at every step.

    Parameters
    ----------
    values : ndarray, shape (batch, time, units)
        Such as ``layer.hidden_gradient``.
    sample : int or None, default None
        One row of the batch; None for all of it.

    Returns
    -------
    ndarray of float64, shape (time,)
        NaN where NaN takes part, else infinite where ∞ does; 0 only where every value is 0.
    """
    return rms_over(values if sample is None else values[sample : sample + 1], (0, 2))


def rms_per_unit(values: NDArray[Any], sample: int | None = None) -> NDArray[np.float64]:
    """Return the root mean square of every unit of a state at every step.

    Parameters
    ----------
    values : ndarray, shape (batch, time, units)
        Such as ``layer.hidden_gradient``.
    sample : int or None, default None
        One row of the batch, whose magnitudes |value| are returned; None for the rms over all of it.

    Returns
    -------
    ndarray of float64, shape (time, units)
        NaN where NaN takes part, else infinite where ∞ does.
    """
    if sample is not None:
        return np.abs(np.asarray(values[sample], dtype=np.float64))
    return rms_over(values, (0,))


def fitted_factor_per_step(values: NDArray[np.float64]) -> Fit:
    """Return the line through log10 of the values: by what factor the gradient changes on its way back in time.

    Parameters
    ----------
    values : ndarray of float64, shape (time,)
        Such as from ``rms_per_step``.

    Returns
    -------
    Fit
        ``factor`` belongs to one step back in time; ``words`` are such as ``"×0.83 per step back"``. Steps at
        which the value is 0, NaN or infinite stand outside, and the note names them, counted from 1.
    """
    fit = fitted_factor(values, np.arange(1, len(values) + 1), "backward", len(values))
    words = fit.words.replace("per layer", "per step back").replace("layer", "step")
    return replace(fit, words=words, note=fit.note.replace("layer", "step"))


def gates_of(layer: LayerTrace, sample: int | None = None) -> dict[str, NDArray[np.float64]]:
    """Return how far the gates of a recurrent layer are open at every step.

    Parameters
    ----------
    layer : LayerTrace
        A recurrent layer.
    sample : int or None, default None
        One row of the batch; None for the mean over all of it.

    Returns
    -------
    dict from str to ndarray of float64, shape (time,)
        Mean over the units of ``i``, ``f``, ``o`` of an LSTM or ``r``, ``z`` of a GRU, each from 0 to 1; the
        candidate (``g``, ``n``) is no gate. Empty for a cell without gates.
    """
    gates = _gates(layer)
    candidate = {"g", "n"}
    rows = slice(None) if sample is None else slice(sample, sample + 1)
    return {
        name: values[rows].mean(axis=(0, 2), dtype=np.float64)
        for name, values in gates.items()
        if name not in candidate
    }


def kept_product(layer: LayerTrace, sample: int | None = None) -> KeptProduct | None:
    """Return what the gates alone let through from the last step back to each step.

    Along the cell of an LSTM dL/dc_{t−1} = f_t ⊙ dL/dc_t + what comes by the other gates (Hochreiter and
    Schmidhuber 1997, Gers et al. 2000): the product of f over the steps after t is the share of dL/dc at the
    end that reaches c_t unhindered. For a GRU it is the product of z, which keeps h_{t−1}.

    Parameters
    ----------
    layer : LayerTrace
        A recurrent layer.
    sample : int or None, default None
        One row of the batch; None for all of it.

    Returns
    -------
    KeptProduct or None
        None for a cell without gates. Products are sums of logarithms: none is taken for 0 that is not.
    """
    gates = _gates(layer)
    if not gates:
        return None
    name = _KEEPING[len(gates)]
    values = gates[name] if sample is None else gates[name][sample : sample + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(values, dtype=np.float64)
        products = np.zeros(logs.shape)
        # After the last step there is no gate: its product is 1.
        products[:, :-1] = np.cumsum(logs[:, :0:-1], axis=1)[:, ::-1]
        return KeptProduct(
            name, products.mean(axis=(0, 2)), products.min(axis=(0, 2)), products.max(axis=(0, 2))
        )


def time_record(trace: IterationTrace) -> TimeRecord:
    """Return what is kept of a pass.

    Parameters
    ----------
    trace : IterationTrace
        The pass.

    Returns
    -------
    TimeRecord
        Without rows where the network has no recurrent layer.
    """
    return TimeRecord(
        trace.iteration,
        trace.loss,
        {
            (layer.index, tensor): rms_per_step(layer.tensors[tensor])
            for layer in recurrent_layers(trace)
            for tensor in STATE_GRADIENTS
            if tensor in layer.tensors
        },
    )


def recorded_again(
    machine: Machine, iterations: Iterable[int], progress: Callable[[str, float], None]
) -> tuple[TimeRecord, ...]:
    """Return the passes at some iterations, made by training once more from the beginning.

    Parameters
    ----------
    machine : Machine
        A simulator that stands at the beginning.
    iterations : iterable of int
        Where passes are wanted, rising.
    progress : callable
        Takes words and a share from 0 to 1 before every pass; what it raises ends the work.

    Returns
    -------
    tuple of TimeRecord
        One for each iteration, equal to the bit to those of the first time.
    """
    wanted = list(iterations)
    found = []
    for iteration in wanted:
        # Nearly all of the time goes into training up to the place, so that is what the share tells.
        progress(f"iteration {iteration:,} of {wanted[-1]:,}", iteration / max(wanted[-1], 1))
        machine.seek(iteration)
        found.append(time_record(machine.record()))
    return tuple(found)


def _gates(layer: LayerTrace) -> dict[str, NDArray[Any]]:
    """Gates by name, each of shape (batch, time, units)."""
    if "gates" not in layer.tensors:
        return {}
    values = layer.tensors["gates"]
    count = values.shape[-1] // layer.fan_out
    split = values.reshape(*values.shape[:-1], count, layer.fan_out)
    return {name: split[..., place, :] for place, name in enumerate(_GATES[count])}
