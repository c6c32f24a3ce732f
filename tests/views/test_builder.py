"""The builder as a widget: what is typed and clicked becomes a wish, what is set emits nothing."""

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QWidget

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Experiment,
    Network,
    Normalization,
    Repeat,
    Residual,
    SpecError,
    Training,
    unrolled_layers,
)
from gradsim.spec.activation import LeakyRelu, Relu, Sigmoid, Tanh
from gradsim.spec.data import Digits, Inline, Moons
from gradsim.spec.fields import fields_of
from gradsim.spec.initializer import HeNormal
from gradsim.spec.reading import checked
from gradsim.spec.training import Adam, GlobalNormClipping, Sgd
from gradsim.views.builder.builder import Builder
from gradsim.views.builder.fields import CONTROLS
from gradsim.views.builder.forms import StructForm
from gradsim.views.builder.layer_panel import kind_name
from gradsim.views.builder.layer_tree import MIME
from gradsim.views.builder.number_field import NumberField
from gradsim.views.builder.wording import layer_numbers

A, B = Dense(units=8, activation=Tanh()), Dense(units=9)
EXPERIMENT = Experiment(network=Network(layers=(A, Repeat(times=3, layers=(B,)))), data=Moons())


def kinds_of_layers():
    return next(field.kinds for field in fields_of(Network) if field.name == "layers")


@pytest.fixture
def builder(qtbot):
    builder = Builder()
    qtbot.addWidget(builder)
    builder.set_experiment(EXPERIMENT)
    builder.resize(320, 900)
    builder.show()
    return builder


@pytest.fixture
def wishes(builder):
    found = []
    builder.edit_requested.connect(lambda experiment, words: found.append((experiment, words)))
    return found


def control(builder, name):
    found = builder.findChild(QWidget, name)
    assert found is not None, name
    return found


def choose(combo, value):
    row = next(row for row in range(combo.count()) if combo.itemData(row) == value)
    combo.setCurrentIndex(row)
    combo.activated.emit(row)


def enter(qtbot, field, text):
    line = field.lineEdit() if hasattr(field, "lineEdit") else field
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_enter_applies_a_number_while_the_field_keeps_the_focus(qtbot):
    field = NumberField(is_whole=True, minimum=1, maximum=4096)
    qtbot.addWidget(field)
    field.set_value(8)
    field.show()
    field.lineEdit().selectAll()
    with qtbot.waitSignal(field.value_changed, timeout=1000) as entered:
        qtbot.keyClicks(field, "100")  # as the window system does it: keys go to the field, not to its line
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert entered.args == [100]


def test_setting_an_experiment_emits_nothing(builder, wishes):
    selected = []
    builder.layer_selected.connect(selected.append)
    builder.set_experiment(msgspec.structs.replace(EXPERIMENT, seed=5, data=Digits()))
    builder.select_layer(2)
    builder.set_error(SpecError("$.data.noise", "too loud"))
    builder.set_error(None)
    assert (wishes, selected) == ([], [])


@pytest.mark.parametrize(
    ("name", "text", "where", "expected", "words"),
    [
        ("training.optimizer.learning_rate", "1e-3", "training.optimizer.learning_rate", 0.001, "Learning rate: 0.001"),
        ("training.batch_size", "32", "training.batch_size", 32, "Batch size: 32"),
        ("data.noise", "0,25", "data.noise", 0.25, "Noise: 0.25"),
        ("$.seed", "9007199254740991", "seed", 2**53 - 1, "Seed: 9007199254740991"),
        ("$.name", "Mine", "name", "Mine", "Name: Mine"),
        ("network.layers[0].units", "16", None, 16, "Units of dense 8: 16"),
        ("all.units", "64", None, None, "Units of all layers: 64"),
    ],
)  # fmt: skip
def test_what_is_typed_becomes_an_edit(builder, wishes, qtbot, name, text, where, expected, words):
    enter(qtbot, control(builder, name), text)
    ((experiment, said),) = wishes
    assert said == words
    value = experiment
    for part in (where or "").split(".") if where else ():
        value = getattr(value, part)
    if where:
        assert value == expected
    checked(experiment)


