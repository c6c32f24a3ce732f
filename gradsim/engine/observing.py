"""Looking into a network: what it makes of whole sets of samples, and the Jacobians of its layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.engine.activations import SOFTMAX
from gradsim.engine.evaluation import outputs_of
from gradsim.engine.instructions import (
    FUNCTION,
    INPUT_GRADIENT,
    LAYER,
    OP_ACTIVATION,
    OP_RESIDUAL_BEGIN,
    OP_RESIDUAL_END,
    OPCODE,
    OUTPUT_GRADIENT,
    SLOPE,
    STEPS,
)
from gradsim.engine.program import BACKPROPAGATION, Buffers, Choices, Program
from gradsim.engine.tape import LayerLayout, Tape

FORWARD_TENSORS = (
    "input",
    "pre_activation",
    "normalized",
    "scaled",
    "branch",
    "skip",
    "gates",
    "hidden",
    "cell",
    "activation",
    "output",
)
"""What exists after a pass forward; ``slope`` comes to it where a layer has one for each value."""

Observation = dict[str, dict[str, NDArray[Any]]]


def observations(
    tape: Tape, program: Program, buffers: Buffers, choices: Choices, inputs: NDArray[Any]
) -> Iterator[Observation]:
    """Run a whole set of samples forwards in evaluation mode, batch after batch.

    Parameters
    ----------
    tape : Tape
        Where the tensors lie.
    program, buffers, choices : Program, Buffers, Choices
        As the machine reads them; the work buffer is overwritten.
    inputs : ndarray, shape (samples, …)
        In the precision of the experiment.

    Yields
    ------
    dict of str to dict of str to ndarray
        Of each layer by name its ``FORWARD_TENSORS`` and ``slope`` for the samples of one batch, copies of
        shape (batch, columns) or (batch, time, columns).
    """
    size = choices.target_steps * choices.outputs
    for first in range(0, len(inputs), tape.batch):
        rows = inputs[first : first + tape.batch]
        out = np.empty(len(rows) * size, buffers.work.dtype)
        outputs_of(choices, program, buffers, np.array(rows, buffers.work.dtype).ravel(), out)
        yield {layer.name: _forward_tensors(tape, layer, buffers.work, len(rows)) for layer in tape.layers}


def _forward_tensors(
    tape: Tape, layer: LayerLayout, work: NDArray[Any], rows: int
) -> dict[str, NDArray[Any]]:
    def read(offset: int, columns: int, steps: int, is_sequence: bool) -> NDArray[Any]:
        array = work[offset : offset + rows * steps * columns].reshape(steps, rows, columns)
        return (array.transpose(1, 0, 2) if is_sequence else array[0]).copy()

    tensors = {}
    for name in FORWARD_TENSORS:
        if name in layer.tensors:
            place = layer.tensors[name]
            tensors[name] = read(place.offset, place.columns, layer.steps, layer.is_sequence)
    if layer.activation_row is not None:
        row = tape.instructions[layer.activation_row]
        slope = read(int(row[SLOPE]), layer.fan_out, layer.steps, layer.is_sequence)
        a = tensors["activation"]
        tensors["slope"] = a * (1 - a) if row[FUNCTION] == SOFTMAX else slope
    return tensors


class Seeds:
    """Where a pass backwards from one layer to another begins and ends.

    Parameters
    ----------
    tape : Tape
        Compiled network.
    first, last : str
        Names of layers; the gradient of the output of ``last`` is carried to the input of ``first``. Of the
        head it is that of its logits, because its activation may be one with the loss.

    Raises
    ------
    ValueError
        For a name that the network does not have, layers in the wrong order, or one inside a residual block
        and the other outside.
    """

    def __init__(self, tape: Tape, first: str, last: str) -> None:
        names = [layer.name for layer in tape.layers]
        for name in (first, last):
            if name not in names:
                raise ValueError(f"expected the name of a layer, got {name!r}; there are {', '.join(names)}")
        start, end = tape.layers[names.index(first)], tape.layers[names.index(last)]
        self.first_op = int(self._rows(tape, names.index(first))[0])
        rows = self._rows(tape, names.index(last))
        is_head = names.index(last) == len(names) - 1
        if is_head:
            rows = rows[tape.instructions[rows, OPCODE] != OP_ACTIVATION]
        self.last_op = int(rows[-1])
        between = tape.instructions[self.first_op : self.last_op + 1]
        opened = between[between[:, OPCODE] == OP_RESIDUAL_BEGIN, LAYER]
        closed = between[between[:, OPCODE] == OP_RESIDUAL_END, LAYER]
        if self.last_op < self.first_op or set(opened) != set(closed):
            raise ValueError(
                f"expected two layers in the order of the pass and of the same residual block, got {first!r} "
                f"and {last!r}"
            )
        self.seed_offset = int(between[-1, OUTPUT_GRADIENT])
        self.gradient_offset = int(between[0, INPUT_GRADIENT])
        keeps_time = end.tensors["output"].columns == end.fan_out and end.is_sequence
        self.out_steps = end.steps if keeps_time and self._answers_every_step(end) else 1
        self.out_columns = end.fan_out
        self.in_steps = self._input_steps(tape, names.index(first))
        self.in_columns = start.fan_in
        self.batch = tape.batch

    @staticmethod
    def _rows(tape: Tape, layer: int) -> NDArray[np.intp]:
        return np.flatnonzero(tape.instructions[: tape.operations, LAYER] == layer)

    @staticmethod
    def _answers_every_step(layer: LayerLayout) -> bool:
        return bool(getattr(layer.spec, "return_sequences", True))

    @staticmethod
    def _input_steps(tape: Tape, layer: int) -> int:
        return int(tape.instructions[Seeds._rows(tape, layer)[0], STEPS])

    @property
    def outputs(self) -> int:
        """Values of the output of one sample."""
        return self.out_steps * self.out_columns

    @property
    def inputs(self) -> int:
        """Values of the input of one sample."""
        return self.in_steps * self.in_columns

    def choices(self, choices: Choices, sample: int, output: int) -> Choices:
        """Return the settings of a pass backwards from one output of a sample."""
        step, column = divmod(output, self.out_columns)
        return choices._replace(
            first_op=self.first_op,
            last_op=self.last_op,
            seed_offset=self.seed_offset,
            seed_size=self.batch * self.outputs,
            seed=(step * self.batch + sample) * self.out_columns + column,
            input_gradient=1,
            method=BACKPROPAGATION,
            phases=0,
        )

    def gradient(self, work: NDArray[Any], sample: int) -> NDArray[Any]:
        """Return what has arrived at the input of a sample, shape (inputs,)."""
        size = self.batch * self.inputs
        arrived = work[self.gradient_offset : self.gradient_offset + size]
        return arrived.reshape(self.in_steps, self.batch, self.in_columns)[:, sample].ravel().copy()
