"""What a value of the document may be, in words: derived from the structs' own annotations.

Everything that an error message says about what was expected, and what was found instead, is made here, so
that a limit is written once, in the struct. Reading itself is in ``reading``.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable
from typing import Any

from msgspec import inspect

from gradsim.spec.other_names import other_name

LONGEST_QUOTE = 60
LONGEST_NUMBER = 10**30
_LIKENESS = 0.65
"""From here on two words look alike to difflib; at its own 0.6 ``mnist`` would be ``noise``."""


def bare(kind: inspect.Type) -> inspect.Type:
    """Return a type without its titles and descriptions.

    Parameters
    ----------
    kind : msgspec.inspect.Type
        Any type of a field.

    Returns
    -------
    msgspec.inspect.Type
        The type that holds the limits.
    """
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind


def alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return what a union is made of.

    Parameters
    ----------
    kind : msgspec.inspect.Type
        Any type of a field.

    Returns
    -------
    tuple of msgspec.inspect.Type
        Its members, ``null`` too; the type alone where it is no union.
    """
    plain = bare(kind)
    return tuple(plain.types) if isinstance(plain, inspect.UnionType) else (kind,)


def kinds(kind: inspect.Type) -> dict[str, inspect.StructType]:
    """Return the structs that a value with a key ``kind`` chooses from.

    Parameters
    ----------
    kind : msgspec.inspect.Type
        Any type of a field.

    Returns
    -------
    dict of str to msgspec.inspect.StructType
        By the word of the kind, in the order of the union; empty for anything else.
    """
    members = [bare(member) for member in alternatives(kind)]
    return {
        str(member.tag): member
        for member in members
        if isinstance(member, inspect.StructType) and member.tag is not None
    }


def expectation(kind: inspect.Type) -> str:
    """Say what a value of this type is.

    Parameters
    ----------
    kind : msgspec.inspect.Type
        Any type of a field.

    Returns
    -------
    str
        Such as ``an integer from 1 to 4096``; stands after the word "expected".
    """
    while isinstance(kind, inspect.Metadata):
        if kind.extra is not None and "expected" in kind.extra:
            return str(kind.extra["expected"])
        kind = kind.type
    match kind:
        case inspect.NoneType():
            return "null"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "an integer" + _range(kind)
        case inspect.FloatType():
            return "a number" + _range(kind)
        case inspect.StrType():
            return "text" + ("" if kind.max_length is None else f" of at most {kind.max_length} characters")
        case inspect.LiteralType():
            return "one of " + ", ".join(quoted(value) for value in kind.values)
        case inspect.VarTupleType():
            return "a list" + _length(kind)
        case inspect.TupleType():
            return f"a list of {len(kind.item_types)} values"
        case inspect.StructType():
            return "an object"
        case inspect.UnionType() if kinds(kind):
            return f'an object with a key "kind" or one of the words {", ".join(kinds(kind))}'
        case inspect.UnionType():
            return " or ".join(expectation(member) for member in kind.types)
        case _:
            raise TypeError(f"no words for {kind!r}")


def quoted(value: object) -> str:
    """Say what was found, in at most a few words.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str
        The value as JSON writes it where it is short, else what it is. Can always be encoded.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < LONGEST_NUMBER else "an integer of more than 30 digits"
        case float():
            return number(value)
        case str():
            return _quoted_text(value)
        case list() | tuple():
            return f"a list of {_values(len(value))}" if value else "an empty list"
        case dict():
            return "an object"
        case _:
            return f"a Python {type(value).__name__}"


def number(value: float) -> str:
    """Write a number the way a person does.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    str
        Without a fraction where there is none: ``1``, ``0.25``, ``1e30``, ``NaN``.
    """
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinity" if value > 0 else "-infinity"
    if value == int(value) and abs(value) <= 1e7:
        return str(int(value))
    return repr(float(value)).replace("e+", "e")


def suggestion(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or which there are.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What may be written.

    Returns
    -------
    str
        Stands after a semicolon: ``did you mean "units"?`` or ``known are …``; for a word that others use, what is
        written here instead.
    """
    words = list(known)
    if other := other_name(word[:LONGEST_QUOTE], words):
        return other
    near = difflib.get_close_matches(word[:LONGEST_QUOTE].lower(), words, n=1, cutoff=_LIKENESS)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known are {', '.join(words)}" if words else "none is known here"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {number(kind.ge)} to {number(kind.le)}"
    lower = f"above {number(kind.gt)}" if kind.gt is not None else None
    lower = f"of at least {number(kind.ge)}" if kind.ge is not None else lower
    upper = f"below {number(kind.lt)}" if kind.lt is not None else None
    upper = f"at most {number(kind.le)}" if kind.le is not None else upper
    if lower is None and kind.le is not None:
        upper = f"of at most {number(kind.le)}"
    parts = [part for part in (lower, upper) if part is not None]
    return " " + " and ".join(parts) if parts else ""


def _length(kind: inspect.VarTupleType) -> str:
    lower, upper = kind.min_length, kind.max_length
    if lower and upper is not None:
        return f" of {lower} to {upper} values"
    if lower:
        return f" of at least {_values(lower)}"
    return "" if upper is None else f" of at most {_values(upper)}"


def _values(count: int) -> str:
    return "one value" if count == 1 else f"{count} values"


def _quoted_text(text: str) -> str:
    short = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"
    return json.dumps(short, ensure_ascii=not is_encodable(short))


def is_encodable(text: str) -> bool:
    r"""Say whether a text can be written to a file.

    Parameters
    ----------
    text : str
        Any text; JSON's ``\udXXX`` escapes can make one that no file can hold.

    Returns
    -------
    bool
        Whether UTF-8 can encode it.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def members_of(kind: inspect.StructType) -> dict[str, Any]:
    """Return the fields of a struct by the key they have in the document.

    Parameters
    ----------
    kind : msgspec.inspect.StructType
        A struct of the experiment.

    Returns
    -------
    dict of str to msgspec.inspect.Field
        In the order in which they are written.
    """
    return {field.encode_name: field for field in kind.fields}
