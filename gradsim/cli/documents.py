"""A run as one JSON document for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

from gradsim import __version__
from gradsim.cli.layer_document import block_document, parameter_document, time_document
from gradsim.cli.phases import phases_of
from gradsim.cli.result import Result, first_breakdown
from gradsim.spec import experiment_document

if TYPE_CHECKING:
    from gradsim.analysis import Forensics, Profile
    from gradsim.trace import History


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
    from gradsim.analysis import residual_blocks

    breakdown = first_breakdown(result)
    trace = result.trace
    blocks = {block.name: block for block in residual_blocks(trace)}
    layers = []
    for row in result.rows:
        statistics = trace[row.name].statistics
        told = {name: dataclasses.asdict(values) for name, values in statistics.items()}
        layer = dataclasses.asdict(row) | {
            "statistics": told,
            "parameters": parameter_document(trace[row.name]),
            "time": time_document(trace[row.name]),
            "block": block_document(blocks[row.name]) if row.name in blocks else None,
        }
        layers.append(layer)
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
            "loss_scale": trace.loss_scale,
        },
        "phases": [phase._asdict() for phase in phases_of(result)],
        "loss_scale": _loss_scale_document(result.history),
        "layers": layers,
        "profile": _profile_document(result.profile),
        "profile_before": _profile_document(result.first_profile),
        "first_non_finite": breakdown._asdict() if breakdown else None,
        "forensics": dataclasses.asdict(found) if found else None,
    }


def _loss_scale_document(history: History) -> dict[str, Any]:
    """Where the factor on the loss changed; a training without one has the single value 1."""
    scale = history.loss_scale
    places = [k for k in range(len(scale)) if k == 0 or scale[k] != scale[k - 1]]
    return {
        "iterations": [int(history.iterations[k]) for k in places],
        "values": [float(scale[k]) for k in places],
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
