"""The real window, driven through clicks and keys."""

import gc

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QDockWidget, QFileDialog, QMessageBox, QTabBar, QWidget

from gradsim.app import autosave, settings
from gradsim.app.command_palette import CommandPalette
from gradsim.app.commands import COMMANDS
from gradsim.app.export_dialog import ExportDialog
from gradsim.app.layout import arrangement
from gradsim.app.presets import preset
from gradsim.app.settings import read_settings
from gradsim.app.start import begin, pass_over_what_is_loaded, refusal, tell_fault
from gradsim.app.tab_order import is_behind
from gradsim.app.views_table import VIEWS
from gradsim.app.window import MainWindow
from gradsim.formats import load, save
from gradsim.spec import Dense, kind_of
from gradsim.spec.activation import Relu
from gradsim.spec.data import Digits
from gradsim.spec.initializer import Normal
from gradsim.trace import Cursor
from gradsim.views.theme import DARK, LIGHT
from tests.app.conftest import discard_changes
from tests.views.test_builder import choose, enter

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def part(window, name):
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def press(window, qtbot, key, modifiers=Qt.KeyboardModifier.NoModifier):
    """Press a key where the gradient profile has the focus, as after a click into it."""
    window.activateWindow()
    canvas = window.views["gradient_profile"].canvas
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)
    qtbot.keyClick(canvas, key, modifiers)


def run_command(window, name):
    action = window.actions_.by_id[name]
    assert action.isEnabled(), name
    action.trigger()


def answer(button):
    """Answer the next question with a button, once it is there."""

    def look():
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            box.button(button).click()
        else:
            QTimer.singleShot(5, look)

    QTimer.singleShot(0, look)


def choose_file(monkeypatch, path):
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_, **__: (str(path), ""))


def test_from_sigmoid_to_relu_a_hundred_layers_deep(window, qtbot, settled):
    enter(qtbot, part(window, "all.units"), "128")
    enter(qtbot, part(window, "all.depth"), "100")
    choose(part(window, "all.activation"), Relu)
    settled(window.session)
    layers = window.session.run.trace.layers
    assert len(layers) == 101
    assert {layer.activation_kind for layer in layers[:-1]} == {"relu"}
    assert {layer.fan_out for layer in layers[:-1]} == {128}
    assert "10" in window.views["network"].text_summary()
    assert window.session.run.ghost is not None


def test_train_with_the_button_and_step_back_with_keys(window, qtbot, settled):
    enter(qtbot, window.transport.train_count, "25")
    qtbot.mouseClick(window.transport.train, Qt.MouseButton.LeftButton)
    settled(window.session)
    assert window.session.cursor.iteration == 25
    assert window.transport.iteration.value() == 25
    last = window.session.cursor.step
    press(window, qtbot, Qt.Key.Key_Left)
    assert window.session.cursor == Cursor(25, last - 1)
    press(window, qtbot, Qt.Key.Key_Left, CTRL)
    settled(window.session)
    assert window.session.cursor == Cursor(24, last - 1)
    assert window.session.run.trace.iteration == 24
    press(window, qtbot, Qt.Key.Key_Home)
    assert window.session.cursor == Cursor(24, 0)
    press(window, qtbot, Qt.Key.Key_Left)
    settled(window.session)
    assert window.session.cursor == Cursor(23, last)
    press(window, qtbot, Qt.Key.Key_Right, SHIFT)
    settled(window.session)
    assert window.session.cursor == Cursor(24, 0)
    press(window, qtbot, Qt.Key.Key_End)
    assert window.session.cursor == Cursor(24, last)
    assert window.transport.text_summary().startswith(f"Iteration 24, step {last + 1} of {last + 1}")


def test_the_space_bar_plays_and_pauses(window, qtbot):
    window.player.set_speed(60)
    press(window, qtbot, Qt.Key.Key_Space)
    assert window.player.is_playing
    qtbot.waitUntil(lambda: window.session.cursor.iteration == 1 and window.session.cursor.step > 2)
    press(window, qtbot, Qt.Key.Key_Space)
    assert not window.player.is_playing


def test_the_space_bar_belongs_to_a_check_box_that_has_the_focus(window, qtbot, settled):
    box = part(window, "training.shuffle")
    window.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert not window.player.is_playing
    assert window.session.experiment.training.shuffle is False
    settled(window.session)


