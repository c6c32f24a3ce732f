"""Questions of views: carried to the threads that answer them, and each answer to whom it was that asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradsim.app.inquiries import Inquiries
from gradsim.app.session import Session


class ViewQuestions:
    """Knows who asked what about the run on screen.

    Parameters
    ----------
    session : Session
        Has the run that is asked about.
    inquiries : Inquiries
        Answers.
    askers : mapping from str to object
        Who may ask, by id: has ``set_answer``, maybe ``set_answer_progress`` and ``set_answer_failed``.
    """

    def __init__(self, session: Session, inquiries: Inquiries, askers: Mapping[str, Any]) -> None:
        self.askers = askers
        self._session = session
        self._inquiries = inquiries

    def ask(self, asker: str, question: str, options: Any) -> None:
        """Have a question about the run on screen answered, in a thread of its own."""
        if (run := self._session.run) is not None:
            self._inquiries.ask(asker, question, options, run, self._session.document.directory)

    def deliver(self) -> None:
        """Hand out what has been answered since the last time."""
        for told in self._inquiries.take():
            id_, question = told.asked.key
            asker = self.askers[id_]
            if told.kind == "answer":
                asker.set_answer(question, told.value)
            elif told.kind == "progress" and hasattr(asker, "set_answer_progress"):
                asker.set_answer_progress(question, told.value, told.share)
            elif told.kind == "failure" and hasattr(asker, "set_answer_failed"):
                asker.set_answer_failed(question, told.value)
