"""The lesson panel and its parts: what is shown, what is asked for, and that setters only show."""

import math
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow

from gradsim.analysis.lessons import blocks, values_of
from gradsim.views.lesson_panel import LessonPanel
from gradsim.views.lessons.entry import LessonEntry
from gradsim.views.lessons.prediction_plot import PredictionPlot
from gradsim.views.lessons.question_box import QuestionBox
from gradsim.views.lessons.rich_text import RichLabel, formula_html, html_of, value_origin, value_text
from gradsim.views.lessons.state import Drawing, LessonRow, LessonState, QuestionState
from gradsim.views.theme import DARK, LIGHT

SIGNALS = (
    "list_wanted",
    "lesson_requested",
    "file_requested",
    "step_requested",
    "again_requested",
    "leave_requested",
    "answered",
    "prediction_changed",
    "hint_requested",
    "answer_requested",
)
DRAWING = Drawing(("a", "b", "c", "head"), "rms of δ", "delta", 3, -8, 2, (0.0,) * 4, None)
MEASURED = {
    "plain": (-3.0, -2.0, -1.0, 0.0),
    "zero": (-math.inf, -2.0, -1.0, 0.0),
    "nan": (math.nan,) * 4,
    "infinite": (math.inf, 5.0, -20.0, 0.0),
}


def question(kind="number", **fields):
    values = {"prompt": blocks("Which one?"), "hints_left": 1}
    if kind == "choice":
        values["choices"] = ((blocks("one"), blocks("not this")), (blocks("two"), blocks("this")))
    if kind == "predict":
        values["drawing"] = DRAWING
    return QuestionState(kind, **(values | fields))


def page(index=0, **fields):
    text = blocks("The loss is {{loss}}, not {{0.5 != loss}}.\n\n$$δ_1 = w_2·δ_2$$")
    return LessonState("A lesson", f"Page {index}", index, 3, ("seen", "open", ""), text, **fields)


ROWS = tuple(LessonRow(number, f"Title {number}", "A sentence.", 5, number, 2) for number in range(3))


@pytest.fixture
def panel(qtbot):
    panel = LessonPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 700)
    panel.show()
    return panel


@pytest.fixture
def box(qtbot):
    box = QuestionBox()
    qtbot.addWidget(box)
    box.resize(300, 500)
    box.show()
    return box


@pytest.mark.parametrize(
    "shown",
    [
        None,
        page(),
        page(2, busy="Training …", note="Moved away.", deeds=("trained",)),
        *(page(question=question(kind)) for kind in ("number", "choice", "goal", "predict")),
        page(question=question("choice", verdict="right", given=1, right_choice=1, remark="Right.")),
    ],
)
def test_setters_show_and_emit_nothing(panel, qtbot, shown):
    heard = []
    for name in SIGNALS:
        getattr(panel, name).connect(lambda *_, name=name: heard.append(name))
    panel.set_lessons(ROWS)
    panel.set_state(shown)
    panel.set_state(shown)
    for theme in (DARK, LIGHT):
        panel.set_theme(theme)
        assert not panel.grab().isNull()
    assert not heard
    assert panel.text_summary()


def test_the_list_asks_for_a_lesson_by_its_key(panel, qtbot):
    panel.set_lessons(ROWS)
    entries = panel.findChildren(LessonEntry)
    assert [entry.accessibleName() for entry in entries] == [f"Lesson {n + 1}: Title {n}" for n in range(3)]
    with qtbot.waitSignal(panel.lesson_requested) as heard:
        qtbot.mouseClick(entries[1], Qt.MouseButton.LeftButton)
    assert heard.args == [1]


@pytest.mark.parametrize("width", [220, 300, 700])
def test_nothing_is_wider_than_the_panel(panel, qtbot, width):
    panel.set_lessons(ROWS)
    panel.resize(width, 600)
    long = page(question=question("choice", remark="A remark that is quite long for so narrow a place."))
    for state in (None, long):
        panel.set_state(state)
        qtbot.wait(1)
        for label in panel.findChildren(RichLabel):
            if label.isVisible():
                assert label.mapTo(panel, QPoint(label.width(), 0)).x() <= width