@pytest.mark.parametrize("figure", ["gradient_profile", "network", "loss", "decision_map"])
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "csv"])
def test_every_figure_is_written_in_every_format(window, qtbot, monkeypatch, tmp_path, figure, suffix):
    path = tmp_path / f"figure.{suffix}"
    choose_file(monkeypatch, path)
    run_command(window, "file.export")
    dialog = window.findChild(ExportDialog)
    dialog.view.setCurrentIndex(dialog.view.findData(figure))
    dialog.format.setCurrentIndex(dialog.format.findData(suffix))
    dialog.resolution.setValue(96)
    with qtbot.waitSignal(dialog.written):
        dialog.buttons.button(dialog.buttons.StandardButton.Save).click()
    beginning = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "csv": b"#"}[suffix]
    assert path.read_bytes().startswith(beginning)
    assert read_settings(settings.settings_path()).export.format == suffix


def test_a_file_that_cannot_be_written_is_told_in_the_dialog(window, monkeypatch, tmp_path):
    choose_file(monkeypatch, tmp_path / "nowhere" / "figure.png")
    run_command(window, "file.export")
    dialog = window.findChild(ExportDialog)
    dialog.buttons.button(dialog.buttons.StandardButton.Save).click()
    assert "was not written" in dialog.message.text()
    dialog.reject()


def test_an_impossible_size_is_told_before_anything_is_written(window):
    run_command(window, "file.export")
    dialog = window.findChild(ExportDialog)
    dialog.format.setCurrentIndex(dialog.format.findData("pdf"))
    dialog.size_.setCurrentIndex(dialog.size_.findData(False))
    dialog.unit.setCurrentIndex(dialog.unit.findData("mm"))
    dialog.across.setValue(20_000)
    assert "Width" in dialog.message.text()
    dialog.across.setValue(120)
    assert dialog.message.text() == ""
    assert dialog.preview.image is not None
    dialog.reject()


def test_the_figure_that_had_the_focus_is_copied(window, qtbot):
    window.activateWindow()
    window.views["gradient_profile"].setFocus()
    qtbot.waitUntil(lambda: window.views["gradient_profile"].canvas.hasFocus())
    run_command(window, "file.copy")
    assert not QGuiApplication.clipboard().image().isNull()
    assert "Gradient profile" in window.status.currentMessage()
    QGuiApplication.clipboard().clear()


def test_save_change_and_reopen(window, qtbot, settled, monkeypatch, tmp_path):
    path = tmp_path / "mine.gradsim.json"
    choose_file(monkeypatch, path)
    enter(qtbot, part(window, "all.units"), "11")
    settled(window.session)
    assert window.isWindowModified()
    run_command(window, "file.save")
    assert not window.isWindowModified()
    assert "mine.gradsim.json" in window.windowTitle()
    saved = window.session.experiment
    assert load(path) == saved
    enter(qtbot, part(window, "all.units"), "12")
    settled(window.session)
    answer(QMessageBox.StandardButton.Discard)
    run_command(window, "file.open")
    settled(window.session)
    assert window.session.run.experiment == saved
    assert window.settings.recent_files == (str(path),)
    window.recent_menu.aboutToShow.emit()
    assert [action.text() for action in window.recent_menu.actions()] == ["mine.gradsim.json"]


def test_a_name_without_an_ending_gets_the_right_one(window, monkeypatch, tmp_path):
    choose_file(monkeypatch, tmp_path / "bare")
    run_command(window, "file.save_as")
    assert (tmp_path / "bare.gradsim.json").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no json", "expected JSON"),
        (b'{"gradsim": 99}', "99"),
        (b'{"gradsim": 1, "data": {"kind": "moons", "samples": 1}}', "$.data.samples"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence_and_changes_nothing(window, tmp_path, small, content, words):
    path = tmp_path / "bad.gradsim.json"
    path.write_bytes(content)
    assert not window.files.open(path)
    (text,) = window.banners.texts
    assert text.startswith("bad.gradsim.json was not opened")
    assert words in text
    assert "\n" not in text
    assert window.session.experiment == small
    window.banners._shown[0].dismiss.click()
    assert not window.banners.isVisible()


def test_a_disk_that_refuses_keeps_the_work_in_memory(window, monkeypatch, tmp_path, qtbot, settled):
    enter(qtbot, part(window, "all.units"), "13")
    settled(window.session)
    choose_file(monkeypatch, tmp_path / "no" / "such" / "folder.json")
    run_command(window, "file.save")
    assert "was not saved" in window.banners.texts[0]
    assert window.isWindowModified()


def test_a_file_dropped_on_the_window_is_opened(window, qtbot, settled, tmp_path, small):
    path = tmp_path / "dropped.gradsim.json"
    save(msgspec.structs.replace(small, seed=77), path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, SHIFT)
    )
    qtbot.waitUntil(lambda: window.session.experiment.seed == 77)
    settled(window.session)


