"""The simulator: an experiment that can be run, looked at, rewound and steered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradsim.data import prepare_samples
from gradsim.data.parameter_files import load_parameters
from gradsim.engine.buffers import (
    allocate_buffers,
    allocate_statistics,
    initial_parameters,
    program_of,
    samples_of,
)
from gradsim.engine.checkpoints import Checkpoint, Checkpoints
from gradsim.engine.evaluation import evaluate, outputs_of
from gradsim.engine.history_store import HistoryStore
from gradsim.engine.machine import run_iterations
from gradsim.engine.observing import Observation, Seeds, observations
from gradsim.engine.precision import FLOAT32, FORMATS, rounded
from gradsim.engine.program import BACKPROPAGATION, LOSS, Buffers, Choices
from gradsim.engine.recording import iteration_trace
from gradsim.engine.settings import amounts_of, choices_of
from gradsim.engine.tape import Tape, batch_rows, tape_bytes, tensor_sizes
from gradsim.engine.writing import compile_network
from gradsim.spec import Experiment, SpecError, kind_of
from gradsim.spec.method import Pretraining
from gradsim.trace import History, IterationTrace, SampleSet

CALL_SECONDS = 0.012
"""How long one call of the machine should last: short enough to be stopped at once and to publish often."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Loss and accuracy over a whole part of the samples; accuracy is None for a regression."""

    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Iterations from ``start`` on that run under one experiment; ``state`` only where it was set by hand."""

    start: int
    experiment: Experiment
    optimizer_start: int
    state: Checkpoint | None


class Simulator:
    """Trains the network of an experiment, and records any iteration.

    Nothing is compiled when the network changes. The same experiment gives the same bits, however its
    iterations are cut into calls.

    Parameters
    ----------
    experiment : Experiment
        What to run.
    directory : Path or None
        Where the file of initial parameters is looked for, usually the folder of the experiment.

    Raises
    ------
    SpecError
        If the data cannot be made, the network would not fit, or the given parameters do not.
    """

    def __init__(self, experiment: Experiment, directory: Path | None = None) -> None:
        self.samples = prepare_samples(experiment)
        self._tape = _compiled(experiment, self.samples)
        self.layer_names = tuple(layer.name for layer in self._tape.layers)
        self._program = program_of(experiment, self._tape)
        self._buffers = allocate_buffers(experiment, self._tape, self.samples)
        s = self.samples
        self._training = samples_of(
            experiment.precision, s.training_inputs, s.training_targets, s.training_classes
        )
        self._validation = samples_of(
            experiment.precision, s.validation_inputs, s.validation_targets, s.validation_classes
        )
        self._statistics = allocate_statistics(len(self._tape.layers))
        self._precision = experiment.precision
        self._history = self._new_history()
        self._call_size = 1
        self.iteration = self._start = 0
        self._reached = 0
        self._buffers.parameters[:] = initial_parameters(experiment, self._tape)
        if experiment.parameters is not None:
            self._write_parameters(load_parameters((directory or Path()) / experiment.parameters))
        self._stretches = [_Stretch(0, experiment, 0, None)]
        self._checkpoints = Checkpoints(self._checkpoint(), self._tape.work_size + self._tape.parameter_size)

    @property
    def experiment(self) -> Experiment:
        """What is run at the present iteration."""
        return self._stretch(self.iteration).experiment

    @property
    def reached(self) -> int:
        """The furthest iteration so far; the history ends before it."""
        return self._reached

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters and running statistics.

        Returns
        -------
        dict of str to ndarray
            By name such as ``dense_1.weight``, in the precision of the experiment.
        """
        flat = self._buffers.parameters
        stored = (*self._tape.parameters, *self._tape.states)
        return {p.name: flat[p.part].reshape(p.shape).copy() for p in stored}

    def load_parameters(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Set some or all parameters from here on; later iterations of the run are forgotten.

        Parameters
        ----------
        parameters : mapping from str to array
            By name such as ``dense_1.weight``; what is not named stays.

        Raises
        ------
        SpecError
            For a name that the network does not have or a wrong shape; nothing is changed then.
        """
        self._write_parameters(parameters)
        stretch = self._stretch(self.iteration)
        self._branch(stretch.experiment, stretch.optimizer_start, pinned=True)

    def stand_at(
        self, iteration: int, parameters: Mapping[str, ArrayLike], loss_scale: float | None = None
    ) -> None:
        """Stand at an iteration with given parameters, without having trained there.

        The pass recorded there is, bit for bit, that of a run that has come there with these parameters; its
        optimizer has no memory yet. History begins here, and what lies before cannot be sought.

        Parameters
        ----------
        iteration : int
            Number of updates made before it.
        parameters : mapping from str to array
            By name such as ``dense_1.weight``, running statistics too; what is not named stays.
        loss_scale : float or None
            A dynamic scale as it stands there; None for the first one.

        Raises
        ------
        ValueError
            If the iteration is negative.
        SpecError
            As ``load_parameters`` does.
        """
        if iteration < 0:
            raise ValueError(f"expected an iteration from 0 on, got {iteration}")
        self._write_parameters(parameters)
        experiment = self.experiment
        b = self._buffers
        b.moment_1[:], b.moment_2[:] = 0, 0
        if loss_scale is not None:
            b.scaling[:] = loss_scale, 0
        self.iteration = self._reached = self._start = iteration
        self._history = self._new_history()
        self._stretches = [_Stretch(0, experiment, iteration, None)]
        size = self._tape.work_size + self._tape.parameter_size
        self._checkpoints = Checkpoints(self._checkpoint(), size)

    def can_continue(self, experiment: Experiment) -> bool:
        """Whether an experiment differs only in how the parameters move from here on.

        Parameters
        ----------
        experiment : Experiment
            The edited experiment.

        Returns
        -------
        bool
            False where network, data, seed, precision, the shape of the outputs, the batch size or the phases of
            pretraining changed: such a run starts again.
        """
        now, new = self.experiment, experiment
        same_shape = now.training.batch_size == new.training.batch_size and (
            now.training.loss == "binary_cross_entropy"
        ) == (new.training.loss == "binary_cross_entropy")
        # Phases count from the start of a run, and have parameters of their own.
        pretrained = [e.training.method for e in (now, new) if isinstance(e.training.method, Pretraining)]
        same_shape = same_shape and (not pretrained or now.training.method == new.training.method)
        return same_shape and msgspec.structs.replace(new, training=now.training, name=now.name) == now

    def change_training(self, experiment: Experiment) -> None:
        """Go on from the present iteration with other training settings.

        Running means of the optimizer are kept where it stays of the same kind, else they start anew.

        Parameters
        ----------
        experiment : Experiment
            One for which ``can_continue`` holds.

        Raises
        ------
        SpecError
            If it asks for more than other training settings.
        """
        if not self.can_continue(experiment):
            raise SpecError("$", "expected only other training settings; this change needs a new run")
        before = self._stretch(self.iteration)
        old = self._buffers
        tape = _compiled(experiment, self.samples)
        buffers = allocate_buffers(experiment, tape, self.samples)
        buffers.parameters[:] = old.parameters
        optimizer_start = self.iteration
        if kind_of(before.experiment.training.optimizer) == kind_of(experiment.training.optimizer):
            buffers.moment_1[:] = old.moment_1
            buffers.moment_2[:] = old.moment_2
            optimizer_start = before.optimizer_start
        self._tape, self._buffers, self._program = tape, buffers, program_of(experiment, tape)
        self._branch(experiment, optimizer_start, pinned=True)

    def record(self) -> IterationTrace:
        """Return the whole of the present iteration; nothing is updated.

        Returns
        -------
        IterationTrace
            Forward, loss and backward with the present parameters, and the update that would follow.
        """
        stretch = self._stretch(self.iteration)
        before = self._buffers.parameters.copy()
        counted = None
        if FORMATS[self._precision] != FLOAT32:  # what a run stores, without the gradient of the inputs
            self._run_once(self._choices(stretch))
            counted = self._statistics.rounded[0].copy()
        working = self._run_once(self._choices(stretch, input_gradient=True))
        if counted is not None:
            self._statistics.rounded[0] = counted
        if working.noisy.size:  # the weights that the pass saw; running statistics are those before it
            for p in self._tape.parameters:
                before[p.part] = working.noisy[p.part]
        return iteration_trace(
            stretch.experiment, self._tape, self._program, working, before, self._statistics, self.iteration
        )

    def _run_once(self, choices: Choices) -> Buffers:
        """Run the present iteration on copies of what it would change; return the buffers it went through."""
        b = self._buffers
        working = b._replace(
            parameters=b.parameters.copy(),
            moment_1=b.moment_1.copy(),
            moment_2=b.moment_2.copy(),
            scaling=b.scaling.copy(),
        )
        nothing = self._validation._replace(
            inputs=self._validation.inputs[:0],
            targets=self._validation.targets[:0],
            classes=self._validation.classes[:0],
        )
        amounts = amounts_of(self._stretch(self.iteration).experiment)
        run_iterations(
            self.iteration,
            1,
            choices,
            amounts,
            self._program,
            working,
            self._training,
            nothing,
            self._statistics,
        )
        return working

    def loss(self) -> float:
        """Return the loss of the present batch: a pass forward in training mode, and nothing else.

        Returns
        -------
        float
            As in the record of the present iteration, to the same bits.
        """
        choices = self._choices(self._stretch(self.iteration))
        self._run_once(choices._replace(measure=0, last_op=-1, method=BACKPROPAGATION))
        return float(self._statistics.scalars[0, LOSS])

    def observed(self, part: Literal["training", "validation"] = "training") -> Iterator[Observation]:
        """Run a whole part of the samples forwards in evaluation mode, batch after batch.

        Parameters
        ----------
        part : {"training", "validation"}
            Which part.

        Yields
        ------
        dict of str to dict of str to ndarray
            Of each layer by name the tensors of the pass forward (``input``, ``pre_activation``, ``slope``,
            ``activation``, ``output`` …) for the samples of one batch, shapes as in a record.
        """
        inputs = self.samples.training_inputs if part == "training" else self.samples.validation_inputs
        choices = self._choices(self._stretch(self.iteration))
        yield from observations(self._tape, self._program, self._buffers, choices, inputs)

    def jacobian(self, sample: int, first: str, last: str) -> NDArray[Any]:
        """Return ∂ output of one layer / ∂ input of another, of one sample of the present batch.

        Real passes backwards, one for each output, in training mode: where normalization ties the samples of
        a batch together, the others stay as they are.

        Parameters
        ----------
        sample : int
            Row of the batch.
        first, last : str
            Names of layers: from the input of ``first`` to the output of ``last``, of the head its logits.

        Returns
        -------
        ndarray, shape (outputs, inputs)
            In the precision of the experiment; of a sequence time step after time step.

        Raises
        ------
        ValueError
            For a sample that is not in the batch, unknown layers, layers in the wrong order, or one inside a
            residual block and the other outside.
        """
        if not 0 <= sample < self._tape.batch:
            raise ValueError(f"expected a row of the batch from 0 to {self._tape.batch - 1}, got {sample}")
        seeds = Seeds(self._tape, first, last)
        choices = self._choices(self._stretch(self.iteration))._replace(measure=0)
        rows = np.empty((seeds.outputs, seeds.inputs), self._buffers.work.dtype)
        for output in range(seeds.outputs):
            working = self._run_once(seeds.choices(choices, sample, output))
            rows[output] = seeds.gradient(working.work, sample)
        return rows

    def advance(
        self,
        iterations: int,
        should_stop: Callable[[], bool] | None = None,
        publish: Callable[[int], None] | None = None,
    ) -> int:
        """Train for some iterations in compiled code that leaves other threads alone.

        Parameters
        ----------
        iterations : int
            How many.
        should_stop : callable or None
            Asked every few milliseconds; True ends the training after whole iterations.
        publish : callable or None
            Told the present iteration every few milliseconds.

        Returns
        -------
        int
            How many iterations were done.
        """
        start, end = self.iteration, self.iteration + max(0, iterations)
        while self.iteration < end:
            if should_stop is not None and should_stop():
                break
            self._call(end)
            if publish is not None:
                publish(self.iteration)
        return self.iteration - start

    def seek(self, iteration: int) -> None:
        """Go to any iteration, forwards or backwards, with the same bits as a run straight to it.

        Parameters
        ----------
        iteration : int
            Number of updates made before it; 0 is the start.

        Raises
        ------
        ValueError
            If it lies before the start.
        """
        if iteration < self._start:
            raise ValueError(f"expected an iteration from {self._start} on, got {iteration}")
        if iteration < self.iteration or self._checkpoints.before(iteration).iteration > self.iteration:
            self._restore(self._nearest(iteration))
        self.advance(iteration - self.iteration)

    def history(self) -> History:
        """Return the statistics of all iterations so far.

        Returns
        -------
        History
            Read-only; later training does not change it.
        """
        return self._history.snapshot()

    def outputs(self, inputs: ArrayLike) -> NDArray[Any]:
        """Return the activations of the head in evaluation mode.

        Parameters
        ----------
        inputs : array, shape (samples, features)
            Scaled as the training inputs are.

        Returns
        -------
        ndarray, shape (samples, outputs)
            In the precision of the experiment.
        """
        dtype = self._buffers.work.dtype
        shape = self.samples.training_inputs.shape[1:]
        rows = rounded(np.asarray(inputs), self._precision).reshape(-1, *shape)
        target_shape = self.samples.training_targets.shape[1:]
        out = np.empty(len(rows) * int(np.prod(target_shape)), dtype)
        outputs_of(
            self._choices(self._stretch(self.iteration)), self._program, self._buffers, rows.ravel(), out
        )
        return out.reshape(len(rows), *target_shape)

    def evaluate(self, part: Literal["training", "validation"] = "validation") -> Evaluation:
        """Return loss and accuracy over a whole part of the samples, in evaluation mode.

        Parameters
        ----------
        part : {"training", "validation"}
            Which part.

        Returns
        -------
        Evaluation
            NaN loss where the part is empty.
        """
        samples = self._training if part == "training" else self._validation
        if len(samples.inputs) == 0:
            return Evaluation(float("nan"), None)
        loss, correct = evaluate(
            self._choices(self._stretch(self.iteration)), self._program, self._buffers, samples
        )
        return Evaluation(float(loss), None if self.samples.task == "regression" else float(correct))

    def _new_history(self) -> HistoryStore:
        is_narrow = FORMATS[self._precision] != FLOAT32
        return HistoryStore(self.layer_names, tensor_sizes(self._tape), counts_rounding=is_narrow)

    def _stretch(self, iteration: int) -> _Stretch:
        return next(s for s in reversed(self._stretches) if s.start <= iteration)

    def _choices(self, stretch: _Stretch, *, input_gradient: bool = False) -> Choices:
        return choices_of(
            stretch.experiment,
            self.samples,
            self._tape,
            optimizer_start=stretch.optimizer_start,
            input_gradient=input_gradient,
            histogram_every=self._history.histogram_stride,
        )

    def _call(self, end: int) -> None:
        """Run the machine once, at most to ``end``, a checkpoint, the next stretch or the known past's end."""
        stretch = self._stretch(self.iteration)
        stops = [end, self._checkpoints.next_due(self.iteration), self.iteration + self._call_size]
        stops += [s.start for s in self._stretches if s.start > self.iteration]
        if self.iteration < self._reached:
            stops.append(self._reached)
        count = min(*stops, self.iteration + len(self._statistics.values)) - self.iteration
        began = time.perf_counter()
        frames, validations = run_iterations(
            self.iteration,
            count,
            self._choices(stretch),
            amounts_of(stretch.experiment),
            self._program,
            self._buffers,
            self._training,
            self._validation,
            self._statistics,
        )
        each = (time.perf_counter() - began) / count
        self._call_size = max(1, min(2 * self._call_size, int(CALL_SECONDS / max(each, 1e-7))))
        if self.iteration >= self._reached:
            self._history.append(self.iteration, count, self._statistics, frames, validations)
        self.iteration += count
        self._reached = max(self._reached, self.iteration)
        following = self._stretch(self.iteration)
        if following is not stretch:
            self._enter(following)
        if self._checkpoints.wants(self.iteration):
            self._checkpoints.add(self._checkpoint())

    def _checkpoint(self) -> Checkpoint:
        b = self._buffers
        return Checkpoint(
            self.iteration, b.parameters.copy(), b.moment_1.copy(), b.moment_2.copy(), b.scaling.copy()
        )

    def _nearest(self, iteration: int) -> Checkpoint:
        stretch = self._stretch(iteration)
        checkpoint = self._checkpoints.before(iteration)
        if stretch.state is not None and stretch.start >= checkpoint.iteration:
            return stretch.state
        return checkpoint

    def _restore(self, checkpoint: Checkpoint) -> None:
        stretch = self._stretch(checkpoint.iteration)
        if stretch is not self._stretch(self.iteration):
            self._prepare(stretch)
        self.iteration = checkpoint.iteration
        self._load(checkpoint)

    def _enter(self, stretch: _Stretch) -> None:
        """Change over to a later stretch whose start has been reached."""
        assert stretch.state is not None
        self._prepare(stretch)
        self._load(stretch.state)

    def _load(self, checkpoint: Checkpoint) -> None:
        b = self._buffers
        b.parameters[:] = checkpoint.parameters
        b.moment_1[:] = checkpoint.moment_1
        b.moment_2[:] = checkpoint.moment_2
        b.scaling[:] = checkpoint.scaling

    def _prepare(self, stretch: _Stretch) -> None:
        s, experiment = self.samples, stretch.experiment
        self._tape = _compiled(experiment, s)
        self._program = program_of(experiment, self._tape)
        self._buffers = allocate_buffers(experiment, self._tape, s)

    def _branch(self, experiment: Experiment, optimizer_start: int, *, pinned: bool) -> None:
        """From the present iteration on the run goes another way: forget what came after it."""
        state = self._checkpoint() if pinned else None
        self._stretches = [s for s in self._stretches if s.start < self.iteration]
        self._stretches.append(_Stretch(self.iteration, experiment, optimizer_start, state))
        self._history.cut(self.iteration)
        self._reached = self.iteration
        self._checkpoints.cut(self.iteration - 1)

    def _write_parameters(self, parameters: Mapping[str, ArrayLike]) -> None:
        known = {p.name: p for p in (*self._tape.parameters, *self._tape.states)}
        arrays: dict[str, NDArray[Any]] = {}
        for name, values in parameters.items():
            if name not in known:
                raise SpecError(name, f"no such parameter; the network has {', '.join(known)}")
            arrays[name] = rounded(np.asarray(values), self._precision)
            if arrays[name].shape != known[name].shape:
                raise SpecError(name, f"expected the shape {known[name].shape}, got {arrays[name].shape}")
        for name, array in arrays.items():
            p = known[name]
            self._buffers.parameters[p.part] = array.ravel()


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
    return tape_bytes(_compiled(experiment, prepare_samples(experiment)), experiment)


def _compiled(experiment: Experiment, samples: SampleSet) -> Tape:
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