def test_the_page_leads_on_and_back(panel, qtbot):
    panel.set_state(page(1))
    buttons = panel._page
    for button, signal, args in (
        (buttons.forward, panel.step_requested, [1]),
        (buttons.back, panel.step_requested, [-1]),
        (buttons.leave, panel.leave_requested, []),
    ):
        with qtbot.waitSignal(signal) as heard:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert heard.args == args
    panel.set_state(page(0))
    assert not buttons.back.isEnabled()
    panel.set_state(page(2))
    assert buttons.forward.text() == "Finish"


def test_measured_numbers_are_dots_until_they_are_known(panel):
    state = page()
    panel.set_state(state)
    assert "The loss is …, not 0.5." in panel._page.text.plain_text()
    first, second = (value for value in values_of("{{loss}} {{0.5 != loss}}"))
    panel.set_state(replace(state, numbers={first: 0.123456, second: 0.123456}))
    assert "The loss is 0.1235, not 0.5." in panel._page.text.plain_text()
    assert value_origin(first, 0.123456) == "loss = 0.123456\nmeasured; click to copy"
    assert "and not so" in value_origin(second, 0.123456)


@pytest.mark.parametrize(
    ("text", "measured", "says"),
    [
        ("{{0.5 = loss}}", 0.0213, True),
        ("{{0.5 = loss}}", 0.501, False),
        ("{{0.5 != loss}}", 0.501, True),
        ("{{0.5 ~ loss}}", 0.52, False),
        ("{{50 % = loss}}", 0.501, False),
        ("{{loss}}", 0.0213, False),
    ],
)
def test_a_written_number_that_is_not_so_shows_what_was_measured(text, measured, says):
    (value,) = values_of(text)
    html = html_of(blocks(text), {value: measured}, LIGHT)
    assert ("(measured: " in html) is says
    assert ("this is not so" in value_origin(value, measured)) is says
    assert "(measured" not in html_of(blocks(text), {}, LIGHT)


def test_a_number_is_copied_at_full_precision(panel, qapp):
    (value,) = values_of("{{loss}}")
    label = RichLabel()
    label.show_blocks(blocks("{{loss}}"), {value: 0.1 + 0.2})
    label.linkActivated.emit("0")
    assert qapp.clipboard().text() == "0.30000000000000004"


@pytest.mark.parametrize(
    ("text", "measured", "shown"),
    [
        ("{{2.3e-5 = loss}}", 2.3e-5, "2.3·10⁻⁵"),
        ("{{1e38 = loss}}", 1e38, "10³⁸"),
        ("{{-3 = loss}}", -3.0, "−3"),
        ("{{12% = loss}}", 0.12, "12\N{NARROW NO-BREAK SPACE}%"),
        ("{{loss; 2}}", 1.234e-9, "1.2·10⁻⁹"),
        ("{{loss}}", math.nan, "NaN"),
        ("{{loss}}", -math.inf, "−∞"),
        ("{{loss}}", 0.0, "0"),
        ("{{loss}}", None, "…"),
    ],
)
def test_numbers_are_written_as_people_read_them(text, measured, shown):
    (value,) = values_of(text)
    assert value_text(value, measured) == shown


@pytest.mark.parametrize(
    ("formula", "html"),
    [
        ("δ_1", "<i>δ</i><sub>1</sub>"),
        ("x^{−z}", "<i>x</i><sup>−<i>z</i></sup>"),
        ("σ'(z)", "<i>σ</i>\N{HAIR SPACE}′(<i>z</i>)"),
        ("log_{10}", "log<sub>10</sub>"),
        ("∂L/∂w", "∂<i>L</i>/∂<i>w</i>"),
        ("a < b & c", "<i>a</i>\N{NARROW NO-BREAK SPACE}&lt;"),
    ],
)
def test_formulas_become_rich_text(formula, html):
    assert formula_html(formula).startswith(html)


def test_text_of_a_stranger_cannot_become_markup():
    html = html_of(blocks('<img src="http://x"> `<b>` **<i>**'), {}, LIGHT)
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_number_is_typed_and_checked(box, qtbot):
    box.set_state(question(), {}, is_busy=False)
    qtbot.keyClicks(box.number, "0.25")
    with qtbot.waitSignal(box.answered) as heard:
        qtbot.keyClick(box.number, Qt.Key.Key_Return)
    assert heard.args == ["0.25"]


