"""Lesson files: those that come with GradSim, and what is said about malformed ones."""

import json
from pathlib import Path

import msgspec
import pytest

from gradsim.analysis.lessons import check_lesson
from gradsim.engine import Simulator
from gradsim.formats.lessons import lesson_schema, load_lesson, opened_lesson, shipped_lessons
from gradsim.spec import SpecError, experiment_document
from gradsim.spec.lesson import Prediction, text_of
from tests.formats.json_schema import is_valid

LESSON = {
    "gradsim_lesson": 1,
    "title": "A lesson",
    "experiment": "chain",
    "steps": [
        {
            "title": "One",
            "text": ["First.", "- a", "- b", "Last."],
            "edit": {"training.optimizer.learning_rate": 0.5},
            "keep": {"before": "loss"},
            "question": {
                "kind": "goal",
                "prompt": "Do it.",
                "condition": "loss < 1",
                "solution": {"seed": 3},
            },
        }
    ],
}


def test_there_are_at_least_twelve_lessons_of_four_to_nine_steps_each():
    opened = [load_lesson(path) for path in shipped_lessons()]
    assert len(opened) >= 12
    assert len({lesson.id for lesson in opened}) == len(opened)
    for lesson in opened:
        assert 4 <= len(lesson.lesson.steps) <= 9, lesson.id
        assert lesson.lesson.summary, lesson.id
        questions = [step for step in lesson.lesson.steps if step.question is not None]
        assert len(questions) >= 4, lesson.id
    kinds = {type(step.question).__name__ for lesson in opened for step in lesson.lesson.steps}
    assert {"NumberQuestion", "ChoiceQuestion", "GoalQuestion", "Prediction"} <= kinds


@pytest.mark.parametrize("path", shipped_lessons(), ids=lambda path: path.name.partition(".")[0])
def test_every_number_of_every_lesson_is_checked_and_true(path):
    opened = load_lesson(path)
    report = check_lesson(opened.lesson, opened.experiment, lambda e: Simulator(e, opened.directory))
    assert not report.wrong
    assert not report.unchecked
    assert report.claims


@pytest.mark.parametrize("path", shipped_lessons(), ids=lambda path: path.name.partition(".")[0])
def test_every_lesson_fits_the_schema(path):
    schema = lesson_schema()
    assert is_valid(json.loads(path.read_text(encoding="utf-8")), schema, schema)


def test_a_prediction_waits_for_its_answer():
    found = [s for path in shipped_lessons() for s in load_lesson(path).lesson.steps]
    predictions = [step for step in found if isinstance(step.question, Prediction)]
    assert predictions
    assert all(step.asks_first and step.edit for step in predictions)


def test_an_experiment_can_be_named_or_written_out():
    named = opened_lesson(LESSON)
    assert named.directory is not None
    assert (named.directory / "chain.npz").is_file()
    written = opened_lesson(LESSON | {"experiment": experiment_document(named.experiment)})
    assert written.experiment == named.experiment
    assert named.experiments[0].training.optimizer.learning_rate == 0.5


def test_paragraphs_may_be_a_list():
    text = text_of(opened_lesson(LESSON).lesson.steps[0].text)
    assert text == "First.\n\n- a\n- b\n\nLast."


def changed(path, value):
    document = json.loads(json.dumps(LESSON))
    node = document
    for key in path[:-1]:
        node = node[key]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return document