def test_a_click_freezes_a_layer(builder, wishes, qtbot):
    box = control(builder, "network.layers[0].trainable")
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert wishes[-1][0].network.layers[0].trainable is False
    assert wishes[-1][1] == "Trained of dense 8: off"


def test_another_kind_brings_its_own_fields(builder, wishes, qtbot):
    choose(control(builder, "training.optimizer"), Adam)
    assert wishes[-1][0].training.optimizer == Adam()
    assert control(builder, "training.optimizer.betas").numbers[1].value == 0.999
    choose(control(builder, "training.clipping"), GlobalNormClipping)
    enter(qtbot, control(builder, "training.clipping.threshold"), "5")
    assert wishes[-1][0].training.clipping == GlobalNormClipping(threshold=5.0)


def test_every_layer_becomes_relu_and_he_in_two_choices(builder, wishes):
    choose(control(builder, "all.activation"), Relu)
    choose(control(builder, "all.initializer"), HeNormal)
    layers = wishes[-1][0].network.layers
    assert [layers[0].activation, layers[1].layers[0].activation] == [Relu(), Relu()]
    assert layers[1].layers[0].initializer == HeNormal()
    assert wishes[0][1] == "Activation of all layers: ReLU"


def test_a_hundred_layers_of_128_units_are_two_numbers(builder, wishes, qtbot):
    enter(qtbot, control(builder, "all.units"), "128")
    enter(qtbot, control(builder, "all.depth"), "100")
    network = wishes[-1][0].network
    checked(wishes[-1][0])
    assert builder.layers.quick_build.number.value == 100
    assert {layer.units for layer in (network.layers[0], network.layers[1].layers[0])} == {128}


def test_layers_that_differ_are_called_various(builder):
    quick = builder.layers.quick_build
    assert quick.units.lineEdit().placeholderText() == "various"
    assert quick.activation.currentIndex() == -1


def test_no_number_at_all_is_refused_at_the_field(builder, wishes, qtbot):
    field = control(builder, "training.optimizer.learning_rate")
    enter(qtbot, field, "fast")
    marked = field.parentWidget()
    assert wishes == []
    assert marked.message.text() == "Expected a number from 0 to 1000000, got “fast”"
    enter(qtbot, field, "0.5")
    assert marked.message.text() == ""
    assert len(wishes) == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("$.training.optimizer.learning_rate", "training.optimizer.learning_rate"),
        ("$.training.optimizer.betas[1]", "training.optimizer"),
        ("$.data.noise", "data.noise"),
        ("$.data", "$.data"),
        ("$.training.loss", "training.loss"),
        ("$.network.layers[1].layers[0].units", "network.layers[1].layers[0].units"),
        ("$.network.layers[1].times", "network.layers[1].times"),
        ("$.network.head.activation", "network.head.activation"),
        ("$.seed", "$.seed"),
    ],
)
def test_a_fault_is_marked_where_its_path_points(builder, path, name):
    builder.set_error(SpecError(path, "expected something else"))
    marked = control(builder, name).parentWidget()
    assert marked.message.text() == "Expected something else"
    assert marked.control.accessibleDescription() == "Expected something else"
    assert builder.message.isVisible()
    assert "expected something else" in builder.message.text()
    builder.set_error(None)
    assert marked.message.text() == ""
    assert not builder.message.isVisible()


def test_a_fault_without_a_field_is_said_at_the_top(builder):
    builder.set_error(SpecError("$.network", "it does not fit"))
    assert "it does not fit" in builder.message.text()
    assert builder.message.isVisible()


def test_a_layer_with_a_fault_is_marked_in_the_tree(builder):
    builder.set_error(SpecError("$.network.layers[1].layers[0].units", "expected fewer"))
    tree = builder.layers.tree
    assert tree.current_place() == (1, 0)
    index = tree.layers.index_of((1, 0))
    assert index.data(Qt.ItemDataRole.ForegroundRole) is not None
    assert "has a fault" in index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_rows_say_kind_width_activation_start_and_numbers(builder):
    layers = builder.layers.tree.layers
    rows = [layers.index_of(place) for place in ((0,), (1,), (1, 0), (2,))]
    assert [row.data() for row in rows] == [
        "dense 8 · tanh · glorot_uniform",
        "repeat × 3",
        "dense 9 · sigmoid · glorot_uniform",
        "head · softmax · glorot_uniform",
    ]
    assert [row.siblingAtColumn(1).data() for row in rows] == ["1", "2–4", "2–4", "5"]


