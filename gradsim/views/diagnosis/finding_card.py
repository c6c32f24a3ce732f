"""One finding: its heading, which opens it, what it says, a button for each remedy, and its evidence."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gradsim.analysis.diagnosis import Finding, Remedy
from gradsim.views.diagnosis.card_heading import CardHeading
from gradsim.views.diagnosis.wording import (
    certainty_text,
    effect_text,
    evidence_html,
    finding_html,
    order_text,
    severity,
    small_print_html,
)
from gradsim.views.elided_label import ElidedLabel
from gradsim.views.theme import Theme

ORDER_TIPS = {
    True: "Every remedy was applied to this network and trained: the best comes first",
    False: "The order in which they helped the example networks of this finding (gradsim diagnose "
    "--measure-remedies); a thorough diagnosis tries them on this network and sorts them by what they do",
}


class FindingCard(QFrame):
    """A finding that opens and closes.

    Wishes: ``remedy_chosen(remedy)``, ``layer_named(name)``; ``toggled(id, is_open)`` tells that it was opened
    or closed.
    """

    remedy_chosen = Signal(object)
    layer_named = Signal(str)
    toggled = Signal(str, bool)

    def __init__(
        self,
        finding: Finding,
        theme: Theme,
        is_open: bool,
        is_pending: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.finding = finding
        self._is_pending = is_pending
        self.buttons: list[QPushButton] = []
        self._is_open = is_open
        self._is_applicable = True
        self._theme = theme
        self.setFrameShape(QFrame.Shape.NoFrame)
        word, self._role = severity(finding)
        self.severity = QLabel(word, self)
        self.severity.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.severity.setFixedWidth(self.severity.fontMetrics().horizontalAdvance("Problem") + 14)
        self.heading = CardHeading(finding.title)
        self.heading.setToolTip(finding.sentence)
        self.heading.setAccessibleName(f"{word}: {finding.title}")
        self.heading.clicked.connect(self._toggle)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.severity, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self.heading, 1)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(2, 2, 2, 4)
        self._rows.setSpacing(2)
        self._rows.addLayout(top)
        self.content: QWidget | None = None
        self.set_theme(theme)
        self._show_content()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        color = getattr(theme, self._role)
        self.severity.setStyleSheet(
            f"color: {color}; border: 1px solid {color}; border-radius: 3px; padding: 0px 4px;"
        )
        if self.content is not None:
            self._fill()

    def is_like(self, finding: Finding) -> bool:
        """Whether a finding can take the place of this one without another button."""
        mine = self.finding
        return (mine.id, mine.title, mine.is_advice, mine.remedies) == (
            finding.id,
            finding.title,
            finding.is_advice,
            finding.remedies,
        )

    def set_finding(self, finding: Finding, is_pending: bool) -> None:
        """Show the same finding where more is known of it; nothing moves unless its words need more lines."""
        self._is_pending = is_pending
        if finding is not self.finding:
            self.finding = finding
            self.heading.setToolTip(finding.sentence)
        if self.content is not None:
            self._fill()

    def set_applicable(self, is_applicable: bool) -> None:
        """Let remedies be applied, or not: those of another experiment would undo what was edited since."""
        self._is_applicable = is_applicable
        for button in self.buttons:
            button.setEnabled(is_applicable)

    def _toggle(self) -> None:
        self._is_open = not self._is_open
        self._show_content()
        self.toggled.emit(self.finding.id, self._is_open)

    def _show_content(self) -> None:
        self.heading.set_open(self._is_open)
        if self._is_open and self.content is None:
            self.content = self._made_content()
            self._rows.addWidget(self.content)
        if self.content is not None:
            self.content.setVisible(self._is_open)

    def _made_content(self) -> QWidget:
        content = QWidget(self)
        rows = QVBoxLayout(content)
        rows.setContentsMargins(8, 0, 4, 4)
        rows.setSpacing(3)  # the first remedy is to be seen without scrolling
        self._told = self._label(content, f"What {self.finding.title} is")
        self._evidence = self._label(content, f"Evidence of {self.finding.title}")
        self._small_print = self._label(content, f"Other numbers of {self.finding.title}")
        self.certainty = ElidedLabel(content)
        self.certainty.setAccessibleName(f"How sure {self.finding.title} is")
        rows.addWidget(self._told)
        if self.finding.remedies:
            self.order = ElidedLabel(content)
            self.order.set_words(order_text(self.finding))
            self.order.setToolTip(ORDER_TIPS[self.finding.is_measured])
            rows.addWidget(self.order)
        for place, remedy in enumerate(self.finding.remedies):
            self._add_remedy(rows, remedy, place, content)
        rows.addWidget(self.certainty)
        rows.addWidget(self._evidence)
        rows.addWidget(self._small_print)
        self._fill()
        return content

    def _label(self, parent: QWidget, name: str) -> QLabel:
        label = QLabel(parent)
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setWordWrap(True)
        label.setMinimumWidth(1)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        label.setAccessibleName(name)
        label.linkActivated.connect(lambda link: self.layer_named.emit(link.removeprefix("layer:")))
        return label

    def _fill(self) -> None:
        self._told.setText(finding_html(self.finding))
        self._evidence.setText(evidence_html(self.finding, self._theme.muted))
        self.certainty.set_words(certainty_text(self.finding, self._is_pending))
        self.certainty.setToolTip(self.certainty.words)
        self._small_print.setText(small_print_html(self.finding))
        if self.finding.remedies:
            self.order.setStyleSheet(f"color: {self._theme.muted}")
        self._small_print.setStyleSheet(f"color: {self._theme.muted}")
        _color_links(self._evidence, self._theme)
        _color_links(self._small_print, self._theme)

    def _add_remedy(self, rows: QVBoxLayout, remedy: Remedy, place: int, parent: QWidget) -> None:
        button = QPushButton(f"{place + 1}. {remedy.title}", parent)
        button.setObjectName(f"remedy.{self.finding.id}.{remedy.id}")
        button.setToolTip(f"{remedy.description}\nApplied as an edit, which can be undone.")
        button.setStyleSheet("text-align: left; padding: 3px 6px;")
        button.setMinimumWidth(60)
        button.setEnabled(self._is_applicable)
        button.clicked.connect(lambda: self.remedy_chosen.emit(remedy))
        rows.addWidget(button)
        self.buttons.append(button)
        if remedy.effect is not None:
            measured = QLabel(effect_text(remedy.effect), parent)
            measured.setWordWrap(True)
            measured.setMinimumWidth(1)
            measured.setIndent(8)
            measured.setAccessibleName(f"Measured effect of {remedy.title}")
            rows.addWidget(measured)


def _color_links(label: QLabel, theme: Theme) -> None:
    palette = QPalette(label.palette())
    palette.setColor(QPalette.ColorRole.Link, QColor(theme.accent))
    label.setPalette(palette)
