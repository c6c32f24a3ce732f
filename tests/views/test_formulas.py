"""The arithmetic that is shown: every filled formula is calculated again from its own numbers, for every step."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache

import msgspec
import numpy as np
import pytest

import gradsim
from gradsim.engine import Simulator
from gradsim.resource_files import resource_path
from gradsim.spec import Dense, Experiment, Head, Network, Recurrent, Training, kind_of
from gradsim.spec.activation import LeakyRelu, Linear, Prelu, Relu, Relu6, Sigmoid, Silu, Softmax, Tanh
from gradsim.spec.data import Adding, GaussianNoise, Moons
from gradsim.spec.method import ParameterGroup
from gradsim.spec.training import (
    Adam,
    AdaptiveClipping,
    GlobalNormClipping,
    Momentum,
    NoClipping,
    NormClipping,
    Sgd,
    ValueClipping,
)
from gradsim.trace import IterationTrace
from gradsim.views.inspection.formulas import Place, formulas_at
from gradsim.views.inspection.heading import layer_ratios
from gradsim.views.inspection.marked_number import exact_plain_text, linked_text, plain_text, told
from gradsim.views.inspection.updates import update_formula
from gradsim.views.inspection.wording import FORMULAS, rate_words
from tests.kind_runs import NETWORKS, kind_run
from tests.views.method_runs import method_run

_NAMES = {
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "abs": abs,
}


def calculated(line: str) -> tuple[float, float] | None:
    """Return both sides of the last ``=`` of a line with exact numbers; None where one is no arithmetic."""
    line = re.sub(r"\[remainder (.*?)\]", r"\1", line)
    sides = exact_plain_text(line.replace("\ue000", "(\ue000").replace("\ue002", "\ue002)")).split(" = ")
    if len(sides) < 2:
        return None
    text = re.sub(r"\[… \d+ more terms = (.*?)\]", r"\1", sides[-2]) if "…" not in sides[-1] else ""
    if "more terms" in line:  # its sum stands between brackets
        whole = exact_plain_text(line.replace("\ue000", "(\ue000").replace("\ue002", "\ue002)"))
        whole = re.sub(r"\[… \d+ more terms = (\(.*?\))\]", r"\1", whole)
        sides = whole.split(" = ")
        text = sides[-2]
    for old, new in (
        ("·", "*"),
        ("−", "-"),
        ("√", "sqrt"),
        ("²", "**2"),
        ("½", "0.5"),
        ("[", "("),
        ("]", ")"),
    ):
        text = text.replace(old, new)
    text = re.sub(r"\|(.*?)\|", r"abs(\1)", text)
    text = re.sub(r"^sample.*?: ", "", text)
    text = re.sub(r"-ln (\(\S*\))", r"-ln(\1)", text)
    try:
        return float(eval(text, {"__builtins__": {}}, dict(_NAMES))), float(sides[-1].strip("() "))
    except (NameError, SyntaxError, ValueError):
        return None


def assert_calculated(trace: IterationTrace, place: Place) -> Counter[str]:
    """Check every line of every step of a trace; return how many were calculated by operation."""
    checked: Counter[str] = Counter()
    for step in trace.steps:
        own = range(len(trace.layers)) if step.layer is None else [step.layer]
        for layer in own:
            for formula in formulas_at(trace, step, layer, place):
                for line in formula.marked.split("\n"):
                    sides = calculated(line)
                    if sides is not None:
                        checked[f"{step.phase} {step.operation}"] += 1
                        assert sides[0] == pytest.approx(sides[1], rel=1e-9, abs=1e-14), (
                            step,
                            plain_text(line),
                        )
    return checked


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_written_out_gives_the_recorded_number(name: str) -> None:
    trace = kind_run(name).trace
    checked = assert_calculated(trace, Place(3, 1, 1))
    assert_calculated(trace, Place(15, 0, 2, 0))
    means = assert_calculated(trace, Place(None, 1, 1))
    assert set(checked) <= set(means)
    operations = {f"{step.phase} {step.operation}" for step in trace.steps}
    # A sum of a skip and another layer's gradient is told, not calculated.
    sums = {"backward activation_gradient", "clip clip", "forward activation", "loss loss"}
    assert operations - set(checked) <= sums
    assert "update update" in checked


@cache
def trained(activation: str, loss: str, clipping: str, optimizer: str = "sgd") -> IterationTrace:
    kinds = (Linear(), Sigmoid(), Tanh(), Relu(), LeakyRelu(), Prelu(), Silu(), Relu6(), Softmax())
    heads = {"cross_entropy": Softmax(), "binary_cross_entropy": Sigmoid()}
    clippings = (
        NoClipping(),
        ValueClipping(threshold=1e-3),
        NormClipping(threshold=1e-3),
        GlobalNormClipping(threshold=1e-3),
        AdaptiveClipping(threshold=1e-3),
    )
    optimizers = (Sgd(learning_rate=0.1, weight_decay=0.01), Momentum(), Adam())
    simulator = Simulator(
        Experiment(
            precision="float64",
            data=Moons(samples=60)
            if loss.endswith("entropy")
            else GaussianNoise(samples=20, features=3, outputs=2),
            network=Network(
                layers=(Dense(units=7, activation=next(k for k in kinds if kind_of(k) == activation)),) * 2,
                head=Head(activation=heads.get(loss, Linear())),
            ),
            training=Training(
                loss=loss,  # type: ignore[arg-type]
                batch_size=10,
                clipping=next(c for c in clippings if kind_of(c) == clipping),
                optimizer=next(o for o in optimizers if kind_of(o) == optimizer),
            ),
        )
    )
    simulator.advance(2)
    return simulator.record()


@pytest.mark.parametrize(
    ("activation", "loss", "clipping", "optimizer"),
    [
        ("sigmoid", "mse", "none", "sgd"),
        ("tanh", "half_mse", "value", "sgd"),
        ("relu", "sse", "norm", "momentum"),
        ("leaky_relu", "cross_entropy", "global_norm", "sgd"),
        ("prelu", "binary_cross_entropy", "adaptive", "adam"),
        ("silu", "mse", "value", "sgd"),
        ("relu6", "mse", "norm", "sgd"),
        ("softmax", "mse", "adaptive", "sgd"),
        ("linear", "cross_entropy", "none", "sgd"),
    ],
)
def test_every_activation_loss_clipping_and_optimizer_is_calculated(
    activation: str, loss: str, clipping: str, optimizer: str
) -> None:
    trace = trained(activation, loss, clipping, optimizer)
    for place in (Place(), Place(4, 6, 3), Place(9, 2, 1), Place(None, 5, 2)):
        checked = assert_calculated(trace, place)
        assert {"forward linear", "backward delta", "backward weight_gradient", "update update"} <= set(
            checked
        )
        if clipping != "none":
            assert checked["clip clip"] == len(trace.layers)
        if loss != "cross_entropy":
            assert checked["loss loss"]


def shown_update(trace: IterationTrace, layer: int) -> list[tuple[str, ...]]:
    return [tuple(map(plain_text, formula)) for formula in update_formula(trace, trace.layers[layer], 0, 0)]


@pytest.mark.parametrize("layer", [0, 5, 8])
def test_an_evolution_steps_to_the_mean_of_its_best_children_and_not_along_a_gradient(layer: int) -> None:
    trace = method_run("evolution").trace
    (symbols, filled, note), (_, moved, _) = shown_update(trace, layer)
    step = float(trace.layers[layer].update[0, 0])
    assert symbols == "ΔW = mean of the best children − W"
    assert filled == f"ΔW = {plain_text(told(step))}"
    assert "no gradient: of 12 children" in note
    assert "σ = 0.1," in note
    line = update_formula(trace, trace.layers[layer], 0, 0)[1][1]
    both = calculated(line)
    assert both is not None
    assert both[0] == pytest.approx(both[1], rel=1e-6)
    assert plain_text(told(float(trace.layers[layer].weight[0, 0]), 8)) in moved
    assert "η" not in symbols + filled + note


def test_what_moves_the_weights_of_an_evolution_is_called_its_mutation() -> None:
    trace = method_run("evolution").trace
    assert rate_words(trace) == ("mutation", "σ")
    assert layer_ratios(trace, trace.layers[0]).endswith(f"σ\N{NO-BREAK SPACE}{told(0.1)}")
    trace = method_run("plain").trace
    assert rate_words(trace) == ("learning rate", "η")
    assert "   η\N{NO-BREAK SPACE}" in layer_ratios(trace, trace.layers[0])


def test_layers_that_stand_still_in_a_phase_have_no_update() -> None:
    trace = method_run("pretraining").trace  # in the phase of dense_2
    for layer in (0, 2, 8):
        assert shown_update(trace, layer)[0] == ("ΔW = 0", "ΔW = 0", "stands still in this phase: no update")
    assert shown_update(trace, 1)[0][0] == "ΔW = −η g"
    fine_tuned = method_run("pretraining", 25, 2).trace
    assert {shown_update(fine_tuned, layer)[0][0] for layer in range(3)} == {"ΔW = −η g"}


@pytest.mark.parametrize("sample", [3, None])
def test_the_loss_scale_of_a_narrow_precision_is_told_where_it_is_inside(sample: int | None) -> None:
    path = resource_path("experiments", "float16_loss_scale.gradsim.json")
    trace = Simulator(gradsim.load(path), path.parent).record()
    last = len(trace.layers) - 1
    seen = 0
    for step in (step for step in trace.steps if step.phase == "backward" and step.layer in (0, last)):
        for formula in formulas_at(trace, step, step.layer or 0, Place(sample, 1, 1)):
            sides = [calculated(line) for line in formula.marked.split("\n")]
            for made, recorded in (pair for pair in sides if pair is not None):
                seen += "65536" in formula.filled
                assert made == pytest.approx(recorded, rel=0.01)
    assert seen >= 5


@pytest.mark.parametrize("sample", [0, None])
@pytest.mark.parametrize("kind", ["dense", "recurrent"])
def test_of_one_sample_nothing_speaks_as_of_many(kind: str, sample: int | None) -> None:
    layer = Dense(units=4, activation=Tanh()) if kind == "dense" else Recurrent(units=4)
    simulator = Simulator(
        Experiment(
            data=Moons(samples=20) if kind == "dense" else Adding(samples=20, steps=5),
            network=Network(
                layers=(layer,), head=Head(activation=Softmax() if kind == "dense" else Linear())
            ),
            training=Training(loss="cross_entropy" if kind == "dense" else "mse", batch_size=1),
        )
    )
    trace = simulator.record()
    texts = [
        part
        for step in trace.steps
        for layer in (range(len(trace.layers)) if step.layer is None else [step.layer])
        for formula in formulas_at(trace, step, layer, Place(sample))
        for part in (formula.marked, formula.told)
    ]
    assert any("1 sample of the batch" in text for text in texts)
    assert not [text for text in texts if re.search(r"(?<![\d,.])1 (samples|steps)", text)]


def test_every_step_of_time_brings_its_own_numbers() -> None:
    trace = kind_run("lstm").trace
    layer = trace.layers[0]
    for step in (step for step in trace.steps if step.time is not None and step.layer == 0):
        formulas = formulas_at(trace, step, 0, Place(2, 1))
        assert any(f"step {step.time + 1} of 9" in formula.note for formula in formulas)
        tensor = layer[step.tensor]
        assert any(told(float(tensor[2, step.time, 1])) in formula.marked for formula in formulas)


@pytest.mark.parametrize(
    ("name", "gates"), [("simple recurrent", 1), ("lstm", 4), ("gru", 3), ("gru, reset before", 3)]
)
def test_the_weights_into_every_gate_are_told_from_any_unit_of_the_state(name: str, gates: int) -> None:
    trace = kind_run(name).trace
    layer = trace.layers[0]  # of 3 inputs and 5 units
    step = next(step for step in trace.steps if step.operation == "weight_gradient" and step.layer == 0)
    by_state, by_input = formulas_at(trace, step, 0, Place(0, 2, 4))
    for formula, gradient in (
        (by_state, layer.recurrent_weight_gradient[4]),
        (by_input, layer.input_weight_gradient[2]),
    ):
        sides = [calculated(line) for line in formula.marked.split("\n")]
        assert len(sides) == gates
        for index, pair in enumerate(sides):
            assert pair is not None
            assert pair[0] == pytest.approx(pair[1], rel=1e-9)
            assert pair[1] == gradient[index * 5 + 2]


def test_every_operation_of_every_kind_has_been_met_here() -> None:
    met = {step.operation for name in NETWORKS for step in kind_run(name).trace.steps}
    assert met == set(FORMULAS)


# Marked numbers


@pytest.mark.parametrize("value", [0.1, -1 / 3, 1e-300, 0.0, math.nan, math.inf, -math.inf, 123456789.123])
def test_a_marked_number_keeps_all_its_digits(value: float) -> None:
    text = f"a = {told(value)};"
    assert float(exact_plain_text(text)[4:-1]) == value or np.isnan(value)
    assert f"copy:{value!r}" in linked_text(text, "#123456")
    assert "\ue000" not in plain_text(text) + linked_text(text, "#123456")


def test_digits_are_chosen_when_a_number_is_shown() -> None:
    assert plain_text(told(0.571651565432)) == "0.5717"
    assert plain_text(told(0.571651565432), 9) == "0.571651565"
    assert plain_text(told(0.571651565432, 8), 4) == "0.57165157"


def test_links_are_safe_html() -> None:
    assert linked_text("a < b\nc", "#123456") == "a &lt; b<br>c"


def test_the_rate_in_a_formula_is_that_of_the_groups_of_the_weight() -> None:
    experiment = gradsim.load(resource_path("experiments", "groups.gradsim.json"))
    trace = Simulator(experiment).record()
    for layer, group in zip(trace.layers, experiment.training.groups, strict=False):
        rate = trace.learning_rate * group.learning_rate_scale
        filled = shown_update(trace, layer.index)[0][1]
        assert filled.startswith(f"ΔW = −{plain_text(told(rate))}·")
        assert float(layer.update[0, 0]) == pytest.approx(-rate * float(layer.clipped_gradient[0, 0]))


def test_a_weight_frozen_by_its_group_has_no_update() -> None:
    base = method_run("plain").trace.experiment
    frozen = (ParameterGroup(parameters="dense_2.*", trainable=False),)
    training = msgspec.structs.replace(base.training, groups=frozen)
    trace = Simulator(msgspec.structs.replace(base, training=training)).record()
    assert shown_update(trace, 1)[0] == ("ΔW = 0", "ΔW = 0", "frozen by its group")
    assert not trace.layers[1].update.any()
