"""Reading whole files, with sentences for what the system refuses. What is in them is others' business."""

from __future__ import annotations

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
        raise SpecError(str(path), f"cannot be read: {refusal(error)}") from error
    if len(content) > limit:
        raise SpecError(str(path), f"cannot be read: it is larger than {limit // 2**20} MiB")
    return content


def refusal(error: OSError | ValueError) -> str:
    """Return what the system refused, in words."""
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
