"""What can be asked, and what helps to answer it: simulators, and one that stands where the window stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from gradsim.spec import Experiment, kind_of
from gradsim.trace import PARAMETER_TENSORS, IterationTrace, Run


class Overtaken(BaseException):
    """Nobody waits for the answer any more: numba and careful code hold back an ordinary exception."""


class Inquiry:
    """What a question may use to find its answer; everything here may be called in the thread only.

    Parameters
    ----------
    run : Run
        The run on screen when the question was asked.
    directory : Path or None
        The folder of its document, where a file of initial parameters is looked for.
    engine : callable
        Returns the engine.
    should_stop : callable, optional
        Whether the answer is no longer waited for.
    tell : callable, optional
        Takes words and a share from 0 to 1.
    """

    def __init__(
        self,
        run: Run,
        directory: Path | None,
        engine: Callable[[], Any],
        should_stop: Callable[[], bool] = lambda: False,
        tell: Callable[[str, float], None] = lambda words, share: None,
    ) -> None:
        self.run = run
        self.directory = directory
        self.should_stop = should_stop
        self._engine = engine
        self._tell = tell

    def progress(self, words: str, share: float) -> None:
        """Say how far the answer is; ends the question if nobody waits for it."""
        if self.should_stop():
            raise Overtaken
        self._tell(words, min(max(share, 0.0), 1.0))

    def simulator(self, experiment: Experiment) -> Any:
        """Return a fresh simulator of any experiment; ends the question if nobody waits for it."""
        if self.should_stop():
            raise Overtaken
        engine = self._engine()
        if not engine.is_prepared(experiment.precision):
            engine.prepare(experiment.precision, self.progress)
        return engine.Simulator(experiment, self.directory)

    def twin(self) -> Any:
        """Return a fresh simulator that stands where the run on screen stands, with the same parameters."""
        simulator = self.simulator(self.run.experiment)
        trace = self.run.trace
        # A dynamic scale that began anew might make infinite what is finite on screen.
        is_dynamic = kind_of(self.run.experiment.training.loss_scale) == "dynamic"
        loss_scale = trace.loss_scale if is_dynamic else None
        simulator.stand_at(trace.iteration, recorded_parameters(trace, simulator.parameters()), loss_scale)
        return simulator


def recorded_parameters(trace: IterationTrace, names: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """
    Return parameters and running statistics as a record holds them, before its update.

    Parameters
    ----------
    trace : IterationTrace
        The record.
    names : iterable of str
        What the network has, such as ``dense_1.weight``.

    Returns
    -------
    dict from str to ndarray
        By these names.
    """
    tensor_of = {last: tensor for tensor, last in PARAMETER_TENSORS.items()}
    layers = {layer.name: layer for layer in trace.layers}
    found = {}
    for name in names:
        layer, _, last = name.rpartition(".")
        found[name] = layers[layer][tensor_of.get(last, last)]
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that can be asked.

    Attributes
    ----------
    answer : callable
        Takes the inquiry and the options of the view, returns what the view is given.
    about : {"pass", "experiment"}
        What overtakes it: another pass on screen, or only another experiment.
    is_long : bool
        Whether it may take longer than a few seconds: other questions do not wait for it.
    """

    answer: Callable[[Inquiry, Any], Any]
    about: Literal["pass", "experiment"] = "pass"
    is_long: bool = False


def answer_now(question: Question, options: Any, run: Run, directory: Path | None = None) -> Any:
    """
    Answer a question at once, where no window waits.

    Parameters
    ----------
    question : Question
        What is asked.
    options : object
        Whatever it takes.
    run : Run
        What it is about.
    directory : Path or None
        The folder of its document.

    Returns
    -------
    object
        What a view would be given.
    """
    return question.answer(Inquiry(run, directory, lambda: import_module("gradsim.engine")), options)
