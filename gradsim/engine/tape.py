"""The tape: a network flattened into a table of instructions over flat buffers.

Changing a network changes only the numbers in these tables, never the machine that reads them, so nothing
is compiled anew. Here stand the layout of the tables and of the buffers; what an instruction does stands in
the file of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.activations import activation_code, activation_constants, maximal_slope
from gradsim.engine.optimizers import STATE_SLOTS
from gradsim.spec import Dense, Experiment, Head, SpecError, kind_of, unrolled_layers
from gradsim.spec.activation import Prelu, Softmax
from gradsim.trace import HISTOGRAM_BINS, TENSORS, SampleSet

OP_LINEAR = 0
OP_ACTIVATION = 1

# Columns of the instruction table. Offsets count elements from the start of the work buffer or, for
# parameters, of the parameter buffer; -1 stands for "none".
OPCODE = 0
LAYER = 1
FAN_IN = 2
FAN_OUT = 3
INPUT = 4
OUTPUT = 5
INPUT_GRADIENT = 6
OUTPUT_GRADIENT = 7
SLOPE = 8
WEIGHT = 9
BIAS = 10
FUNCTION = 11
FUSED = 12
COLUMNS = 13

# Columns of the constants beside it.
PARAMETER_0 = 0
PARAMETER_1 = 1
MAXIMAL_SLOPE = 2
CONSTANTS = 3

# Columns of the parameter table: one row per trained tensor.
P_OFFSET = 0
P_ROWS = 1
P_COLUMNS = 2
P_LAYER = 3
P_IS_WEIGHT = 4
P_TRAINABLE = 5
P_FIELDS = 6

ALIGNMENT = 64
"""Bytes: tensors start on cache lines, which is also the widest vector."""

BYTE_LIMIT = 8 * 2**30
"""A network whose buffers need more is refused before anything is allocated."""

Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where one parameter tensor lies in the flat parameter buffer."""

    name: str
    tensor: str
    layer: int
    offset: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, slots=True)
class DenseLayout:
    """Where the tensors of one dense layer lie in the work buffer.

    ``slope`` and ``delta`` share their place: the forward pass leaves φ'(z) there, the backward pass
    multiplies it in place.
    """

    name: str
    spec: Dense | Head
    fan_in: int
    fan_out: int
    input: int
    pre_activation: int
    activation: int
    delta: int
    activation_gradient: int
    input_gradient: int


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """A compiled network.

    Attributes
    ----------
    instructions : ndarray of int64, shape (operations, COLUMNS)
        In forward order.
    constants : ndarray of float64, shape (operations, CONSTANTS)
        Constants of the activation.
    parameter_table : ndarray of int64, shape (parameters, P_FIELDS)
        Where each trained tensor lies and what it is.
    rate_scales : ndarray of float64, shape (parameters,)
        Factor on the learning rate.
    layers : tuple of DenseLayout
        Layers that carry weights, the head last.
    parameters : tuple of Parameter
        In the order of ``parameter_table``.
    work_size, parameter_size : int
        Elements of the two buffers.
    batch : int
        Samples in a batch.
    """

    instructions: Table
    constants: NDArray[np.float64]
    parameter_table: Table
    rate_scales: NDArray[np.float64]
    layers: tuple[DenseLayout, ...]
    parameters: tuple[Parameter, ...]
    work_size: int
    parameter_size: int
    batch: int


