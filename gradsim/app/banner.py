"""Sentences that must be seen, above the network: they wait until read and stop nobody from working."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gradsim.views.icons import icon

Tone = Literal["fault", "news"]
MOST_SHOWN = 3


class Banner(QWidget):
    """One sentence with what can be done about it.

    Parameters
    ----------
    text : str
        The sentence.
    tone : {"fault", "news"}
        Colour of the stripe at its side; the sentence alone must be enough.
    choices : dict from str to callable
        Words of buttons and what they do; each also takes the banner away.
    close : callable
        Takes the banner away.
    topic : str, default ""
        What it is about: when that is settled, the sentence is no longer true.
    """

    def __init__(
        self,
        text: str,
        tone: Tone,
        choices: dict[str, Callable[[], None]],
        close: Callable[[], None],
        topic: str = "",
    ) -> None:
        super().__init__()
        self.text = text
        self.topic = topic
        self._tone = tone
        label = QLabel(text)
        label.setWordWrap(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 5, 6, 5)
        layout.setSpacing(8)
        layout.addWidget(label, 1)
        for words, do in choices.items():
            button = QPushButton(words)
            button.clicked.connect(do)
            button.clicked.connect(close)
            layout.addWidget(button)
        self.dismiss = QToolButton(autoRaise=True)
        self.dismiss.setIcon(icon("close"))
        self.dismiss.setToolTip("Dismiss")
        self.dismiss.setAccessibleName("Dismiss the message")
        self.dismiss.clicked.connect(close)
        layout.addWidget(self.dismiss)
        self.setAccessibleName(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        role = QPalette.ColorRole.BrightText if self._tone == "fault" else QPalette.ColorRole.Highlight
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.AlternateBase))
        painter.fillRect(QRectF(0, 0, 4, self.height()), self.palette().color(role))
        painter.fillRect(
            QRectF(0, self.height() - 1, self.width(), 1), self.palette().color(QPalette.ColorRole.Mid)
        )


class Banners(QWidget):
    """The sentences that have not been dismissed, the newest first; equal ones once.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._shown: list[Banner] = []
        self.setVisible(False)

    @property
    def texts(self) -> list[str]:
        """The sentences on screen, the newest first."""
        return [banner.text for banner in self._shown]

    def show_fault(self, text: str, topic: str = "") -> None:
        """Say that something did not work."""
        self.show_message(text, "fault", topic=topic)

    def settle(self, topic: str) -> None:
        """Take away what was said about something that is settled, such as a file, now that one was read."""
        for banner in [banner for banner in self._shown if banner.topic == topic]:
            self._drop(banner)

    def show_message(
        self,
        text: str,
        tone: Tone = "news",
        choices: dict[str, Callable[[], None]] | None = None,
        topic: str = "",
    ) -> None:
        """Say something, with buttons for what can be done about it."""
        for banner in [banner for banner in self._shown if banner.text == text]:
            self._drop(banner)
        for banner in self._shown[MOST_SHOWN - 1 :]:
            self._drop(banner)
        banner = Banner(text, tone, choices or {}, lambda: self._drop(banner), topic)
        self._shown.insert(0, banner)
        self._layout.insertWidget(0, banner)
        self.setVisible(True)

    def _drop(self, banner: Banner) -> None:
        if banner in self._shown:
            self._shown.remove(banner)
            self._layout.removeWidget(banner)
            banner.hide()
            banner.deleteLater()
        self.setVisible(bool(self._shown))
