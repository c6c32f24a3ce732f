"""Calls through an address: a kernel compiled once by itself, and not again inside everything that calls it.

Compiled code contains the code of all that it calls, at every level anew: with twenty activations, three
normalizations and four recurrent cells below seven levels that was most of the first compilation. So the
machine is handed the functions that have many branches. A call through numba's own function type costs 30 ns;
the activations, which are called for every chunk, take a bare address instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

from gradsim.engine.activations import activate
from gradsim.engine.compilation import IS_COMPILED, c_function, inner_kernel
from gradsim.engine.program import Functions

_numba: Any = numba  # its types say nothing of compiled functions

ACTIVATE = 0
"""Places in the table of addresses."""


@intrinsic
def call_at(typing_context, address, arguments):  # type: ignore[no-untyped-def]
    """Call the C function at an address with a tuple of arguments; arrays are passed as pointers."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        """Write the call in the intermediate language."""
        handed = []
        for i, kind in enumerate(arguments.types):
            value = builder.extract_value(values[1], i)
            handed.append(
                make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
            )
        function = ir.FunctionType(ir.VoidType(), [value.type for value in handed])
        builder.call(builder.inttoptr(values[0], function.as_pointer()), handed)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), build


_call: Any = call_at  # the first of an intrinsic's parameters is the compiler's


def _activate(opcode: Any, z: Any, a: Any, slope: Any, size: Any, p0: Any, p1: Any) -> None:
    activate(opcode, _numba.carray(z, size), _numba.carray(a, size), _numba.carray(slope, size), p0, p1)


def _activate_signature(pointer: Any) -> Any:
    return types.void(types.int64, pointer, pointer, pointer, types.int64, types.float64, types.float64)


_LINKED: tuple[tuple[Callable[..., None], Callable[[Any], Any]], ...] = ((_activate, _activate_signature),)
"""What is called at an address, in the order of the table: a C function and its signature for a pointer type."""


@cache
def addresses(precision: str) -> NDArray[np.int64]:
    """Return the addresses of the separately compiled kernels, which this compiles or loads from the cache.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which arrays.

    Returns
    -------
    ndarray of int64, shape (kernels,)
        Valid as long as the process lives.
    """
    if not IS_COMPILED:
        return np.zeros(len(_LINKED), np.int64)
    pointer = types.CPointer(types.float64 if precision == "float64" else types.float32)
    _kept.extend(c_function(signature(pointer), function) for function, signature in _LINKED)
    return np.array([function.address for function in _kept[-len(_LINKED) :]], np.int64)


_kept: list[Any] = []
"""The C functions, which must not be collected while their addresses are in use."""


if IS_COMPILED:

    @inner_kernel
    def activate_at(table: Any, opcode: Any, z: Any, a: Any, slope: Any, p0: Any, p1: Any) -> None:
        """Do what ``activate`` does, by its address in a table."""
        _call(table[ACTIVATE], (opcode, z, a, slope, z.shape[0], p0, p1))

else:

    def activate_at(table: Any, opcode: Any, z: Any, a: Any, slope: Any, p0: Any, p1: Any) -> None:
        """Do what ``activate`` does."""
        activate(opcode, z, a, slope, p0, p1)


def _arrays(letters: str, precision: str) -> Any:
    """Return a signature: i a whole number, f a real one, b a truth value, A an array, F of float64, I of int64."""
    element = types.float64 if precision == "float64" else types.float32
    of = {
        "i": types.int64,
        "f": types.float64,
        "b": types.boolean,
        "A": types.Array(element, 1, "C"),
        "F": types.Array(types.float64, 1, "C"),
        "I": types.Array(types.int64, 1, "C"),
    }
    return types.void(*(of[letter] for letter in letters))


_SIGNATURES = Functions("iAAAAAAAAAiffbF", "iAAAAAAAiF", "iiffAAAAAAAAAAAiiiiiI", "iAAAAAAAAAAAAAAAiiiiiiI")


def function_types(precision: str) -> list[Any]:
    """Return the types of the separately compiled functions, without compiling them.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which arrays.

    Returns
    -------
    list of numba types
        In the order of ``Functions``.
    """
    return [types.FunctionType(_arrays(letters, precision)) for letters in _SIGNATURES]


@cache
def functions(precision: str) -> Functions:
    """Return the separately compiled functions, which this compiles or loads from the cache.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which arrays.

    Returns
    -------
    Functions
        Plain kernels where nothing is compiled.
    """
    from gradsim.engine.normalization import normalize_backward, normalize_forward
    from gradsim.engine.recurrent import recurrent_backward, recurrent_forward

    kernels: Any = Functions(normalize_forward, normalize_backward, recurrent_forward, recurrent_backward)
    if not IS_COMPILED:
        return Functions(*kernels)
    return Functions(
        *(
            c_function(_arrays(letters, precision), kernel.py_func)
            for letters, kernel in zip(_SIGNATURES, kernels, strict=True)
        )
    )
