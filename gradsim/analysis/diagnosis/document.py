"""A diagnosis as a document of plain values, for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from gradsim.analysis.diagnosis.finding import Diagnosis
from gradsim.analysis.remedy import Remedy
from gradsim.spec import experiment_document


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as a document that can be written as JSON.

    Parameters
    ----------
    diagnosis : Diagnosis
        Any diagnosis.

    Returns
    -------
    dict
        The fields of ``Diagnosis`` and of what it holds, numbers that JSON cannot hold as ``"NaN"``, ``"Infinity"``
        and ``"-Infinity"``; a remedy holds the document of its experiment, which can be run as it is.
    """
    findings = [
        {
            **{
                name: _plain(getattr(finding, name))
                for name in (
                    *("id", "title", "is_advice", "layers", "measure", "value", "cut", "relation", "source"),
                    *("evidence", "sentence", "why"),
                )
            },
            "neighbours": [_plain(asdict(neighbour)) for neighbour in finding.neighbours],
            "confidence": asdict(finding.confidence),
            "is_measured": finding.is_measured,
            "remedies": [_remedy(remedy) for remedy in finding.remedies],
        }
        for finding in diagnosis.findings
    ]
    return {
        "iteration": diagnosis.iteration,
        "depth": diagnosis.depth,
        "loss": _plain(diagnosis.loss),
        "baseline": _plain(diagnosis.baseline),
        "loss_share": _plain(diagnosis.loss_share),
        "is_converged": diagnosis.is_converged,
        "is_healthy": diagnosis.is_healthy,
        "sentence": diagnosis.sentence,
        "findings": findings,
        "checks": [_plain(asdict(check)) for check in diagnosis.checks],
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    return {
        "id": remedy.id,
        "title": remedy.title,
        "description": remedy.description,
        "effect": None if remedy.effect is None else _plain(asdict(remedy.effect)),
        "experiment": experiment_document(remedy.experiment),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
