"""Training from the terminal: with a progress bar, and with Ctrl+C as a wish to stop, not as an accident."""

from __future__ import annotations

import signal
import threading
import time
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
        Shows the compilation; where it draws no bar it tells its beginning and its end.
    """
    from gradsim.engine import is_prepared, prepare

    if is_prepared(precision):
        return
    started = time.perf_counter()
    compiles = False

    def show(what: str, share: float) -> None:
        """Draw the bar; what is loaded from the cache is not told here at all."""
        nonlocal compiles
        if not compiles and what != "ready":
            compiles = True
            progress.tell(
                f"Compiling the engine for {precision}, once only: this takes about a minute on two cores."
            )
        progress.show("Compiling, once only", share, what)

    with progress:
        prepare(precision, show)
    if compiles:
        progress.tell(f"Compiled in {time.perf_counter() - started:.0f} s.")


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
