"""A lesson walked through with real passes: what is true, what is not, and what cannot be carried out."""

import copy

import numpy as np
import pytest

from gradsim.analysis.lessons import (
    ExpressionError,
    Quantities,
    check_lesson,
    expression,
    look_step,
    mean_distance,
    relative_profile,
)
from gradsim.engine import Simulator
from gradsim.formats.lessons import opened_lesson
from gradsim.spec import SpecError
from gradsim.spec.lesson import Look
from tests.kind_runs import NETWORKS, kind_run

CHAIN = {
    "gradsim": 1,
    "precision": "float64",
    "data": {"kind": "inline", "inputs": [[1.0]], "targets": [[0.8]], "scaling": "none", "validation": 0.0},
    "network": {
        "layers": [
            {
                "kind": "dense",
                "units": 1,
                "bias": False,
                "activation": "sigmoid",
                "initializer": {"kind": "constant", "value": 0.5},
            }
        ]
        * 2,
        "head": {
            "activation": "sigmoid",
            "bias": False,
            "initializer": {"kind": "constant", "value": 0.5},
        },
    },
    "training": {
        "loss": "half_mse",
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "batch_size": 1,
        "shuffle": False,
    },
}


def lesson(*steps):
    return {
        "gradsim_lesson": 1,
        "title": "A lesson",
        "experiment": copy.deepcopy(CHAIN),
        "steps": [{"title": "A step", "text": "Read."} | step for step in steps],
    }


def report(*steps):
    opened = opened_lesson(lesson(*steps))
    return check_lesson(opened.lesson, opened.experiment, Simulator)


def test_the_digits_of_the_article_are_true_or_said_to_be_wrong():
    text = "{{0.5717 = head.output}} {{0.5716 != head.output}} {{0.0261 = loss}} {{0.0262 != loss}}"
    found = report({"text": text})
    assert [claim.is_right for claim in found.claims] == [True] * 4
    assert float(found.claims[0].measured) == pytest.approx(0.571651565, abs=1e-9)


@pytest.mark.parametrize("text", ["{{0.5716 = head.output}}", "{{0.0261 != loss}}", "{{0.04 ~ loss}}"])
def test_a_wrong_digit_is_found_with_its_place(text):
    (claim,) = report({}, {"text": text}).wrong
    assert claim.place == "$.steps[1].text"


def test_numbers_of_hints_replies_and_explanations_are_checked_too():
    question = {
        "kind": "choice",
        "prompt": "{{1 = loss}}",
        "hints": ["{{2 = loss}}"],
        "explanation": "{{3 = loss}}",
        "choices": [{"text": "{{4 = loss}}", "reply": "{{5 = loss}}", "right": True}, {"text": "no"}],
    }
    assert len(report({"question": question}).wrong) == 5


def test_edits_training_and_restarts_are_carried_out_like_by_hand():
    steps = [
        {"train": 3, "keep": {"three": "loss"}},
        {"edit": {"training.optimizer.learning_rate": 2.0}, "train": 2, "keep": {"five": "loss"}},
        {"restart": True, "train": 5, "keep": {"fresh": "loss"}},
        {"edit": {"network.layers[*].activation": "tanh"}, "text": "{{0 = iteration}}"},
    ]
    opened = opened_lesson(lesson(*steps))
    one = Simulator(opened.experiment)
    one.advance(3)
    three = one.record().loss
    one.change_training(opened.experiments[1])
    one.advance(2)
    other = Simulator(opened.experiments[1])
    other.advance(5)
    expected = {"three": three, "five": one.record().loss, "fresh": other.record().loss}
    numbers = " ".join(f"{{{{0 = {name} - {loss!r}}}}}" for name, loss in expected.items())
    steps[3]["text"] += numbers
    assert not report(*steps).wrong