def test_undo_and_redo_by_keys(window, qtbot, settled, small):
    enter(qtbot, part(window, "all.units"), "20")
    settled(window.session)
    assert window.actions_.by_id["edit.undo"].text() == "&Undo Units of all layers: 20"
    press(window, qtbot, Qt.Key.Key_Z, CTRL)
    settled(window.session)
    assert window.session.run.experiment == small
    assert window.builder.draft == small
    press(window, qtbot, Qt.Key.Key_Z, CTRL | SHIFT)
    settled(window.session)
    assert window.session.run.trace.layers[0].fan_out == 20


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("network.layers[0].units", "0", "Expected an integer from 1 to 4096, got 0"),
        ("data.noise", "-1", "got -1"),
        ("training.batch_size", "0", "got 0"),
        ("training.optimizer.learning_rate", "1e9", "got 1000000000"),
    ],
)
def test_a_bad_value_is_marked_at_its_field_and_the_network_stays(window, qtbot, small, name, text, words):
    before = window.session.run
    enter(qtbot, part(window, name), text)
    assert words in part(window, name).parentWidget().message.text()
    assert window.session.run is before
    assert window.status.currentMessage().startswith("Not applied")
    run_command(window, "edit.undo")
    assert part(window, name).parentWidget().message.text() == ""
    assert window.builder.draft == small


def test_a_network_that_does_not_fit_is_marked_with_its_bytes(window, qtbot, settled):
    before = window.session.run
    enter(qtbot, part(window, "all.depth"), "2000")
    settled(window.session)
    enter(qtbot, part(window, "all.units"), "4096")
    settled(window.session)
    said = window.status.currentMessage()
    assert "Not applied" in said or len(window.session.run.trace.layers) == 2001
    assert "bytes" in said
    assert window.session.run is not None
    assert window.session.run is not before


def test_another_learning_rate_while_training_goes_on(window, qtbot, settled):
    run_command(window, "run.train_on")
    qtbot.waitUntil(lambda: window.session.training.done > 3)
    enter(qtbot, part(window, "training.optimizer.learning_rate"), "0.05")
    qtbot.waitUntil(lambda: window.session.run.trace.learning_rate == 0.05)
    assert "training continues at iteration" in window.status.currentMessage()
    assert window.session.training.is_training
    press(window, qtbot, Qt.Key.Key_Escape)
    settled(window.session)
    assert not window.actions_.by_id["run.stop"].isEnabled()


def test_while_a_network_trains_each_view_has_one_record_and_in_the_end_all_the_same(window, qtbot, settled):
    views = [view for view in window.views.values() if hasattr(view, "run")]
    apart = []

    def note():
        shown = {view.run.trace.iteration for view in views}
        if len(shown) > 1:
            apart.append(shown)

    clock = QTimer(window, interval=1)
    clock.timeout.connect(note)
    clock.start()
    run_command(window, "run.train_on")
    qtbot.waitUntil(lambda: len(apart) > 3)
    for view in views:
        if getattr(view, "cursor_at", None) is not None:
            assert view.cursor_at.iteration == view.run.trace.iteration
    run_command(window, "run.stop")
    settled(window.session)
    clock.stop()
    assert len(views) > 10
    assert all(view.run is window.session.run for view in views)


def test_what_is_loaded_is_passed_over_by_the_collector_from_the_first_pass_on(window, settled):
    pass_over_what_is_loaded(window)
    assert not gc.get_freeze_count()
    try:
        window.session.step_iteration(1)
        settled(window.session)
        frozen = gc.get_freeze_count()
        assert frozen > 100_000
        window.session.step_iteration(1)
        settled(window.session)
        assert gc.get_freeze_count() <= frozen  # done once
    finally:
        gc.unfreeze()


def test_closing_while_training_ends_everything(window, qtbot):
    run_command(window, "run.train_on")
    qtbot.waitUntil(lambda: window.session.training.done > 3)
    window.close()
    assert window.worker.isFinished()
    assert not window.isVisible()