def test_the_model_keeps_the_promises_of_qt(builder):
    tester = QAbstractItemModelTester(builder.layers.tree.layers)
    builder.set_experiment(msgspec.structs.replace(EXPERIMENT, network=Network(layers=(B, A, A))))
    builder.layers.add()
    assert tester.model() is builder.layers.tree.layers


@pytest.mark.parametrize(
    ("place", "key", "modifiers", "expected"),
    [
        ((0,), Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, (Repeat(times=3, layers=(B,)),)),
        ((0,), Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier, (A, A, Repeat(times=3, layers=(B,)))),
        ((0,), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier, (Repeat(times=3, layers=(A, B)),)),
        ((1, 0), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier, (A, B)),
        ((0,), Qt.Key.Key_Insert, Qt.KeyboardModifier.NoModifier, (A, A, Repeat(times=3, layers=(B,)))),
        ((1,), Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
         (A, B, B, B)),
        ((0,), Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier,
         (Repeat(times=2, layers=(A,)), Repeat(times=3, layers=(B,)))),
    ],
)  # fmt: skip
def test_the_tree_is_edited_by_keys(builder, wishes, qtbot, place, key, modifiers, expected):
    tree = builder.layers.tree
    builder.activateWindow()
    tree.setFocus()
    qtbot.waitUntil(tree.hasFocus)
    tree.select(place)
    qtbot.keyClick(tree, key, modifiers)
    assert wishes[-1][0].network.layers == expected


def test_a_layer_can_be_dragged_into_a_repeat(builder, wishes, qtbot):
    layers = builder.layers.tree.layers
    data = layers.mimeData([layers.index_of((0,))])
    assert isinstance(data, QMimeData)
    assert data.hasFormat(MIME)
    assert not layers.dropMimeData(data, Qt.DropAction.MoveAction, 1, 0, layers.index_of((1,)))
    qtbot.waitUntil(lambda: bool(wishes))
    assert wishes[-1][0].network.layers == (Repeat(times=3, layers=(B, A)),)


def test_nothing_can_be_dropped_behind_the_head(builder, wishes, qtbot):
    layers = builder.layers.tree.layers
    layers.dropMimeData(
        layers.mimeData([layers.index_of((0,))]), Qt.DropAction.MoveAction, 3, 0, QModelIndex()
    )
    qtbot.waitUntil(lambda: bool(wishes))
    assert wishes[-1][0].network.layers == (Repeat(times=3, layers=(B,)), A)


def test_the_head_can_be_edited_but_not_removed(builder, wishes):
    builder.select_layer(4)
    actions = builder.layers.actions_by_id
    assert not actions["layer.remove"].isEnabled()
    choose(control(builder, "network.head.activation"), Sigmoid)
    assert wishes[-1][0].training.loss == "binary_cross_entropy"


def test_the_only_layer_cannot_be_removed(builder):
    builder.set_experiment(msgspec.structs.replace(EXPERIMENT, network=Network(layers=(A,))))
    assert not builder.layers.actions_by_id["layer.remove"].isEnabled()


def test_selecting_a_row_selects_the_first_layer_it_stands_for(builder, qtbot):
    selected = []
    builder.layer_selected.connect(selected.append)
    tree = builder.layers.tree
    for place in ((1,), (2,), (0,)):
        rect = tree.visualRect(tree.layers.index_of(place))
        qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=rect.center() + QPoint(20, 0))
    assert selected == [1, 4, 0]


def test_an_edit_keeps_the_selection_and_what_is_folded(builder, qtbot):
    tree = builder.layers.tree
    tree.setCurrentIndex(tree.layers.index_of((1,)))
    tree.collapse(tree.layers.index_of((1,)))
    enter(qtbot, control(builder, "network.layers[1].times"), "7")
    assert tree.current_place() == (1,)
    assert not tree.isExpanded(tree.layers.index_of((1,)))


