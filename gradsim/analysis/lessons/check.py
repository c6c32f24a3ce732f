"""A lesson walked through without a window: every number it states and every answer it takes for right is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gradsim.analysis.lessons.expression import condition, expression
from gradsim.analysis.lessons.quantities import Quantities
from gradsim.analysis.lessons.syntax import check_syntax, fault_at, step_texts
from gradsim.analysis.lessons.text import unchecked_numbers, values_of
from gradsim.spec import Experiment, SpecError
from gradsim.spec.lesson import ChoiceQuestion, GoalQuestion, Lesson, LessonStep, Look, NumberQuestion
from gradsim.spec.lesson_reading import solved_experiment, step_experiments
from gradsim.trace import History, IterationTrace


class LessonSimulator(Protocol):
    """What a walk through a lesson asks of a network; the engine's simulator has it."""

    @property
    def iteration(self) -> int:
        """Number of updates made."""

    def record(self) -> IterationTrace:
        """Return the present pass."""

    def history(self) -> History:
        """Return what has been trained so far."""

    def advance(self, iterations: int) -> int:
        """Train."""

    def seek(self, iteration: int) -> None:
        """Go to an iteration."""

    def can_continue(self, experiment: Experiment) -> bool:
        """Whether only the training differs."""

    def change_training(self, experiment: Experiment) -> None:
        """Go on with other settings."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a lesson says, and what was measured.

    Attributes
    ----------
    place : str
        Where it stands in the document, as a JSON path.
    claim : str
        What is said.
    measured : str
        What was found.
    is_right : bool
        Whether they agree.
    """

    place: str
    claim: str
    measured: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class LessonReport:
    """What came of a walk through a lesson.

    Attributes
    ----------
    claims : tuple of Claim
        In the order of the document.
    unchecked : tuple of (str, str)
        Places and decimals that nothing checks.
    """

    claims: tuple[Claim, ...]
    unchecked: tuple[tuple[str, str], ...]

    @property
    def wrong(self) -> tuple[Claim, ...]:
        """The claims that are not true."""
        return tuple(claim for claim in self.claims if not claim.is_right)


def check_lesson(
    lesson: Lesson, experiment: Experiment, simulator_of: Callable[[Experiment], LessonSimulator]
) -> LessonReport:
    """Walk through a lesson and measure everything that it says.

    Parameters
    ----------
    lesson : Lesson
        Any lesson.
    experiment : Experiment
        The one it begins with.
    simulator_of : callable
        Builds the network of an experiment.

    Returns
    -------
    LessonReport
        Of all its claims.

    Raises
    ------
    SpecError
        If the lesson cannot be carried out.
    """
    check_syntax(lesson, experiment)
    claims: list[Claim] = []
    unchecked: list[tuple[str, str]] = []
    for index, before, after, solved in _walked(lesson, experiment, simulator_of):
        step, place = lesson.steps[index], f"$.steps[{index}]"
        for path, text, is_late in step_texts(step, place):
            quantities = (solved if is_late else None) or (
                after if is_late or not step.asks_first else before
            )
            with fault_at(path):
                claims += [
                    Claim(
                        path,
                        f"{value.shown}{' %' if value.percent else ''} {value.how} {value.expression.text}",
                        repr(measured),
                        value.is_right(measured),
                    )
                    for value, measured in (
                        (value, value.expression.value(quantities)) for value in values_of(text)
                    )
                    if value.shown is not None
                ]
                unchecked += [(path, number) for number in unchecked_numbers(text)]
        with fault_at(f"{place}.question"):
            claims += _answers(step, f"{place}.question", after, solved)
    return LessonReport(tuple(claims), tuple(unchecked))


def look_step(trace: IterationTrace, look: Look) -> int | None:
    """Return the step of an iteration that a look is meant for.

    Parameters
    ----------
    trace : IterationTrace
        The pass that is looked at.
    look : Look
        With phase, layer and operation, each of which may be left out.

    Returns
    -------
    int or None
        Index into ``trace.steps``; None where there is none of the kind. The last one where nothing is asked.
    """
    if look.phase is None and look.operation is None:
        return len(trace.steps) - 1
    names = [layer.name for layer in trace.layers]
    fitting = [
        place
        for place, step in enumerate(trace.steps)
        if look.phase in (None, step.phase)
        and look.operation in (None, step.operation)
        and (look.layer is None or step.layer is None or names[step.layer] == look.layer)
    ]
    return fitting[-1] if fitting else None


