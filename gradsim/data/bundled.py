"""Real data sets that come with GradSim. Their origin and licence stand in ``resources/data/README.md``."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from typing import NamedTuple

import numpy as np

from gradsim.data.raw import RawSamples
from gradsim.resource_files import resource_path
from gradsim.spec import kind_of
from gradsim.spec.data import BreastCancer, Digits, Iris, Wine


class _Words(NamedTuple):
    title: str
    origin: str
    classes: tuple[str, ...]


_WORDS = {
    "iris": _Words(
        "Iris flowers",
        "R. A. Fisher (1936), UCI Machine Learning Repository, doi:10.24432/C56C76, CC BY 4.0",
        ("setosa", "versicolor", "virginica"),
    ),
    "wine": _Words(
        "Wines of three growers",
        "S. Aeberhard and M. Forina (1992), UCI Machine Learning Repository, doi:10.24432/C5PC7J, CC BY 4.0",
        ("grower 1", "grower 2", "grower 3"),
    ),
    "breast_cancer": _Words(
        "Breast tumours of Wisconsin",
        "W. Wolberg et al. (1993), UCI Machine Learning Repository, doi:10.24432/C5DW2B, CC BY 4.0",
        ("malignant", "benign"),
    ),
    "digits": _Words(
        "Handwritten digits",
        "E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, doi:10.24432/C50P49, CC BY 4.0",
        tuple("0123456789"),
    ),
}


def bundled(spec: Iris | Wine | BreastCancer | Digits, random: np.random.Generator) -> RawSamples:
    """Return a real data set, its rows in an order drawn from the seed: some files are sorted by class.

    Parameters
    ----------
    spec : Iris or Wine or BreastCancer or Digits
        Which one.
    random : numpy.random.Generator
        Draws the order.

    Returns
    -------
    RawSamples
        Unscaled measurements.
    """
    raw = _read(kind_of(spec))
    assert raw.classes is not None
    order = random.permutation(len(raw.inputs))
    return RawSamples(
        raw.inputs[order], raw.feature_names, raw.output_names, raw.title, raw.origin, raw.classes[order]
    )


@cache
def _read(name: str) -> RawSamples:
    words = _WORDS[name]
    with gzip.open(resource_path("data", f"{name}.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        head = next(csv.reader(file))
        table = np.loadtxt(file, delimiter=",", dtype=np.float64)
    return RawSamples(
        inputs=np.ascontiguousarray(table[:, :-1]),
        feature_names=tuple(head[:-1]),
        output_names=words.classes,
        title=words.title,
        origin=words.origin,
        classes=table[:, -1].astype(np.int64),
    )
