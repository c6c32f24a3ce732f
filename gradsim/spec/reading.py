"""From a document to an experiment and back.

A document is what a JSON file holds: dicts, lists, text, numbers. Reading checks everything that can be known
from the document alone and names the first fault by its JSON path; what needs the values of several fields
together is in ``checks``, files are the business of ``gradsim.formats``.
"""

from __future__ import annotations

import math
import re
import sys
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from gradsim.spec import limits
from gradsim.spec.checks import check_experiment
from gradsim.spec.error import SpecError
from gradsim.spec.experiment import Experiment
from gradsim.spec.network import MAX_NESTING
from gradsim.spec.struct import Kind
from gradsim.spec.versions import migrated


def read_experiment(document: object) -> Experiment:
    """Return the experiment that a document asks for.

    A bare word where a kind stands is short for that kind with its defaults: ``"relu"`` is
    ``{"kind": "relu"}``; where only one kind can stand, its method is enough: ``"normalization": "layer"`` inside a
    dense layer. Missing keys take their defaults.

    Parameters
    ----------
    document : object
        What ``json.loads`` returns; not changed.

    Returns
    -------
    Experiment
        Checked in every respect that the document alone decides.

    Raises
    ------
    SpecError
        With the path and the reason of the first fault. Never anything else, whatever the document.
    """
    plain = plain_value(_experiment_type(), migrated(document), "$")
    try:
        experiment = msgspec.convert(plain, Experiment)
    except msgspec.ValidationError as error:
        raise SpecError("$", str(error)) from error
    check_experiment(experiment)
    return experiment


def experiment_document(experiment: Experiment) -> dict[str, Any]:
    """Return the canonical document of an experiment.

    Parameters
    ----------
    experiment : Experiment
        Any experiment, also one that would be refused.

    Returns
    -------
    dict
        Its version first, every default written out, every kind as an object; new lists and dicts.
    """
    document = _document(experiment)
    assert isinstance(document, dict)
    return document


def checked(experiment: Experiment) -> Experiment:
    """Return an experiment built in Python after the same checks that a file goes through.

    Parameters
    ----------
    experiment : Experiment
        Structs are not checked when they are constructed, only here.

    Returns
    -------
    Experiment
        Equal to the given one, with plain Python numbers where NumPy's were given.

    Raises
    ------
    SpecError
        With the path and the reason of the first fault.
    """
    try:
        document = experiment_document(experiment)
    except RecursionError as error:
        raise SpecError("$.network.layers", f"expected at most {MAX_NESTING} nested repeats") from error
    return read_experiment(document)


