"""The diagnosis panel: what it asks, shows and wishes, on sound and on broken networks."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from gradsim.analysis.diagnosis import Confidence, Effect, Finding, Neighbour, Remedy, diagnose_run
from gradsim.analysis.rule_packs import apply_published_rules
from gradsim.spec.training import Sgd
from gradsim.views.diagnosis.rows import check_groups, rule_groups
from gradsim.views.diagnosis.rows_view import RowsView
from gradsim.views.diagnosis.wording import (
    effect_text,
    evidence_html,
    finding_html,
    headline,
    measured_text,
    severity,
)
from gradsim.views.diagnosis_panel import INSTANT, SEEDS, THOROUGH, DiagnosisPanel
from gradsim.views.theme import DARK, LIGHT
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_run

RUN = reference_run(layers=4, units=6, records=12)
OTHER = replace(RUN, trace=replace(RUN.trace))
EDITED = replace(
    OTHER,
    experiment=msgspec.structs.replace(
        RUN.experiment,
        training=msgspec.structs.replace(RUN.experiment.training, optimizer=Sgd(learning_rate=0.77)),
    ),
)
CURED = msgspec.structs.replace(RUN.experiment, name="as it was called then", seed=RUN.experiment.seed + 1)
EFFECT = Effect(0.2, 0.98, 2.3, np.inf, 200, 3)


def finding(id_="vanishing_gradient", advice=False, **changes):
    made = Finding(
        id=id_,
        title=f"Title of {id_}",
        is_advice=advice,
        layers=("dense_1", "dense_2"),
        measure="rms δ / rms δ",
        value=1e-5,
        cut=1e-3,
        relation="below",
        source="somewhere",
        evidence={"factor": np.nan},
        neighbours=(Neighbour("head", 0.5),),
        confidence=Confidence(3, 4, 0),
        sentence="It <vanishes>.",
        why="Because.",
        remedies=(
            Remedy("one", "First remedy", "It helps.", CURED),
            Remedy("two", "Second remedy", "It helps a little.", CURED, EFFECT),
        ),
    )
    return replace(made, **changes)


def answer(*findings, run=RUN, depth="instant"):
    diagnosis = replace(diagnose_run(run), findings=findings, depth=depth)
    return diagnosis, apply_published_rules(run)


@pytest.fixture
def panel(qtbot):
    panel = DiagnosisPanel()
    qtbot.addWidget(panel)
    panel.resize(380, 600)
    panel.asked, panel.cancelled, panel.edits, panel.layers = [], [], [], []
    panel.question_asked.connect(lambda question, options: panel.asked.append(question))
    panel.question_cancelled.connect(panel.cancelled.append)
    panel.edit_requested.connect(lambda experiment, words: panel.edits.append((experiment, words)))
    panel.layer_selected.connect(panel.layers.append)
    return panel


@pytest.fixture
def shown(panel):
    panel.show()
    panel.set_run(RUN)
    panel.asked.clear()
    return panel


def test_it_asks_once_for_each_pass_and_only_while_it_can_be_seen(panel):
    panel.set_run(RUN)
    assert panel.asked == []
    panel.show()
    assert panel.asked == [INSTANT]
    panel.set_run(RUN)
    panel.set_run(replace(RUN, ghost=RUN.trace))
    panel.hide()
    panel.show()
    assert panel.asked == [INSTANT]
    panel.set_run(OTHER)
    assert panel.asked == [INSTANT, INSTANT]
    panel.hide()
    panel.set_run(RUN)
    assert panel.asked == [INSTANT, INSTANT]


def test_before_anything_is_known_it_says_so(panel):
    assert panel.text_summary() == "No run yet."
    assert panel.table() == ({}, {})
    panel.set_theme(DARK)
    panel.show()
    panel.set_run(RUN)
    assert panel.note.words == "Diagnosing…"
    panel.set_answer(INSTANT, answer(finding()))
    panel.set_run(None)
    assert panel.headline.text() == "No run yet."
    assert panel.cards == []


def test_the_findings_stand_in_their_order_the_first_one_open(shown):
    shown.set_answer(
        INSTANT, answer(finding(), finding("not_finite"), finding("clipping_never", advice=True))
    )
    assert [card.severity.text() for card in shown.cards] == ["Problem", "Broken", "Advice"]
    assert [card.content is not None for card in shown.cards] == [True, False, False]
    assert shown.headline.text().startswith("✗ Title of vanishing_gradient and 2 more. Batch loss ")
    assert shown.tabs.tabText(0) == "Findings (3)"
    assert shown.nothing.isHidden()


def test_an_opened_finding_stays_open_when_the_next_pass_is_diagnosed(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding(), finding("dead_units")))
    for card in shown.cards:
        qtbot.mouseClick(card.heading, Qt.MouseButton.LeftButton)
    shown.set_run(OTHER)
    shown.set_answer(INSTANT, answer(finding(value=2e-5), finding("dead_units", value=0.5)))
    assert [card.content.isHidden() for card in shown.cards] == [True, False]
    assert "2·10⁻⁵" in shown.cards[0]._evidence.text()
    shown.set_answer(INSTANT, answer(finding("saturation"), finding("dead_units", value=0.5)))
    assert [card.content is not None for card in shown.cards] == [True, True]


def test_nothing_found_is_said_too(shown):
    diagnosis, rules = answer()
    shown.set_answer(INSTANT, (replace(diagnosis, iteration=9, loss=0.5 * diagnosis.baseline), rules))
    assert shown.headline.text().startswith("✓ ")
    assert not shown.nothing.isHidden()
    assert shown.tabs.tabText(0) == "Findings"


def test_a_named_layer_is_selected_by_a_click(shown):
    shown.set_answer(INSTANT, answer(finding()))
    told = shown.cards[0]._evidence
    assert "<a href='layer:dense_2'>" in told.text()
    for link in ("layer:dense_2", "layer:head", "layer:gone"):
        told.linkActivated.emit(link)
    assert shown.layers == [1, 3]


def test_a_remedy_is_applied_with_one_click_and_leaves_the_name_alone(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding()))
    button = shown.cards[0].buttons[0]
    qtbot.waitUntil(lambda: button.visibleRegion().boundingRect() == button.rect())  # it has its place
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    ((experiment, words),) = shown.edits
    assert words == "First remedy"
    assert experiment == msgspec.structs.replace(CURED, name=RUN.experiment.name)


def test_remedies_of_another_experiment_cannot_be_applied(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding()))
    renamed = replace(RUN, experiment=msgspec.structs.replace(RUN.experiment, name="B"))
    shown.set_run(renamed)
    assert shown.cards[0].buttons[0].isEnabled()
    shown.set_run(EDITED)
    assert not shown.cards[0].buttons[0].isEnabled()
    qtbot.mouseClick(shown.cards[0].buttons[0], Qt.MouseButton.LeftButton)
    assert shown.edits == []
    assert "the next one when the run is at rest" in shown.note.words
    shown.set_answer(INSTANT, answer(finding()))
    assert shown.cards[0].buttons[0].isEnabled()


def test_the_thorough_diagnosis_shows_how_far_it_is_and_what_helped(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding()))
    qtbot.mouseClick(shown.thorough, Qt.MouseButton.LeftButton)
    assert shown.asked == [SEEDS, THOROUGH]
    assert not shown.bar.isHidden()
    assert shown.thorough.isHidden()
    shown.set_answer_progress(THOROUGH, "Training seed 2", 0.25)
    assert (shown.bar.value(), shown.note.words) == (250, "Training seed 2")
    shown.set_answer(THOROUGH, answer(finding(sentence="Sure."), depth="thorough"))
    assert shown.bar.isHidden()
    assert shown.note.words.startswith("Thorough, iteration ")
    words = [label.text() for label in shown.cards[0].findChildren(QLabel)]
    assert "δ per layer ×0.2 → ×0.98, training loss 2.3 → ∞ (200 iterations, 3 seeds): no clear help" in words


def test_the_thorough_diagnosis_can_be_cancelled(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding()))
    qtbot.mouseClick(shown.thorough, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(shown.stop, Qt.MouseButton.LeftButton)
    assert shown.cancelled == [SEEDS, THOROUGH]
    assert shown.bar.isHidden()
    shown.set_answer_progress(THOROUGH, "late", 0.5)
    assert shown.note.words.startswith("Instant, iteration ")


def test_another_pass_stops_the_thorough_diagnosis_and_that_is_said(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding()))
    qtbot.mouseClick(shown.thorough, Qt.MouseButton.LeftButton)
    shown.set_run(replace(RUN, ghost=RUN.trace))
    assert not shown.bar.isHidden()
    shown.set_run(OTHER)
    assert shown.bar.isHidden()
    assert "stopped" in shown.note.words
    assert shown.asked == [SEEDS, THOROUGH, INSTANT]


ALONE = Confidence(1, 1, 7)


def test_the_findings_come_at_once_and_how_sure_they_are_is_filled_in_where_they_stand(shown, qtbot):
    shown.set_answer(INSTANT, answer(finding(confidence=ALONE), finding("dead_units", confidence=ALONE)))
    assert shown.asked == [SEEDS]
    first, second = shown.cards
    qtbot.mouseClick(second.heading, Qt.MouseButton.LeftButton)
    assert first.certainty.words == "Seen with this seed; others are being trained…"
    qtbot.waitUntil(lambda: second.height() > 100)
    places = [(card.geometry(), card.content.geometry()) for card in shown.cards]
    buttons = [button for card in shown.cards for button in card.buttons]
    shown.set_answer(SEEDS, answer(finding(), finding("dead_units", confidence=Confidence(2, 4, 7))))
    shown.findings.layout().activate()
    assert shown.cards == [first, second]
    assert [button for card in shown.cards for button in card.buttons] == buttons
    assert [(card.geometry(), card.content.geometry()) for card in shown.cards] == places
    assert first.certainty.words == "Seen with 3 of 4 seeds at iteration 0"
    assert second.certainty.words == "Seen with 2 of 4 seeds at iteration 7"
    assert shown.asked == [SEEDS]


def test_where_nothing_is_found_no_other_seed_is_asked_for(shown):
    shown.set_answer(INSTANT, answer())
    assert shown.asked == []


def test_seeds_that_cannot_be_trained_leave_it_at_the_one(shown):
    shown.set_answer(INSTANT, answer(finding(confidence=ALONE)))
    shown.set_answer_failed(SEEDS, "oh")
    assert shown.cards[0].certainty.words == "Seen with this seed only"
    assert shown.note.words.startswith("Instant, iteration ")


def test_a_thorough_diagnosis_does_not_wait_for_the_seeds_and_they_come_back_when_it_is_cancelled(
    shown, qtbot
):
    shown.set_answer(INSTANT, answer(finding(confidence=ALONE)))
    qtbot.mouseClick(shown.thorough, Qt.MouseButton.LeftButton)
    assert shown.cancelled == [SEEDS]
    assert shown.cards[0].certainty.words == "Seen with this seed only"
    shown.set_answer(SEEDS, answer(finding()))  # came too late
    assert shown.cards[0].certainty.words == "Seen with this seed only"
    qtbot.mouseClick(shown.stop, Qt.MouseButton.LeftButton)
    assert shown.asked == [SEEDS, THOROUGH, SEEDS]
    assert "others are being trained" in shown.cards[0].certainty.words


def test_the_order_of_the_remedies_is_called_what_it_is(shown):
    usual = finding(remedies=(Remedy("one", "First remedy", "It helps.", CURED),))
    shown.set_answer(INSTANT, answer(usual))
    assert shown.cards[0].order.words == "Usual order; Thorough measures it here"
    shown.set_answer(THOROUGH, answer(finding(), depth="thorough"))
    assert shown.cards[0].order.words == "Remedies, as measured on this network"


@pytest.mark.parametrize(
    ("question", "words"), [(INSTANT, "No diagnosis: oh"), (THOROUGH, "No thorough diagnosis: oh")]
)
def test_a_fault_is_told(shown, question, words):
    shown.set_answer_failed(question, "oh")
    assert shown.note.words == words


def test_every_check_and_every_published_rule_stands_in_the_tables(shown):
    diagnosis, rules = answer(finding())
    shown.set_answer(INSTANT, (diagnosis, rules))
    columns, units = shown.table()
    assert columns.keys() == units.keys()
    assert len(columns["rule"]) == len(diagnosis.checks) + len(rules)
    for view, groups in ((shown.checks, check_groups(diagnosis)), (shown.rules, rule_groups(rules))):
        tops = [view.topLevelItem(row) for row in range(view.topLevelItemCount())]
        assert [top.text(0) for top in tops] == [name for name, _ in groups]
        assert [top.childCount() for top in tops] == [len(rows) for _, rows in groups]
    assert "It <vanishes>." in shown.text_summary()
    assert "Published rules that fire: " in shown.text_summary()


def test_packs_that_contradict_each_other_stand_together():
    results = apply_published_rules(RUN)
    vanishing = [result for result in results if result.topic == "vanishing gradient"]
    torn = tuple(
        replace(result, state="fires" if result.pack == "AutoTrainer" else "quiet") for result in vanishing
    )
    ((name, rows),) = rule_groups(torn)
    assert name == f"Vanishing gradient: 1 of {len(torn)} fire, a contradiction"
    assert [row.state for row in rows].count("✗ fires") == 1
    assert rule_groups(tuple(replace(one, state="not applicable") for one in torn))[0][0].endswith(
        "none applies"
    )


def test_rows_are_copied_as_text(shown):
    shown.set_answer(INSTANT, answer(finding()))
    item = shown.rules.topLevelItem(0).child(0)
    shown.rules.setCurrentItem(item)
    shown.rules.copy()
    assert QGuiApplication.clipboard().text().startswith("SageMaker Debugger\t")


def test_closed_groups_stay_closed(shown):
    shown.set_answer(INSTANT, answer(finding()))
    shown.rules.topLevelItem(0).setExpanded(False)
    shown.set_answer(INSTANT, answer(run=replace(RUN, trace=replace(RUN.trace, loss=0.5))))
    shown.rules.set_groups(rule_groups(answer()[1])[:3])
    assert [shown.rules.topLevelItem(row).isExpanded() for row in range(3)] == [False, True, True]


@pytest.mark.parametrize("fault", [None, "zero", "nan", "inf", "mixed"])
@pytest.mark.parametrize("layers", [1, 4, 24])
def test_any_network_is_shown(panel, fault, layers, qtbot):
    run = reference_run(layers=layers, units=4, fault=fault, records=8)
    panel.resize(260, 400)
    panel.set_theme(DARK)
    panel.show()
    panel.set_run(run)
    panel.set_answer(INSTANT, (diagnose_run(run), apply_published_rules(run)))
    panel.set_theme(LIGHT)
    for card in panel.cards[1:]:
        card.heading.click()
    qtbot.waitUntil(lambda: all(card.isVisible() for card in panel.cards))
    assert not panel.grab().isNull()
    assert panel.findings.width() <= 260
    assert panel.text_summary()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_is_shown(panel, name):
    run = kind_run(name)
    panel.show()
    panel.set_run(run)
    panel.set_answer(INSTANT, (diagnose_run(run), apply_published_rules(run)))
    assert len(panel.cards) == len(panel.diagnosis.findings)


def test_no_words_are_cut_off_in_a_narrow_panel(shown, qtbot):
    shown.resize(256, 500)
    shown.set_answer(INSTANT, answer(finding(sentence="Many words follow each other here. " * 12)))
    card = shown.cards[0]

    def is_whole():
        label = card._told
        return label.height() >= label.heightForWidth(label.width()) > 0

    qtbot.waitUntil(is_whole)
    bottom = card._told.mapTo(card, QPoint(0, card._told.height())).y()
    assert card.buttons[0].mapTo(card, QPoint(0, 0)).y() >= bottom


@pytest.mark.parametrize("width", [250, 600])
def test_a_title_is_wrapped_and_never_cut_off(shown, qtbot, width):
    shown.resize(width, 500)
    title = "First weights do not fit the activation"
    shown.set_answer(INSTANT, answer(finding(title=title), finding("dead_units", title=title)))

    def is_whole(label):
        return label.height() >= label.heightForWidth(label.width()) > 0

    for card in shown.cards:
        qtbot.waitUntil(lambda label=card.heading.label: is_whole(label))
        assert card.heading.label.text() == title
        assert card.heading.rect().contains(card.heading.label.geometry())
        lines = card.heading.label.height() // card.heading.label.fontMetrics().height()
        assert lines > 1 if width == 250 else lines == 1


def test_of_a_long_cause_the_first_sentence_stands_above_the_remedies_and_the_rest_below():
    first, rest = "It overflows in the sum.", f"And more is known: {'words ' * 30}."
    long, short = finding(why=f"{first} {rest}"), finding(why=f"{first} So it does.")
    assert finding_html(long).endswith(f"<b>Why</b> {first}</p>")
    assert rest in evidence_html(long, "#000000")
    assert finding_html(short).endswith(f"<b>Why</b> {first} So it does.</p>")
    assert first not in evidence_html(short, "#000000")


def test_words_and_numbers():
    assert severity(finding()) == ("Problem", "warn")
    assert measured_text(np.nan, 0.5, "above") == "NaN > 0.5"
    assert "It &lt;vanishes&gt;." in finding_html(finding())
    assert "7 layers: " in evidence_html(finding(layers=tuple(f"dense_{i}" for i in range(7))), "#000000")
    assert (
        effect_text(replace(EFFECT, backward_before=np.nan, seeds=1))
        == "training loss 2.3 → ∞ (200 iterations, 1 seed): no clear help"
    )
    assert effect_text(replace(EFFECT, loss_after=0.5)).endswith(
        "training loss 2.3 → 0.5 (200 iterations, 3 seeds)"
    )
    advised = replace(
        diagnose_run(RUN), findings=(finding(advice=True),), loss=np.nan, baseline=0.0, iteration=9
    )
    assert headline(advised) == "✓ Healthy, with advice. Batch loss NaN (recent median)."
    assert headline(replace(advised, iteration=0)) == "○ Nothing found yet but advice. Batch loss NaN."
    costly = headline(replace(advised, loss=3.0, baseline=1.5))
    assert (
        costly
        == "○ Nothing found yet but advice. Batch loss 3 (recent median), 200 % of what a constant answer costs."
    )
    assert headline(replace(advised, findings=(), iteration=0)).startswith("○ ")


def test_names_of_rules_get_the_room_that_the_numbers_leave_until_somebody_moves_a_column(
    qtbot,
) -> None:
    view = RowsView("Checks")
    qtbot.addWidget(view)
    names = [row.name for _, rows in check_groups(diagnose_run(RUN)) for row in rows]
    view.resize(640, 300)
    view.show()
    view.set_groups(check_groups(diagnose_run(RUN)))
    metrics = view.fontMetrics()
    widest = max(metrics.horizontalAdvance(name) for name in names)
    assert view.columnWidth(0) > widest
    assert not view.horizontalScrollBar().isVisible()
    view.resize(300, 300)
    assert 120 <= view.columnWidth(0) < widest
    assert view.columnWidth(0) >= view.viewport().width() // 2
    view.setColumnWidth(0, 77)
    view.resize(640, 300)
    assert view.columnWidth(0) == 77
