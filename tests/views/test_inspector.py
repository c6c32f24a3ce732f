"""The inspector: formulas whose numbers are the recorded ones, statistics that can be copied in all digits."""

import dataclasses
import functools
import math

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence

from gradsim.analysis import angle_between
from gradsim.engine import Simulator
from gradsim.spec.data import Curve, Moons
from gradsim.spec.training import AdaptiveClipping, GlobalNormClipping, NormClipping, ValueClipping
from gradsim.trace import Cursor
from gradsim.views.inspection.formulas import Place, formulas_at
from gradsim.views.inspection.losses import sample_loss
from gradsim.views.inspection.marked_number import plain_text
from gradsim.views.inspection.number_text import exact_text, number_text, power_of_ten
from gradsim.views.inspection.sums import sum_of_products
from gradsim.views.inspection.tables import ROWS, measured_statistics, statistics_table
from gradsim.views.inspection.updates import clip_formula
from gradsim.views.inspection.wording import step_text
from gradsim.views.inspector import Inspector
from gradsim.views.theme import DARK
from tests.kind_runs import kind_run
from tests.reference import reference_run, reference_trace


@functools.cache
def run_of(layers=3, units=8, **options):
    return reference_run(layers, units, records=2, **options)


@pytest.fixture
def inspector(qtbot):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.resize(380, 700)
    inspector.set_run(run_of())
    inspector.show()
    return inspector


def step_of(trace, operation, layer=None):
    return next(
        i
        for i, s in enumerate(trace.steps)
        if s.operation == operation and (layer is None or s.layer == layer)
    )


def filled(trace, operation, layer, place=Place()):  # noqa: B008 (a frozen value)
    return formulas_at(trace, trace.steps[step_of(trace, operation)], layer, place)


