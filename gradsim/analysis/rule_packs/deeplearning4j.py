"""What the training page of Deeplearning4j says to look at."""

from __future__ import annotations

from gradsim.analysis.rule_packs.record import Record, farthest, log10, ratio
from gradsim.analysis.rule_packs.rule import Measured, NotApplicable, PublishedRule

PACK = "Deeplearning4j"
UPDATES = (-4.0, -2.0)


def update_ratio(record: Record) -> Measured | NotApplicable:
    """Fire where log10 of the mean magnitude of the updates over that of the parameters lies outside −4 … −2.

    Deeplearning4j, "Visualization", update:parameter ratios: about −3 is a guideline, beyond −2 or −4 the
    learning rate may be wrong.
    """
    low, high = UPDATES
    logs = [(one.layer, log10(ratio(one.update_mean, one.value_mean))) for one in record.matrices]
    layer, value = farthest(logs, low, high)
    return Measured(value, value < low or value > high, layer)


RULES = (
    PublishedRule(
        PACK,
        "Update ratio",
        "size of the updates",
        "log10 of mean |ΔW| / mean |W|",
        "outside −4…−2",
        update_ratio,
    ),
)
