"""Experiments as JSON files: text to document and back; what a document means is in ``gradsim.spec``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from gradsim.data.files import file_bytes
from gradsim.formats.files import replace_file
from gradsim.resource_files import example_files
from gradsim.spec import Experiment, SpecError, checked, experiment_document, read_experiment
from gradsim.spec.limits import quoted

MAX_BYTES = 256 * 2**20
LINE = 100
LONGEST_INTEGER = 400
"""Digits; the largest double has 309, so that a longer integer is beyond every limit."""


def load(path: str | PathLike[str]) -> Experiment:
    """Read an experiment from a file.

    Parameters
    ----------
    path : str or path-like
        A JSON file in UTF-8; or the name of an example such as ``welcome``, where there is no file of this name.

    Returns
    -------
    Experiment
        Checked in every respect that the document alone decides.

    Raises
    ------
    SpecError
        With the name of the file where it cannot be read or is no JSON, with a JSON path where the document
        asks for something impossible.
    """
    file = Path(path)
    if file.name == str(path) and not _exists(file):
        file = example_files().get(file.name, file)
    return read_experiment(parsed_document(file_bytes(file, MAX_BYTES), str(file), "an experiment"))


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except (OSError, ValueError):  # a name that no file can have is told when it is read
        return True


def loads(text: str | bytes) -> Experiment:
    """Read an experiment from text.

    Parameters
    ----------
    text : str or bytes
        JSON; bytes are UTF-8.

    Returns
    -------
    Experiment
        Checked in every respect that the document alone decides.

    Raises
    ------
    SpecError
        With the place and the reason of the first fault.
    """
    return read_experiment(parsed_document(text, "$", "an experiment"))


def save(experiment: Experiment, path: str | PathLike[str]) -> None:
    """Write an experiment to a file, which is replaced as a whole or not at all.

    Parameters
    ----------
    experiment : Experiment
        A valid experiment.
    path : str or path-like
        The file.

    Raises
    ------
    SpecError
        If the experiment is not valid, or with the name of the file if it cannot be written; a file that was
        there before is then as it was.
    """
    replace_file(Path(path), dumps(experiment).encode())


def dumps(experiment: Experiment) -> str:
    """Return an experiment as text.

    Parameters
    ----------
    experiment : Experiment
        A valid experiment.

    Returns
    -------
    str
        JSON with the version first and every default written out; lists and objects that fit into a line
        stand on one. ``loads`` returns an equal experiment, bit for bit.

    Raises
    ------
    SpecError
        If the experiment is not valid: what is saved can be read again.
    """
    document = experiment_document(checked(experiment))
    return "".join(_object(document, "")) + "\n"


def parsed_document(text: str | bytes, place: str, what: str) -> Any:
    """Return the document that a text holds, read more strictly than Python's parser does.

    Parameters
    ----------
    text : str or bytes
        JSON; bytes are UTF-8.
    place : str
        What messages call it.
    what : str
        What it should be, such as ``an experiment``.

    Returns
    -------
    object
        Dicts, lists, text, numbers.

    Raises
    ------
    SpecError
        If it is no JSON, has a key twice, or a number that JSON does not know.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SpecError(place, f"expected text in UTF-8, got another byte at {error.start}") from error
    if not text.strip():
        raise SpecError(place, f"expected {what}, got nothing")
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        fault = _json_fault(error)
        raise SpecError(
            place, f"expected JSON, but {fault} at line {error.lineno}, column {error.colno}"
        ) from error
    except _NotJsonError as error:
        raise SpecError(place, str(error)) from error
    except RecursionError as error:
        raise SpecError(place, f"expected {what}, got JSON nested too deeply") from error


class _NotJsonError(Exception):
    """What Python's parser lets pass and JSON does not."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotJsonError(f"expected each key once, but {quoted(twice)} stands twice in one object")
    return found


def _json_fault(error: json.JSONDecodeError) -> str:
    """Say in a clause what Python's reader of JSON found, or missed; what people write by hand in plain words."""
    rest, before = error.doc[error.pos :], error.doc[: error.pos].rstrip()
    if rest[:1] in ("}", "]") and before.endswith(","):
        return f"a comma is left over before the {rest[0]}"
    if rest.startswith(("//", "/*", "#")):
        return "a comment, which JSON does not have, begins"
    if rest.startswith("'"):
        return "a single quote stands in place of a double one"
    for python, plain in (("True", "true"), ("False", "false"), ("None", "null")):
        if rest.startswith(python):
            return f"{python} stands in place of {plain}"
    if not before:
        return f"{quoted(rest.split(maxsplit=1)[0])} stands in place of {{"
    missed = error.msg.removeprefix("Expecting ")
    if missed != error.msg:
        return f"{'a ' if missed[:1].isalpha() else ''}{missed} is missing"
    return error.msg[:1].lower() + error.msg[1:].removesuffix(" at").rstrip(": ")


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"expected JSON, which has no number {name}")


def _integer(digits: str) -> int | float:
    # Python refuses to convert thousands of digits, with an error of its own; as a double it is infinite.
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _lines(value: Any, indent: str, room: int) -> Iterator[str]:
    """Yield the text of a value that begins in a line with so much room left."""
    short = _text(value)
    if len(short) <= room or not isinstance(value, list | dict):
        yield short
    elif isinstance(value, dict):
        yield from _object(value, indent)
    elif any(isinstance(item, list | dict) for item in value):
        yield from _list(value, indent)
    else:
        yield from _numbers(value, indent)


def _object(value: dict[str, Any], indent: str) -> Iterator[str]:
    yield "{"
    inner = indent + "  "
    for index, (key, item) in enumerate(value.items()):
        start = f"{inner}{_text(key)}: "
        yield (",\n" if index else "\n") + start
        yield from _lines(item, inner, LINE - len(start) - 1)
    yield f"\n{indent}}}"


def _list(value: list[Any], indent: str) -> Iterator[str]:
    yield "["
    inner = indent + "  "
    for index, item in enumerate(value):
        yield (",\n" if index else "\n") + inner
        yield from _lines(item, inner, LINE - len(inner) - 1)
    yield f"\n{indent}]"


def _numbers(value: list[Any], indent: str) -> Iterator[str]:
    """Break a long row of numbers into lines, as many in each as fit."""
    yield "["
    inner = indent + "  "
    used = LINE
    for index, item in enumerate(value):
        text = _text(item) + ("," if index < len(value) - 1 else "")
        if used + 1 + len(text) > LINE:
            yield f"\n{inner}{text}"
            used = len(inner) + len(text)
        else:
            yield f" {text}"
            used += 1 + len(text)
    yield f"\n{indent}]"
