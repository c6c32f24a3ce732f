"""The welcome page in the real window, with clicks and keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from gradsim.app.presets import preset, preset_titles
from gradsim.app.settings import read_settings
from gradsim.app.start import begin_and_greet
from gradsim.app.views_table import view_named_by
from gradsim.app.window import MainWindow
from gradsim.formats import save
from gradsim.formats.lessons import shipped_lessons
from gradsim.views.theme import DARK
from tests.app.conftest import discard_changes


@pytest.fixture
def page(window, qtbot):
    window.actions_.by_id["help.welcome"].trigger()
    qtbot.waitUntil(lambda: window.greeting.page is not None and window.greeting.page.isVisible())
    return window.greeting.page


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_shows_every_experiment_with_its_sentence_the_lessons_and_the_files(page):
    titles = preset_titles()
    assert list(page.entries) == [row.name for row in titles]
    for row in titles:
        entry = page.entries[row.name]
        assert entry.lines[0].text() == row.advice.look
        assert f" {row.advice.iterations:,} iterations." in entry.accessibleDescription()
        assert entry.accessibleDescription().endswith(f"gradsim run {row.name}")
        assert f">{row.name}<" in entry.findChildren(QLabel)[0].text()
        assert row.title in entry.accessibleName()
        assert row.advice.look in entry.accessibleDescription()
    assert len(page.lessons) == len(shipped_lessons()) == 13
    assert page.other_file.text() == "Open a file…"
    assert not page.files


def test_a_clicked_experiment_opens_by_the_way_of_the_builder_and_says_what_to_look_at(
    window, page, qtbot, settled, small
):
    click(qtbot, page.entries["groups"])
    assert window.greeting.page is None
    settled(window.session)
    assert window.session.experiment == preset("groups")
    (look,) = window.banners.texts
    assert look.startswith("Updates: larger rates towards the input")
    assert window.session.run.ghost is None
    assert window.transport.train_count.value() == 800
    window.session.undo()
    settled(window.session)
    assert window.session.experiment == small
    assert not window.banners.texts


def test_the_view_that_the_sentence_of_an_example_names_is_brought_up(window, page, qtbot, settled):
    window.docks["lessons"].raise_()
    click(qtbot, page.entries["curve"])
    settled(window.session)
    loss, decisions = window.views["loss"], window.views["decision_map"]
    qtbot.waitUntil(lambda: not loss.visibleRegion().isEmpty())
    assert window.views["cause"].visibleRegion().isEmpty()
    assert not window.views["lessons"].visibleRegion().isEmpty()
    window.builder.preset_requested.emit("moons")
    settled(window.session)
    qtbot.waitUntil(lambda: not decisions.visibleRegion().isEmpty())
    window.raise_view("loss")
    next(b for b in window.banners.findChildren(QPushButton) if b.text() == "Train 300").click()
    settled(window.session)
    assert decisions.visibleRegion().isEmpty()  # somebody has chosen another since


@pytest.mark.parametrize(
    ("sentence", "view"),
    [
        ("Loss: it falls.", "loss"),
        ("Loss over FLOP, beside another: it falls.", "loss"),
        ("Losses: they fall.", None),
        ("Gradient profile: flat.", "gradient_profile"),
        ("Loss falls.", None),
    ],
)
def test_a_sentence_names_the_view_whose_title_it_begins_with(sentence, view):
    assert view_named_by(sentence) == view


def test_the_number_an_example_asks_for_is_one_click_away(window, page, qtbot, settled):
    click(qtbot, page.entries["exploding"])
    settled(window.session)
    train = next(b for b in window.banners.findChildren(QPushButton) if b.text() == "Train 5")
    click(qtbot, train)
    qtbot.waitUntil(lambda: window.session.is_settled and window.session.run.trace.iteration == 5)
    assert window.banners.texts[0].startswith("Gradient profile: δ grows")
    assert not [b for b in window.banners.findChildren(QPushButton) if b.isVisible()]


def offers(window):
    return [b.text() for b in window.banners.findChildren(QPushButton) if b.isVisible()]


@pytest.mark.parametrize("counts", [(5,), (2, 3), (9,)])
def test_the_offer_to_train_goes_once_that_is_done_by_whatever_button(window, settled, counts):
    window.builder.preset_requested.emit("exploding")
    settled(window.session)
    for count in counts:
        assert offers(window) == ["Train 5"]
        window.transport.train_count.setValue(count)
        window.actions_.by_id["run.train"].trigger()
        settled(window.session)
    assert offers(window) == []
    assert window.banners.texts[0].startswith("Gradient profile: δ grows")


def test_the_offer_trains_what_is_left_and_is_not_lost_by_a_press_while_training(window, qtbot, settled):
    window.builder.preset_requested.emit("exploding")
    settled(window.session)
    window.actions_.by_id["run.iteration_on"].trigger()
    settled(window.session)
    qtbot.waitUntil(lambda: window.session.run.trace.iteration == 1)
    next(b for b in window.banners.findChildren(QPushButton) if b.text() == "Train 5").click()
    settled(window.session)
    assert window.session.run.trace.iteration == 5
    window.builder.preset_requested.emit("welcome")
    settled(window.session)
    window.session.train(None)
    next(b for b in window.banners.findChildren(QPushButton) if b.text() == "Train 200").click()
    assert "Train 200" in offers(window)
    window.session.stop()
    settled(window.session)


def test_a_sentence_that_was_dismissed_does_not_come_back_with_the_training(window, settled):
    window.builder.preset_requested.emit("exploding")
    settled(window.session)
    window.banners.settle("example")
    window.session.train(6)
    settled(window.session)
    assert window.banners.texts == []


def test_the_menu_of_the_builder_says_the_same(window, settled):
    window.builder.preset_requested.emit("moons")
    settled(window.session)
    assert window.transport.train_count.value() == 300
    assert window.banners.texts == [next(r for r in preset_titles() if r.name == "moons").advice.look]


def test_an_example_that_is_there_already_says_it_again(window, settled):
    for _ in range(2):
        window.builder.preset_requested.emit("moons")
        settled(window.session)
    assert len(window.banners.texts) == 1


def test_escape_and_one_click_close_it_and_nothing_has_changed(window, page, qtbot, small):
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert window.greeting.page is None
    window.actions_.by_id["help.welcome"].trigger()
    click(qtbot, window.greeting.page.back)
    assert window.greeting.page is None
    assert window.session.experiment == small


def test_keys_reach_an_experiment_and_open_it(window, page, qtbot, settled):
    page.activateWindow()
    qtbot.waitUntil(page.search.hasFocus)
    qtbot.keyClick(page.search, Qt.Key.Key_Return)  # nothing was typed: nothing is chosen
    qtbot.keyClick(page.search, Qt.Key.Key_Down)
    assert page.entries["moons"].hasFocus()
    qtbot.keyClick(page.entries["moons"], Qt.Key.Key_Down)
    assert page.entries["curve"].hasFocus()
    qtbot.keyClick(page.entries["curve"], Qt.Key.Key_Return)
    settled(window.session)
    assert window.session.experiment == preset("curve")


@pytest.mark.parametrize(
    ("typed", "best", "others"),
    [
        ("lstm", "adding_lstm", ["delayed_parity", "truncation"]),
        ("ADDING  gru", "adding_gru", []),
        ("plain_40", "plain_40", []),
        ("precision fl", "float16", ["float16_loss_scale", "float16_dynamic", "bfloat16"]),
    ],
)
def test_typing_leaves_what_holds_every_word_and_enter_opens_the_marked_one(
    window, page, qtbot, settled, typed, best, others
):
    for letter in typed:
        qtbot.keyClicks(page.focusWidget(), letter)
    shown = [name for name, entry in page.entries.items() if entry.isVisible()]
    assert sorted(shown) == sorted([best, *others])
    assert [name for name, entry in page.entries.items() if entry.is_marked] == [best]
    headings = {label.text() for label in page.findChildren(QLabel) if label.isVisible()}
    assert "Normalization and residual blocks" not in headings
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    settled(window.session)
    assert window.session.experiment == preset(best)


def test_what_a_search_leaves_is_reached_by_keys_and_letters_go_on_searching(page, qtbot):
    page.activateWindow()
    qtbot.waitUntil(page.search.hasFocus)
    qtbot.keyClicks(page.search, "lst")
    qtbot.keyClick(page.search, Qt.Key.Key_Down)
    assert page.entries["adding_lstm"].hasFocus()
    qtbot.keyClick(page.entries["adding_lstm"], Qt.Key.Key_Down)
    assert page.entries["delayed_parity"].hasFocus()
    qtbot.keyClicks(page.entries["delayed_parity"], "m")
    assert page.search.hasFocus()
    assert page.search.text() == "lstm"
    assert [line.isVisible() for line in page.lessons].count(True) == 1


def test_a_search_without_a_hit_says_so_and_escape_closes_the_page(window, page, qtbot, small):
    assert not page.nothing.isVisible()
    qtbot.keyClicks(page.search, "no such net")
    assert page.nothing.isVisible()
    assert page.nothing.text() == "Nothing found for “no such net”."
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Down):
        qtbot.keyClick(page.search, key)
    assert page.isVisible()
    page.search.clear()
    assert not page.nothing.isVisible()
    assert all(entry.isVisible() and not entry.is_marked for entry in page.entries.values())
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert window.greeting.page is None
    assert window.session.experiment == small


def test_where_the_keys_are_is_seen_also_far_down(page, qtbot):
    page.activateWindow()
    first, last = page.entries["evolution"], page.entries["evolution_step"]
    qtbot.waitUntil(page.search.hasFocus)
    without = last.grab().toImage()
    assert last.visibleRegion().isEmpty()
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert last.hasFocus()
    qtbot.waitUntil(lambda: not last.visibleRegion().isEmpty())
    assert last.grab().toImage() != without


def test_begin_is_the_first_lesson(window, page, qtbot):
    assert page.lessons[0].accessibleName().startswith("Lesson 1: ")
    click(qtbot, page.lessons[0])
    assert window.lessons.is_running
    qtbot.waitUntil(lambda: not window.lessons.is_busy, timeout=30_000)
    window.lessons.leave()


def test_recent_files_are_opened_from_it(window, qtbot, settled, small, tmp_path):
    path = tmp_path / "mine.gradsim.json"
    save(preset("moons"), path)
    window.files.open(path)
    settled(window.session)
    window.files.new()
    settled(window.session)
    window.greeting.show_page()
    (line,) = window.greeting.page.files
    assert line.accessibleName() == "Open mine.gradsim.json"
    click(qtbot, line)
    settled(window.session)
    assert window.session.document.path == path


def test_open_a_file_asks_for_one(window, page, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "gradsim.app.files.QFileDialog.getOpenFileName", lambda *words: asked.append(words) or ("", "")
    )
    click(qtbot, page.other_file)
    assert len(asked) == 1


def test_it_opens_by_itself_at_the_very_first_start_and_then_only_where_that_is_wanted(qtbot, own_folders):
    def started(argv=()):
        window = MainWindow()
        qtbot.addWidget(window, before_close_func=discard_changes)
        window.show()
        begin_and_greet(window, list(argv))
        qtbot.waitUntil(lambda: window.session.run is not None, timeout=60_000)
        QApplication.processEvents()
        return window

    first = started()
    page = first.greeting.page
    assert page is not None
    assert not page.at_start.isChecked()
    page.reject()
    first.close()
    second = started()
    assert second.greeting.page is None
    second.greeting.show_page()
    second.greeting.page.at_start.click()
    assert read_settings(own_folders / "settings.json").welcome_at_start is True
    second.greeting.page.reject()
    second.close()
    third = started()
    assert third.greeting.page.at_start.isChecked()
    third.greeting.page.at_start.click()
    third.greeting.page.reject()
    third.close()
    assert read_settings(own_folders / "settings.json").welcome_at_start is False


def test_with_a_file_there_is_no_welcome_page(qtbot, tmp_path, small):
    path = tmp_path / "small.gradsim.json"
    save(small, path)
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=discard_changes)
    window.show()
    begin_and_greet(window, [str(path)])
    qtbot.waitUntil(lambda: window.session.run is not None, timeout=60_000)
    QApplication.processEvents()
    assert window.greeting.page is None
    assert window.settings.welcome_at_start is None


def test_it_leaves_the_edge_of_a_small_window_free_and_takes_its_colours(window, qtbot):
    window.appearance.choose("dark")
    window.resize(1100, 700)
    window.greeting.show_page()
    page = window.greeting.page
    assert page.width() < window.width()
    assert page.height() < window.height()
    assert DARK.muted in page.entries["moons"].lines[0].styleSheet()
