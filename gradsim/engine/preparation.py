"""Compiling the machine ahead of its first use, with progress, or loading it from the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gradsim.engine.precision import storage_type
from gradsim.engine.simulator import Simulator
from gradsim.spec import Experiment
from gradsim.spec.activation import Linear
from gradsim.spec.data import GaussianNoise
from gradsim.spec.network import Dense, Head, Network
from gradsim.spec.training import Training

FUNCTIONS = 332
"""How many functions one precision compiles, for the share that is done; a wrong number only bends the bar."""

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

    Compiling leaves other threads mostly alone, so call it in a thread of its own.

    Parameters
    ----------
    precision : {"float32", "float64", "float16", "bfloat16"}
        Which machine; the two narrow ones run on that of float32.
    progress : callable or None
        Told what is being compiled and the share that is done, 0 to 1.
    """
    precision = storage_type(precision).name
    if precision not in _prepared:
        with _reported(progress):
            experiment = _smallest(precision)
            simulator = Simulator(experiment)
            simulator.advance(2)
            simulator.record()
            simulator.outputs(simulator.samples.training_inputs)
            simulator.evaluate("training")
        _prepared.add(precision)
    if progress is not None:
        progress("ready", 1.0)


def _smallest(precision: str) -> Experiment:
    base = Experiment(
        data=GaussianNoise(samples=4, features=2, outputs=1, validation=0.5),
        network=Network(layers=(Dense(units=2),), head=Head(activation=Linear())),
        training=Training(loss="mse", batch_size=2),
    )
    return msgspec.structs.replace(base, precision=precision)


class _reported:
    """While inside, every function that numba compiles is told to ``progress``."""

    def __init__(self, progress: Callable[[str, float], None] | None) -> None:
        self._progress = progress
        self._done = 0
        self._registered: Any = None

    def __enter__(self) -> None:
        from numba.core import event

        if self._progress is None:
            return
        reporter = self

        class Listener(event.Listener):
            def on_start(self, happening: Any) -> None:
                name = happening.data["dispatcher"].py_func.__name__
                assert reporter._progress is not None
                reporter._progress(f"compiling {name}", min(0.99, reporter._done / FUNCTIONS))

            def on_end(self, happening: Any) -> None:
                reporter._done += 1

        self._registered = ("numba:compile", Listener())
        event.register(*self._registered)

    def __exit__(self, *exception: object) -> None:
        from numba.core import event

        if self._registered is not None:
            event.unregister(*self._registered)
