"""A compiled network: tables of instructions over flat buffers, and where every tensor lies in them.

Changing a network changes only these numbers, never the machine that reads them, so nothing is compiled
anew. How the tables are written is in ``writing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.optimizers import STATE_SLOTS
from gradsim.spec import BuiltLayer, Experiment, SpecError, kind_of
from gradsim.trace import HISTOGRAM_BINS, TENSORS, SampleSet

BYTE_LIMIT = 8 * 2**30
"""A network whose buffers need more is refused before anything is allocated."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where one tensor lies in the flat parameter buffer; ``tensor`` is its name in the layer's record."""

    name: str
    tensor: str
    layer: int
    offset: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def part(self) -> slice:
        """Its place in the flat buffer."""
        return slice(self.offset, self.offset + self.size)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tensor lies in the work buffer: rows of ``columns`` values, for each sample or time step."""

    offset: int
    columns: int


@dataclass(frozen=True, slots=True, eq=False)
class LayerLayout:
    """One layer of the unrolled network and where its tensors lie.

    Attributes
    ----------
    name, kind : str
        Stable name and kind; the head is ``dense``.
    spec : Dense, Head, …
        What was asked for.
    number : int or None
        1…L for layers that carry weights forward.
    fan_in, fan_out : int
        Width of input and output.
    steps : int
        Time steps of its tensors; 1 where time plays no part.
    is_sequence : bool
        Whether its tensors have an axis of time.
    tensors : mapping from str to Place
        In the work buffer, rows time after time.
    measured : mapping from str to int
        Number of values of each of ``trace.TENSORS`` that is measured.
    activation_row : int or None
        The instruction that computes its φ and φ', where that is elementwise.
    """

    name: str
    kind: str
    spec: BuiltLayer
    number: int | None
    fan_in: int
    fan_out: int
    steps: int
    is_sequence: bool
    tensors: Mapping[str, Place]
    measured: Mapping[str, int]
    activation_row: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """A compiled network.

    Attributes
    ----------
    instructions : ndarray of int64, shape (operations, COLUMNS)
        In forward order.
    constants : ndarray of float64, shape (operations, CONSTANTS)
        Real numbers of an instruction.
    parameter_table : ndarray of int64, shape (parameters, P_FIELDS)
        Where each trained tensor lies and what it is.
    rate_scales, decay_scales : ndarray of float64, shape (parameters,)
        Factors on the learning rate and on the weight decay.
    layers : tuple of LayerLayout
        As they compute, the head last.
    parameters : tuple of Parameter
        In the order of ``parameter_table``.
    states : tuple of Parameter
        What is kept with the parameters but not trained: running means and variances.
    work_size, parameter_size : int
        Elements of the two buffers.
    batch, steps : int
        Samples in a batch; time steps of a sample.
    operations : int
        Instructions of the network itself; those behind are the decoders of pretraining.
    phases : tuple of int
        Index of the layer of each phase of pretraining.
    """

    instructions: NDArray[np.int64]
    constants: NDArray[np.float64]
    parameter_table: NDArray[np.int64]
    rate_scales: NDArray[np.float64]
    decay_scales: NDArray[np.float64]
    layers: tuple[LayerLayout, ...]
    parameters: tuple[Parameter, ...]
    states: tuple[Parameter, ...]
    work_size: int
    parameter_size: int
    batch: int
    steps: int
    operations: int
    phases: tuple[int, ...]


def batch_rows(experiment: Experiment, samples: SampleSet) -> int:
    """Return the number of samples in a batch: the batch size, at most the whole training part."""
    return min(experiment.training.batch_size, len(samples.training_inputs))


def tensor_sizes(tape: Tape) -> NDArray[np.int64]:
    """Return how many values each measured tensor has.

    Parameters
    ----------
    tape : Tape
        Compiled network.

    Returns
    -------
    ndarray of int64, shape (layers, tensors)
        Tensors in the order of ``trace.TENSORS``; 0 for one that a layer does not have.
    """
    return np.array(
        [[layer.measured.get(tensor, 0) for tensor in TENSORS] for layer in tape.layers], np.int64
    )


def tape_bytes(tape: Tape, experiment: Experiment) -> int:
    """Return the bytes of all buffers of a compiled network.

    Parameters
    ----------
    tape : Tape
        Compiled network.
    experiment : Experiment
        Decides the precision and the optimizer.

    Returns
    -------
    int
        Work and parameter buffers, the gradients, updates and optimizer state beside them, as much again for
        one recorded iteration, and one frame of histograms.
    """
    itemsize = 8 if experiment.precision == "float64" else 4
    training = experiment.training
    extra = 2 * (training.weight_noise > 0) + (kind_of(training.method) == "evolution")
    copies = 4 + extra + STATE_SLOTS[kind_of(experiment.training.optimizer)]
    state = (tape.work_size + copies * tape.parameter_size) * itemsize
    histograms = len(tape.layers) * len(TENSORS) * HISTOGRAM_BINS * 4
    return 2 * state + histograms


def refuse_what_does_not_fit(tape: Tape, experiment: Experiment) -> None:
    """Refuse a network whose buffers would not fit.

    Parameters
    ----------
    tape : Tape
        Compiled network; nothing has been allocated yet.
    experiment : Experiment
        Decides the precision and the optimizer.

    Raises
    ------
    SpecError
        With the bytes and the limit.
    """
    needed = tape_bytes(tape, experiment)
    if needed > BYTE_LIMIT:
        raise SpecError(
            "$.network",
            f"expected a network that fits into {BYTE_LIMIT:,} bytes, got one that needs {needed:,} "
            f"with its trace; fewer layers, fewer units or a smaller batch would fit",
        )