def test_a_choice_is_clicked_on_its_words_and_checked(box, qtbot):
    box.set_state(question("choice"), {}, is_busy=False)
    with qtbot.assertNotEmitted(box.answered):
        qtbot.mouseClick(box.check, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(box.rows[1].words, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(box.answered) as heard:
        qtbot.mouseClick(box.check, Qt.MouseButton.LeftButton)
    assert heard.args == [1]
    box.set_state(question("choice", given=0, verdict="wrong"), {}, is_busy=False)
    assert not box.rows[0].reply.isHidden()
    assert box.rows[1].reply.isHidden()


def test_while_the_window_is_busy_nothing_is_answered(box, qtbot):
    box.set_state(question(), {}, is_busy=True)
    box.number.setText("1")
    with qtbot.assertNotEmitted(box.answered):
        box.number.returnPressed.emit()


def test_hints_come_one_by_one_and_the_answer_after_them(box, qtbot):
    box.set_state(question(hints_left=2), {}, is_busy=False)
    assert box.show_answer.isHidden()
    with qtbot.waitSignal(box.hint_requested):
        qtbot.mouseClick(box.hint, Qt.MouseButton.LeftButton)
    box.set_state(question(hints=(blocks("a"), blocks("b")), hints_left=0), {}, is_busy=False)
    assert [label.plain_text() for label in box.hints] == ["a", "b"]
    assert box.hint.isHidden()
    with qtbot.waitSignal(box.answer_requested):
        qtbot.mouseClick(box.show_answer, Qt.MouseButton.LeftButton)


@pytest.fixture
def plot(qtbot):
    plot = PredictionPlot()
    qtbot.addWidget(plot)
    plot.resize(320, 230)
    plot.set_drawing(DRAWING)
    plot.show()
    return plot


def test_points_are_dragged_in_one_stroke_and_the_reference_stays(plot, qtbot):
    area = plot._area()
    y = round(plot._y(-4))
    heard = []
    plot.prediction_changed.connect(heard.append)
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot._x(0)), y))
    for place in (1, 2, 3):
        qtbot.mouseMove(plot, QPoint(round(plot._x(place)), y))
        plot._drag(plot.mapFromGlobal(plot.mapToGlobal(QPoint(round(plot._x(place)), y))).toPointF())
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot._x(3)), y))
    step = 10 / area.height()
    assert heard
    assert heard[-1] == plot.points
    assert plot.points == pytest.approx((-4, -4, -4, 0), abs=step)


def test_points_are_moved_by_keys(plot, qtbot):
    plot.setFocus()
    with qtbot.waitSignal(plot.prediction_changed) as heard:
        qtbot.keyClick(plot, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert heard.args == [(-1.0, 0, 0, 0)]
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Up)
    assert plot.points == pytest.approx((-1, 0.1, 0, 0))
    for _ in range(9):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert plot.points[3] == 0


@pytest.mark.parametrize("measured", MEASURED.values(), ids=MEASURED)
def test_what_was_measured_is_drawn_whatever_it_is(plot, qtbot, measured):
    before = plot.grab().toImage()
    plot.set_drawing(replace(DRAWING, measured=measured))
    assert plot.grab().toImage() != before
    assert "measured" in plot.accessibleDescription()
    points = plot.points
    qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert plot.points == points
    plot.set_theme(DARK)
    assert not plot.grab().isNull()


def test_two_hundred_layers_have_room(plot):
    names = tuple(str(number) for number in range(200))
    plot.set_drawing(Drawing(names, "rms of δ", "delta", 199, -60, 60, (-1.0,) * 200, (-2.0,) * 200))
    assert not plot.grab().isNull()


def test_lessons_in_a_tab_behind_others_are_read_only_when_the_tab_comes_to_the_front(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(600, 400)
    panel = LessonPanel()
    wanted = []
    panel.list_wanted.connect(
        lambda: (wanted.append(1), panel.set_lessons((LessonRow("a", "A", "b", 3, 0, 1),)))
    )
    front, behind = QDockWidget("front"), QDockWidget("behind")
    front.setWidget(QLabel("front"))
    behind.setWidget(panel)
    for dock in (front, behind):
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.tabifyDockWidget(front, behind)
    front.raise_()
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: not front.widget().visibleRegion().isEmpty())
    window.grab()
    assert not wanted
    behind.raise_()
    qtbot.waitUntil(lambda: bool(wanted))
    front.raise_()
    behind.raise_()
    assert len(wanted) == 1
