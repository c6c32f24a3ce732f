"""Published rules of other people with their published cuts, each pack in its file. Runs no network."""

from gradsim.analysis.rule_packs.rule import PublishedRule, RuleResult
from gradsim.analysis.rule_packs.table import (
    PUBLISHED_RULES,
    apply_published_rules,
    contradictions,
    rules_document,
)

__all__ = [
    "PUBLISHED_RULES",
    "PublishedRule",
    "RuleResult",
    "apply_published_rules",
    "contradictions",
    "rules_document",
]
