"""One moment of a run: all that can be seen of it at an iteration without moving it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradsim.engine.evaluation import evaluate, outputs_of
from gradsim.engine.observing import Observation, Seeds, observations
from gradsim.engine.precision import FLOAT32, FORMATS, rounded
from gradsim.engine.program import BACKPROPAGATION, LOSS, Choices, Statistics
from gradsim.engine.ready_network import Part, ReadyNetwork
from gradsim.engine.recording import iteration_trace
from gradsim.trace import IterationTrace


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Loss and accuracy over a whole part of the samples; accuracy is None for a regression."""

    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A network as it stands at an iteration; work buffers and the first row of ``statistics`` are overwritten.

    ``choices`` are those with which the run goes on.
    """

    network: ReadyNetwork
    iteration: int
    choices: Choices
    statistics: Statistics

    def record(self) -> IterationTrace:
        """Return forward, loss and backward pass with the present parameters, and the update that would follow."""
        network = self.network
        before = network.buffers.parameters.copy()
        counted = None
        if FORMATS[network.experiment.precision] != FLOAT32:
            # What a run stores, without the gradient of the inputs.
            network.rehearse(self.iteration, self.choices, self.statistics)
            counted = self.statistics.rounded[0].copy()
        with_inputs = self.choices._replace(input_gradient=1)
        working = network.rehearse(self.iteration, with_inputs, self.statistics)
        if counted is not None:
            self.statistics.rounded[0] = counted
        if working.noisy.size:  # the weights that the pass saw; running statistics are those before it
            for p in network.tape.parameters:
                before[p.part] = working.noisy[p.part]
        return iteration_trace(
            network.experiment,
            network.tape,
            network.program,
            working,
            before,
            self.statistics,
            self.iteration,
        )

    def loss(self) -> float:
        """Return the loss of the batch: a pass forward in training mode, and nothing else."""
        forward = self.choices._replace(measure=0, last_op=-1, method=BACKPROPAGATION)
        self.network.rehearse(self.iteration, forward, self.statistics)
        return float(self.statistics.scalars[0, LOSS])

    def jacobian(self, sample: int, first: str, last: str) -> NDArray[Any]:
        """Return ∂ output of layer ``last`` / ∂ input of ``first`` of one sample, shape (outputs, inputs)."""
        network = self.network
        if not 0 <= sample < network.tape.batch:
            raise ValueError(f"expected a row of the batch from 0 to {network.tape.batch - 1}, got {sample}")
        seeds = Seeds(network.tape, first, last)
        unmeasured = self.choices._replace(measure=0)
        rows = np.empty((seeds.outputs, seeds.inputs), network.buffers.work.dtype)
        for output in range(seeds.outputs):
            choices = seeds.choices(unmeasured, sample, output)
            working = network.rehearse(self.iteration, choices, self.statistics)
            rows[output] = seeds.gradient(working.work, sample)
        return rows

    def observed(self, part: Part) -> Iterator[Observation]:
        """Yield the tensors of each layer, batch after batch of a whole part, in evaluation mode."""
        samples, network = self.network.samples, self.network
        inputs = samples.training_inputs if part == "training" else samples.validation_inputs
        yield from observations(network.tape, network.program, network.buffers, self.choices, inputs)

    def outputs(self, inputs: ArrayLike) -> NDArray[Any]:
        """Return the activations of the head for some inputs, in evaluation mode."""
        network, samples = self.network, self.network.samples
        shape = samples.training_inputs.shape[1:]
        rows = rounded(np.asarray(inputs), network.experiment.precision).reshape(-1, *shape)
        target_shape = samples.training_targets.shape[1:]
        out = np.empty(len(rows) * int(np.prod(target_shape)), network.buffers.work.dtype)
        outputs_of(self.choices, network.program, network.buffers, rows.ravel(), out)
        return out.reshape(len(rows), *target_shape)

    def evaluate(self, part: Part) -> Evaluation:
        """Return loss and accuracy over a whole part, in evaluation mode; NaN loss where it is empty."""
        network = self.network
        samples = network.parts[part]
        if len(samples.inputs) == 0:
            return Evaluation(float("nan"), None)
        loss, correct = evaluate(self.choices, network.program, network.buffers, samples)
        return Evaluation(float(loss), None if network.samples.task == "regression" else float(correct))
