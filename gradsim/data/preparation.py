"""From the data an experiment asks for to the samples its network sees: draw, split, scale, encode, check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.data.bundled import bundled
from gradsim.data.inline import inline
from gradsim.data.plane_classes import checkerboard, circles, gaussians, moons, spirals, xor
from gradsim.data.random_streams import generator
from gradsim.data.raw import RawSamples
from gradsim.data.regression import curve, noise, plane
from gradsim.data.scaling import fitted_scaling
from gradsim.data.sequences import adding, copy_memory, delayed_parity
from gradsim.data.series import sunspots
from gradsim.data.splitting import last_rows, validation_rows
from gradsim.spec import Experiment, LossName, SpecError, kind_of
from gradsim.spec import data as kinds
from gradsim.spec.checks import HEAD_OF_LOSS
from gradsim.trace import SampleSet

SOURCES: dict[type[Any], Callable[[Any, np.random.Generator], RawSamples]] = {
    kinds.Moons: moons,
    kinds.Circles: circles,
    kinds.Spirals: spirals,
    kinds.Xor: xor,
    kinds.Gaussians: gaussians,
    kinds.Checkerboard: checkerboard,
    kinds.Curve: curve,
    kinds.Plane: plane,
    kinds.GaussianNoise: noise,
    kinds.Iris: bundled,
    kinds.Wine: bundled,
    kinds.BreastCancer: bundled,
    kinds.Digits: bundled,
    kinds.Adding: adding,
    kinds.CopyMemory: copy_memory,
    kinds.DelayedParity: delayed_parity,
    kinds.Sunspots: sunspots,
    kinds.Inline: inline,
}
"""Every kind of data, with the function that makes its raw samples."""


def prepare_samples(experiment: Experiment) -> SampleSet:
    """Return the samples of an experiment, split and scaled; the same experiment gives the same bits.

    A batch size beyond the training part is no error: the engine then takes the whole part as its batch.

    Parameters
    ----------
    experiment : Experiment
        Its data, seed, loss and precision decide.

    Returns
    -------
    SampleSet
        Arrays of float64, owned and read-only.

    Raises
    ------
    SpecError
        If the data cannot be made, split, or compared with by the loss.
    """
    data, loss = experiment.data, experiment.training.loss
    raw = SOURCES[type(data)](data, generator(experiment.seed, "data", kind_of(data)))
    targets, classes, names = _encoded(raw, loss)
    held_back = _held_back(raw, data.validation, generator(experiment.seed, "data", "split"))
    is_training = np.ones(len(raw.inputs), dtype=bool)
    is_training[held_back] = False
    offset, factor = fitted_scaling(raw.inputs[is_training], data.scaling)
    inputs = (raw.inputs - offset) * factor
    if raw.is_series:
        targets = (targets - offset) * factor
    _check_range(inputs, targets, experiment.precision)
    return SampleSet(
        task="regression" if classes is None else "classification",
        training_inputs=_frozen(inputs[is_training]),
        training_targets=_frozen(targets[is_training]),
        validation_inputs=_frozen(inputs[~is_training]),
        validation_targets=_frozen(targets[~is_training]),
        training_classes=None if classes is None else _frozen(classes[is_training]),
        validation_classes=None if classes is None else _frozen(classes[~is_training]),
        feature_names=raw.feature_names,
        output_names=names,
        offset=_frozen(offset),
        factor=_frozen(factor),
        title=raw.title,
        origin=raw.origin,
    )


def _held_back(raw: RawSamples, share: float, random: np.random.Generator) -> NDArray[np.int64]:
    if raw.is_series:
        return last_rows(len(raw.inputs), share)
    # Sequences that are answered at every step have no one class to be held back in proportion.
    classes = raw.classes if raw.classes is not None and raw.classes.ndim == 1 else None
    return validation_rows(len(raw.inputs), share, classes, random)


def _encoded(
    raw: RawSamples, loss: LossName
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, tuple[str, ...]]:
    """Targets as the loss compares them, class numbers if there are classes, and the output names."""
    if raw.classes is not None:
        count = len(raw.output_names)
        if loss == "binary_cross_entropy" and count == 2:
            return raw.classes[..., None].astype(np.float64), raw.classes, raw.output_names
        return np.eye(count)[raw.classes], raw.classes, raw.output_names
    assert raw.numbers is not None
    if loss in HEAD_OF_LOSS:
        raise SpecError(
            "$.training.loss",
            "expected mse, half_mse or sse, because the targets of these data are numbers and not classes, "
            f"got {loss}",
        )
    return raw.numbers, None, raw.output_names


LARGEST = {
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
    "float16": float(np.finfo(np.float16).max),
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
}
"""The largest finite number of each precision."""


def _check_range(inputs: NDArray[np.float64], targets: NDArray[np.float64], precision: str) -> None:
    largest = LARGEST[precision]
    for name, table in (("inputs", inputs), ("targets", targets)):
        beyond = np.argwhere(~(np.abs(table) <= largest))
        if len(beyond):
            place = tuple(int(index) for index in beyond[0])
            raise SpecError(
                f"$.data.{name}" + "".join(f"[{index}]" for index in place),
                f"expected a number that {precision} can hold (up to {largest:.2g}), "
                f"got {table[place]:g} after scaling",
            )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    # Masks and arithmetic have made the arrays new, but some rows might still be a view of the raw samples.
    owned = np.array(array, order="C")
    owned.setflags(write=False)
    return owned