def test_samples_can_be_typed_in(builder, wishes, qtbot):
    choose(control(builder, "$.data"), Inline)
    rows = control(builder, "data.targets")
    rows.setFocus()
    rows.setPlainText("0\n1\n1\n1")
    control(builder, "data.inputs").setFocus()
    assert wishes[-1][0].data.targets == (0, 1, 1, 1)
    checked(wishes[-1][0])
    rows.setPlainText("0\none")
    rows.commit()
    assert "“one”" in rows.parentWidget().message.text()


def test_another_seed_is_another_number(builder, wishes):
    builder.draw_seed()
    assert wishes[-1][0].seed != EXPERIMENT.seed
    assert wishes[-1][1].startswith("Seed: ")


def test_presets_are_asked_for_by_name(builder):
    asked = []
    builder.preset_requested.connect(asked.append)
    builder.set_presets([("one", "First", "A"), ("two", "Second", "B"), ("three", "Third", "B")])
    topics = [(topic.text(), topic.menu().actions()) for topic in builder.presets.menu().actions()]
    told = [(topic, [action.text() for action in actions]) for topic, actions in topics]
    assert told == [("A", ["First"]), ("B", ["Second", "Third"])]
    topics[1][1][0].trigger()
    assert asked == ["two"]


@pytest.mark.parametrize(
    ("whole", "low", "high", "start", "up", "down"),
    [
        (True, 1, 4096, 64, 65, 63),
        (True, 1, 4096, 1, 2, 1),
        (False, 0, 1e6, 0.1, 0.2, 0.05),
        (False, 0, 1e6, 0.03, 0.05, 0.02),
        (False, 0, 1e6, 0.0, 0.001, 0.0),
        (False, 0, 1, 0.9, 0.95, 0.85),
        (False, 0, 1, 1e-8, 2e-8, 5e-9),
        (False, -1e6, 1e6, -0.2, -0.1, -0.5),
    ],
)
def test_arrows_step_sensibly_and_stop_at_the_limits(qtbot, whole, low, high, start, up, down):
    field = NumberField(whole, low, high)
    qtbot.addWidget(field)
    for by, expected in ((1, up), (-1, down)):
        field.set_value(start)
        field.stepBy(by)
        assert field.value == pytest.approx(expected, rel=1e-9)


def test_the_wheel_changes_nothing_without_the_focus(qtbot, builder, wishes):
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    builder.setFocus()
    for name in ("training.batch_size", "training.loss"):
        wheel = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(control(builder, name), wheel)
    assert wishes == []


def structs_with_forms():
    found, waiting = [], [Experiment, Training, Dense, Repeat]
    while waiting:
        struct = waiting.pop()
        if struct not in found:
            found.append(struct)
            waiting += [kind for field in fields_of(struct) for kind in field.kinds]
    return found


@pytest.mark.parametrize("struct", structs_with_forms(), ids=lambda struct: struct.__name__)
def test_every_field_of_every_struct_has_a_control_and_a_tooltip(qtbot, struct):
    required = {
        "Repeat": {"layers": (A,)},
        "Residual": {"layers": (A,)},
        "Inline": {"inputs": ((0.0,),), "targets": (0,)},
        "ParameterGroup": {"parameters": "*.bias"},
    }
    form = StructForm("$.x")
    qtbot.addWidget(form)
    form.set_value(struct(**required.get(struct.__name__, {})))
    for field in fields_of(struct):
        if field.form in CONTROLS:
            assert form.control(field.name).toolTip().startswith(field.title)
        else:
            assert field.form in ("layers", "part")


def test_a_value_that_no_kind_shares_takes_the_default_of_the_new_one(builder, wishes):
    choose(control(builder, "network.layers[0].activation"), LeakyRelu)
    assert wishes[-1][0].network.layers[0].activation == LeakyRelu()
    assert wishes[-1][0].training.optimizer == Sgd()


