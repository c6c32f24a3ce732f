"""The samples of an experiment, split and scaled as the network sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Task = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """Training and validation samples; arrays are owned and read-only.

    Attributes
    ----------
    task : {"classification", "regression"}
        Whether the targets are classes.
    training_inputs, validation_inputs : ndarray of float64, shape (samples, features)
        Scaled by what was fitted on the training part. Sequences have shape (samples, steps, features).
    training_targets, validation_targets : ndarray of float64, shape (samples, outputs)
        Sequences that are answered at every step have shape (samples, steps, outputs).
        What the head is compared with: one-hot classes, one 0/1 column for two classes under
        ``binary_cross_entropy``, or the numbers of a regression.
    training_classes, validation_classes : ndarray of int64, shape (samples,) or (samples, steps), or None
        Class numbers of a classification, one per target; None for a regression.
    feature_names, output_names : tuple of str
        Names of the columns, with their unit where they have one; for a classification the output names
        are the names of the classes.
    offset, factor : ndarray of float64, shape (features,)
        ``scaled = (raw - offset) * factor``; the targets of a time series are scaled so too.
    title, origin : str
        What the data are, in words, and where they come from.
    """

    task: Task
    training_inputs: NDArray[np.float64]
    training_targets: NDArray[np.float64]
    validation_inputs: NDArray[np.float64]
    validation_targets: NDArray[np.float64]
    training_classes: NDArray[np.int64] | None
    validation_classes: NDArray[np.int64] | None
    feature_names: tuple[str, ...]
    output_names: tuple[str, ...]
    offset: NDArray[np.float64]
    factor: NDArray[np.float64]
    title: str
    origin: str

    @property
    def features(self) -> int:
        """Number of input columns."""
        return int(self.training_inputs.shape[-1])

    @property
    def map_inputs(self) -> int:
        """Number of inputs over which answers can be mapped; 0 for sequences, whose inputs are no points."""
        return 0 if self.steps else self.features

    @property
    def steps(self) -> int:
        """Time steps of a sample; 0 where the data have none."""
        return int(self.training_inputs.shape[1]) if self.training_inputs.ndim == 3 else 0

    @property
    def target_steps(self) -> int:
        """Time steps at which the head is compared with a target; 1 where the data have none."""
        return int(self.training_targets.shape[1]) if self.training_targets.ndim == 3 else 1

    @property
    def outputs(self) -> int:
        """Number of units of the head."""
        return int(self.training_targets.shape[-1])
