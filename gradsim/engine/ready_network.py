"""A network ready to run: the tape, program and buffers of one experiment, and the calls of the machine on them.

It knows no history and no way back: at which iteration it stands is said by whoever calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradsim.data import prepare_samples
from gradsim.engine.buffers import allocate_buffers, program_of, samples_of
from gradsim.engine.checkpoints import Checkpoint
from gradsim.engine.machine import run_iterations
from gradsim.engine.precision import rounded, storage_type
from gradsim.engine.processes import compile_once
from gradsim.engine.program import Buffers, Choices, Samples, Statistics
from gradsim.engine.settings import amounts_of, choices_of
from gradsim.engine.tape import Tape, batch_rows, tape_bytes
from gradsim.engine.writing import compile_network
from gradsim.spec import Experiment, SpecError
from gradsim.trace import SampleSet

Part = Literal["training", "validation"]


class ReadyNetwork:
    """The compiled network of an experiment with buffers of its own, which every run of it overwrites.

    Parameters
    ----------
    experiment : Experiment
        What is run.
    samples : SampleSet
        Its samples.
    parts : mapping from {"training", "validation"} to Samples, or None
        The same samples as the machine reads them, where another network of the same run has them already.

    Raises
    ------
    SpecError
        If the network does not fit the samples.
    """

    def __init__(
        self, experiment: Experiment, samples: SampleSet, parts: Mapping[Part, Samples] | None = None
    ) -> None:
        compile_once(storage_type(experiment.precision).name)
        self.experiment = experiment
        self.samples = samples
        self.tape = tape_of(experiment, samples)
        self.program = program_of(experiment, self.tape)
        self.buffers = allocate_buffers(experiment, self.tape, samples)
        self.parts = parts if parts is not None else _parts_of(experiment, samples)

    def with_settings_of(self, experiment: Experiment) -> ReadyNetwork:
        """Return the same network ready for other training settings; its parameters are not set yet."""
        return ReadyNetwork(experiment, self.samples, self.parts)

    @property
    def numbers(self) -> int:
        """How many numbers one iteration handles."""
        return self.tape.work_size + self.tape.parameter_size

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters and running statistics by name."""
        flat = self.buffers.parameters
        stored = (*self.tape.parameters, *self.tape.states)
        return {p.name: flat[p.part].reshape(p.shape).copy() for p in stored}

    def write_parameters(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Set some or all parameters by name, all of them or, where one is refused, none."""
        known = {p.name: p for p in (*self.tape.parameters, *self.tape.states)}
        arrays: dict[str, NDArray[Any]] = {}
        for name, values in parameters.items():
            if name not in known:
                raise SpecError(name, f"no such parameter; the network has {', '.join(known)}")
            arrays[name] = rounded(np.asarray(values), self.experiment.precision)
            if arrays[name].shape != known[name].shape:
                raise SpecError(name, f"expected the shape {known[name].shape}, got {arrays[name].shape}")
        for name, array in arrays.items():
            self.buffers.parameters[known[name].part] = array.ravel()

    def checkpoint(self, iteration: int) -> Checkpoint:
        """Return a copy of all that the next iteration depends on."""
        b = self.buffers
        return Checkpoint(
            iteration, b.parameters.copy(), b.moment_1.copy(), b.moment_2.copy(), b.scaling.copy()
        )

    def load(self, checkpoint: Checkpoint) -> None:
        """Go back to what a checkpoint holds."""
        b = self.buffers
        b.parameters[:] = checkpoint.parameters
        b.moment_1[:] = checkpoint.moment_1
        b.moment_2[:] = checkpoint.moment_2
        b.scaling[:] = checkpoint.scaling

    def choices(self, optimizer_start: int, histogram_every: int) -> Choices:
        """Return the whole-number settings of a run whose optimizer had no memory at ``optimizer_start``."""
        return choices_of(
            self.experiment,
            self.samples,
            self.tape,
            optimizer_start=optimizer_start,
            histogram_every=histogram_every,
        )

    def run(self, iteration: int, count: int, choices: Choices, statistics: Statistics) -> tuple[int, int]:
        """Train from an iteration on; return how many frames of histograms and of validation were written."""
        return self._run(iteration, count, choices, self.buffers, self.parts["validation"], statistics)

    def rehearse(self, iteration: int, choices: Choices, statistics: Statistics) -> Buffers:
        """Run one iteration on copies of what it would change; return the buffers it went through."""
        b = self.buffers
        working = b._replace(
            parameters=b.parameters.copy(),
            moment_1=b.moment_1.copy(),
            moment_2=b.moment_2.copy(),
            scaling=b.scaling.copy(),
        )
        validation = self.parts["validation"]
        nothing = validation._replace(
            inputs=validation.inputs[:0], targets=validation.targets[:0], classes=validation.classes[:0]
        )
        self._run(iteration, 1, choices, working, nothing, statistics)
        return working

    def _run(
        self,
        iteration: int,
        count: int,
        choices: Choices,
        buffers: Buffers,
        validation: Samples,
        statistics: Statistics,
    ) -> tuple[int, int]:
        frames: tuple[int, int] = run_iterations(
            iteration,
            count,
            choices,
            amounts_of(self.experiment),
            self.program,
            buffers,
            self.parts["training"],
            validation,
            statistics,
        )
        return frames


def _parts_of(experiment: Experiment, samples: SampleSet) -> dict[Part, Samples]:
    s, precision = samples, experiment.precision
    return {
        "training": samples_of(precision, s.training_inputs, s.training_targets, s.training_classes),
        "validation": samples_of(precision, s.validation_inputs, s.validation_targets, s.validation_classes),
    }


def tape_of(experiment: Experiment, samples: SampleSet) -> Tape:
    """Return the compiled network of an experiment, or say why it does not fit the samples."""
    tape = compile_network(
        experiment, samples.features, samples.outputs, batch_rows(experiment, samples), samples.steps
    )
    if tape.layers[-1].steps != samples.target_steps:
        raise SpecError(
            "$.network.layers",
            f"expected a network that answers at {samples.target_steps} time step(s), as the data ask, got one "
            f"that answers at {tape.layers[-1].steps}",
        )
    return tape


def needed_bytes(experiment: Experiment) -> int:
    """Return the bytes that the buffers of an experiment need, without allocating them.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.

    Returns
    -------
    int
        With one recorded iteration; statistics of the run come to that.

    Raises
    ------
    SpecError
        As ``Simulator`` does.
    """
    return tape_bytes(tape_of(experiment, prepare_samples(experiment)), experiment)