def _walked(
    lesson: Lesson, experiment: Experiment, simulator_of: Callable[[Experiment], LessonSimulator]
) -> Iterator[tuple[int, Quantities, Quantities, Quantities | None]]:
    """Yield for each step the pass before its edit and training, the one after, and the one of a reached goal."""
    kept: dict[str, float] = {}
    simulator: LessonSimulator | None = None
    before = None
    experiments = step_experiments(lesson, experiment)
    for index, (step, wanted) in enumerate(zip(lesson.steps, experiments, strict=True)):
        if simulator is None:
            simulator = simulator_of(experiment)
            before = Quantities(simulator.record(), simulator.history(), dict(kept))
        if step.restart or not simulator.can_continue(wanted):
            simulator = simulator_of(wanted)
        elif experiments[index - 1 if index else 0] != wanted or index == 0:
            simulator.change_training(wanted)
        simulator.advance(step.train)
        after = _looked_at(simulator, step, f"$.steps[{index}].look", kept)
        for name, formula in step.keep.items():
            with fault_at(f"$.steps[{index}].keep.{name}"):
                kept[name] = expression(formula).value(after)
        after.kept = dict(kept)
        solved = None
        if isinstance(step.question, GoalQuestion):
            solver = simulator_of(solved_experiment(wanted, step.question))
            solver.advance(step.question.train)
            solved = Quantities(solver.record(), solver.history(), dict(kept))
        assert before is not None
        yield index, before, after, solved
        before = after


def _looked_at(
    simulator: LessonSimulator, step: LessonStep, place: str, kept: dict[str, float]
) -> Quantities:
    look, here = step.look, simulator.iteration
    if look is not None and look.iteration is not None:
        if look.iteration > here:
            raise SpecError(
                f"{place}.iteration", f"expected at most {here}, the iterations trained, got {look.iteration}"
            )
        simulator.seek(look.iteration)
    trace, history = simulator.record(), simulator.history()
    simulator.seek(here)
    if look is not None and look_step(trace, look) is None:
        raise SpecError(place, _no_such_step(trace, look))
    if look is not None and look.unit is not None and look.layer is not None:
        units = trace[look.layer].fan_out
        if look.unit >= units:
            raise SpecError(f"{place}.unit", f"expected a unit from 0 to {units - 1}, got {look.unit}")
    return Quantities(trace, history, dict(kept))


def _no_such_step(trace: IterationTrace, look: Look) -> str:
    """Say which steps there are of the phase, or of the layer, that is looked at."""
    names = [layer.name for layer in trace.layers]

    def told(phase: str | None, layer: str | None) -> list[str]:
        return list(
            dict.fromkeys(
                step.operation
                for step in trace.steps
                if phase in (None, step.phase)
                and (layer is None or step.layer is None or names[step.layer] == layer)
            )
        )

    for phase, layer in ((look.phase, look.layer), (look.phase, None), (None, look.layer)):
        if found := told(phase, layer):
            where = f"{f' of {layer}' if layer else ''}{f' in the phase {phase}' if phase else ''}"
            break
    wanted = " ".join(word for word in (look.layer, look.phase, look.operation) if word)
    return f"the iteration has no step {wanted}; the operations{where} are {', '.join(found)}"


def _answers(step: LessonStep, place: str, after: Quantities, solved: Quantities | None) -> Iterator[Claim]:
    match step.question:
        case NumberQuestion(answer=answer):
            value = expression(answer).value(after)
            yield Claim(f"{place}.answer", f"{answer} is a number", repr(value), value - value == 0)
        case ChoiceQuestion(choices=choices):
            right = [
                str(place)
                for place, choice in enumerate(choices)
                if choice.right or (choice.when is not None and condition(choice.when).holds(after))
            ]
            yield Claim(
                f"{place}.choices",
                "exactly one choice is right",
                f"right are {', '.join(right) or 'none'}, counted from 0",
                len(right) == 1,
            )
        case GoalQuestion(condition=wanted) if solved is not None:
            is_new = not condition(wanted).holds(after)
            yield Claim(f"{place}.condition", "not reached from the start", str(is_new), is_new)
            reached = condition(wanted).holds(solved)
            loss = f"loss {solved.trace.loss!r}"
            yield Claim(f"{place}.solution", f"leads to {wanted}", f"{reached}, {loss}", reached)
