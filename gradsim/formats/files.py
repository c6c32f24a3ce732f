"""Replacing whole files, so that nothing is lost when the system refuses."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from gradsim.data.files import refusal
from gradsim.spec import SpecError


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as a whole: afterwards it is either the new one or, if anything failed, the old one.

    Parameters
    ----------
    path : Path
        The file; a link is followed, its permissions are kept. What is no ordinary file is written into.
    content : bytes
        All of the new file.

    Raises
    ------
    SpecError
        With the name of the file, if the system refuses any part of it.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            # A pipe or a device: nothing to replace. For root, /dev/null itself would become a file.
            path.write_bytes(content)
            return
        target = path.resolve()
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")  # replacing would get around the file's own wish
        _replace(target, content)
    except (OSError, ValueError) as error:
        old = "; the old file is as it was" if _exists(path) else ""
        raise SpecError(str(path), f"cannot be written: {refusal(error)}{old}") from error


def _replace(target: Path, content: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(21, "Is a directory")
    temporary = target.with_name(f".gradsim-{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can (Windows cannot open a folder)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
