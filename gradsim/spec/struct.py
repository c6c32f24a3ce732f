"""The common shape of every part of an experiment: a frozen value that refuses unknown keys."""

from __future__ import annotations

import msgspec


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value: compared, hashed and copied as a whole, so it can be an undo step."""


class Kind(Spec, frozen=True, kw_only=True, tag_field="kind"):
    """A value of one of several kinds, told apart by its key ``kind``."""


def kind_of(value: Kind) -> str:
    """Return the word that names the kind of a value in the document.

    Parameters
    ----------
    value : Kind
        Any activation, initializer, layer, data set, optimizer, schedule or clipping.

    Returns
    -------
    str
        The value of its key ``kind``, such as ``"leaky_relu"``.
    """
    return str(value.__struct_config__.tag)
