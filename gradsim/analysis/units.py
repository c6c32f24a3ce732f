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
        return sum(int(layer.dead.sum()) for layer in self.layers)

    @property
    def stuck(self) -> int:
        """Number of units that speak and cannot learn."""
        return sum(int(layer.stuck.sum()) for layer in self.layers)

    @property
    def units(self) -> int:
        """Number of all units."""
        return sum(len(layer) for layer in self.layers)


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
        layers = tuple(collected.units(name) for name, collected in sums.items())
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
        layers = []
        for name, layer in activation_layers(trace.experiment).items():
            collected = _Sums(layer)
            collected.add(trace[name].tensors)
            layers.append(collected.units(name))
    return UnitSurvey(trace.iteration, len(trace.inputs), tuple(layers))


def _trained_slopes(
    simulator: Observable, layers: Mapping[str, BuiltLayer]
) -> dict[str, dict[str, NDArray[Any]]]:
    """Return the slopes of every ``prelu``, which a pass forward does not tell: the largest φ' depends on them."""
    names = [name for name, layer in layers.items() if isinstance(getattr(layer, "activation", None), Prelu)]
    parameters = simulator.parameters() if names else {}
    return {name: {"prelu_slope": parameters[f"{name}.slope"]} for name in names}


class _Sums:
    """Adds up what the batches say about the units of one layer."""

    def __init__(self, layer: BuiltLayer) -> None:
        self._layer = layer
        self._values = 0
        self._output: Any = 0.0
        self._slope: Any = 0.0
        self._relative: Any = 0.0
        self._has_slope = True

    def add(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take in a batch."""
        output = tensors["hidden"] if isinstance(self._layer, Recurrent) else tensors["activation"]
        units = output.shape[-1]
        rows = output.reshape(-1, units)
        self._output = np.maximum(self._output, np.abs(rows).max(axis=0))
        for part in nonlinearities(self._layer, tensors):
            # The gates of a cell stand side by side, each as wide as the layer.
            slope = np.asarray(part.slope, dtype=np.float64).reshape(-1, units)
            self._slope = np.maximum(self._slope, np.abs(slope).max(axis=0))
            self._has_slope = part.maximal_slope > 0
            self._relative = self._relative + slope.sum(axis=0) / (part.maximal_slope or 1.0)
            self._values += len(slope)

    def units(self, name: str) -> LayerUnits:
        """Return what has come together."""
        layer: Any = self._layer
        gated = isinstance(layer, Recurrent) and layer.cell != "simple"
        chosen = layer.cell if gated else layer.activation
        saturation = 1.0 - self._relative / max(self._values, 1)
        return LayerUnits(
            name=name,
            activation=chosen if isinstance(chosen, str) else kind_of(chosen),
            has_slope=self._has_slope,
            largest_output=np.asarray(self._output, dtype=np.float64),
            largest_slope=np.asarray(self._slope, dtype=np.float64),
            saturation=saturation if self._has_slope else np.full_like(saturation, np.nan),
        )
