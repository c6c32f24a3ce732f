"""In which folder compiled code lies: one of its own for every state of the program and of the machine."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import scipy
from llvmlite import binding as llvm
from platformdirs import user_cache_dir

_COMPILED_WITH: tuple[Any, ...] = (numba, llvmlite, np, scipy)

ASKED_FOR = "NUMBA_CACHE_DIR"
"""Variable of the environment that says in which folder the one with the code shall be."""

UNUSED_DAYS = 30
"""After so many days without use the code of another state of the program is removed."""

COMPLETE = "complete-"
"""How the names of the marks begin that a machine lies in a folder; touched whenever it is used."""


def cache_name() -> str:
    """Return the name of the folder that holds this program's compiled code.

    numba recompiles a function only when its own file has changed: after a change in a callee it would run
    stale code. So the name holds a hash of everything that machine code depends on.

    Returns
    -------
    str
        ``numba-`` and 16 hexadecimal digits of a hash of the engine's sources, the versions of numba,
        llvmlite, NumPy, SciPy and Python, and the name of the processor.
    """
    digest = hashlib.blake2b(digest_size=8)
    for package in _COMPILED_WITH:
        digest.update(f"{package.__name__} {package.__version__}\n".encode())
    digest.update(f"{sys.version} {platform.machine()} {llvm.get_host_cpu_name()}\n".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.name.encode() + b"\n" + source.read_bytes())
    return f"numba-{digest.hexdigest()}"


def cache_folder() -> Path:
    """Return the folder of compiled code, which exists and can be written to.

    Returns
    -------
    Path
        A folder called ``cache_name()`` inside ``NUMBA_CACHE_DIR`` where that is set, else in the person's
        cache folder, else (neither can be written to) in the folder for temporary files, where the name also
        holds the user's so that nobody runs the code of another.
    """
    name = cache_name()
    asked_for = os.environ.get(ASKED_FOR)
    for parent in (asked_for, user_cache_dir("gradsim", appauthor=False)):
        if parent and _can_be_written_to(Path(parent) / name):
            return Path(parent).absolute() / name
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    shared = Path(tempfile.gettempdir()) / f"gradsim-{user}" / name
    if _can_be_written_to(shared) and _belongs_to_this_user(shared.parent):
        return shared
    alone = Path(tempfile.mkdtemp(prefix="gradsim-")) / name
    alone.mkdir()
    return alone


def remove_unused(folder: Path) -> None:
    """Remove what lies beside a folder and was compiled from other states of the program, long ago.

    Parameters
    ----------
    folder : Path
        The one of this state, by ``cache_folder``; it stays, and so does what is not ours.
    """
    oldest = time.time() - UNUSED_DAYS * 24 * 3600
    ours = [other for other in folder.parent.iterdir() if re.fullmatch("numba-[0-9a-f]{16}", other.name)]
    for other in ours:
        with suppress(OSError):  # another process may be removing it, too
            if other != folder and _last_use(other) < oldest:
                shutil.rmtree(other)


def _last_use(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.glob(f"{COMPLETE}*")))


def _can_be_written_to(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _belongs_to_this_user(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
