"""Where compiled code lies: a file of its own for every function and combination of types.

numba keeps one index per function, read, changed and written back. Of two processes that compile the same function
for different types at the same moment, the index of one could come to name the code of the other. Without an index
nothing is shared that is ever changed: processes may compile side by side.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

from numba.core import serialize

_serialize: Any = serialize  # numba's types say nothing of it


class CodeFiles:
    """Keeps the compiled code of one function, in the place of numba's files with an index.

    Parameters
    ----------
    folder : Path
        Where; it exists. Its name changes with every source, so code in it is never stale.
    name : str
        How the files of the function begin.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def save(self, key: Any, data: Any) -> None:
        """Keep the code for a key: types, processor, and the function's own bytecode."""
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=self._name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_serialize.dumps((key, data)))
            os.replace(temporary, self._path(key))  # whoever reads sees all of it or nothing
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def load(self, key: Any) -> Any:
        """Return the code for a key, or None where there is none."""
        try:
            kept, data = pickle.loads(self._path(key).read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):  # none there, or a disk was full
            return None
        return data if kept == key else None

    def flush(self) -> None:
        """Forget all code of the function."""
        for path in self._folder.glob(f"{self._name}.*.nbc"):
            path.unlink(missing_ok=True)

    def _path(self, key: Any) -> Path:
        digest = hashlib.blake2b(repr(key).encode(), digest_size=10).hexdigest()
        return self._folder / f"{self._name}.{digest}.nbc"