def _document(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        kind = {"kind": value.__struct_config__.tag} if isinstance(value, Kind) else {}
        # Not ``structs.fields``, which resolves every annotation anew: half the time of reading the lessons.
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return kind | {encoded: _document(getattr(value, name)) for encoded, name in names}
    if isinstance(value, list | tuple):
        return [_document(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()  # NumPy's numbers and arrays, without importing NumPy
    return value


@cache
def _experiment_type() -> inspect.Type:
    return inspect.type_info(Experiment)


def plain_value(kind: inspect.Type, value: Any, path: str) -> Any:
    """Check a value against its type and return it without shorthands."""
    plain = limits.bare(kind)
    match plain:
        case inspect.UnionType():
            return _plain_choice(kind, value, path)
        case inspect.StructType():
            return _plain_object(plain, value, path)
        case inspect.VarTupleType() | inspect.TupleType():
            return _plain_list(kind, value, path)
        case inspect.FloatType():
            return _plain_number(kind, value, path)
        case inspect.IntType():
            return _plain_integer(kind, value, path)
        case inspect.StrType():
            return _plain_text(kind, value, path)
        case inspect.LiteralType():
            return _plain_word(plain, value, path)
        case inspect.BoolType():
            return value if isinstance(value, bool) else _refuse(kind, value, path)
        case _:
            raise TypeError(f"{path}: no rule to read {plain!r}")


def _refuse(kind: inspect.Type, value: object, path: str) -> Any:
    raise SpecError(path, f"expected {limits.expectation(kind)}, got {limits.quoted(value)}")


def _plain_choice(union: inspect.Type, value: Any, path: str) -> Any:
    members = [
        member
        for member in limits.alternatives(union)
        if not isinstance(limits.bare(member), inspect.NoneType)
    ]
    if value is None and len(members) < len(limits.alternatives(union)):
        return None
    if len(members) == 1:
        return plain_value(members[0], value, path)
    known = limits.kinds(union)
    if known:
        return _plain_kind(union, known, value, path)
    for member in members:
        is_list = isinstance(limits.bare(member), inspect.VarTupleType)
        if is_list == isinstance(value, list | tuple):
            try:
                return plain_value(member, value, path)
            except SpecError as error:
                if error.path != path:
                    raise  # inside a list: the place and the reason are exact
    return _refuse(union, value, path)


def _plain_kind(
    union: inspect.Type, known: dict[str, inspect.StructType], value: Any, path: str
) -> dict[str, Any]:
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, dict):
        _refuse(union, value, path)
    if "kind" not in value:
        raise SpecError(f"{path}.kind", f"missing; expected one of {', '.join(known)}")
    word = value["kind"]
    if not isinstance(word, str):
        raise SpecError(f"{path}.kind", f"expected one of {', '.join(known)}, got {limits.quoted(word)}")
    if word not in known:
        raise SpecError(
            f"{path}.kind", f"unknown kind {limits.quoted(word)}; {limits.suggestion(word, known)}"
        )
    return _plain_object(known[word], value, path)


def _plain_object(struct: inspect.StructType, value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, str) and struct.tag_field and "method" in limits.members_of(struct):
        value = {} if value == struct.tag else {"method": value}
    if not isinstance(value, dict):
        _refuse(struct, value, path)
    if path.count(".layers[") > MAX_NESTING:
        raise SpecError(path, f"expected at most {MAX_NESTING} repeats inside one another, got more")
    members = limits.members_of(struct)
    known = [struct.tag_field, *members] if struct.tag_field else list(members)
    for key in value:
        if not isinstance(key, str):
            raise SpecError(path, f"expected keys of text, got the key {limits.quoted(key)}")
        if key not in known:
            raise SpecError(path, f"unknown key {limits.quoted(key)}; {limits.suggestion(key, known)}")
    plain: dict[str, Any] = {struct.tag_field: struct.tag} if struct.tag_field else {}
    for key, member in members.items():
        if key in value:
            plain[key] = plain_value(member.type, value[key], f"{path}.{key}")
        elif member.required:
            raise SpecError(f"{path}.{key}", f"missing; expected {limits.expectation(member.type)}")
    return plain


def _plain_list(kind: inspect.Type, value: Any, path: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        _refuse(kind, value, path)
    plain = limits.bare(kind)
    if isinstance(plain, inspect.TupleType):
        items = plain.item_types
        if len(value) != len(items):
            _refuse(kind, value, path)
        return [plain_value(items[i], item, f"{path}[{i}]") for i, item in enumerate(value)]
    assert isinstance(plain, inspect.VarTupleType)
    too_short = plain.min_length is not None and len(value) < plain.min_length
    if too_short or (plain.max_length is not None and len(value) > plain.max_length):
        _refuse(kind, value, path)
    return [plain_value(plain.item_type, item, f"{path}[{i}]") for i, item in enumerate(value)]


def _plain_number(kind: inspect.Type, value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(kind, value, path)
    is_held = abs(value) <= sys.float_info.max if isinstance(value, int) else math.isfinite(value)
    return float(value) if is_held and _is_within(kind, value) else _refuse(kind, value, path)


def _plain_integer(kind: inspect.Type, value: Any, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 64.0 is the same number to JSON
    if isinstance(value, bool) or not isinstance(value, int) or not _is_within(kind, value):
        _refuse(kind, value, path)
    return int(value)


def _is_within(kind: inspect.Type, value: float) -> bool:
    plain = limits.bare(kind)
    assert isinstance(plain, inspect.IntType | inspect.FloatType)
    return (
        (plain.ge is None or value >= plain.ge)
        and (plain.gt is None or value > plain.gt)
        and (plain.le is None or value <= plain.le)
        and (plain.lt is None or value < plain.lt)
    )


def _plain_text(kind: inspect.Type, value: Any, path: str) -> str:
    plain = limits.bare(kind)
    assert isinstance(plain, inspect.StrType)
    if not isinstance(value, str):
        _refuse(kind, value, path)
    if not limits.is_encodable(value):
        raise SpecError(path, f"expected text that UTF-8 can hold, got {limits.quoted(value)}")
    is_long = plain.max_length is not None and len(value) > plain.max_length
    # fullmatch, because Python's $ also stands before a line feed at the end
    if is_long or (plain.pattern is not None and not re.fullmatch(plain.pattern, value)):
        _refuse(kind, value, path)
    return str(value)


def _plain_word(literal: inspect.LiteralType, value: Any, path: str) -> Any:
    if isinstance(value, str) and value not in literal.values:
        words = [str(word) for word in literal.values]
        raise SpecError(
            path,
            f"expected {limits.expectation(literal)}, got {limits.quoted(value)}"
            + (f"; {near}" if (near := limits.suggestion(value, words)).startswith("did") else ""),
        )
    return value if isinstance(value, str) else _refuse(literal, value, path)
