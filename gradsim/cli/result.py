"""What a finished run in the terminal has found out: gathered once, told as text, JSON or CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradsim.cli.layers import LayerRow, layer_rows
from gradsim.cli.training import train

if TYPE_CHECKING:
    from gradsim.analysis import Profile
    from gradsim.cli.progress import Progress
    from gradsim.engine import Simulator
    from gradsim.spec import Experiment
    from gradsim.trace import History, IterationTrace, SampleSet


class Scores(NamedTuple):
    """Loss and accuracy over whole parts of the data, at one moment."""

    training_loss: float
    training_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None


class Breakdown(NamedTuple):
    """The first place where a value was NaN or infinite."""

    iteration: int
    layer: str
    tensor: str
    nans: int
    infs: int


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One run, told from its end.

    Attributes
    ----------
    experiment : Experiment
        What was asked for.
    samples : SampleSet
        What it was trained on.
    asked, iterations : int
        Iterations asked for, and done.
    parameter_count : int
        Numbers that training may change.
    before, after : Scores
        At iteration 0 and at the end.
    first, trace : IterationTrace
        The pass at iteration 0 and at the end.
    first_profile, profile : Profile
        Of these two passes.
    rows : tuple of LayerRow
        The layers at the end.
    history : History
        Statistics of the iterations done.
    """

    experiment: Experiment
    samples: SampleSet
    asked: int
    iterations: int
    parameter_count: int
    before: Scores
    after: Scores
    first: IterationTrace
    trace: IterationTrace
    first_profile: Profile
    profile: Profile
    rows: tuple[LayerRow, ...]
    history: History

    @property
    def interrupted(self) -> bool:
        """Whether fewer iterations were done than asked for."""
        return self.iterations < self.asked


def run_result(simulator: Simulator, iterations: int, progress: Progress) -> Result:
    """Train a simulator and gather what there is to tell.

    Parameters
    ----------
    simulator : Simulator
        At iteration 0.
    iterations : int
        How many to train.
    progress : Progress
        Shows how far it is.

    Returns
    -------
    Result
        Of as many iterations as were done before a Ctrl+C.
    """
    from gradsim.analysis import profile

    before, first = scores_of(simulator), simulator.record()
    train(simulator, iterations, progress)
    after, trace = scores_of(simulator), simulator.record()
    end = profile(trace)
    return Result(
        experiment=simulator.experiment,
        samples=simulator.samples,
        asked=iterations,
        iterations=simulator.iteration,
        parameter_count=sum(array.size for array in simulator.parameters().values()),
        before=before,
        after=after,
        first=first,
        trace=trace,
        first_profile=profile(first),
        profile=end,
        rows=layer_rows(trace, end),
        history=simulator.history(),
    )


def first_breakdown(result: Result) -> Breakdown | None:
    """Return where a value was first NaN or infinite.

    Parameters
    ----------
    result : Result
        A run.

    Returns
    -------
    Breakdown or None
        The first iteration on record, in it the first tensor in the order of the pass: forward from the
        input on, backward from the head on. None if every value was finite.
    """
    from gradsim.trace import COUNTS, TENSORS

    history = result.history
    counts = history.counts[..., [COUNTS.index("nans"), COUNTS.index("infs")]].astype(np.int64)
    bad = np.flatnonzero(counts.any(axis=(1, 2, 3)))
    order = _order_of_the_pass(len(history.layer_names))
    for record in bad:
        for layer, tensor in order:
            nans, infs = counts[record, layer, TENSORS.index(tensor)]
            if nans or infs:
                iteration = int(history.iterations[record])
                return Breakdown(iteration, history.layer_names[layer], tensor, int(nans), int(infs))
    for layer, tensor in order:  # the last pass itself is not in the history: nothing was updated after it
        statistics = result.trace.layers[layer].statistics.get(tensor)
        if statistics is not None and (statistics.nans or statistics.infs):
            name = result.trace.layers[layer].name
            return Breakdown(result.iterations, name, tensor, statistics.nans, statistics.infs)
    return None


def _order_of_the_pass(layers: int) -> list[tuple[int, str]]:
    """Pairs of layer and tensor in the order in which they come to be."""
    forward = [(i, name) for i in range(layers) for name in ("weight", "pre_activation", "activation")]
    backward = [
        (i, name)
        for i in reversed(range(layers))
        for name in ("activation_gradient", "delta", "weight_gradient")
    ]
    # A head fused with its loss needs no ∂L/∂a: where its activation underflows to 0 that is infinite and the
    # training goes on in good health. Without fusion a broken ∂L/∂a of the head breaks its delta too.
    backward.remove((layers - 1, "activation_gradient"))
    return [*forward, *backward, *((i, "update") for i in range(layers))]


def scores_of(simulator: Simulator) -> Scores:
    """Return loss and accuracy over whole parts of the data.

    Parameters
    ----------
    simulator : Simulator
        Where it stands.

    Returns
    -------
    Scores
        None for a validation part that is empty, and for an accuracy where nothing is classified.
    """
    training = simulator.evaluate("training")
    if not len(simulator.samples.validation_inputs):
        return Scores(training.loss, training.accuracy, None, None)
    validation = simulator.evaluate("validation")
    return Scores(training.loss, training.accuracy, validation.loss, validation.accuracy)
