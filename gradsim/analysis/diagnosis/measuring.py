"""What every remedy does on the network of every finding that proposes it, and that as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gradsim.analysis.diagnosis.applying import diagnosis_of
from gradsim.analysis.diagnosis.case import CONVERGED, Case, Comparison, case_of
from gradsim.analysis.diagnosis.example import Example
from gradsim.analysis.diagnosis.examples import EXAMPLES
from gradsim.analysis.diagnosis.finding import Finding
from gradsim.analysis.diagnosis.rule import Rule
from gradsim.analysis.diagnosis.rules import RULES
from gradsim.analysis.diagnosis.simulation import Simulate, other_seed
from gradsim.analysis.diagnosis.trials import effect_of, helps, trial, with_effects
from gradsim.analysis.diagnosis.words import number, percent
from gradsim.analysis.network_edits import halved
from gradsim.analysis.remedy import Effect
from gradsim.spec import Experiment

ITERATIONS, SEEDS = 300, 5


@dataclass(frozen=True, slots=True)
class MeasuredRemedies:
    """The remedies of one rule on its example.

    Attributes
    ----------
    rule : Rule
        Which.
    example : Example
        Where they were tried.
    finding : Finding
        With remedies that know what they did, in the order of their help.
    """

    rule: Rule
    example: Example
    finding: Finding


def example_case(example: Example, experiment: Experiment, simulate: Simulate, seed: int = 0) -> Case:
    """Return the network of an example, or its neighbour, where its rule is to look at it.

    Parameters
    ----------
    example : Example
        Which.
    experiment : Experiment
        One of its two.
    simulate : callable
        Makes a simulator of an experiment, usually ``gradsim.Simulator``.
    seed : int, default 0
        Which of its seeds, 0 being the first.

    Returns
    -------
    Case
        With the comparison of depths where the rule needs it.
    """
    seeded = other_seed(experiment, seed)
    simulator = simulate(seeded)
    simulator.advance(example.iterations)
    case = case_of(simulator.record(), simulator.history(), simulator.samples)
    shallower = halved(seeded)
    if example.rule != "deeper_but_worse" or shallower is None:
        return case
    deep, shallow = (trial(one, simulate, ITERATIONS, 1, _never) for one in (seeded, shallower))
    assert deep is not None
    assert shallow is not None
    return Case(case.trace, case.history, case.samples, Comparison(deep.losses, shallow.losses, ITERATIONS))


def measured_remedies(
    simulate: Simulate,
    *,
    iterations: int = ITERATIONS,
    seeds: int = SEEDS,
    progress: Callable[[str, float], None] | None = None,
) -> Iterator[MeasuredRemedies]:
    """Train the example of every rule without and with each of its remedies.

    Parameters
    ----------
    simulate : callable
        Makes a simulator of an experiment, usually ``gradsim.Simulator``.
    iterations : int, default 300
        Length of each training, from the first weights.
    seeds : int, default 5
        How many seeds.
    progress : callable, optional
        Told which rule comes, and the share that is done.

    Yields
    ------
    MeasuredRemedies
        One per example, in the order of the rules.
    """
    examples = [(rule, example) for rule in RULES for example in EXAMPLES if example.rule == rule.id]
    for i, (rule, example) in enumerate(examples):
        if progress is not None:
            progress(f"{rule.title}: {example.words}", i / len(examples))
        case = example_case(example, example.experiment, simulate)
        finding = diagnosis_of(case, "instant")[rule.id]
        before = trial(example.experiment, simulate, iterations, seeds, _never)
        effects: dict[Experiment, Effect] = {}
        for remedy in finding.remedies:
            after = trial(remedy.experiment, simulate, iterations, seeds, _never)
            assert before is not None
            assert after is not None
            effects[remedy.experiment] = effect_of(before, after, iterations)
        yield MeasuredRemedies(rule, example, with_effects(finding, effects))


def remedy_table(measured: list[MeasuredRemedies]) -> str:
    """Return the rules, and what remedies were measured to do, as Markdown.

    Parameters
    ----------
    measured : list of MeasuredRemedies
        As ``measured_remedies`` yields them.

    Returns
    -------
    str
        A table with a row per rule, and one with a row per example and remedy.
    """
    some = measured[0].finding.remedies[0].effect
    assert some is not None
    lines = [
        "# What a diagnosis looks for, and what helps",
        "",
        "Made by `gradsim diagnose --measure-remedies`; do not edit.",
        "",
        "## Findings",
        "",
        f"A finding is told only while the loss is above {percent(CONVERGED)} of what the best constant answer",
        "costs: a converged network is healthy. Advice does not make a network unhealthy.",
        "",
        "| finding | its number | is found | where the cut comes from |",
        "|---|---|---|---|",
        *(
            f"| {rule.title}{' (advice)' if rule.is_advice else ''} | {_cell(rule.measure)} | {rule.relation} "
            f"{number(rule.cut)} | {_cell(rule.source)} |"
            for rule in RULES
        ),
        "",
        "## Remedies",
        "",
        "Each finding has at least one small network that shows it. Every remedy that the finding proposes is applied",
        f"to that network, and both are trained alike: {some.iterations} iterations from the first weights,",
        f"{some.seeds} seeds. The loss is the median over the seeds, of all training samples in evaluation mode,",
        "infinite where it is not a number. The factor is that of the gradient on its way back in the first pass,",
        "1 being a gradient that keeps its size: rms δ per layer, of recurrent networks rms ∂L/∂h per time step.",
        "A remedy helps (✓) where it lowers the loss by 2 % and more, or halves the distance of the factor from 1 (in",
        "logarithms) at no cost. The best comes first.",
        "",
        "| finding | network | remedy | factor | loss | helps |",
        "|---|---|---|---|---|---|",
    ]
    for row in measured:
        title, words = row.rule.title, row.example.words
        for remedy in row.finding.remedies:
            effect = remedy.effect
            if effect is None:
                continue
            lines.append(
                f"| {title} | {words} | {remedy.title} "
                f"| {number(effect.backward_before)} → {number(effect.backward_after)} "
                f"| {number(effect.loss_before)} → {number(effect.loss_after)} | {'✓' if helps(effect) else '–'} |"
            )
            title = words = ""
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _never() -> bool:
    return False
