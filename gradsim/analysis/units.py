"""Which units are dead or saturated over a whole data set.

One batch cannot tell: a unit that is silent for its samples may speak for the next ones. Networks are run by the
simulator that is handed in, in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.nonlinearities import activation_layers, nonlinearities
from gradsim.spec import BuiltLayer, Experiment, Recurrent, kind_of
from gradsim.spec.activation import Prelu
from gradsim.trace import IterationTrace, SampleSet

_TOGETHER = 16
"""Layers measured at once."""

Tell = Callable[[str, float], None]
"""Told what is being done, and the share that is done."""


class Observable(Protocol):
    """What a survey needs of a simulator."""

    iteration: int
    samples: SampleSet

    @property
    def experiment(self) -> Experiment:
        """What is run."""

    def observed(
        self, part: Literal["training", "validation"] = "training"
    ) -> Iterator[Mapping[str, Mapping[str, NDArray[Any]]]]:
        """Run a part of the samples forwards, batch after batch."""

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerUnits:
    """The units of one layer over a whole data set.

    Attributes
    ----------
    name : str
        Stable name of the layer.
    activation : str
        Kind of its activation; the cell of a gated one.
    has_slope : bool
        False for a step, which is flat everywhere: of its units only those that are silent count as dead.
    largest_output, largest_slope : ndarray of float64, shape (units,)
        Largest |output| and |φ'(z)| over all samples and time steps; of a gated cell over all its gates.
    saturation : ndarray of float64, shape (units,)
        1 − mean φ'(z) / max φ'; of a gated cell the mean of its gates; NaN for a step.
    """

    name: str
    activation: str
    has_slope: bool
    largest_output: NDArray[np.float64]
    largest_slope: NDArray[np.float64]
    saturation: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.saturation)

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Where output and slope are exactly 0 for every sample: nothing goes through, forwards or backwards."""
        return np.asarray((self.largest_output == 0) & (self.largest_slope == 0))

    @property
    def stuck(self) -> NDArray[np.bool_]:
        """Where the slope is exactly 0 for every sample, but the output is not: it speaks and cannot learn."""
        return np.asarray((self.largest_output != 0) & (self.largest_slope == 0) & self.has_slope)

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Where an output or a slope is not a number, and the unit is not stuck already."""
        return np.asarray((np.isnan(self.largest_output) | np.isnan(self.largest_slope)) & ~self.stuck)


@dataclass(frozen=True, slots=True, eq=False)
class UnitSurvey:
    """All units of all layers with an activation, over the whole training part.

    Attributes
    ----------
    iteration : int
        Number of updates made before.
    samples : int
        How many samples were looked at.
    layers : tuple of LayerUnits
        In forward order.
    """

    iteration: int
    samples: int
    layers: tuple[LayerUnits, ...]

    @property
    def dead(self) -> int:
        """Number of dead units."""
        return sum(int(some.dead.sum()) for some in self._together())

    @property
    def stuck(self) -> int:
        """Number of units that speak and cannot learn."""
        return sum(int(some.stuck.sum()) for some in self._together())

    @property
    def broken(self) -> int:
        """Number of units of which something is not a number."""
        return sum(int(some.broken.sum()) for some in self._together())

    @property
    def units(self) -> int:
        """Number of all units."""
        return sum(len(layer) for layer in self.layers)

    def _together(self) -> list[LayerUnits]:
        """Return all units as if of one layer, those without a slope as of another: counted at once."""
        found = []
        for has_slope in (True, False):
            some = [layer for layer in self.layers if layer.has_slope is has_slope]
            if some:
                output = np.concatenate([layer.largest_output for layer in some])
                slope = np.concatenate([layer.largest_slope for layer in some])
                found.append(LayerUnits("", "", has_slope, output, slope, slope))
        return found


def unit_survey(
    simulator: Observable,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Tell = lambda words, share: None,
) -> UnitSurvey | None:
    """Look at all units over the whole training part, at the present iteration.

    Parameters
    ----------
    simulator : Observable
        Stands at the iteration; nothing in it changes.
    should_stop : callable, optional
        Asked after every batch; True ends it.
    progress : callable, optional
        Told after every batch.

    Returns
    -------
    UnitSurvey or None
        None if it was stopped.
    """
    layers_of = activation_layers(simulator.experiment)
    sums = {name: _Sums(layer) for name, layer in layers_of.items()}
    trained = _trained_slopes(simulator, layers_of)
    total = max(len(simulator.samples.training_inputs), 1)
    seen = 0
    with np.errstate(invalid="ignore", over="ignore"):
        for tensors in simulator.observed("training"):
            for name, collected in sums.items():
                collected.add({**tensors[name], **trained.get(name, {})})
            seen += len(next(iter(tensors.values()))["output"])
            progress(f"{seen:,} of {total:,} samples", seen / total)
            if should_stop():
                return None
        layers = tuple(one for name, collected in sums.items() for one in collected.units(name))
    return UnitSurvey(simulator.iteration, seen, layers)


def batch_units(trace: IterationTrace) -> UnitSurvey:
    """Return the units as the one batch of a record shows them: who is silent here may speak for other samples.

    Parameters
    ----------
    trace : IterationTrace
        Any record, in training mode as it was made.

    Returns
    -------
    UnitSurvey
        Whose samples are those of the batch.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        found: dict[str, LayerUnits] = {}
        for names, layer, tensors in _alike(trace):
            collected = _Sums(layer, len(names))
            collected.add(tensors)
            found.update(zip(names, collected.units(*names), strict=True))
    layers = tuple(found[name] for name in activation_layers(trace.experiment))
    return UnitSurvey(trace.iteration, len(trace.inputs), layers)


