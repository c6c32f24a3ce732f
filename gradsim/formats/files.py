"""Reading and replacing whole files, with sentences for what the system refuses.

What is in a file is the business of the other modules here.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from gradsim.spec import SpecError


def file_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a file.

    Parameters
    ----------
    path : Path
        The file.
    limit : int
        Most bytes that are read.

    Returns
    -------
    bytes
        All of it.

    Raises
    ------
    SpecError
        With the name of the file, if it cannot be read or is larger than the limit.
    """
    try:
        if path.exists() and not path.is_dir() and not path.is_file():
            raise OSError(0, "It is no ordinary file")  # reading a pipe would wait for a writer
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        raise SpecError(str(path), f"cannot be read: {_reason(error)}") from error
    if len(content) > limit:
        raise SpecError(str(path), f"cannot be read: it is larger than {limit // 2**20} MiB")
    return content


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as a whole: afterwards it is either the new one or, if anything failed, the old one.

    Parameters
    ----------
    path : Path
        The file; a link is followed, its permissions are kept.
    content : bytes
        All of the new file.

    Raises
    ------
    SpecError
        With the name of the file, if the system refuses any part of it.
    """
    try:
        target = path.resolve()
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")  # replacing would get around the file's own wish
        _replace(target, content)
    except (OSError, ValueError) as error:
        old = "; the old file is as it was" if _exists(path) else ""
        raise SpecError(str(path), f"cannot be written: {_reason(error)}{old}") from error


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


def _reason(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file or folder"
        case IsADirectoryError():
            return "it is a folder"
        case PermissionError():
            return "permission denied"
        case OSError(strerror=str(words)):
            return words[:1].lower() + words[1:]
        case _:
            return str(error)
