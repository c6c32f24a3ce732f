"""The cache that numba asks for compiled code: our files, and no more work than calling the code needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llvmlite import binding
from numba.core import caching

from gradsim.engine.code_files import CodeFiles

_caching: Any = caching  # numba's types say nothing of these
_binding: Any = binding


def keep_code(compiled: Any, function: Any, folder: Path) -> None:
    """Let what numba has compiled from a function be kept in a folder, and be found there.

    Parameters
    ----------
    compiled : numba dispatcher or C function
        Not compiled yet, and made without a cache.
    function : callable
        The plain Python of it.
    folder : Path
        Where; it exists. Its name changes with every source, so code in it is never stale.
    """
    compiled._cache = _CodeCache(function, folder)


class _Anywhere(_caching._CacheLocator):  # type: ignore[misc]  # of numba's, which says no types
    """Stands for numba's answer to where code should lie, which depends on the place of the sources.

    The code does not: copies of the program with the same engine share theirs.
    """

    def __init__(self, line: int) -> None:
        self._line = line

    @classmethod
    def from_function(cls, function: Any, path: str) -> _Anywhere:
        """Return one for a function."""
        return cls(function.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        """Return nothing: the files know."""
        return ""

    def get_source_stamp(self) -> None:
        """Return nothing: the name of the folder tells of changes."""

    def get_disambiguator(self) -> str:
        """Return what tells functions of the same name apart: where the function begins."""
        return str(self._line)

    def ensure_cache_path(self) -> None:
        """Do nothing: the folder exists."""


class _Code(_caching.CompileResultCacheImpl):  # type: ignore[misc]  # of numba's, which says no types
    """Makes code of what a file holds.

    A file has machine code and, for those who compile another function around this one, what LLVM can inline. Reading
    the second was a third of what loading a machine took, and whoever only calls it never needs it.
    """

    _locator_classes = (_Anywhere,)

    def reduce(self, result: Any) -> Any:
        """Return what is saved of a result of the compiler: its symbols, too, which the engine must know of."""
        module = result.library._get_module_for_linking()
        defined = (*module.functions, *module.global_variables)
        return tuple(value.name for value in defined if not value.is_declaration), super().reduce(result)

    def rebuild(self, target_context: Any, kept: Any) -> Any:
        """Return a result of the compiler as it was saved."""
        symbols, ((name, kind, (machine_code, for_others)), *rest) = kept
        target_context.codegen()._engine._defined_symbols.update(symbols)
        result = super().rebuild(target_context, ((name, kind, (machine_code, _NOTHING)), *rest))
        library = result.library

        def read_for_others() -> Any:
            library._shared_module = module = _binding.parse_bitcode(for_others)
            del library._get_module_for_linking  # from now on numba's own
            return module

        library._get_module_for_linking = read_for_others
        return result


class _CodeCache(_caching.FunctionCache):  # type: ignore[misc]  # of numba's, which says no types
    """Keeps the code of one function."""

    _impl_class = _Code

    def __init__(self, function: Any, folder: Path) -> None:
        super().__init__(function)
        self._cache_file = CodeFiles(folder, self._impl.filename_base)


_NOTHING: bytes = _binding.parse_assembly("").as_bitcode()
"""A module of LLVM without any function."""
