"""The fields of a struct as a form shows them, read from the struct's own annotations.

A form, a table of options or a page of documentation is generated from these, so that a limit, a title or a
new kind is written once. How a form looks is not decided here.
"""

from __future__ import annotations

import inspect as python
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from gradsim.spec import limits
from gradsim.spec.struct import Kind, Spec

Form = Literal[
    "integer", "real", "boolean", "choice", "text", "pair", "kind", "layers", "rows", "records", "part"
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct, with everything that a form needs to ask for it.

    Attributes
    ----------
    name : str
        Attribute of the struct.
    key : str
        Key in the document; the same as ``name`` but for the version.
    title, description : str
        For people; the description may be empty.
    form : str
        What is asked for: ``integer``, ``real``, ``boolean``, ``choice`` of a word, ``text``, ``pair`` of
        reals, ``kind`` (a struct of one of ``kinds``), ``layers`` (a list of structs of ``kinds``), ``rows``
        of numbers, ``part`` (a struct of the one class in ``kinds``).
    minimum, maximum : float or None
        Limits of an integer, of a real, of both numbers of a pair.
    excludes_minimum, excludes_maximum : bool
        Whether the limit itself is refused.
    choices : tuple of str
        The words of a ``choice``, in the order of the annotation.
    kinds : tuple of struct classes
        What a ``kind``, a list of ``layers`` or a ``part`` is made of, in the order of the union.
    optional : bool
        Whether None is a value.
    longest : int or None
        Most characters of a text.
    default : object
        None where ``required``.
    required : bool
        Whether there is no default.
    expected : str
        The limits in words, as in the message of an error: ``an integer from 1 to 4096``.
    """

    name: str
    key: str
    title: str
    description: str
    form: Form
    minimum: float | None
    maximum: float | None
    excludes_minimum: bool
    excludes_maximum: bool
    choices: tuple[str, ...]
    kinds: tuple[type[Spec], ...]
    optional: bool
    longest: int | None
    default: object
    required: bool
    expected: str


@cache
def fields_of(struct: type[Spec]) -> tuple[Field, ...]:
    """Return the fields of a struct in the order in which it declares them.

    Parameters
    ----------
    struct : type of Spec
        A struct class, such as ``Dense`` or ``Adam``.

    Returns
    -------
    tuple of Field
        Those that every data set shares come first in a data set.
    """
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    hints = get_type_hints(struct)  # inspect sorts the words of a Literal; a form keeps their order
    return tuple(_field(field, hints[field.name]) for field in described.fields)


def title_of(struct: type[Spec]) -> str:
    """Return the name of a struct for people.

    Parameters
    ----------
    struct : type of Spec
        A struct class.

    Returns
    -------
    str
        Such as ``Leaky ReLU`` for ``LeakyRelu``.
    """
    word = str(struct.__struct_config__.tag) if issubclass(struct, Kind) else struct.__name__
    words = [_SPELLING.get(part, part) for part in word.split("_")]
    text = _SPELLING.get(word, " ".join(words))
    return text[:1].upper() + text[1:]


def summary_of(struct: type[Spec]) -> str:
    """Return what a struct is in one sentence or formula.

    Parameters
    ----------
    struct : type of Spec
        A struct class.

    Returns
    -------
    str
        The first paragraph of its documentation.
    """
    return " ".join((python.getdoc(struct) or "").split("\n\n")[0].split())


_SPELLING = {
    "adagrad": "AdaGrad",
    "adamw": "AdamW",
    "celu": "CELU",
    "elu": "ELU",
    "gelu": "GELU",
    "gelu_tanh": "GELU (tanh form)",
    "glorot": "Glorot",
    "he": "He",
    "kaiming": "Kaiming",
    "lecun": "LeCun",
    "nesterov": "Nesterov",
    "prelu": "PReLU",
    "pytorch_linear_default": "PyTorch's default",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "rmsprop": "RMSProp",
    "rrelu": "RReLU",
    "selu": "SELU",
    "sgd": "SGD",
    "silu": "SiLU",
    "xavier": "Xavier",
    "xor": "XOR",
}


def _field(field: inspect.Field, hint: Any) -> Field:
    members = [m for m in limits.alternatives(field.type) if not isinstance(limits.bare(m), inspect.NoneType)]
    value = members[0] if len(members) == 1 else field.type
    plain = limits.bare(value)
    numeric = limits.bare(plain.item_types[0]) if isinstance(plain, inspect.TupleType) else plain
    words = _words(field.type) | _words(value)
    bounds = numeric if isinstance(numeric, inspect.IntType | inspect.FloatType) else inspect.FloatType()
    lower = bounds.ge if bounds.gt is None else bounds.gt
    upper = bounds.le if bounds.lt is None else bounds.lt
    return Field(
        name=field.name,
        key=field.encode_name,
        title=words.get("title", field.name.replace("_", " ").capitalize()),
        description=words.get("description", ""),
        form=_form(plain),
        minimum=lower,
        maximum=upper,
        excludes_minimum=bounds.gt is not None,
        excludes_maximum=bounds.lt is not None,
        choices=_choices(hint) if isinstance(plain, inspect.LiteralType) else (),
        kinds=_structs(plain),
        optional=len(members) < len(limits.alternatives(field.type)),
        longest=plain.max_length if isinstance(plain, inspect.StrType) else None,
        default=None if field.required else _default(field),
        required=field.required,
        expected=limits.expectation(value),
    )


def _form(plain: inspect.Type) -> Form:
    match plain:
        case inspect.BoolType():
            return "boolean"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "real"
        case inspect.StrType():
            return "text"
        case inspect.LiteralType():
            return "choice"
        case inspect.TupleType() if len(plain.item_types) == 2:
            return "pair"
        case inspect.VarTupleType():
            if isinstance(limits.bare(plain.item_type), inspect.StructType):
                return "records"
            return "layers" if limits.kinds(plain.item_type) else "rows"
        case inspect.StructType():
            return "kind" if plain.tag_field else "part"
        case inspect.UnionType() if limits.kinds(plain):
            return "kind"
        case _:
            raise TypeError(f"no form for {plain!r}")


def _structs(plain: inspect.Type) -> tuple[type[Spec], ...]:
    if isinstance(plain, inspect.VarTupleType):
        plain = plain.item_type
    structs = [plain] if isinstance(plain, inspect.StructType) else limits.kinds(plain).values()
    return tuple(struct.cls for struct in structs if issubclass(struct.cls, Spec))


def _choices(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Literal:
        return tuple(str(word) for word in get_args(hint))
    return next((found for part in get_args(hint) if (found := _choices(part))), ())


def _words(kind: inspect.Type) -> dict[str, str]:
    """Title and description; those of an outer annotation win."""
    words: dict[str, str] = {}
    while isinstance(kind, inspect.Metadata):
        words = (kind.extra_json_schema or {}) | words
        kind = kind.type
    return words


def _default(field: inspect.Field) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
