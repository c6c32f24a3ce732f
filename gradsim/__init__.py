"""GradSim: why the gradient of a deep network vanishes or explodes, and what cures it.

The names of the Python interface, each imported when it is first asked for, so that ``gradsim --help`` and
the first frame of the window wait neither for NumPy nor for numba:

- ``load`` reads an experiment from a file,
- ``Experiment`` is that document as a value,
- ``Simulator`` trains it and records passes,
- ``IterationTrace`` is one recorded pass,
- ``analysis`` explains records: profile, cause, diagnosis.

Nothing is defined here but the version.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradsim import analysis
    from gradsim.engine import Simulator
    from gradsim.formats import load
    from gradsim.spec import Experiment
    from gradsim.trace import IterationTrace

__version__ = "0.1.0"

__all__ = ["Experiment", "IterationTrace", "Simulator", "__version__", "analysis", "load"]

_HOME_OF = {
    "Experiment": "gradsim.spec",
    "IterationTrace": "gradsim.trace",
    "Simulator": "gradsim.engine",
    "load": "gradsim.formats",
}


def __getattr__(name: str) -> Any:
    if name == "analysis":
        return import_module("gradsim.analysis")
    if name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value  # the next access no longer comes here
        return value
    raise AttributeError(f"module 'gradsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