# Numbers and sums


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (-0.25, "−0.25"),
        (1.0, "1"),
        (12345.0, "12345"),
        (123456.0, "1.235·10⁵"),
        (1.5e-7, "1.5·10⁻⁷"),
        (0.00012344, "0.0001234"),
        (-0.0, "0"),
        (9.99996, "10"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_read_as_people_write_them(value, text):
    assert number_text(value) == text


def test_powers_have_true_superscripts():
    assert power_of_ten(-12) == "10⁻¹²"


def test_exact_digits_give_the_same_number_back():
    value = float(np.float32(0.1))
    assert float(exact_text(value)) == value


def test_a_long_sum_names_its_first_and_largest_terms_and_adds_up_the_rest():
    left = np.array([1.0, 0.1, 5.0, 0.2, -7.0, 0.3, 0.4])
    text, written = sum_of_products(left, np.ones(7), most=3)
    assert written.tolist() == [0, 2, 4]
    assert plain_text(text) == "1·1 + 5·1 + (−7)·1 + [… 4 more terms = 1]"


def test_a_sum_with_nan_shows_the_nan():
    left = np.zeros(20)
    left[13] = np.nan
    text, written = sum_of_products(left, np.ones(20))
    assert 13 in written
    assert "NaN·1" in plain_text(text)


# Formulas


def test_a_chain_of_single_units_is_told_with_its_exact_numbers():
    trace = run_of(2, 1, data=Curve(), batch=1).trace
    layer = trace.layers[0]
    x, w, b = (float(v.ravel()[0]) for v in (layer.input, layer.weight, layer.bias))
    (told,) = filled(trace, "linear", 0)
    factors = [f"({number_text(v)})" if v < 0 else number_text(v) for v in (x, w)]
    assert b == 0.0
    z = number_text(float(layer.pre_activation.ravel()[0]))
    assert told.filled == f"z = {'·'.join(factors)} + 0 = {z}"
    (told,) = filled(trace, "activation", 0)
    assert told.filled == f"a = tanh({z}) = {number_text(float(layer.activation.ravel()[0]))}"


@pytest.mark.parametrize(
    ("operation", "tensor"),
    [
        ("linear", "pre_activation"),
        ("activation", "activation"),
        ("activation_gradient", "activation_gradient"),
        ("delta", "delta"),
    ],
)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_every_formula_ends_in_the_recorded_number(operation, tensor, layer):
    trace = run_of(3, 24).trace
    place = Place(sample=3, unit=1)
    (told,) = filled(trace, operation, layer, place)
    assert told.filled.endswith(f"= {number_text(float(trace.layers[layer][tensor][3, 1]))}")


def test_the_weight_gradient_is_a_sum_over_the_batch():
    trace = run_of(3, 24).trace
    weight, bias, below = filled(trace, "weight_gradient", 1, Place(0, 2, 5))
    layer = trace.layers[1]
    assert weight.filled.endswith(f"= {number_text(float(layer.weight_gradient[5, 2]))}")
    assert bias.filled.endswith(f"= {number_text(float(layer.bias_gradient[2]))}")
    assert below.filled.endswith(f"= {number_text(float(layer.input_gradient[0, 5]))}")
    assert below.note == "of sample 1; goes on to dense_1"


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softmax"])
def test_delta_is_the_gradient_times_the_slope_or_coupled_for_softmax(activation):
    trace = run_of(3, 6, activation=activation).trace
    (told,) = filled(trace, "delta", 0)
    assert ("Σⱼ" in told.symbols) == (activation == "softmax")


@pytest.mark.parametrize("loss", ["mse", "half_mse", "sse"])
@pytest.mark.parametrize("batch", [1, 16])
def test_the_losses_of_the_samples_make_the_loss_of_the_batch(loss, batch):
    trace = reference_trace(2, 4, data=Curve(), loss=loss, batch=batch)
    shares = [sample_loss(trace, s) for s in range(len(trace.inputs))]
    assert (sum(shares) if loss == "sse" else np.mean(shares)) == pytest.approx(trace.loss, rel=1e-5)
    (told,) = filled(trace, "loss", 1)
    assert told.filled.endswith(f"L = {number_text(trace.loss)}")


def test_the_cross_entropy_of_the_samples_makes_that_of_the_batch():
    trace = reference_trace(2, 4)
    shares = [sample_loss(trace, s) for s in range(len(trace.inputs))]
    assert np.mean(shares) == pytest.approx(trace.loss, rel=1e-5)


@pytest.mark.parametrize(
    "clipping",
    [
        ValueClipping(threshold=1e-3),
        NormClipping(threshold=1e-3),
        GlobalNormClipping(threshold=1e-3),
        AdaptiveClipping(threshold=1e-3),
    ],
    ids=lambda clipping: type(clipping).__name__,
)
def test_every_clipping_is_told(clipping):
    trace = reference_trace(2, 4, clipping=clipping)
    symbols, numbers, note = clip_formula(trace, trace.layers[0], 0, 0)
    assert "c" in symbols
    assert "0.001" in plain_text(numbers)
    layer = trace.layers[0]
    angle = angle_between(layer.weight_gradient, layer.clipped_gradient)
    assert f"turned by {number_text(angle, 3)}°" in plain_text(note)
    assert "small gradients stay small" in note


@pytest.mark.parametrize(("clipping", "turns"), [(ValueClipping, True), (GlobalNormClipping, False)])
def test_clipping_by_value_turns_the_gradient_and_by_norm_does_not(clipping, turns):
    experiment = kind_run("layer normalization").trace.experiment
    training = msgspec.structs.replace(experiment.training, clipping=clipping(threshold=1e-4))
    trace = Simulator(msgspec.structs.replace(experiment, training=training)).record()
    layer = trace.layers[0]
    angle = angle_between(layer.weight_gradient, layer.clipped_gradient)
    assert angle > 5 if turns else angle < 1e-4
    assert f"turned by {number_text(angle, 3)}°" in plain_text(clip_formula(trace, layer, 0, 0)[2])


def test_a_gradient_of_0_has_no_direction_that_clipping_could_turn():
    trace = run_of(4, 6, fault="zero").trace
    layer = next(layer for layer in trace.layers if not layer.weight_gradient.any())
    training = msgspec.structs.replace(trace.experiment.training, clipping=ValueClipping(threshold=1e-3))
    experiment = msgspec.structs.replace(trace.experiment, training=training)
    note = clip_formula(dataclasses.replace(trace, experiment=experiment), layer, 0, 0)[2]
    assert "no direction that could turn" in note


def test_the_update_shows_what_is_added_and_what_comes_of_it():
    trace = run_of().trace
    change, weight = filled(trace, "update", 0, Place(0, 1, 1))
    layer = trace.layers[0]
    assert change.symbols == "ΔW = −η g"
    assert change.filled.endswith(f"= {number_text(float(layer.weight_update[1, 1]))}")
    after = float(layer.weight[1, 1] + layer.weight_update[1, 1])
    assert weight.filled.endswith(f"= {number_text(after, 8)}")


@pytest.mark.parametrize("fault", ["zero", "nan", "inf", "mixed"])
@pytest.mark.parametrize("units", [1, 40])
def test_a_broken_network_is_told_like_any_other(qtbot, fault, units):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    run = run_of(4, units, fault=fault)
    inspector.set_run(run)
    for step in range(len(run.trace.steps)):
        inspector.set_cursor(Cursor(0, step))
        assert inspector.formulas
        assert inspector.text_summary()


def test_the_head_gets_its_gradient_from_the_loss():
    trace = run_of().trace
    words = step_text(trace.steps[step_of(trace, "activation_gradient", 2)], trace.layers)
    assert words == "backward · head · ∂L/∂a from the loss"


# Statistics


def test_the_table_shows_the_recorded_statistics():
    trace = run_of().trace
    table = statistics_table(trace, 1)
    for index, tensor in enumerate(table.tensors):
        told = trace.layers[1].statistics.get(tensor)
        if told is not None:
            assert table.columns[index] is told
    assert {"bias", "input", "slope"} <= set(table.tensors)
    assert "weight_clipped_gradient" not in table.tensors


def test_statistics_taken_here_agree_with_the_recorded_ones():
    layer = run_of().trace.layers[1]
    measured, told = measured_statistics(layer.delta), layer.statistics["delta"]
    for name in ROWS:
        assert getattr(measured, name) == pytest.approx(getattr(told, name), rel=1e-6, abs=1e-12)


def test_zero_nan_infinity_and_subnormals_are_counted():
    told = measured_statistics(np.array([0.0, 1e-45, 1e-39, np.nan, np.inf, 1.0], np.float32))
    assert (told.zeros, told.subnormals, told.nans, told.infs, told.count) == (1, 2, 1, 1, 6)


# The widget


def test_setters_never_emit(inspector):
    heard = []
    for name in ("layer_selected", "follow_requested", "unit_selected"):
        getattr(inspector, name).connect(lambda *value, name=name: heard.append((name, *value)))
    inspector.set_cursor(Cursor(0, 4))
    inspector.set_selection(1)
    inspector.set_unit(1, 3)
    inspector.set_theme(DARK)
    inspector.set_run(run_of(2, 2))
    inspector.set_run(None)
    assert heard == []


def test_without_a_selection_the_layer_of_the_step_is_looked_at(inspector):
    trace = run_of().trace
    inspector.set_cursor(Cursor(0, step_of(trace, "delta", 1)))
    assert inspector.layer == 1
    inspector.set_selection(0)
    assert inspector.layer == 0
    assert "The step is done in dense_2; these numbers are of dense_1." in inspector.formula.text()


def test_the_layer_is_chosen_by_a_wish(inspector):
    heard = []
    inspector.layer_selected.connect(heard.append)
    inspector.follow_requested.connect(lambda: heard.append("follow"))
    inspector.layer_choice.setCurrentIndex(2)
    inspector.layer_choice.activated.emit(2)
    inspector.layer_choice.activated.emit(0)
    assert heard == [1, "follow"]
    assert inspector.layer_choice.currentIndex() == 0


def test_sample_and_unit_choose_the_numbers(inspector):
    trace = run_of().trace
    inspector.set_selection(1)
    inspector.set_cursor(Cursor(0, step_of(trace, "activation", 1)))
    heard = []
    inspector.unit_selected.connect(lambda layer, unit: heard.append((layer, unit)))
    inspector.sample.setValue(4)
    inspector.unit.setValue(6)
    assert heard == [(1, 5)]
    expected = number_text(float(trace.layers[1].activation[3, 5]))
    assert inspector.formulas[0].filled.endswith(f"= {expected}")


def test_the_source_of_a_weight_matters_only_where_weights_do(inspector):
    trace = run_of().trace
    for operation, matters in (("linear", False), ("weight_gradient", True), ("update", True)):
        inspector.set_cursor(Cursor(0, step_of(trace, operation, 1)))
        assert inspector.source.isEnabled() is matters


def test_numbers_are_copied_in_all_their_digits(inspector):
    trace = run_of().trace
    inspector.set_selection(1)
    table = inspector.statistics.statistics.table
    column, row = table.tensors.index("delta"), ROWS.index("rms")
    index = inspector.statistics.statistics.index(row, column)
    inspector.statistics.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
    copy = inspector.statistics.actions()[0]
    assert copy.shortcut() == QKeySequence(QKeySequence.StandardKey.Copy)
    copy.trigger()
    assert float(QGuiApplication.clipboard().text()) == trace.layers[1].statistics["delta"].rms


def test_the_whole_table_is_copied_with_its_names(inspector):
    lines = inspector.statistics.whole_text().split("\n")
    assert lines[0].split("\t")[0] == "statistic"
    assert [line.split("\t")[0] for line in lines[1:]] == list(ROWS)


def test_the_column_of_the_step_is_marked(inspector):
    trace = run_of().trace
    inspector.set_cursor(Cursor(0, step_of(trace, "delta", 1)))
    model = inspector.statistics.statistics
    column = model.table.tensors.index("delta")
    marked = [
        c
        for c in range(model.columnCount())
        if model.headerData(c, Qt.Orientation.Horizontal, Qt.ItemDataRole.ForegroundRole) is not None
    ]
    assert marked == [column]


def test_numbers_are_right_aligned_in_a_font_of_one_width(inspector):
    model = inspector.statistics.statistics
    index = model.index(0, 0)
    assert model.data(index, Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert "Mono" in model.data(index, Qt.ItemDataRole.FontRole).family()


def test_the_table_of_the_view_holds_the_same_numbers(inspector):
    columns, units = inspector.table()
    assert columns.keys() == units.keys()
    layer = run_of().trace.layers[inspector.layer]
    assert columns["weight"][ROWS.index("max")] == layer.statistics["weight"].max


def test_without_a_run_it_says_so(qtbot):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    assert inspector.text_summary() == "No run yet."
    assert inspector.table() == ({}, {})
    assert not inspector.sample.isEnabled()


def test_a_longer_formula_moves_nothing_below(inspector):
    trace = run_of().trace
    places = set()
    for operation in ("linear", "weight_gradient", "loss", "update"):
        inspector.set_cursor(Cursor(0, step_of(trace, operation)))
        QGuiApplication.processEvents()
        places.add(inspector.statistics.mapTo(inspector, inspector.statistics.rect().topLeft()).y())
    assert len(places) == 1


def test_two_classes_and_one_output_are_told_too():
    trace = reference_trace(2, 4, data=Moons(samples=100), loss="cross_entropy")
    (told,) = filled(trace, "loss", 1)
    assert "−ln" in told.filled


def test_a_picture_is_kept_for_people(inspector, artefact_folder):
    inspector.set_cursor(Cursor(0, step_of(run_of().trace, "weight_gradient", 1)))
    assert inspector.grab().save(str(artefact_folder / "inspector.png"))
