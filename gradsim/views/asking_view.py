"""Plot views that ask: what takes longer than a frame is found out elsewhere, and comes back as an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from gradsim.trace import IterationTrace, Run
from gradsim.views.plot.numbers import percent
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView
from gradsim.views.theme import Theme

LOW, NARROW = 260.0, 620.0
"""Height and width of a figure, in logical pixels, below which there is no room for a legend of several lines."""


@dataclass(slots=True)
class Asked:
    """What is known of one question.

    Attributes
    ----------
    about : IterationTrace or None
        The pass it was last asked about; None if it never was.
    answer : object
        The last answer; it stays while the next one is waited for.
    answered : IterationTrace or None
        The pass the answer belongs to.
    words, share : str, float
        How far the next answer is; ``is_waiting`` says whether there will be one.
    reason : str
        Why there was no answer the last time; empty if there was one.
    """

    about: IterationTrace | None = None
    answer: Any = None
    answered: IterationTrace | None = None
    words: str = ""
    share: float = 0.0
    is_waiting: bool = False
    reason: str = ""


class AskingView(PlotView):
    """A view that asks about every run it shows, once it can be seen.

    Parameters
    ----------
    parent : QWidget or None
        In which it stands.
    """

    question_asked = Signal(str, object)
    """A wish: find an answer to this question, with these options."""
    question_cancelled = Signal(str)
    """A wish: it need not be answered any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked: dict[str, Asked] = {}

    # -- what comes down -------------------------------------------------------------------------------------

    def set_run(self, run: Run | None) -> None:
        """Show a run, or nothing; what is asked about every run is asked anew if it is another pass.

        Parameters
        ----------
        run : Run or None
            As far as it has come.
        """
        before = self.run
        super().set_run(run)
        if run is before:
            return
        trace = None if run is None else run.trace
        for asked in self._asked.values():
            if asked.about is not trace:  # what was asked about another pass is overtaken
                asked.is_waiting = False
        self._ask_what_stands()

    def set_answer(self, question: str, answer: object) -> None:
        """Show an answer.

        Parameters
        ----------
        question : str
            Which question.
        answer : object
            What was found out about the pass on screen.
        """
        asked = self.asked(question)
        asked.answer, asked.answered, asked.is_waiting, asked.reason = answer, asked.about, False, ""
        self.refresh()

    def set_answer_progress(self, question: str, words: str, share: float) -> None:
        """Show how far an answer is.

        Parameters
        ----------
        question : str
            Which question.
        words : str
            What is being done.
        share : float
            From 0 to 1.
        """
        asked = self.asked(question)
        asked.words, asked.share = words, share
        self.refresh()

    def set_answer_failed(self, question: str, reason: str) -> None:
        """Show why there is no answer.

        Parameters
        ----------
        question : str
            Which question.
        reason : str
            One or two sentences.
        """
        asked = self.asked(question)
        asked.answer, asked.answered, asked.is_waiting, asked.reason = None, None, False, reason
        self.refresh()

    # -- what a subclass says --------------------------------------------------------------------------------

    def standing_questions(self) -> Mapping[str, Any]:
        """Return what is asked about every run: questions and their options."""
        return {}

    # -- inside ----------------------------------------------------------------------------------------------

    def asked(self, question: str) -> Asked:
        """Return what is known of a question."""
        return self._asked.setdefault(question, Asked())

    def ask(self, question: str, options: Any = None) -> None:
        """Ask about the pass on screen."""
        if self.run is None:
            return
        asked = self.asked(question)
        asked.about, asked.is_waiting, asked.words, asked.share = self.run.trace, True, "", 0.0
        self.question_asked.emit(question, options)
        self.refresh()

    def cancel(self, question: str) -> None:
        """Wait for an answer no longer."""
        asked = self.asked(question)
        if asked.is_waiting:
            asked.is_waiting, asked.about = False, None
            self.question_cancelled.emit(question)
            self.refresh()

    def waiting_words(self, question: str) -> str:
        """Return how far an answer is; empty if none is waited for."""
        asked = self.asked(question)
        if not asked.is_waiting:
            return ""
        return f"{asked.words} ({percent(asked.share)})" if asked.words else "waiting…"

    @property
    def is_low(self) -> bool:
        """Whether there is only room for a short legend."""
        size = self.figure_size()
        return size.height() < LOW or size.width() < NARROW

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask_what_stands()

    def _panels_now(self, theme: Theme) -> Sequence[Panel]:
        if self._open_questions():  # it is painted: a tab behind others has come to the front
            QTimer.singleShot(0, self, self._ask_what_stands)
        return super()._panels_now(theme)

    def _open_questions(self) -> Mapping[str, Any]:
        if self.run is None:
            return {}
        standing = self.standing_questions()
        return {name: standing[name] for name in standing if self.asked(name).about is not self.run.trace}

    def _ask_what_stands(self) -> None:
        """Ask what was not yet asked about this pass, if a person can see the view, or a picture is made of it."""
        # A dock in a tab behind others counts as visible: only its region tells.
        is_seen = not self.visibleRegion().isEmpty()
        if is_seen or (self.isVisible() and self.testAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)):
            for question, options in self._open_questions().items():
                self.ask(question, options)
