"""The tables of a tape while layers are appended to them: room, parameters, instructions."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np

from gradsim.engine import instructions as at
from gradsim.engine.memory import ALIGNMENT
from gradsim.engine.precision import storage_type
from gradsim.engine.tape import LayerLayout, Parameter, Place
from gradsim.spec import Experiment, PlacedLayer, kind_of
from gradsim.spec.method import parameter_rules


class Signal(NamedTuple):
    """What flows from layer to layer: where its values and its gradient lie, and its shape."""

    values: int
    gradient: int
    width: int
    steps: int
    is_sequence: bool


class TapeWriter:
    """Collects the tables of a tape while layers are appended.

    Parameters
    ----------
    experiment : Experiment
        Decides the precision and the loss.
    outputs : int
        Units of the head.
    batch : int
        Samples in a batch.
    """

    def __init__(self, experiment: Experiment, outputs: int, batch: int) -> None:
        self.experiment = experiment
        self.outputs = outputs
        self.batch = batch
        self.align = ALIGNMENT // storage_type(experiment.precision).itemsize
        self.work_size = 0
        self.parameter_size = 0
        self.instructions: list[list[int]] = []
        self.constants: list[tuple[float, float, float]] = []
        self.table: list[list[int]] = []
        self.rate_scales: list[float] = []
        self.decay_scales: list[float] = []
        self.unused_groups = set(range(len(experiment.training.groups)))
        self.layers: list[LayerLayout] = []
        self.parameters: list[Parameter] = []
        self.states: list[Parameter] = []
        self.decoders: list[dict[str, int]] = []
        self.numbered = 0

    def work(self, signal: Signal, columns: int) -> int:
        """Return the place of a new tensor with the rows of a signal."""
        return self.room(self.batch * signal.steps * columns)

    def room(self, count: int) -> int:
        """Return the place of ``count`` new elements of the work buffer, on a cache line."""
        offset = self.work_size
        self.work_size += -(-count // self.align) * self.align
        return offset

    def like(self, signal: Signal, width: int) -> Signal:
        """Return a new signal with the rows of another."""
        return signal._replace(
            values=self.work(signal, width), gradient=self.work(signal, width), width=width
        )

    def emit(self, constants: tuple[float, float, float] = (0.0, 0.0, 0.0), /, **columns: int) -> int:
        """Append an instruction given by the names of its columns; return its row."""
        row = [-1] * at.COLUMNS
        row[at.LAYER] = len(self.layers)
        for name in ("FUNCTION", "FUSED", "MEASURES_INPUT", "MEASURES_INPUT_GRADIENT"):
            row[getattr(at, name)] = 0
        for name, value in columns.items():
            row[getattr(at, name)] = value
        self.instructions.append(row)
        self.constants.append(constants)
        return len(self.instructions) - 1

    def parameter(
        self,
        placed: PlacedLayer,
        tensor: str,
        shape: tuple[int, ...],
        *,
        measured: bool = False,
        short: str = "",
    ) -> int:
        """Append a trained tensor of the layer that is being written; return its offset."""
        layer: Any = placed.layer
        new = self._stored(placed, tensor, shape, short)
        self.parameters.append(new)
        rows, columns = shape if len(shape) == 2 else (1, shape[0])
        groups = self.experiment.training.groups
        trainable, rate, decay = parameter_rules(groups, new.name, layer.trainable, layer.learning_rate_scale)
        self.unused_groups -= {i for i, group in enumerate(groups) if fnmatchcase(new.name, group.parameters)}
        is_decoder = tensor.startswith("decoder")
        self.table.append(
            [new.offset, rows, columns, new.layer, int(measured), int(trainable), int(is_decoder)]
        )
        self.rate_scales.append(rate)
        self.decay_scales.append(decay)
        return new.offset

    def state(self, placed: PlacedLayer, tensor: str, shape: tuple[int, ...]) -> int:
        """Append a tensor that is kept with the parameters but not trained; return its offset."""
        new = self._stored(placed, tensor, shape, "")
        self.states.append(new)
        return new.offset

    def _stored(self, placed: PlacedLayer, tensor: str, shape: tuple[int, ...], short: str) -> Parameter:
        offset = self.parameter_size
        self.parameter_size += -(-int(np.prod(shape)) // self.align) * self.align
        return Parameter(f"{placed.name}.{short or tensor}", tensor, len(self.layers), offset, shape)

    def close(
        self,
        placed: PlacedLayer,
        source: Signal,
        result: Signal,
        tensors: dict[str, Place],
        *,
        measured: dict[str, int],
        kind: str = "",
        numbered: bool = False,
        activation_row: int | None = None,
    ) -> None:
        """Finish the layer that is being written.

        Sizes of what is measured are given in values per row, those of weights as they are.
        """
        self.numbered += numbered
        rows = self.batch * result.steps
        self.layers.append(
            LayerLayout(
                name=placed.name,
                kind=kind or kind_of(placed.layer),  # type: ignore[arg-type]
                spec=placed.layer,
                number=self.numbered if numbered else None,
                fan_in=source.width,
                fan_out=result.width,
                steps=result.steps,
                is_sequence=result.is_sequence,
                tensors={
                    "input": Place(source.values, source.width),
                    "input_gradient": Place(source.gradient, source.width),
                    "output": Place(result.values, result.width),
                    "output_gradient": Place(result.gradient, result.width),
                }
                | tensors,
                measured={
                    name: size if name in ("weight", "weight_gradient", "update") else size * rows
                    for name, size in measured.items()
                },
                activation_row=activation_row,
            )
        )


def weight_sizes(size: int) -> dict[str, int]:
    """Return what is measured of a weight with as many values."""
    return {"weight_gradient": size, "update": size, "weight": size}


EITHER_SIDE = ("pre_activation", "activation", "activation_gradient", "delta")
"""What is measured of a layer without weights: its input, its output, and the gradients of both."""


def either_side(source: Signal, result: Signal) -> dict[str, Place]:
    """Return where the tensors of ``EITHER_SIDE`` lie."""
    return {
        "pre_activation": Place(source.values, source.width),
        "activation": Place(result.values, result.width),
        "activation_gradient": Place(result.gradient, result.width),
        "delta": Place(source.gradient, source.width),
    }
