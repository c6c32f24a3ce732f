"""Parts of the machine that can be compiled side by side, each in a process of its own.

numba compiles under one lock, so threads would wait for each other, and the window for them all. A process for
each part uses every core and leaves the window alone; the code meets in the cache, where the machine finds it.
What a part compiles are the kernels that the machine calls, for exactly the types it calls them with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from gradsim.engine.evaluation import evaluate, outputs_of
from gradsim.engine.evolution import make_child
from gradsim.engine.histograms import count_after_update, count_before_update
from gradsim.engine.linkage import addresses, function_types, functions
from gradsim.engine.passes import backward
from gradsim.engine.pretraining import begin_phase
from gradsim.engine.program import Amounts, Buffers, Choices, Functions, Measures, Program, Samples
from gradsim.engine.updating import clip, measure_norms, update_parameters

_types: Any = types  # numba's types say nothing of these

Tensor = NDArray[Any]
"""A flat array in the precision of the experiment."""

KERNELS: dict[str, tuple[tuple[Any, tuple[Any, ...]], ...]] = {
    "forward": (
        (evaluate, (Choices, Program, Buffers, Samples)),
        (outputs_of, (Choices, Program, Buffers, Tensor, Tensor)),
    ),
    "backward": (
        (backward, (Program, Tensor, Tensor, Tensor, int, int, int, int, bool, Measures)),
        (begin_phase, (Choices, Program, Buffers, int, float, Measures)),
    ),
    "update": (
        (count_before_update, (Program, Buffers, NDArray[np.int32])),
        (count_after_update, (Program, Buffers, NDArray[np.int32])),
        (measure_norms, (Program, Tensor, NDArray[np.float64], int, bool, Measures)),
        (
            clip,
            (
                Program,
                Tensor,
                Tensor,
                Tensor,
                int,
                float,
                float,
                NDArray[np.float64],
                float,
                int,
                NDArray[np.float64],
            ),
        ),
        (update_parameters, (Program, *(Tensor,) * 7, int, Amounts, int, float, int, bool, bool, Measures)),
        (make_child, (Program, Tensor, Tensor, float, int)),
    ),
}
"""What the machine calls, and the types of the arguments."""

SEPARATE: dict[str, Callable[[str], object]] = {"cells": functions, "activations": addresses}
"""What is not contained in the machine but called at an address."""

PARTS = ("forward", "cells", "backward", "update", "activations")
"""The longest first."""

WHOLE = "whole"
"""What is compiled last, when all parts lie in the cache: the machine around them."""


def compile_part(precision: str, part: str) -> None:
    """Compile one part of the machine into the cache.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which machine.
    part : str
        One of ``PARTS``.
    """
    if part in SEPARATE:
        SEPARATE[part](precision)
        return
    for function, arguments in KERNELS[part]:
        function.compile(tuple(numba_type(argument, precision) for argument in arguments))


def numba_type(annotation: Any, precision: str) -> Any:
    """Return the type that numba sees where an annotation stands, of a named tuple the types of its fields.

    Parameters
    ----------
    annotation : type
        A number, a flat array, or a named tuple of such.
    precision : {"float32", "float64"}
        What an array of any numbers holds.

    Returns
    -------
    numba type
        An array is contiguous, has one dimension and can be written to.
    """
    if annotation in _NUMBERS:
        return _NUMBERS[annotation]
    if annotation is Functions:
        return _types.NamedTuple(function_types(precision), Functions)
    if hasattr(annotation, "_fields"):
        fields = [numba_type(field, precision) for field in get_type_hints(annotation).values()]
        return _types.BaseTuple.from_types(fields, annotation)
    (dtype,) = get_args(get_args(annotation)[1])
    element = precision if dtype is Any else dtype.__name__
    return _types.Array(getattr(_types, element), 1, "C")


_NUMBERS = {int: _types.int64, float: _types.float64, bool: _types.boolean}
