"""What runs in a process that compiles a part of the machine."""

from __future__ import annotations

import os
import sys
import threading

from gradsim.engine.parts import WHOLE, compile_part
from gradsim.engine.preparation import reported, run_smallest
from gradsim.engine.processes import compile_in_place

_NICENESS = 5  # the window comes first


def serve(precision: str, part: str) -> None:
    """Compile one part in this process, saying what is being compiled; end with the process that asked for it.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which machine.
    part : str
        One of ``PARTS``, or ``WHOLE``.
    """
    compile_in_place(precision)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    with reported(lambda name: print(name, flush=True)):
        if part == WHOLE:
            run_smallest(precision)
        else:
            compile_part(precision, part)


def _end_with_parent() -> None:
    sys.stdin.read()  # nothing is ever sent; the end of the file is the end of the parent
    os._exit(1)
