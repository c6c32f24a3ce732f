"""Causes as columns of plain values: for files, the terminal and screen readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradsim.analysis.cause.records import FACTOR_KINDS, Causes
from gradsim.analysis.cause.wording import cause_sentence
from gradsim.analysis.fit import Direction


def cause_table(causes: Causes, direction: Direction) -> dict[str, list[Any]]:
    """Return causes as columns, one row per layer that has a ratio; their units are in ``CAUSE_UNITS``.

    Parameters
    ----------
    causes : Causes
        Of a record.
    direction : {"backward", "forward"}
        Which way.

    Returns
    -------
    dict from str to list
        One column per kind of factor that occurs; None where a layer has none of it, NaN where nothing arrives at
        it.
    """
    rows = causes.of(direction)
    columns: dict[str, list[Any]] = {
        "layer": [cause.number for cause in rows],
        "name": [cause.name for cause in rows],
        "ratio": [cause.ratio for cause in rows],
    }
    for kind in FACTOR_KINDS:
        values = [cause.value_of(kind) for cause in rows]
        if any(value is not None for value in values):
            columns[kind] = values
    columns["product"] = [cause.product for cause in rows]
    columns["words"] = [cause_sentence(cause) for cause in rows]
    return columns


CAUSE_UNITS: Mapping[str, str] = {
    "layer": "number from the input on",
    "name": "",
    "ratio": "rms δ / rms δ of the next layer, or rms a / rms a of the layer before",
    "weight": "factor of the linear map",
    "bias": "factor of the bias",
    "slope": "factor of the activation: of its slope on the way back",
    "normalization": "factor of the normalizations",
    "skip": "factor of the skip meeting its branch",
    "dropout": "factor of dropout",
    "time": "factor of the time steps",
    "product": "of the factors; equal to the ratio but for rounding",
    "words": "",
}
"""What each column of ``cause_table`` is."""
