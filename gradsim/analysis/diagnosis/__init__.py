"""Names what keeps a network from learning: findings with their evidence, their cause and their remedies."""

from gradsim.analysis.diagnosis.finding import Check, Confidence, Diagnosis, Finding, Neighbour
from gradsim.analysis.remedy import Effect, Remedy

__all__ = ["Check", "Confidence", "Diagnosis", "Effect", "Finding", "Neighbour", "Remedy"]
