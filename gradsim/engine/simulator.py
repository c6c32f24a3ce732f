"""The simulator: an experiment that can be run, looked at, rewound and steered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray

from gradsim.data import prepare_samples
from gradsim.data.parameter_files import load_parameters
from gradsim.engine.buffers import allocate_statistics, first_loss_scale, initial_parameters
from gradsim.engine.checkpoints import Checkpoint
from gradsim.engine.course import Course, Stretch, can_follow
from gradsim.engine.history_store import HistoryStore
from gradsim.engine.moment import Evaluation, Moment
from gradsim.engine.observing import Observation
from gradsim.engine.precision import FLOAT32, FORMATS
from gradsim.engine.program import Choices
from gradsim.engine.ready_network import Part, ReadyNetwork
from gradsim.engine.tape import tensor_sizes
from gradsim.spec import Experiment, SpecError, kind_of
from gradsim.trace import History, IterationTrace

CALL_SECONDS = 0.012
"""How long one call of the machine should last: short enough to be stopped at once and to publish often."""


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
        self._network = ReadyNetwork(experiment, self.samples)
        self.layer_names = tuple(layer.name for layer in self._network.tape.layers)
        self._statistics = allocate_statistics(len(self.layer_names))
        self._history = self._new_history()
        self._call_size = 1
        self.iteration = 0
        self._network.buffers.parameters[:] = initial_parameters(experiment, self._network.tape)
        if experiment.parameters is not None:
            given = load_parameters((directory or Path()) / experiment.parameters)
            self._network.write_parameters(given)
        self._course = Course(experiment, self._network.checkpoint(0), self._network.numbers)

    @property
    def experiment(self) -> Experiment:
        """What is run at the present iteration."""
        return self._network.experiment

    @property
    def reached(self) -> int:
        """The furthest iteration so far; the history ends before it."""
        return self._course.reached

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters and running statistics.

        Returns
        -------
        dict of str to ndarray
            By name such as ``dense_1.weight``, in the precision of the experiment.
        """
        return self._network.parameters()

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
        self._network.write_parameters(parameters)
        self._branch(self._course.stretch(self.iteration).optimizer_start)

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
        network = self._network
        network.write_parameters(parameters)
        b = network.buffers
        b.moment_1[:], b.moment_2[:] = 0, 0
        b.scaling[:] = first_loss_scale(network.experiment) if loss_scale is None else loss_scale, 0
        self.iteration = iteration
        self._history = self._new_history()
        self._course = Course(network.experiment, network.checkpoint(iteration), network.numbers)

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
        return can_follow(self.experiment, experiment)

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
        old, optimizer_start = self._network, self.iteration
        network = old.with_settings_of(experiment)
        network.buffers.parameters[:] = old.buffers.parameters
        if kind_of(old.experiment.training.optimizer) == kind_of(experiment.training.optimizer):
            network.buffers.moment_1[:] = old.buffers.moment_1
            network.buffers.moment_2[:] = old.buffers.moment_2
            optimizer_start = self._course.stretch(self.iteration).optimizer_start
        self._network = network
        self._branch(optimizer_start)

    def record(self) -> IterationTrace:
        """Return the whole of the present iteration; nothing is updated.

        Returns
        -------
        IterationTrace
            Forward, loss and backward with the present parameters, and the update that would follow.
        """
        return self._moment().record()

    def loss(self) -> float:
        """Return the loss of the present batch: a pass forward in training mode, and nothing else.

        Returns
        -------
        float
            As in the record of the present iteration, to the same bits.
        """
        return self._moment().loss()

    def observed(self, part: Part = "training") -> Iterator[Observation]:
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
        yield from self._moment().observed(part)

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
        return self._moment().jacobian(sample, first, last)

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
        if iteration < self._course.start:
            raise ValueError(f"expected an iteration from {self._course.start} on, got {iteration}")
        keyframe = self._course.keyframe_for(iteration, self.iteration)
        if keyframe is not None:
            self._take_up(self._course.stretch(keyframe.iteration), keyframe)
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
        return self._moment().outputs(inputs)

    def evaluate(self, part: Part = "validation") -> Evaluation:
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
        return self._moment().evaluate(part)

    def _moment(self) -> Moment:
        stretch = self._course.stretch(self.iteration)
        return Moment(self._network, self.iteration, self._choices(stretch), self._statistics)

    def _choices(self, stretch: Stretch) -> Choices:
        return self._network.choices(stretch.optimizer_start, self._history.histogram_stride)

    def _new_history(self) -> HistoryStore:
        is_narrow = FORMATS[self.experiment.precision] != FLOAT32
        return HistoryStore(self.layer_names, tensor_sizes(self._network.tape), counts_rounding=is_narrow)

    def _call(self, end: int) -> None:
        """Run the machine once, at most to ``end`` and to where the course wants a stop."""
        course, start = self._course, self.iteration
        stretch = course.stretch(start)
        room = min(self._call_size, len(self._statistics.values))
        count = min(end, course.next_stop(start), start + room) - start
        began = time.perf_counter()
        frames, validations = self._network.run(start, count, self._choices(stretch), self._statistics)
        each = (time.perf_counter() - began) / count
        self._call_size = max(1, min(2 * self._call_size, int(CALL_SECONDS / max(each, 1e-7))))
        if start >= course.reached:
            self._history.append(start, count, self._statistics, frames, validations)
        self.iteration = start + count
        course.reached = max(course.reached, self.iteration)
        following = course.stretch(self.iteration)
        if following is not stretch:
            assert following.state is not None
            self._take_up(following, following.state)
        if course.wants_keyframe(self.iteration):
            course.keep(self._network.checkpoint(self.iteration))

    def _take_up(self, stretch: Stretch, state: Checkpoint) -> None:
        """Stand where a checkpoint was taken, or where a stretch begins."""
        if stretch.experiment is not self.experiment:
            self._network = self._network.with_settings_of(stretch.experiment)
        self.iteration = state.iteration
        self._network.load(state)

    def _branch(self, optimizer_start: int) -> None:
        """From the present iteration on the run goes another way."""
        self._course.branch(self.experiment, optimizer_start, self._network.checkpoint(self.iteration))
        self._history.cut(self.iteration)
