"""``--beside``: the same network from the same weights, trained by another method for the same cost."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import Failure
from gradsim.cli.table import scientific
from gradsim.cli.training import stop_wish

if TYPE_CHECKING:
    from gradsim.analysis.beside import Beside
    from gradsim.cli.progress import Progress
    from gradsim.cli.source import Source
    from gradsim.cli.terminal import Terminal
    from gradsim.spec import Experiment
    from gradsim.trace import History, IterationTrace

_READABLE = 100


def check_beside(experiment: Experiment, method: str | None) -> None:
    """Refuse to put a method beside itself, before anything is trained.

    Parameters
    ----------
    experiment : Experiment
        What is trained.
    method : str or None
        ``--beside``; None where nothing is to stand beside it.

    Raises
    ------
    Failure
        If the experiment is trained so itself.
    """
    from gradsim.spec import kind_of

    if method is not None and kind_of(experiment.training.method) == method:
        raise Failure(f"--beside {method}: the experiment is trained by {method} itself")


def trained_beside_it(trace: IterationTrace, source: Source, progress: Progress) -> Beside:
    """Train the same network by backpropagation for what a run has cost.

    Parameters
    ----------
    trace : IterationTrace
        Of the run, at its end.
    source : Source
        Where the experiment came from.
    progress : Progress
        Shows how far it is.

    Returns
    -------
    Beside
        Not finished where Ctrl+C ended it.
    """
    from gradsim.analysis.beside import trained_beside
    from gradsim.engine import Simulator

    with stop_wish() as wish, progress:
        return trained_beside(
            trace,
            lambda experiment: Simulator(experiment, source.directory),
            should_stop=wish.is_set,
            progress=lambda words, share: progress.show("Training", share, words.removeprefix("Training ")),
        )


def beside_document(beside: Beside, history: History) -> dict[str, Any]:
    """Return the comparison as plain values.

    Parameters
    ----------
    beside : Beside
        The other run.
    history : History
        Of the run itself.

    Returns
    -------
    dict
        Method, iterations, cost of both in floating-point operations, and both courses of the loss.
    """
    from gradsim.spec import kind_of

    return {
        "method": kind_of(beside.trace.experiment.training.method),
        "iterations": beside.trace.iteration,
        "finished": beside.finished,
        "operations": beside.cost,
        "operations_beside": beside.cost_beside,
        "loss": beside.trace.loss,
        "course": {"iterations": history.iterations.tolist(), "loss": history.loss.tolist()},
        "course_beside": {
            "iterations": beside.history.iterations.tolist(),
            "loss": beside.history.loss.tolist(),
        },
    }


def print_beside(beside: Beside, trace: IterationTrace, terminal: Terminal) -> None:
    """Print what both have reached for the same cost.

    Parameters
    ----------
    beside : Beside
        The other run.
    trace : IterationTrace
        The last pass of the run itself.
    terminal : Terminal
        Where to print.
    """
    from gradsim.spec import kind_of

    own = kind_of(trace.experiment.training.method)
    other = kind_of(beside.trace.experiment.training.method)
    text = (
        f"For the same cost, from the same weights: {own} {scientific(trace.loss)} after "
        f"{trace.iteration:,} iterations ({scientific(beside.cost)} FLOP); {other} "
        f"{scientific(beside.trace.loss)} after {beside.trace.iteration:,} "
        f"({scientific(beside.cost_beside)} FLOP). Loss of the last batch."
    )
    terminal.write()
    for line in textwrap.wrap(text, min(terminal.width or _READABLE, _READABLE)):
        terminal.write(terminal.text(line))