def test_what_is_asked_first_tells_the_pass_before_and_explains_the_one_after():
    question = {
        "kind": "number",
        "prompt": "{{0 = iteration}}",
        "answer": "loss",
        "explanation": "{{7 = iteration}}",
    }
    assert not report({"train": 7, "ask_first": True, "question": question}).wrong
    assert len(report({"train": 7, "question": question}).wrong) == 1


def test_a_look_at_an_earlier_iteration_is_what_the_numbers_are_about():
    assert not report(
        {"train": 5, "look": {"iteration": 2}, "text": "{{2 = iteration}}"}, {"text": "{{5 = iteration}}"}
    ).wrong


@pytest.mark.parametrize(
    ("whens", "is_right"),
    [(("loss < 1", "loss > 1"), True), (("loss < 1", "loss < 2"), False), (("loss > 1", "loss > 2"), False)],
)
def test_exactly_one_choice_must_be_right(whens, is_right):
    choices = [{"text": "x", "when": when} for when in whens]
    found = report({"question": {"kind": "choice", "prompt": "?", "choices": choices}})
    assert (not found.wrong) is is_right


@pytest.mark.parametrize(
    ("condition", "solution", "train", "wrong"),
    [
        ("loss < 0.02", {"training.optimizer.learning_rate": 5}, 100, ()),
        ("loss < 1", {}, 1, ("$.steps[0].question.condition",)),
        ("loss < 0.001", {}, 1, ("$.steps[0].question.solution",)),
    ],
)
def test_a_goal_must_be_new_and_its_solution_lead_there(condition, solution, train, wrong):
    question = {"kind": "goal", "prompt": "?", "condition": condition, "solution": solution, "train": train}
    assert tuple(claim.place for claim in report({"question": question}).wrong) == wrong


def test_an_answer_that_is_no_number_is_found():
    found = report({"question": {"kind": "number", "prompt": "?", "answer": "loss / 0"}})
    assert [claim.place for claim in found.wrong] == ["$.steps[0].question.answer"]


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        ({"text": "{{dense_9.delta}}"}, "$.steps[0].text", "there is no layer 'dense_9'"),
        ({"text": "{{los}}"}, "$.steps[0].text", "there is no such name 'los'; did you mean \"loss\""),
        ({"text": "{{head}}"}, "$.steps[0].text", "head is a layer: say what of it"),
        ({"text": "**"}, "$.steps[0].text", "never closed"),
        ({"keep": {"loss": "1"}}, "$.steps[0].keep.loss", "a name of its own"),
        ({"keep": {"x": "later"}}, "$.steps[0].keep.x", "no such name"),
        ({"look": {"layer": "dense_3"}}, "$.steps[0].look.layer", "did you mean"),
        ({"look": {"iteration": 3}}, "$.steps[0].look.iteration", "expected at most 0"),
        ({"look": {"phase": "clip"}}, "$.steps[0].look", "has no step clip; the operations are linear, "),
        (
            {"look": {"layer": "head", "phase": "backward", "operation": "dleta"}},
            "$.steps[0].look",
            "no step head backward dleta; the operations of head in the phase backward are activation_gradient, delta",
        ),
        ({"text": "it is {{loss"}, "$.steps[0].text", "{{ is opened and never closed"),
        ({"text": "it is {{}}"}, "$.steps[0].text", "or holds nothing"),
        ({"text": "$\\frac{a}{b}$"}, "$.steps[0].text", "\\frac is TeX; a formula is written as it reads"),
        ({"look": {"layer": "head", "unit": 1}}, "$.steps[0].look.unit", "from 0 to 0"),
        ({"text": "{{dense_1.delta_rms}}"}, "$.steps[0].text", "dense_1 has no 'delta_rms'"),
        ({"text": "{{dense_1.delta.rms}}"}, "$.steps[0].text", "expected one point"),
        (
            {"question": {"kind": "number", "prompt": "", "answer": "1 +"}},
            "$.steps[0].question.answer",
            "expected a number",
        ),
        (
            {
                "question": {
                    "kind": "choice",
                    "prompt": "",
                    "choices": [{"text": "a", "when": "1"}, {"text": "b"}],
                }
            },
            "$.steps[0].question.choices[0].when",
            "expected one of <",
        ),
        (
            {
                "question": {
                    "kind": "choice",
                    "prompt": "",
                    "choices": [{"text": "a", "when": "1 < 2", "right": True}, {"text": "b"}],
                }
            },
            "$.steps[0].question.choices[0].right",
            "not both",
        ),
        (
            {"question": {"kind": "goal", "prompt": "", "condition": "loss < 1", "solution": {"nowhere": 1}}},
            "$.steps[0].question.solution",
            "nowhere",
        ),
    ],
)
def test_a_lesson_that_cannot_be_carried_out_says_where_and_why(step, path, words):
    with pytest.raises(SpecError) as caught:
        report(step)
    assert caught.value.path == path
    assert words in caught.value.reason


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_layer_of_every_kind_answers(kind):
    run = kind_run(kind)
    found = Quantities(run.trace, run.history)
    for layer in run.trace.layers:
        for tensor in layer.tensors:
            rms = expression(f"{layer.name}.{tensor} rms").value(found)
            assert rms == pytest.approx(float(np.sqrt(np.mean(np.square(layer[tensor], dtype=np.float64)))))
        if layer.number is not None:
            assert expression(f"{layer.name}.update_ratio").value(found) >= 0
        else:
            with pytest.raises(ExpressionError, match="carries no weights"):
                expression(f"{layer.name}.update_ratio").value(found)
    squares = [
        np.sum(np.square(array, dtype=np.float64))
        for layer in run.trace.layers
        for name, array in layer.tensors.items()
        if name.endswith("_gradient")
        and name[:-9] in layer.tensors
        and f"{name[:-9]}_update" in layer.tensors
    ]
    assert expression("gradient_norm").value(found) == pytest.approx(float(np.sqrt(sum(squares))), rel=1e-5)


