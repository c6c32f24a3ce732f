"""What keeps the network on screen from learning: findings, their evidence and remedies, and other people's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gradsim.analysis.diagnosis import Diagnosis, Remedy
from gradsim.analysis.rule_packs import RuleResult
from gradsim.spec import Experiment
from gradsim.trace import IterationTrace, Run
from gradsim.views.diagnosis.finding_card import FindingCard
from gradsim.views.diagnosis.rows import check_groups, diagnosis_table, rule_groups
from gradsim.views.diagnosis.rows_view import RowsView
from gradsim.views.diagnosis.tall_column import TallColumn
from gradsim.views.diagnosis.wording import headline, kept_together, summary
from gradsim.views.elided_label import ElidedLabel
from gradsim.views.theme import LIGHT, Theme

INSTANT, SEEDS, THOROUGH = "diagnosis", "diagnosis.seeds", "diagnosis.thorough"
"""The questions it asks, all answered with a diagnosis and the results of the published rules: at once, then how sure
it is over other seeds, and, where it is wished for, with every remedy tried."""
WIDE = 310
"""From this width on, in pixels, the tabs have room for all their words."""


class DiagnosisPanel(QWidget):
    """Asks for the diagnosis of every pass on which the run rests, while it can be seen.

    Wishes: ``question_asked(question, options)``, ``question_cancelled(question)``, ``layer_selected(layer)`` and
    ``edit_requested(experiment, description)``.
    """

    title = "Diagnosis"
    view_id = "diagnosis"

    question_asked = Signal(str, object)
    question_cancelled = Signal(str)
    layer_selected = Signal(int)
    edit_requested = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._asked: IterationTrace | None = None
        self._theme = LIGHT
        self._diagnosis: Diagnosis | None = None
        self._rules: tuple[RuleResult, ...] = ()
        self._diagnosed: Experiment | None = None
        self._is_thorough = False
        self._is_counting = False
        self._note = ""
        self._open: dict[str, bool] = {}
        self.cards: list[FindingCard] = []
        self.headline = QLabel("No run yet.", self)
        self.headline.setWordWrap(True)
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.headline.setAccessibleName("Diagnosis in a sentence")
        self.note = ElidedLabel(self)
        self.thorough = QPushButton("Thorough…", self)
        self.thorough.setObjectName("diagnosis.thorough")
        self.thorough.setToolTip(
            "Train other seeds, the same network at half its depth, and every remedy, and put first what helps "
            "most: seconds to minutes, and it can be cancelled"
        )
        self.thorough.clicked.connect(self.ask_thorough)
        self.thorough.setEnabled(False)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Thorough diagnosis")
        self.bar.setVisible(False)
        self.stop = QPushButton("Cancel", self)
        self.stop.setObjectName("diagnosis.cancel")
        self.stop.clicked.connect(self._cancel)
        self.stop.setVisible(False)
        self.findings = TallColumn(self)
        self._cards = self.findings.rows
        self.nothing = QLabel("No finding. Every check stands with its number under “Checks”.", self)
        self.nothing.setWordWrap(True)
        self.nothing.setVisible(False)
        self.checks = RowsView("Checks", self)
        self.rules = RowsView("Published rules", self)
        self.tabs = QTabWidget(self)
        self._arrange()

    # What is shown

    def set_run(self, run: Run | None) -> None:
        """Take the run on screen; its diagnosis is asked for where it is another pass."""
        if run is self._run:
            return
        self._run = run
        if run is None:
            self._asked = self._diagnosis = self._diagnosed = None
            self._rules = ()
            self._is_thorough = self._is_counting = False
            self._show_answer()
            return
        if self._is_thorough and run.trace is not self._asked:
            self._is_thorough = False
            self._note = "The thorough diagnosis was stopped: another pass is on screen."
        self._show_state()
        self._ask()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        for label in (self.note, self.nothing):
            label.setStyleSheet(f"color: {theme.muted}")
        for card in self.cards:
            card.set_theme(theme)
        self.checks.set_theme(theme)
        self.rules.set_theme(theme)

    def set_answer(self, question: str, answer: Any) -> None:
        """Show the diagnosis of the pass on screen."""
        if self._run is None:
            return
        if question == SEEDS and not self._is_counting:
            return
        self._diagnosis, self._rules = answer
        self._diagnosed = self._run.experiment
        if question != SEEDS:
            self._note = ""
        if question == THOROUGH:
            self._is_thorough = False
        self._is_counting = question == INSTANT and bool(self._diagnosis.findings) and not self._is_thorough
        self._show_answer()
        self._ask_counting()

    def set_answer_progress(self, question: str, words: str, share: float) -> None:
        """Show how far the thorough diagnosis is."""
        if question == THOROUGH and self._is_thorough:
            self.bar.setValue(round(1000 * share))
            self.bar.setToolTip(words)
            self._note = words
            self._show_state()

    def set_answer_failed(self, question: str, reason: str) -> None:
        """Say why there is no diagnosis."""
        if question == SEEDS:
            self._end_counting()
            return
        if question == THOROUGH:
            self._is_thorough = False
        self._note = f"No {'thorough ' if question == THOROUGH else ''}diagnosis: {reason}"
        self._show_state()

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The diagnosis on screen."""
        return self._diagnosis

    def text_summary(self) -> str:
        """Return what is seen, in words."""
        if self._diagnosis is None:
            return self.headline.text()
        return summary(self._diagnosis, self._rules)

    def table(self) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
        """Return every check and every published rule: what was measured, the cut, and what came of it."""
        if self._diagnosis is None:
            return {}, {}
        return diagnosis_table(self._diagnosis, self._rules)

    # How it is made

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.note, 1)
        row.addWidget(self.thorough)
        row.addWidget(self.stop)
        self._cards.setContentsMargins(0, 4, 0, 4)
        self._cards.setSpacing(2)
        self._cards.addWidget(self.nothing)
        self._cards.addStretch()
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.findings)
        self.tabs.setDocumentMode(True)
        self.tabs.setMinimumHeight(40)  # a low window must not grow for it
        self.tabs.addTab(scroll, "Findings")
        self.tabs.addTab(self.checks, "Checks")
        self.tabs.addTab(self.rules, "Published rules")
        self.tabs.setTabToolTip(
            1, "Every check with its number and its cut, whether it found something or not"
        )
        self.tabs.setTabToolTip(2, "Rules of other people with their cuts, and which of them fire here")
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.headline)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        layout.addWidget(self.tabs, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.tabs.setTabText(2, "Published rules" if self.width() >= WIDE else "Rules")

    # Asking

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def _ask(self) -> None:
        if self._run is not None and self.isVisible() and self._asked is not self._run.trace:
            self._asked = self._run.trace
            self._show_state()
            self.question_asked.emit(INSTANT, None)

    def ask_thorough(self) -> None:
        """Wish for the diagnosis that takes trainings."""
        if self._run is None:
            return
        self._asked = self._run.trace
        self._is_thorough, self._note = True, "Waiting…"
        self.bar.setValue(0)
        self._show_state()
        if self._is_counting:  # the thorough diagnosis trains the other seeds too
            self.question_cancelled.emit(SEEDS)
            self._end_counting()
        self.question_asked.emit(THOROUGH, None)

    def _cancel(self) -> None:
        self._is_thorough, self._note = False, ""
        self.question_cancelled.emit(THOROUGH)
        self._show_state()
        if self._diagnosis is not None and self._diagnosis.depth == "instant" and self.cards:
            self._is_counting = all(finding.confidence.of == 1 for finding in self._diagnosis.findings)
            self._show_cards(self._diagnosis)
            self._ask_counting()

    def _ask_counting(self) -> None:
        """Wish to know with how many seeds the findings are met, now that they stand there."""
        if self._is_counting:
            self.question_asked.emit(SEEDS, None)

    def _end_counting(self) -> None:
        """Leave it at the one seed."""
        self._is_counting = False
        self._show_cards(self._diagnosis)

    # Showing

    @property
    def _is_current(self) -> bool:
        """Whether the remedies on screen start from the experiment on screen; its name does not count."""
        if self._run is None or self._diagnosed is None:
            return False
        return (
            msgspec.structs.replace(self._diagnosed, name=self._run.experiment.name) == self._run.experiment
        )

    def _show_state(self) -> None:
        """Show what may be done, and of which iteration the findings are."""
        self.bar.setVisible(self._is_thorough)
        self.bar.setFormat("%p %")
        self.stop.setVisible(self._is_thorough)
        self.thorough.setVisible(not self._is_thorough)
        self.thorough.setEnabled(self._run is not None)
        self.note.set_words(self._note or self._when())
        self.note.setToolTip(self.note.words)
        for card in self.cards:
            card.set_applicable(self._is_current)

    def _when(self) -> str:
        if self._run is None:
            return ""
        if self._diagnosis is None:
            return "Diagnosing…"
        words = f"{self._diagnosis.depth.capitalize()}, iteration {self._diagnosis.iteration:,}"
        if self._diagnosis.iteration != self._run.trace.iteration or not self._is_current:
            return f"{words}; the next one when the run is at rest"
        return words

    def _show_answer(self) -> None:
        diagnosis = self._diagnosis
        self.headline.setText("No run yet." if diagnosis is None else kept_together(headline(diagnosis)))
        self.headline.setToolTip("" if diagnosis is None else diagnosis.sentence)
        self.nothing.setVisible(diagnosis is not None and not diagnosis.findings)
        self._show_cards(diagnosis)
        count = len(self.cards)
        self.tabs.setTabText(0, f"Findings ({count})" if count else "Findings")
        self.checks.set_groups(() if diagnosis is None else check_groups(diagnosis))
        self.rules.set_groups(rule_groups(self._rules))
        self._show_state()

    def _show_cards(self, diagnosis: Diagnosis | None) -> None:
        findings = () if diagnosis is None else diagnosis.findings
        if len(findings) == len(self.cards) and all(map(FindingCard.is_like, self.cards, findings)):
            for card, finding in zip(self.cards, findings, strict=True):
                card.set_finding(finding, self._is_counting)
            return
        for card in self.cards:
            self._cards.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = []
        for place, finding in enumerate(findings):
            is_open = self._open.get(finding.id, place == 0)
            card = FindingCard(finding, self._theme, is_open, self._is_counting, self.findings)
            card.toggled.connect(self._open.__setitem__)
            card.layer_named.connect(self._select)
            card.remedy_chosen.connect(self._apply)
            self._cards.insertWidget(place, card)
            self.cards.append(card)

    # Wishes

    def _select(self, name: str) -> None:
        layers = () if self._run is None else self._run.trace.layers
        for layer in layers:
            if layer.name == name:
                self.layer_selected.emit(layer.index)

    def _apply(self, remedy: Remedy) -> None:
        if self._run is not None:
            experiment = msgspec.structs.replace(remedy.experiment, name=self._run.experiment.name)
            self.edit_requested.emit(experiment, remedy.title)
