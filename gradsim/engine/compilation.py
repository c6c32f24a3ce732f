"""How the functions of the engine are compiled: with which options, and for which dtype. No formulas here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import ccallback, sigutils, types
from numba.extending import overload

from gradsim.engine.code_cache import keep_code
from gradsim.engine.code_folder import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

FOLDER = cache_folder()
"""Where this process keeps compiled code, and those that compile for it."""

_settings: Any = numba.config

# 'reassoc' lets sums run in vectors, 'contract' fuses multiply and add, 'nsz' forgets the sign of zero. NaN
# and Inf stay: with the other flags numba drops NaN from a minimum.
_FAST = frozenset({"reassoc", "contract", "nsz"})
# What a polynomial wants. Reassociation would undo the two-part constants of an argument reduction.
_ORDERED = frozenset({"contract"})
_INHERITED = ("nogil", "error_model", "fastmath", "forceinline")


IS_COMPILED = not _settings.DISABLE_JIT
"""False where NUMBA_DISABLE_JIT asks for plain Python, as for the coverage of the tests."""


OFF, ON = np.bool_(False), np.bool_(True)
"""What kernels hand to kernels instead of False and True: numba compiles the callee, with all that it calls, once
more for each constant of Python that it is called with. The pass forward was there twice."""


def _compiled(
    function: F, fastmath: bool | frozenset[str], *, inlined: bool = False, wrapped: bool = True
) -> F:
    if not IS_COMPILED:
        # NumPy's scalars warn where compiled code is silent
        quiet: F = np.errstate(all="ignore")(function)
        return quiet
    compile_function: Any = numba.njit
    compiled: F = compile_function(
        function,
        nogil=True,
        _nrt=getattr(function, _ALLOCATES, False),
        error_model="numpy",  # the default raises at x / 0, which forbids vectors in any loop with a division
        fastmath=set(fastmath) if isinstance(fastmath, frozenset) else fastmath,
        forceinline=inlined,
        no_cpython_wrapper=not wrapped,
        no_cfunc_wrapper=not wrapped,
    )
    keep_code(compiled, function, FOLDER)
    return compiled


_ALLOCATES = "_allocates"


def allocates(function: F) -> F:
    """Mark a function, below its decorator, that makes arrays; they must not leave it.

    All other kernels are compiled without the counting of references: a named tuple of arrays counts each of them
    up and down in every function it is handed to, one by one and atomically, which was a third of an iteration of
    the tiniest net. Arrays belong to whoever called the outermost kernel, so nothing is lost. (numba refuses to
    compile an array made without the mark; one returned to a kernel without it would never be freed.)

    Parameters
    ----------
    function : callable
        Plain Python.

    Returns
    -------
    callable
        The same one.
    """
    setattr(function, _ALLOCATES, True)
    return function


def kernel(function: F) -> F:
    """Compile a function over arrays whose sums may be reordered; NaN, Inf and subnormals keep their meaning.

    Parameters
    ----------
    function : callable
        Never validates and never raises; gets contiguous arrays that do not overlap.

    Returns
    -------
    callable
        Compiled at its first call for each combination of types, without the GIL, kept on disk.
    """
    return _compiled(function, _FAST)


def inner_kernel(function: F) -> F:
    """Compile a function as ``kernel`` does, to be called from kernels only.

    Without the wrapper that unpacks Python's arguments: with a tuple of arrays that takes most of the time of
    compiling a short function (1.7 against 0.13 s).

    Parameters
    ----------
    function : callable
        As for ``kernel``.

    Returns
    -------
    callable
        As from ``kernel``; not to be called from Python.
    """
    return _compiled(function, _FAST, wrapped=False)


def inline_kernel(function: F) -> F:
    """Put the body of a short function into every kernel that calls it, before anything is compiled.

    Parameters
    ----------
    function : callable
        May return a stretch of an array, which a function compiled by itself may not (see ``allocates``).

    Returns
    -------
    callable
        For kernels only.
    """
    if not IS_COMPILED:
        return function
    compile_function: Any = numba.njit
    inlined: F = compile_function(function, inline="always", _nrt=False)
    return inlined


def exact_kernel(function: F) -> F:
    """Compile a function as IEEE 754 reads it: every operation in its order, none fused.

    Parameters
    ----------
    function : callable
        As for ``kernel``.

    Returns
    -------
    callable
        As from ``kernel``.
    """
    return _compiled(function, False)


def elementary(function: F) -> F:
    """Compile a function of scalars that is always inlined, so that the loop around it becomes vector code.

    Operations keep their order; a multiplication and the addition after it may be fused.

    Parameters
    ----------
    function : callable
        Takes and returns scalars; no loops.

    Returns
    -------
    callable
        To be called from kernels, or from Python for a test.
    """
    return _compiled(function, _ORDERED, inlined=True)


def c_function(signature: Any, function: Callable[..., Any]) -> Any:
    """Compile a function for one signature at once, so that it can be called at an address.

    Parameters
    ----------
    signature : numba signature
        Types of the result and of the arguments.
    function : callable
        Plain Python that calls kernels.

    Returns
    -------
    numba C function
        With ``address``; both are valid as long as it is kept. Also a first-class function for kernels.
    """
    made: Any = ccallback.CFunc(
        function, sigutils.normalize_signature(signature), locals={}, options={"error_model": "numpy"}
    )
    keep_code(made, function, FOLDER)
    made.compile()
    return made


def by_dtype(single: Callable[..., Any], double: Callable[..., Any]) -> Callable[..., Any]:
    """Return one function that is ``single`` for float32 and ``double`` for float64, chosen while compiling.

    Parameters
    ----------
    single, double : callable
        Made by ``kernel``, ``exact_kernel`` or ``elementary``, with the same parameters; the first decides.

    Returns
    -------
    callable
        For kernels and for Python; the first argument is a NumPy scalar or an array.
    """

    def chosen(*arguments: Any) -> Any:
        """Return what the function for the dtype of the first argument returns."""
        return (single if arguments[0].dtype == np.float32 else double)(*arguments)

    if not IS_COMPILED:
        return chosen

    compiled: Any = (single, double)
    options: Any = {key: compiled[0].targetoptions[key] for key in _INHERITED}

    @overload(chosen, jit_options=options, strict=False)
    def _choose(*arguments: Any) -> Any:
        first = arguments[0].dtype if isinstance(arguments[0], types.Array) else arguments[0]
        return {types.float32: compiled[0].py_func, types.float64: compiled[1].py_func}.get(first)

    return chosen
