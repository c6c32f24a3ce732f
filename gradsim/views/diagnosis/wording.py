"""What a diagnosis is called on screen: severity, numbers against their cuts, effects of remedies."""

from __future__ import annotations

from html import escape

from gradsim.analysis.diagnosis import Diagnosis, Effect, Finding, helps
from gradsim.analysis.rule_packs import RuleResult, contradictions
from gradsim.views.inspection.number_text import number_text
from gradsim.views.plot.numbers import typeset

MOST_LAYERS = 6
"""More layers than these are told by the first and the last of them."""


def severity(finding: Finding) -> tuple[str, str]:
    """Return how bad a finding is: a word, and the role of its colour in a theme."""
    if finding.is_advice:
        return "Advice", "forward"
    if finding.id == "not_finite":
        return "Broken", "bad"
    return "Problem", "warn"


def headline(diagnosis: Diagnosis) -> str:
    """Return a diagnosis in a line: what is worst, how much more there is, and the loss."""
    is_sure = diagnosis.is_healthy and diagnosis.has_learned
    sign = "✓" if is_sure else "○" if diagnosis.is_healthy else "✗"
    if not diagnosis.findings:
        return typeset(f"{sign} {diagnosis.sentence}")
    more = len(diagnosis.findings) - 1
    healthy = "Healthy, with advice" if is_sure else "Nothing found yet but advice"
    first = healthy if diagnosis.is_healthy else diagnosis.findings[0].title
    words = f"{sign} {first}" + (f" and {more} more" if more and not diagnosis.is_healthy else "")
    median = " (recent median)" if diagnosis.iteration else ""
    loss = f"Batch loss {number_text(diagnosis.loss, 3)}{median}"
    if diagnosis.loss_share == diagnosis.loss_share:  # neither is there without a loss
        loss += f", {number_text(100 * diagnosis.loss_share, 3)} % of what a constant answer costs"
    return f"{words}. {loss}."


def kept_together(text: str) -> str:
    """Return words with every number on the line of its percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def summary(diagnosis: Diagnosis, results: tuple[RuleResult, ...]) -> str:
    """Return a diagnosis and the published rules that fire in words, a line for each thing."""
    firing = [f"{one.pack}: {one.name}" for one in results if one.state == "fires"]
    lines = [diagnosis.sentence, *(finding.sentence for finding in diagnosis.findings)]
    lines.append(f"Published rules that fire: {'; '.join(firing) or 'none'}.")
    return "\n".join((*lines, *contradictions(results)))


def measured_text(value: float, cut: float, relation: str) -> str:
    """Return a number and the cut on whose far side it lies, such as ``3.8·10⁻⁵ < 0.001``."""
    sign = ">" if relation == "above" else "<"
    return f"{number_text(value, 3)} {sign} {number_text(cut, 3)}"


_PARAGRAPH = "<p style='margin-top: 0px; margin-bottom: 3px'>"


_LONG = 150
"""Letters of a cause of which only the first sentence stands above the remedies: about four lines of the panel."""


def finding_html(finding: Finding) -> str:
    """Return what a finding says and its cause: all that must be read before a remedy is chosen."""
    why, _ = _cause(finding)
    said, why = (escape(kept_together(typeset(words))) for words in (finding.sentence, why))
    return f"{_PARAGRAPH}{said}</p>{_PARAGRAPH}<b>Why</b> {why}</p>"


def evidence_html(finding: Finding, muted: str) -> str:
    """Return the rest of a long cause, the number against its cut, and the layers as links to ``layer:NAME``."""
    _, rest = _cause(finding)
    number = measured_text(finding.value, finding.cut, finding.relation)
    measure = f"<span style='color:{muted}'>{escape(finding.measure)}</span>"
    told = f"{_PARAGRAPH}{escape(kept_together(typeset(rest)))}</p>" if rest else ""
    told += f"{_PARAGRAPH}<b>{escape(number)}</b> {measure}</p>"
    return f"{told}{_PARAGRAPH}{_layers(finding.layers)}</p>" if finding.layers else told


def _cause(finding: Finding) -> tuple[str, str]:
    """Return the cause in two parts: a long one has its first sentence, and the rest."""
    first, end, rest = finding.why.partition(". ")
    return (f"{first}.", rest) if end and len(finding.why) > _LONG else (finding.why, "")


def certainty_text(finding: Finding, is_pending: bool) -> str:
    """Return how sure a finding is, over seeds; ``is_pending`` while other seeds are looked at."""
    if is_pending:
        return "Seen with this seed; others are being trained…"
    return f"Seen with {finding.confidence.words}"


def order_text(finding: Finding) -> str:
    """Return what the order of the remedies rests on."""
    if finding.is_measured:
        return "Remedies, as measured on this network"
    return "Usual order; Thorough measures it here"


def small_print_html(finding: Finding) -> str:
    """Return what else was measured, and where the cut comes from."""
    small = []
    if finding.neighbours:
        near = finding.neighbours[0]
        small.append(f"Nearest outside: {_link(near.layer)} with {number_text(near.value, 3)}.")
    numbers = [f"{escape(name)} {number_text(value, 4)}" for name, value in finding.evidence.items()]
    if numbers:
        small.append(f"Measured: {'; '.join(numbers)}.")
    small.append(f"Cut: {escape(finding.source)}.")
    return " ".join(small)


def effect_text(effect: Effect) -> str:
    """Return what a remedy was measured to do."""
    before, after = number_text(effect.loss_before, 3), number_text(effect.loss_after, 3)
    words = f"training loss {before} → {after}"
    if effect.backward_before == effect.backward_before:  # a network of one layer has no such factor
        pair = number_text(effect.backward_before, 3), number_text(effect.backward_after, 3)
        words = f"δ per layer ×{pair[0]} → ×{pair[1]}, {words}"
    seeds = f"{effect.seeds} seed{'' if effect.seeds == 1 else 's'}"
    told = f"{words} ({effect.iterations:,} iterations, {seeds})"
    return told if helps(effect) else f"{told}: no clear help"


def _layers(names: tuple[str, ...]) -> str:
    if len(names) <= MOST_LAYERS:
        return ", ".join(_link(name) for name in names)
    return f"{len(names)} layers: {', '.join(_link(name) for name in names[:3])} … {_link(names[-1])}"


def _link(name: str) -> str:
    return f"<a href='layer:{escape(name, quote=True)}'>{escape(name)}</a>"
