"""The comparison with backpropagation: trained beside the run for the same cost, then drawn on the same axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gradsim.spec.method import Backpropagation
from gradsim.trace import Run

if TYPE_CHECKING:
    from gradsim.analysis.beside import Beside
    from gradsim.app.session import Session

ID = "comparison"
QUESTION = "beside"


def is_comparable(run: Run | None) -> bool:
    """
    Return whether backpropagation would be another way to train a run.

    Parameters
    ----------
    run : Run or None
        What is on screen.

    Returns
    -------
    bool
        False for a run that is trained so itself.
    """
    return run is not None and not isinstance(run.experiment.training.method, Backpropagation)


class Comparison(QObject):
    """Asks for the run beside, as a view would, and hands it to the session.

    Parameters
    ----------
    session : Session
        Keeps what is compared with.
    parent : QObject or None
        Owner in the sense of Qt.
    """

    question_asked = Signal(str, object)
    told = Signal(str)
    """How far it is, or why there is none, in one sentence."""
    arrived = Signal()
    """Both are on screen."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session

    def ask(self) -> None:
        """Have backpropagation trained from the same weights for as much as the training has cost so far."""
        run = self._session.run
        if run is None or not is_comparable(run):
            return
        if self._session.training.is_training:
            self.told.emit("The training goes on: compare when it rests")
            return
        if not len(run.history):
            self.told.emit("Train first: backpropagation is given as much as the training has cost")
            return
        self.told.emit("Training by backpropagation for the same cost…")
        self.question_asked.emit(QUESTION, int(run.history.iterations[-1]) + 1)

    def set_answer(self, question: str, beside: Beside) -> None:
        """Put it beside the run."""
        words = (
            f"Backpropagation from the same weights for the same cost: {beside.trace.iteration:,} iterations, "
            f"batch loss {beside.trace.loss:.3g}"
        )
        self._session.compare_with(beside.trace, beside.history, words)
        self.arrived.emit()

    def set_answer_progress(self, question: str, words: str, share: float) -> None:
        """Say how far it is."""
        self.told.emit(f"{words}: {100 * share:.0f} %")

    def set_answer_failed(self, question: str, reason: Any) -> None:
        """Say why there is none."""
        self.told.emit(f"No comparison: {reason}")