@pytest.mark.parametrize("kind", kinds_of_layers(), ids=lambda kind: kind.__name__)
def test_every_kind_of_layer_can_be_added_and_edited(builder, wishes, kind):
    builder.layers.tree.select((0,))
    builder.layers.actions_by_id[f"layer.add.{kind_name(kind)}"].trigger()
    edited, words = wishes[-1]
    assert type(edited.network.layers[1]) is kind
    assert words.startswith("Add ")
    assert type(builder.layers.form.value) is kind, "the new layer is selected"
    rows = builder.layers.tree.layers
    assert rows.data(rows.index_of((1,))), "and has a line in the tree"


def kinds_as_action_ids():
    return {f"layer.add.{kind_name(kind)}" for kind in kinds_of_layers()}


def test_the_menu_offers_every_kind_of_layer(builder):
    assert {action.objectName() for action in builder.layers.kinds.actions()} == kinds_as_action_ids()


def test_a_normalization_inside_a_layer_comes_and_goes(builder, wishes):
    path = "network.layers[0].normalization"
    choice = control(builder, path)
    choose(choice, Normalization)
    assert wishes[-1][0].network.layers[0].normalization == Normalization()
    assert wishes[-1][1].startswith("Normalization of ")
    choose(control(builder, f"{path}.method"), "layer")
    assert wishes[-1][0].network.layers[0].normalization == Normalization(method="layer")
    assert builder.findChild(QWidget, f"{path}.trainable") is None, "the layer decides that"
    choose(choice, None)
    assert wishes[-1][0].network.layers[0].normalization is None
    assert not control(builder, f"{path}.method").isVisible()


def test_layers_are_wrapped_in_a_residual_block_and_edited_inside_it(builder, wishes):
    builder.layers.tree.select((0,))
    before = builder.layers.form.value
    builder.layers.actions_by_id["layer.residual"].trigger()
    assert wishes[-1][0].network.layers[0] == Residual(layers=(before,))
    tree = builder.layers.tree
    assert tree.layers.rowCount(tree.layers.index_of((0,))) == 1
    builder.layers.form.control("train_scale").click()
    assert wishes[-1][0].network.layers[0].train_scale
    choose(builder.layers.form.control("projection"), None)
    assert wishes[-1][0].network.layers[0].projection is None


def test_a_fault_in_a_block_is_marked_inside_it(builder):
    network = Network(layers=(A, Residual(layers=(A, B))))
    builder.set_experiment(msgspec.structs.replace(EXPERIMENT, network=network))
    builder.set_error(SpecError("$.network.layers[1].layers[1].units", "expected something else"))
    assert builder.layers.tree.current_place() == (1, 1)
    builder.set_error(SpecError("$.network.layers[1].projection", "expected a rule"))
    assert builder.layers.tree.current_place() == (1,)


def test_rows_and_layers_of_a_trace_find_each_other(builder):
    block = Residual(layers=(Normalization(), A, Dropout()))
    network = Network(layers=(B, Repeat(times=2, layers=(block,)), ActivationLayer()))
    builder.set_experiment(msgspec.structs.replace(EXPERIMENT, network=network))
    names = [placed.name for placed in unrolled_layers(network)]
    places = {
        "dense_1": (0,),
        "normalization_1": (1, 0, 0),
        "dense_3": (1, 0, 1),
        "residual_2": (1, 0),
        "activation_1": (2,),
        "head": (3,),
    }
    heard = []
    builder.layer_selected.connect(heard.append)
    for name, place in places.items():
        builder.select_layer(names.index(name))
        assert builder.layers.tree.current_place() == place
    assert heard == []
    for name in ("normalization_1", "residual_1", "activation_1", "head"):
        builder.layers.tree.place_selected.emit(places.get(name, (1, 0)))
        assert names[heard[-1]] == name


def test_only_layers_with_a_number_are_counted():
    block = Residual(layers=(Normalization(), A, Dropout()))
    network = Network(layers=(B, Repeat(times=3, layers=(block,)), ActivationLayer()))
    assert layer_numbers(network) == {
        (0,): "1",
        (1,): "2–4",
        (1, 0): "2–4",
        (1, 0, 1): "2–4",
        (3,): "5",
    }
