"""gradsim lessons."""

import json

import pytest

from gradsim.cli import main
from gradsim.formats.lessons import shipped_lessons

LESSON = {
    "gradsim_lesson": 1,
    "title": "A teacher's own",
    "experiment": "chain",
    "steps": [{"title": "One", "text": "It is {{0.5717 = head.output}}, not {{0.5716 != head.output}}."}],
}


@pytest.fixture
def own(tmp_path):
    def write(**changes):
        path = tmp_path / "own.lesson.json"
        path.write_text(json.dumps(LESSON | changes), encoding="utf-8")
        return str(path)

    return write


def test_the_lessons_are_listed(capsys):
    assert main(["lessons"]) == 0
    out = capsys.readouterr().out
    assert out.count("steps)") == len(shipped_lessons())
    assert " 1  What a gradient is here  (what_a_gradient_is, 6 steps)" in out


def test_the_list_is_there_for_programs(capsys):
    assert main(["lessons", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["id"] == "what_a_gradient_is"
    assert {"id", "title", "summary", "steps"} == set(rows[0])


@pytest.mark.parametrize("words", [["--json", "list"], ["list", "--json"], ["--json"]])
def test_the_option_may_stand_anywhere(words, capsys):
    assert main(["lessons", *words]) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_true_lesson_passes(own, capsys):
    assert main(["lessons", "check", own()]) == 0
    assert "ok  A teacher's own (own.lesson.json): 1 step, 2 of 2 statements true" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["a_chain_by_hand", "02_a_chain_by_hand"])
def test_a_shipped_lesson_is_found_by_its_name(name, capsys):
    assert main(["lessons", "check", name]) == 0
    assert "A chain by hand" in capsys.readouterr().out


def test_a_wrong_digit_fails_with_its_place_and_what_was_measured(own, capsys):
    path = own(steps=[{"title": "One", "text": "{{0.5716 = head.output}}"}])
    assert main(["lessons", "check", path]) == 1
    out = capsys.readouterr().out
    assert "$.steps[0].text: says 0.5716 = head.output; measured 0.57165156" in out


def test_a_number_that_nothing_checks_fails_only_strictly(own, capsys):
    path = own(steps=[{"title": "One", "text": "It is 0.5717."}])
    assert main(["lessons", "check", path]) == 0
    assert "nothing checks 0.5717" in capsys.readouterr().out
    assert main(["lessons", "check", "--strict", path]) == 1


def test_the_report_is_there_for_programs(own, capsys):
    path = own(steps=[{"title": "One", "text": "{{0.5716 = head.output}} {{∞ != loss}}"}])
    assert main(["lessons", "check", "--json", path]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert report["wrong"] == 1
    assert [claim["is_right"] for claim in report["claims"]] == [False, True]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": []}, "$.steps: expected a list of 1 to 50 values, got an empty list"),
        ({"experiment": "chian"}, '$.experiment: no experiment "chian"'),
        ({"steps": [{"title": "a", "text": "{{los}}"}]}, "$.steps[0].text: there is no such name 'los'"),
        ({"steps": [{"title": "a", "text": "{{head.delt}}"}]}, "$.steps[0].text: head has no 'delt'"),
    ],
)
def test_a_malformed_lesson_is_refused_with_path_and_reason(own, changes, words, capsys):
    path = own(**changes)
    assert main(["lessons", "check", path]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gradsim: {path}: {words}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["lessons", "check", "nowhere"],
            "nowhere: no such file, and no such lesson; those are what_a_gradient_is",
        ),
        (["lessons", "list", "x"], "unrecognized arguments: x"),
        (["lessons", "schema", "x"], "unrecognized arguments: x"),
        (["lessons", "chekc"], "invalid choice"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_the_schema_is_printed(capsys):
    assert main(["lessons", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "GradSim lesson"
