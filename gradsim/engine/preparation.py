"""Compiling the machine ahead of its first use, with progress, or loading it from the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from numba.core import event

from gradsim.engine.precision import storage_type
from gradsim.engine.processes import compile_once, mark_complete
from gradsim.engine.simulator import Simulator
from gradsim.spec import Experiment
from gradsim.spec.activation import Linear
from gradsim.spec.data import GaussianNoise
from gradsim.spec.network import Dense, Head, Network
from gradsim.spec.training import Training

FUNCTIONS = 217
"""How many names functions of one precision have, for the share that is done; a wrong number only bends the bar."""

_prepared: set[str] = set()


def is_prepared(precision: str) -> bool:
    """Return whether the machine for one precision is ready in this process.

    Parameters
    ----------
    precision : {"float32", "float64", "float16", "bfloat16"}
        Which machine; the two narrow ones run on that of float32.

    Returns
    -------
    bool
        True after ``prepare``.
    """
    return storage_type(precision).name in _prepared


def prepare(precision: str, progress: Callable[[str, float], None] | None = None) -> None:
    """Make the machine for one precision ready: load it from the cache, or compile it (once per machine).

    Compiling happens in processes of its own on every core, in this one only where none can be started; it takes
    most of a minute, so call it in a thread of its own.

    Parameters
    ----------
    precision : {"float32", "float64", "float16", "bfloat16"}
        Which machine; the two narrow ones run on that of float32.
    progress : callable or None
        Told what is being compiled and the share that is done, 0 to 1. If it raises, compiling ends.
    """
    precision = storage_type(precision).name
    if precision not in _prepared:
        names: set[str] = set()

        def report(name: str) -> None:
            names.add(name)
            if progress is not None:
                progress(f"compiling {name}", min(0.99, len(names) / FUNCTIONS))

        compile_once(precision, report)
        with reported(report):  # from the cache, or what could not be compiled elsewhere
            run_smallest(precision)
        mark_complete(precision)
        _prepared.add(precision)
    if progress is not None:
        progress("ready", 1.0)


def run_smallest(precision: str) -> None:
    """Let the machine do all that it can with the smallest network there is; this compiles or loads it.

    Parameters
    ----------
    precision : {"float32", "float64"}
        Which machine.
    """
    simulator = Simulator(_smallest(precision))
    simulator.advance(2)
    simulator.record()
    simulator.outputs(simulator.samples.training_inputs)
    simulator.evaluate("training")


def _smallest(precision: str) -> Experiment:
    base = Experiment(
        data=GaussianNoise(samples=4, features=2, outputs=1, validation=0.5),
        network=Network(layers=(Dense(units=2),), head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=2),
    )
    return msgspec.structs.replace(base, precision=precision)


@contextmanager
def reported(report: Callable[[str], None]) -> Iterator[None]:
    """While inside, the name of every function that numba begins to compile is told.

    Parameters
    ----------
    report : callable
        Told the name; may raise what is not an ordinary exception, which ends the compilation.

    Yields
    ------
    None
        Nothing.
    """

    class Listener(event.Listener):
        """Hands on the names."""

        def on_start(self, happening: Any) -> None:
            """Tell the name."""
            report(happening.data["dispatcher"].py_func.__name__)

        def on_end(self, happening: Any) -> None:
            """Say nothing."""

    registered = ("numba:compile", Listener())
    event.register(*registered)
    try:
        yield
    finally:
        event.unregister(*registered)
