"""Names what keeps a network from learning: findings with their evidence, their cause and their remedies."""

from gradsim.analysis.diagnosis.diagnosing import diagnose, diagnose_run
from gradsim.analysis.diagnosis.document import diagnosis_document
from gradsim.analysis.diagnosis.finding import Check, Confidence, Diagnosis, Finding, Neighbour
from gradsim.analysis.diagnosis.rule import Rule
from gradsim.analysis.diagnosis.rules import RULES
from gradsim.analysis.diagnosis.trials import helps
from gradsim.analysis.remedy import Effect, Remedy

__all__ = [
    "RULES",
    "Check",
    "Confidence",
    "Diagnosis",
    "Effect",
    "Finding",
    "Neighbour",
    "Remedy",
    "Rule",
    "diagnose",
    "diagnose_run",
    "diagnosis_document",
    "helps",
]
