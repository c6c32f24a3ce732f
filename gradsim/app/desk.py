"""What lies on the desk: the document that is edited, the one that computes, and the work put aside. Without Qt."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from gradsim.app import document as documents
from gradsim.app.document import Document
from gradsim.spec import Experiment

MERGING_SECONDS = 1.0
"""Edits of one thing that follow so closely, as with a held arrow key, are one step of undo."""


class Desk:
    """The document before people's eyes, and those to which there is a way back.

    Parameters
    ----------
    experiment : Experiment
        What is edited first.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.document = documents.opened(experiment)
        self.has_refused_edit = False
        """Whether the last edit was wrong: it stands in the fields, but not in the document."""
        self._accepted = self.document
        self._aside: Document | None = None
        self._edited_at = -MERGING_SECONDS

    @property
    def experiment(self) -> Experiment:
        """The experiment that is edited."""
        return self.document.experiment

    @property
    def work(self) -> Document:
        """What must not be lost: the document, or the one that was put aside for something else."""
        return self._aside if self._aside is not None else self.document

    @property
    def is_aside(self) -> bool:
        """Whether the work has been put aside."""
        return self._aside is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back, be it one that was refused."""
        return self.has_refused_edit or self.document.undo_description is not None

    def edited(
        self, experiment: Experiment, description: str, folder: Path | None, *, is_opening: bool
    ) -> Document:
        """Return the document after an edit; one that follows closely on another of the same thing joins it."""
        now = time.monotonic()
        merges = now - self._edited_at < MERGING_SECONDS and not is_opening
        self._edited_at = now
        return documents.edited(
            self.document, experiment, description, merges=merges, folder=folder, is_opening=is_opening
        )

    def lay(self, document: Document) -> None:
        """Edit another document from now on; whether it can be computed is not known yet."""
        self.document = document
        self.has_refused_edit = False

    def rename(self, document: Document) -> None:
        """Edit another document that asks for no other number."""
        if self._accepted is self.document:
            self._accepted = document
        self.lay(document)

    def accept(self) -> None:
        """Remember that the document can be computed: here one comes back to."""
        self._accepted = self.document

    def return_to_accepted(self) -> Experiment | None:
        """Go back to what could be computed; return what could not, None where that is the document itself."""
        if self.document is self._accepted:
            return None
        refused = self.experiment
        self.document = self._accepted
        if self.document is self._aside:
            self._aside = None
        return refused

    def mark_saved(self, path: Path) -> None:
        """Remember that the experiment is in a file."""
        is_accepted = self._accepted is self.document
        self.document = replace(self.document, path=path, saved=self.experiment)
        accepted = replace(self._accepted, path=path, saved=self.experiment)
        self._accepted = self.document if is_accepted else accepted

    def put_aside(self) -> None:
        """Keep the work, undo and all, while something else is looked at; done once."""
        if self._aside is None:
            self._aside = self.document

    def take_back(self) -> Document | None:
        """Put the work aside no longer; return it to be laid on the desk again, None where none was."""
        document, self._aside = self._aside, None
        return document