@pytest.mark.parametrize("button", ["Save", "Discard", "Cancel"])
def test_unsaved_changes_are_asked_about_on_closing(window, qtbot, settled, monkeypatch, tmp_path, button):
    path = tmp_path / "kept.gradsim.json"
    choose_file(monkeypatch, path)
    enter(qtbot, part(window, "all.units"), "14")
    settled(window.session)
    answer(getattr(QMessageBox.StandardButton, button))
    window.close()
    assert path.exists() == (button == "Save")
    assert window.isVisible() == (button == "Cancel")
    assert window.worker.isRunning() == (button == "Cancel")


def test_unsaved_work_is_kept_aside_and_offered_after_a_crash(window, qtbot, settled):
    enter(qtbot, part(window, "all.units"), "15")
    settled(window.session)
    window.files.keep_aside()
    (file,) = autosave.autosave_folder().glob("*.json")
    file.with_suffix(".lock").unlink()  # what the end of the process does
    window.files.offer_rescue()
    assert "was not closed properly" in window.banners.texts[0]
    kept = window.session.experiment
    answer(QMessageBox.StandardButton.Discard)
    next(b for b in window.banners.findChildren(QWidget) if getattr(b, "text", None) and callable(b.text) and
         b.text() == "Open it").click()  # fmt: skip
    settled(window.session)
    assert window.session.experiment == kept
    assert window.isWindowModified()
    assert not window.banners.isVisible()


def test_light_and_dark_reach_every_view(window, qtbot):
    run_command(window, "view.theme")
    dark = window.appearance.theme
    run_command(window, "view.theme")
    light = window.appearance.theme
    assert {dark, light} == {DARK, LIGHT}
    assert window.views["gradient_profile"].theme is light
    assert read_settings(settings.settings_path()).theme == ("dark" if light is DARK else "light")
    run_command(window, "view.theme_system")
    assert read_settings(settings.settings_path()).theme == "system"


def test_docks_can_be_closed_and_put_back(window):
    window.docks["inspector"].close()
    window.docks["builder"].setFloating(True)
    assert window.docks["inspector"].isHidden()
    run_command(window, "view.reset")
    assert not window.docks["inspector"].isHidden()
    assert not window.docks["builder"].isFloating()


def test_the_layout_is_remembered(window, qtbot):
    window.docks["inspector"].close()
    window.transport.speed.setValue(12.0)
    window.close()
    again = MainWindow()
    qtbot.addWidget(again, before_close_func=discard_changes)
    assert again.docks["inspector"].isHidden()
    assert again.transport.speed.value() == 12.0
    again.close()


def test_a_small_screen_is_enough_and_nothing_in_the_builder_is_clipped(window, qtbot):
    window.resize(1100, 700)
    window.reset_layout()
    window.resize(1100, 700)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == (1100, 700))
    assert window.builder.horizontalScrollBar().maximum() == 0
    assert window.builder.widget().width() <= window.builder.viewport().width()
    for name in ("chain", "adding_lstm", "pretraining", "groups"):
        window.builder.set_experiment(preset(name))
        qtbot.waitUntil(lambda: window.builder.widget().width() <= window.builder.viewport().width())


def test_a_window_made_lower_lets_the_diagrams_share_one_place_and_gives_them_back(window, qtbot):
    window.resize(1440, 900)
    window.reset_layout()
    assert arrangement(window, window.docks) == "tall"
    window.resize(1100, 700)
    qtbot.waitUntil(lambda: arrangement(window, window.docks) == "low")
    assert (window.width(), window.height()) == (1100, 700)
    qtbot.waitUntil(lambda: window.views["gradient_profile"].canvas.height() >= 200)
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: arrangement(window, window.docks) == "tall")


def test_the_tabs_that_were_open_stay_open_in_a_window_of_another_height(window, qtbot):
    def are_seen(*ids):
        return not any(window.docks[id_].visibleRegion().isEmpty() for id_ in ids)

    window.resize(1440, 900)
    window.reset_layout()
    assert are_seen("builder", "gradient_profile", "cause", "inspector", "diagnosis")
    window.docks["lessons"].raise_()
    window.docks["loss"].raise_()
    qtbot.waitUntil(lambda: are_seen("lessons", "loss"))
    window.resize(1100, 700)
    qtbot.waitUntil(lambda: arrangement(window, window.docks) == "low")
    qtbot.waitUntil(lambda: are_seen("lessons", "loss", "inspector"))
    assert not are_seen("builder")
    window.docks["diagnosis"].raise_()
    window.docks["history_map"].raise_()
    qtbot.waitUntil(lambda: are_seen("diagnosis", "history_map"))
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: arrangement(window, window.docks) == "tall")
    qtbot.waitUntil(lambda: are_seen("lessons", "gradient_profile", "history_map", "inspector", "diagnosis"))
    assert not are_seen("builder")
    run_command(window, "view.reset")
    qtbot.waitUntil(lambda: are_seen("builder", "cause"))


