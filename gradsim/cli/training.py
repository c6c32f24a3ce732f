"""Training from the terminal: with a progress bar, and with Ctrl+C as a wish to stop, not as an accident."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradsim.cli.source import refusal

if TYPE_CHECKING:
    from types import FrameType

    from gradsim.cli.progress import Progress
    from gradsim.cli.source import Source
    from gradsim.engine import Simulator


def prepared_simulator(source: Source, progress: Progress) -> Simulator:
    """Return a simulator whose machine is compiled.

    Parameters
    ----------
    source : Source
        The experiment and where its files are.
    progress : Progress
        Shows the compilation, which happens once per installation.

    Returns
    -------
    Simulator
        At iteration 0.

    Raises
    ------
    Failure
        If the network cannot be built on these data, or would not fit into memory.
    """
    from gradsim.engine import Simulator
    from gradsim.spec import SpecError

    try:
        simulator = Simulator(source.experiment, source.directory)
    except SpecError as error:
        raise refusal(error, source.label) from None
    prepare_engine(source.experiment.precision, progress)
    return simulator


def prepare_engine(precision: str, progress: Progress) -> None:
    """Compile the machine where it is not yet.

    Parameters
    ----------
    precision : str
        Of the experiments to come.
    progress : Progress
        Shows the compilation.
    """
    from gradsim.engine import is_prepared, prepare

    if not is_prepared(precision):
        with progress:
            prepare(precision, lambda what, share: progress.show("Compiling, once only", share, what))


def train(simulator: Simulator, iterations: int, progress: Progress) -> bool:
    """Train, and stop early but cleanly at Ctrl+C; a second Ctrl+C stops at once.

    Parameters
    ----------
    simulator : Simulator
        Goes on from where it is.
    iterations : int
        How many iterations.
    progress : Progress
        Shows how far it is.

    Returns
    -------
    bool
        False if it was stopped early.
    """
    if iterations == 0:
        return True
    first = simulator.iteration

    def publish(iteration: int) -> None:
        """Show how far it is."""
        done = iteration - first
        progress.show("Training", done / iterations, f"{done:,} of {iterations:,} iterations")

    with stop_wish() as wish, progress:
        simulator.advance(iterations, wish.is_set, publish)
    return simulator.iteration - first == iterations


@contextmanager
def stop_wish() -> Iterator[threading.Event]:
    """Turn the first Ctrl+C inside into an event; nothing is cut in the middle.

    Yields
    ------
    threading.Event
        Set once Ctrl+C was pressed.
    """
    wish = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wish  # only the main thread can hear signals
        return

    def hear(number: int, frame: FrameType | None) -> None:
        """Wish at the first signal, insist at the second."""
        if wish.is_set():
            raise KeyboardInterrupt
        wish.set()

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, before)