def test_clipped_norm_and_losses_of_the_run_are_there():
    simulator = Simulator(opened_lesson(lesson({})).experiment)
    simulator.advance(30)
    found = Quantities(simulator.record(), simulator.history())
    losses = simulator.history().loss
    assert expression("first_loss").value(found) == losses[0]
    assert expression("recent_loss").value(found) == pytest.approx(np.mean(losses[-20:]))
    assert expression("clipped_gradient_norm").value(found) == pytest.approx(simulator.record().gradient_norm)
    assert expression("layers").value(found) == 3
    assert expression("dense_1.backward_ratio").value(found) == pytest.approx(
        abs(simulator.record()["dense_1"].delta.item() / simulator.record()["dense_2"].delta.item())
    )


def test_a_look_finds_the_last_step_that_fits():
    trace = Simulator(opened_lesson(lesson({})).experiment).record()
    place = look_step(trace, Look(layer="dense_1", phase="backward", operation="delta"))
    assert place is not None
    step = trace.steps[place]
    assert (step.phase, step.operation, trace.layers[step.layer].name) == ("backward", "delta", "dense_1")
    assert look_step(trace, Look()) == len(trace.steps) - 1
    assert look_step(trace, Look(operation="clip")) is None


def test_a_prediction_is_measured_in_powers_of_ten():
    trace = Simulator(opened_lesson(lesson({})).experiment).record()
    found = relative_profile(trace, "delta")
    assert found.reference == 2
    deltas = [abs(trace[name].delta.item()) for name in found.names]
    np.testing.assert_allclose(found.decades, np.log10(deltas) - np.log10(deltas[-1]), rtol=1e-12)
    assert mean_distance(tuple(found.decades), found, -8, 2) == 0
    assert mean_distance(tuple(found.decades + 1), found, -8, 2) == pytest.approx(1)
    assert relative_profile(trace, "activation").reference == 0