def _alike(
    trace: IterationTrace,
) -> Iterator[tuple[list[str], BuiltLayer, Mapping[str, NDArray[Any]]]]:
    """Yield layers of one activation and shape together, with their tensors one behind the other."""
    tensors_of = {layer.name: layer.tensors for layer in trace.layers}
    alike: dict[object, list[str]] = {}
    layers = activation_layers(trace.experiment)
    for name, layer in layers.items():
        activation, here = getattr(layer, "activation", None), tensors_of[name]
        # The cells of recurrent layers and trained slopes are each a case of their own.
        is_alone = isinstance(layer, Recurrent) or isinstance(activation, Prelu)
        key = (activation, here["activation"].shape, "scaled" in here)
        alike.setdefault(name if is_alone else key, []).append(name)
    # Of a hundred layers the copies would not stay in a processor's cache.
    for names in (
        some[at : at + _TOGETHER] for some in alike.values() for at in range(0, len(some), _TOGETHER)
    ):
        first = tensors_of[names[0]]
        if len(names) == 1:
            yield names, layers[names[0]], first
        else:
            wanted = [key for key in ("pre_activation", "scaled", "activation", "slope") if key in first]
            stacked = {key: np.stack([tensors_of[name][key] for name in names]) for key in wanted}
            yield names, layers[names[0]], stacked


def _trained_slopes(
    simulator: Observable, layers: Mapping[str, BuiltLayer]
) -> dict[str, dict[str, NDArray[Any]]]:
    """Return the slopes of every ``prelu``, which a pass forward does not tell: the largest φ' depends on them."""
    names = [name for name, layer in layers.items() if isinstance(getattr(layer, "activation", None), Prelu)]
    parameters = simulator.parameters() if names else {}
    return {name: {"prelu_slope": parameters[f"{name}.slope"]} for name in names}


class _Sums:
    """Adds up what the batches say about the units of one layer, or of some that are alike."""

    def __init__(self, layer: BuiltLayer, together: int = 1) -> None:
        self._layer, self._together = layer, together
        self._values = 0
        self._output: Any = 0.0
        self._slope: Any = 0.0
        self._relative: Any = 0.0
        self._has_slope = True

    def add(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take in a batch; of layers that are alike the tensors of one behind those of the other."""
        output = tensors["hidden"] if isinstance(self._layer, Recurrent) else tensors["activation"]
        shape = (self._together, -1, output.shape[-1])
        self._output = np.maximum(self._output, _largest(output.reshape(shape)))
        for part in nonlinearities(self._layer, tensors):
            # The gates of a cell stand side by side, each as wide as the layer.
            slope = part.slope.reshape(shape)
            self._slope = np.maximum(self._slope, _largest(slope))
            self._has_slope = part.maximal_slope > 0
            total = slope.sum(axis=1, dtype=np.float64)
            self._relative = self._relative + total / (part.maximal_slope or 1.0)
            self._values += slope.shape[1]

    def units(self, *names: str) -> tuple[LayerUnits, ...]:
        """Return what has come together, for each of the layers."""
        layer: Any = self._layer
        gated = isinstance(layer, Recurrent) and layer.cell != "simple"
        chosen = layer.cell if gated else layer.activation
        saturation = 1.0 - self._relative / max(self._values, 1)
        if not self._has_slope:
            saturation = np.full_like(saturation, np.nan)
        kind = chosen if isinstance(chosen, str) else kind_of(chosen)
        output, slope = (np.asarray(one, dtype=np.float64) for one in (self._output, self._slope))
        return tuple(
            LayerUnits(name, kind, self._has_slope, output[place], slope[place], saturation[place])
            for place, name in enumerate(names)
        )


def _largest(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the largest magnitudes over the middle axis, without an array of all of them."""
    ends = np.maximum(values.max(axis=1), -values.min(axis=1))
    return np.asarray(np.abs(ends), dtype=np.float64)
