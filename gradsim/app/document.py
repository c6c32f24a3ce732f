"""What is edited, as a value: the experiments that undo and redo walk over, the file, whether it is saved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gradsim.spec import Experiment

LONGEST_UNDO = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """An experiment and the words for the edit that led to it.

    ``folder`` is where its file of initial parameters lies, if that is not the document's own place. ``is_opening``
    tells that it took the place of everything, as an example does, so that nothing of before is comparable.
    """

    experiment: Experiment
    description: str
    folder: Path | None = None
    is_opening: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The edits of one file, and where among them we are.

    Attributes
    ----------
    entries : tuple of Entry
        Oldest first; never empty.
    position : int
        Index of the present one.
    path : Path or None
        The file; None until saved for the first time.
    saved : Experiment or None
        What the file holds; None for one that was never saved but must not be lost.
    folder : Path or None
        Where a file of initial parameters is looked for while there is no file of its own.
    """

    entries: tuple[Entry, ...]
    position: int = 0
    path: Path | None = None
    saved: Experiment | None = None
    folder: Path | None = None

    @property
    def directory(self) -> Path | None:
        """Where a file of initial parameters is looked for."""
        if (own := self.entries[self.position].folder) is not None:
            return own
        return self.path.parent if self.path is not None else self.folder

    @property
    def experiment(self) -> Experiment:
        """The present experiment."""
        return self.entries[self.position].experiment

    @property
    def is_dirty(self) -> bool:
        """Whether closing would lose something."""
        return self.experiment != self.saved

    @property
    def undo_description(self) -> str | None:
        """Words for what undo would take back; None where there is nothing."""
        return self.entries[self.position].description if self.position > 0 else None

    @property
    def redo_description(self) -> str | None:
        """Words for what redo would do again; None where there is nothing."""
        is_last = self.position + 1 >= len(self.entries)
        return None if is_last else self.entries[self.position + 1].description


def opened(experiment: Experiment, path: Path | None = None) -> Document:
    """Return the document of an experiment without any edit.

    Parameters
    ----------
    experiment : Experiment
        As read from a file, or shipped with the program.
    path : Path or None, default None
        The file.

    Returns
    -------
    Document
        Clean.
    """
    return Document((Entry(experiment, ""),), path=path, saved=experiment)


def edited(
    document: Document,
    experiment: Experiment,
    description: str,
    *,
    merges: bool = False,
    folder: Path | None = None,
    is_opening: bool = False,
) -> Document:
    """Return the document after an edit; what had been undone is forgotten.

    Parameters
    ----------
    document : Document
        Before.
    experiment : Experiment
        After.
    description : str
        What was done, in words that follow "Undo"; those before a colon name the thing that was edited.
    merges : bool, default False
        Whether an edit of the same thing as the last one takes its place.
    folder : Path or None, default None
        Where the file of initial parameters of an experiment from elsewhere lies; None where it was.
    is_opening : bool, default False
        Whether the experiment has come in the place of everything.

    Returns
    -------
    Document
        With at most ``LONGEST_UNDO`` experiments.
    """
    kept = document.entries[: document.position + 1]
    if merges and len(kept) > 1 and _thing(kept[-1].description) == _thing(description) != "":
        kept = kept[:-1]
    if experiment.parameters is not None:
        folder = folder or kept[-1].folder
    entries = (*kept, Entry(experiment, description, folder, is_opening))[-LONGEST_UNDO:]
    return replace(document, entries=entries, position=len(entries) - 1)


def _thing(description: str) -> str:
    thing, colon, _ = description.partition(":")
    return thing if colon else ""


def moved(document: Document, by: int) -> Document:
    """Return the document some edits back (negative) or forward, as far as there are any.

    Parameters
    ----------
    document : Document
        Before.
    by : int
        How many edits.

    Returns
    -------
    Document
        With the same entries.
    """
    position = min(max(document.position + by, 0), len(document.entries) - 1)
    return replace(document, position=position)