def test_docks_that_somebody_has_moved_stay_in_a_window_made_lower(window, qtbot):
    window.resize(1440, 900)
    window.reset_layout()
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, window.docks["loss"])
    assert arrangement(window, window.docks) is None
    window.resize(1100, 720)
    qtbot.wait(1)
    assert window.dockWidgetArea(window.docks["loss"]) is Qt.DockWidgetArea.LeftDockWidgetArea


def test_every_title_of_the_tabs_can_be_read_in_an_ordinary_window(window, qtbot, settled):
    window.resize(1440, 900)
    window.reset_layout()
    bars = [bar for bar in window.findChildren(QTabBar) if bar.parent() is window and bar.count() > 3]
    (bar,) = bars
    assert bar.elideMode() is Qt.TextElideMode.ElideNone
    qtbot.waitUntil(lambda: bar.tabRect(bar.count() - 1).right() < bar.width())
    assert [bar.tabText(i) for i in range(bar.count())][:2] == ["Cause", "History"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_tab_goes_round_all_that_can_be_seen_and_nothing_behind_it(window, qtbot, settled, key):
    settled(window.session)
    window.activateWindow()
    window.transport.train.setFocus()
    qtbot.waitUntil(window.transport.train.hasFocus)
    reached = []
    for _ in range(300):  # links in a text are stops of their own
        qtbot.keyClick(QApplication.focusWidget(), key)
        reached.append(QApplication.focusWidget())
        if reached[-1] is window.transport.train:
            break
    assert reached[-1] is window.transport.train
    assert not [widget for widget in reached if is_behind(widget)]
    stops = [
        part(window, name) for name in ("layers", "training.schedule", "direction", "diagnosis.thorough")
    ]
    canvases = [window.views[id_].canvas for id_ in ("network", "gradient_profile", "cause")]
    bars = [window.transport.play, window.views["inspector"].statistics]
    assert {*stops, *canvases, *bars} <= set(reached)
    assert window.focus.figure in ("network", "gradient_profile", "cause")


def test_a_view_is_called_the_same_on_its_tab_and_in_the_list_of_figures(window, settled):
    settled(window.session)
    run_command(window, "file.export")
    (dialog,) = window.findChildren(ExportDialog)
    listed = {dialog.view.itemData(row): dialog.view.itemText(row) for row in range(dialog.view.count())}
    dialog.reject()
    titles = {row.id: row.title for row in VIEWS}
    assert listed == {id_: titles[id_] for id_ in listed}
    assert "decision_map" in listed
    assert "time_map" not in listed  # no layer goes through time


def test_a_long_name_of_a_layer_leaves_the_docks_as_wide_as_they_were(window, qtbot, settled, small):
    settled(window.session)
    widths = {id_: dock.width() for id_, dock in window.docks.items() if dock.isVisible()}
    for name in ("a_layer_with_a_name_that_goes_on_and_on", "x" * 40, "too_long_" * 20):
        network = msgspec.structs.replace(small.network, layers=(Dense(units=4, name=name),))
        window.session.edit(msgspec.structs.replace(small, network=network, name=name), "Long")
        settled(window.session)
        QApplication.processEvents()
        assert widths == {id_: dock.width() for id_, dock in window.docks.items() if dock.isVisible()}


def test_tabs_that_suit_another_experiment_step_aside_and_stay_reachable(window, qtbot, settled, small):
    docks = window.docks
    assert docks["time_map"].isHidden()
    assert not docks["decision_map"].isHidden()  # two inputs
    window.session.edit(msgspec.structs.replace(small, data=Digits()), "Digits")
    settled(window.session)
    assert docks["decision_map"].isHidden()
    run_command(window, "view.reset")
    assert docks["decision_map"].isHidden()
    next(action for action in window.go_actions if action.objectName() == "go.decision_map").trigger()
    assert not docks["decision_map"].visibleRegion().isEmpty()
    run_command(window, "edit.seed")
    settled(window.session)
    assert not docks["decision_map"].isHidden()  # what somebody has opened stays
    assert docks["time_map"].isHidden()


def test_a_tab_that_stepped_aside_is_back_at_the_next_start(window, qtbot, settled, small):
    window.session.open(msgspec.structs.replace(small, data=Digits()))
    settled(window.session)
    assert window.docks["decision_map"].isHidden()
    window.close()
    again = MainWindow()
    qtbot.addWidget(again, before_close_func=discard_changes)
    assert again.docks["decision_map"].isHidden()
    again.show()
    again.session.open(small)
    again.start()
    qtbot.waitUntil(lambda: again.session.run is not None, timeout=60_000)
    assert not again.docks["decision_map"].isHidden()
    assert again.docks["decision_map"].visibleRegion().isEmpty()  # in its place behind the others
    again.close()


def test_every_view_is_named_and_has_a_dock_that_can_be_found(window):
    names = [dock.objectName() for dock in window.findChildren(QDockWidget)]
    assert len(names) == len(set(names)) == len(window.docks)
    assert all(names)


def test_the_palette_runs_a_command(window, qtbot):
    press(window, qtbot, Qt.Key.Key_K, CTRL)
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.query, "keep comp")
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert window.session.run.ghost is window.session.run.trace


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_every_command_is_in_its_menu_and_has_a_tip(window, command):
    action = window.actions_.by_id[command.id]
    assert any(action in menu.actions() for menu in window.menu_list)
    assert action.toolTip()


