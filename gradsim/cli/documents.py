"""A run as one JSON document for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

from gradsim import __version__
from gradsim.cli.result import Result, first_breakdown
from gradsim.spec import experiment_document

if TYPE_CHECKING:
    from gradsim.analysis import Forensics, Profile


def result_document(result: Result, found: Forensics | None = None) -> dict[str, Any]:
    """Return a run as a document of plain values.

    Parameters
    ----------
    result : Result
        A run.
    found : Forensics, optional
        Where its numbers broke or were lost.

    Returns
    -------
    dict
        Numbers are Python floats and ints; what is not finite is there as such.
    """
    breakdown = first_breakdown(result)
    trace = result.trace
    layers = []
    for row in result.rows:
        statistics = trace[row.name].statistics
        told = {name: dataclasses.asdict(values) for name, values in statistics.items()}
        layers.append(dataclasses.asdict(row) | {"statistics": told})
    return {
        "version": __version__,
        "experiment": experiment_document(result.experiment),
        "iterations": result.iterations,
        "asked_iterations": result.asked,
        "interrupted": result.interrupted,
        "parameter_count": result.parameter_count,
        "before": result.before._asdict(),
        "after": result.after._asdict(),
        "batch": {
            "loss": trace.loss,
            "accuracy": trace.accuracy,
            "learning_rate": trace.learning_rate,
            "gradient_norm": trace.gradient_norm,
            "size": len(trace.inputs),
        },
        "layers": layers,
        "profile": _profile_document(result.profile),
        "profile_before": _profile_document(result.first_profile),
        "first_non_finite": breakdown._asdict() if breakdown else None,
        "forensics": dataclasses.asdict(found) if found else None,
    }


def json_text(document: Any, ascii_only: bool = False) -> str:
    """Return a document as JSON in which every number is one that JSON knows.

    Parameters
    ----------
    document : object
        Plain values.
    ascii_only : bool, default False
        Escape what is not ASCII.

    Returns
    -------
    str
        NaN and infinities stand as the strings ``"NaN"``, ``"inf"`` and ``"-inf"``.
    """
    return json.dumps(_finite(document), indent=2, ensure_ascii=ascii_only, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _profile_document(profile: Profile) -> dict[str, Any]:
    return {
        name: {
            "factor_per_layer": float(fit.factor),
            "r_squared": float(fit.r_squared),
            "words": fit.words,
            "layers": [profile.layer_names[int(i)] for i in fit.used],
        }
        for name, fit in (("backward", profile.backward_fit), ("forward", profile.forward_fit))
    }