STEP = ("steps", 0)


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        (("gradsim_lesson",), None, "$.gradsim_lesson", "begins with its version"),
        (("gradsim_lesson",), 2, "$.gradsim_lesson", "made by a newer GradSim"),
        (("gradsim_lesson",), "1", "$.gradsim_lesson", "an integer from 1"),
        (("title",), None, "$.title", "missing"),
        (("titel",), "x", "$", 'did you mean "title"?'),
        (("experiment",), "chains", "$.experiment", 'did you mean "chain"?'),
        (("experiment",), 3, "$.experiment", "expected an object or text, got 3"),
        (("experiment",), {"gradsim": 1, "seed": -1}, "$.experiment.seed", "an integer from 0"),
        (("experiment",), {"gradsim": 99}, "$.experiment.gradsim", "newer"),
        (("experiment",), {}, "$.experiment.gradsim", "missing"),
        (("steps",), [], "$.steps", "1 to 50"),
        (("steps",), {}, "$.steps", "expected a list"),
        (STEP, "x", "$.steps[0]", "expected an object"),
        ((*STEP, "text"), 3, "$.steps[0].text", "characters or a list, got 3"),
        ((*STEP, "text"), ["a", 3], "$.steps[0].text[1]", "expected text"),
        ((*STEP, "text"), "{{los}}", "$.steps[0].text", "no such name"),
        ((*STEP, "train"), -1, "$.steps[0].train", "from 0 to 100000"),
        ((*STEP, "edit"), [], "$.steps[0].edit", "an object of paths and values"),
        ((*STEP, "edit"), {"seed": -1}, "$.steps[0].edit", "seed: expected an integer"),
        ((*STEP, "edit"), {"network.layers[9].units": 1}, "$.steps[0].edit", "an index from 0 to 1"),
        ((*STEP, "edit"), {"no path": 1}, "$.steps[0].edit", "expected a path"),
        ((*STEP, "keep"), {"x": 3}, "$.steps[0].keep.x", "expected an expression"),
        ((*STEP, "look"), {"phase": "sideways"}, "$.steps[0].look.phase", "sideways"),
        ((*STEP, "look"), {"view": "inspecter"}, "$.steps[0].look.view", 'did you mean "inspector"?'),
        ((*STEP, "look"), {"view": "updates"}, "$.steps[0].look.view", 'did you mean "update_ratio"?'),
        ((*STEP, "question", "kind"), "gaol", "$.steps[0].question.kind", 'did you mean "goal"?'),
        ((*STEP, "question", "kind"), None, "$.steps[0].question.kind", "missing"),
        ((*STEP, "question", "condition"), "loss", "$.steps[0].question.condition", "expected one of <"),
        ((*STEP, "question", "solution"), 3, "$.steps[0].question.solution", "an object of paths"),
        ((*STEP, "question", "hints"), ["*"] * 6, "$.steps[0].question.hints", "at most 5"),
    ],
)
def test_a_malformed_lesson_says_where_and_why(path, value, place, words):
    with pytest.raises(SpecError) as caught:
        opened_lesson(changed(path, value))
    assert caught.value.path == place
    assert words in caught.value.reason


@pytest.mark.parametrize("document", [None, 3, "x", [], {}])
def test_what_is_no_lesson_is_refused(document):
    with pytest.raises(SpecError, match=r"\$"):
        opened_lesson(document)


def test_an_experiment_in_place_of_a_lesson_is_told_where_it_belongs():
    with pytest.raises(SpecError, match="got an experiment; in a lesson it stands under"):
        opened_lesson({"gradsim": 1})


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "\ud800".encode("utf-8", "surrogatepass")]
)
def test_a_file_that_is_no_json_is_named(text, tmp_path):
    path = tmp_path / "broken.lesson.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError) as caught:
        load_lesson(path)
    assert caught.value.path == str(path)


def test_reading_changes_nothing_in_the_document():
    document = json.loads(json.dumps(LESSON))
    opened_lesson(document)
    assert document == LESSON


def test_lessons_are_values():
    lesson = opened_lesson(LESSON).lesson
    assert lesson == opened_lesson(LESSON).lesson
    assert msgspec.structs.replace(lesson, title="Other") != lesson


def test_the_lesson_in_the_readme_is_true():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    text = next(part for part in readme.split("```json\n")[1:] if '"gradsim_lesson"' in part).partition(
        "```"
    )[0]
    opened = opened_lesson(json.loads(text))
    report = check_lesson(opened.lesson, opened.experiment, lambda e: Simulator(e, opened.directory))
    assert len(report.claims) == 2
    assert not report.wrong
