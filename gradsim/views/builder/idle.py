"""Which fields of a struct have no effect as its other fields stand, and why: nobody should turn them in vain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradsim.spec import Normalization, Recurrent


def idle_fields(value: Any) -> dict[str, str]:
    """
    Return the fields of a struct that change nothing.

    Parameters
    ----------
    value : Spec
        As it stands.

    Returns
    -------
    dict from str to str
        Name of a field → why, in a sentence.
    """
    return dict(_found(value))


def _found(value: Any) -> Iterator[tuple[str, str]]:
    if hasattr(value, "bias_initializer") and not value.bias:
        yield "bias_initializer", "There is no bias."
    if isinstance(value, Normalization):
        if value.method != "batch":
            yield "momentum", f"The {value.method} method keeps no running values."
        if not value.affine:
            yield "trainable", "Without gamma and beta there is nothing to train."
            yield "learning_rate_scale", "Without gamma and beta there is nothing to train."
    if isinstance(value, Recurrent):
        if value.cell != "simple":
            yield "activation", f"The cell of {_NAMES[value.cell]} has tanh."
        if value.cell != "lstm":
            yield "forget_bias", "Only an LSTM has a forget gate."
        if value.cell != "gru":
            yield "reset_after", "Only a GRU has a reset gate."
    if not getattr(value, "trainable", True) and hasattr(value, "learning_rate_scale"):
        yield "learning_rate_scale", "It is not trained."


_NAMES = {"lstm": "an LSTM", "gru": "a GRU"}