def test_selecting_a_layer_selects_it_everywhere(window):
    window.views["gradient_profile"].layer_selected.emit(1)
    assert window.builder.layers.tree.current_place() == (1,)
    assert window.views["inspector"].layer_choice.currentIndex() == 2
    assert window.views["loss"].selected_layer == 1


def test_a_view_leads_to_an_iteration(window, settled):
    window.views["loss"].seek_requested.emit(7)
    settled(window.session)
    assert window.session.cursor.iteration == 7


def test_a_preset_with_given_weights_brings_them_along(window, settled, tmp_path):
    window.builder.preset_requested.emit("chain")
    settled(window.session)
    assert window.session.run.experiment.parameters == "chain.npz"
    assert window.session.run.trace["dense_1"].weight.item() == 0.5
    path = tmp_path / "mine.gradsim.json"
    assert window.files._save(path)
    window.files.open(path)
    settled(window.session)
    assert (tmp_path / "chain.npz").is_file()
    assert window.session.run.trace["dense_1"].weight.item() == 0.5


def test_presets_replace_everything_and_can_be_undone(window, settled, small):
    window.builder.preset_requested.emit("welcome")
    settled(window.session)
    assert kind_of(window.session.run.experiment.data) == "digits"
    run_command(window, "edit.undo")
    settled(window.session)
    assert window.session.run.experiment == small


def test_a_start_without_a_file_opens_the_welcome(qtbot, settled):
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=discard_changes)
    begin(window, [])
    qtbot.waitUntil(lambda: window.session.run is not None, timeout=60_000)
    assert "sigmoid" in window.session.run.experiment.name.lower()
    assert not window.isWindowModified()
    window.close()


def test_a_start_with_a_bad_file_says_so_and_opens_the_welcome(qtbot, tmp_path):
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=discard_changes)
    begin(window, [str(tmp_path / "missing.json")])
    assert window.banners.texts
    window.close()


def test_a_fault_of_the_program_is_told_and_the_window_lives_on(window, capsys):
    fault = ZeroDivisionError("oh")
    tell_fault(window, type(fault), fault, None)
    assert "ZeroDivisionError: oh" in window.banners.texts[0]
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert window.isVisible()


def test_a_broken_qt_is_refused_in_one_sentence():
    assert "Python 3.11" in refusal("6.12.0", (3, 11))
    assert refusal("6.12.0", (3, 12)) is None
    assert refusal("6.11.3", (3, 11)) is None


def test_the_speed_of_training_reaches_the_costs(window, settled):
    window.session.train(30)
    settled(window.session)
    assert window.views["cost"].cost().rate > 0


def test_the_first_broken_value_can_be_gone_to(window, settled):
    experiment = window.session.experiment
    layers = (Dense(units=6, activation=Relu(), initializer=Normal(std=1e6)),) * 12
    network = msgspec.structs.replace(experiment.network, layers=layers)
    window.session.edit(msgspec.structs.replace(experiment, network=network), "Huge weights")
    settled(window.session)
    window.session.train(8)
    settled(window.session)
    assert window.session.cursor.iteration == 8
    proof = window.views["proof"]
    fault = proof.faults.fault("broken")
    assert (fault.iteration, fault.tensor) == (0, "pre_activation")
    proof.go_buttons["broken"].click()
    settled(window.session)
    assert window.session.cursor.iteration == 0
    assert window.session.run.trace.layers[fault.layer].name == fault.layer_name