class _Allocator:
    """Hands out aligned stretches of one flat buffer."""

    def __init__(self, itemsize: int) -> None:
        self.step = ALIGNMENT // itemsize
        self.size = 0

    def take(self, count: int) -> int:
        offset = self.size
        self.size += -(-count // self.step) * self.step
        return offset


def batch_rows(experiment: Experiment, samples: SampleSet) -> int:
    """Return the number of samples in a batch: the batch size, at most the whole training part."""
    return min(experiment.training.batch_size, len(samples.training_inputs))


def compile_network(experiment: Experiment, features: int, outputs: int, batch: int) -> Tape:
    """Flatten the network of an experiment into a tape.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    features, outputs : int
        Width of the data's inputs and of the head.
    batch : int
        Samples in a batch.

    Returns
    -------
    Tape
        Tables only; no buffer is allocated.

    Raises
    ------
    SpecError
        If the names of two layers are the same, or the buffers would not fit; the sentence gives the
        bytes and the limit.
    """
    itemsize = np.dtype(experiment.precision).itemsize
    work, store = _Allocator(itemsize), _Allocator(itemsize)
    instructions: list[list[int]] = []
    constants: list[list[float]] = []
    table: list[list[int]] = []
    rate_scales: list[float] = []
    layouts: list[DenseLayout] = []
    parameters: list[Parameter] = []
    width, signal, gradient = features, work.take(batch * features), work.take(batch * features)

    for index, (name, layer, _) in enumerate(unrolled_layers(experiment.network)):
        units = outputs if isinstance(layer, Head) else layer.units

        def add_parameter(
            tensor: str,
            short: str,
            shape: tuple[int, ...],
            layer: Dense | Head = layer,
            name: str = name,
            index: int = index,
        ) -> int:
            parameter = Parameter(f"{name}.{short}", tensor, index, store.take(int(np.prod(shape))), shape)
            parameters.append(parameter)
            rows, columns = shape if len(shape) == 2 else (1, shape[0])
            table.append(
                [parameter.offset, rows, columns, index, int(tensor == "weight"), int(layer.trainable)]
            )
            rate_scales.append(layer.learning_rate_scale)
            return parameter.offset

        weight = add_parameter("weight", "weight", (width, units))
        bias = add_parameter("bias", "bias", (units,)) if layer.bias else -1
        slopes = -1
        if isinstance(layer.activation, Prelu):
            count = units if layer.activation.per == "unit" else 1
            slopes = add_parameter("prelu_slope", "slope", (count,))
        z, a, delta, a_gradient = (work.take(batch * units) for _ in range(4))
        fused = isinstance(layer, Head) and experiment.training.loss in FUSED_LOSSES
        layouts.append(DenseLayout(name, layer, width, units, signal, z, a, delta, a_gradient, gradient))
        instructions.append(
            _row(OP_LINEAR, index, width, units, signal, z, gradient, delta, -1, weight, bias, 0, 0)
        )
        constants.append([0.0] * CONSTANTS)
        code = activation_code(kind_of(layer.activation))
        prelu_columns = -1 if slopes < 0 else parameters[-1].size
        instructions.append(
            _row(
                OP_ACTIVATION,
                index,
                prelu_columns,
                units,
                z,
                a,
                delta,
                a_gradient,
                delta,
                slopes,
                -1,
                code,
                int(fused),
            )
        )
        constants.append([*activation_constants(layer.activation), maximal_slope(layer.activation)])
        width, signal, gradient = units, a, a_gradient

    tape = Tape(
        np.array(instructions, np.int64),
        np.array(constants, np.float64),
        np.array(table, np.int64),
        np.array(rate_scales, np.float64),
        tuple(layouts),
        tuple(parameters),
        work.size,
        store.size,
        batch,
    )
    _refuse_what_does_not_fit(tape, experiment)
    return tape


FUSED_LOSSES = ("cross_entropy", "binary_cross_entropy")
"""Losses that take the pre-activation of the head, so that the delta is exact where the head saturates."""


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
        Work and parameter buffers, the gradients, updates and optimizer state beside them, and as much
        again for one recorded iteration.
    """
    itemsize = np.dtype(experiment.precision).itemsize
    copies = 4 + STATE_SLOTS[kind_of(experiment.training.optimizer)]
    state = (tape.work_size + copies * tape.parameter_size) * itemsize
    record = (tape.work_size + copies * tape.parameter_size) * itemsize
    histograms = len(tape.layers) * len(TENSORS) * HISTOGRAM_BINS * 4
    return state + record + histograms


def _refuse_what_does_not_fit(tape: Tape, experiment: Experiment) -> None:
    needed = tape_bytes(tape, experiment)
    if needed > BYTE_LIMIT:
        raise SpecError(
            "$.network",
            f"expected a network that fits into {BYTE_LIMIT:,} bytes, got one that needs {needed:,} "
            f"with its trace; fewer layers, fewer units or a smaller batch would fit",
        )


def _row(*values: int) -> list[int]:
    assert len(values) == COLUMNS
    return list(values)


def is_softmax(layer: Dense | Head) -> bool:
    """Whether the activation mixes the units of a layer, so that it has no elementwise slope."""
    return isinstance(layer.activation, Softmax)
