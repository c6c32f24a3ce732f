"""What is not saved yet, kept aside in a file of its own, and found again after a crash."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from PySide6.QtCore import QLockFile, QStandardPaths

from gradsim.app.document import Document
from gradsim.app.settings import write_atomically
from gradsim.spec import Experiment, SpecError, experiment_document, read_experiment


@dataclass(frozen=True, slots=True)
class Rescued:
    """Work that a crash has left behind.

    Attributes
    ----------
    experiment : Experiment
        As it was.
    path : Path or None
        The file it belongs to.
    saved_at : datetime
        When it was kept aside.
    file : Path
        The file it was kept aside in.
    """

    experiment: Experiment
    path: Path | None
    saved_at: datetime
    file: Path


def autosave_folder() -> Path:
    """
    Return the folder for work that is not saved yet.

    Returns
    -------
    Path
        It need not exist yet.
    """
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(place) / "unsaved"


class Autosave:
    """One file for one window, held by a lock as long as its process lives.

    Parameters
    ----------
    folder : Path
        Of the files of all windows.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / f"{uuid4().hex}.json"
        self._lock: QLockFile | None = None

    def keep(self, document: Document) -> bool:
        """Keep a document aside, or forget it where it is saved; False where the disk does not allow it."""
        if not document.is_dirty:
            self._file.unlink(missing_ok=True)
            return True
        if self._lock is None:
            with suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self._file)
            self._lock.tryLock(0)
        content = {
            "path": str(document.path) if document.path else None,
            "experiment": experiment_document(document.experiment),
        }
        return write_atomically(self._file, msgspec.json.encode(content))

    def forget(self) -> None:
        """Take the file away: everything is saved, or is not wanted."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None


def rescued_work(folder: Path) -> list[Rescued]:
    """
    Return what windows have left behind whose process is gone.

    Parameters
    ----------
    folder : Path
        Of the files of all windows.

    Returns
    -------
    list of Rescued
        The newest first. Files that cannot be read are taken away.
    """
    found = []
    for file in folder.glob("*.json") if folder.is_dir() else ():
        lock = _lock(file)
        if not lock.tryLock(0):
            continue  # another window that is still open
        lock.unlock()
        try:
            content: Any = msgspec.json.decode(file.read_bytes())
            experiment = read_experiment(content["experiment"])
            path = Path(content["path"]) if content["path"] else None
            found.append(Rescued(experiment, path, datetime.fromtimestamp(file.stat().st_mtime), file))
        except OSError:
            continue
        except (SpecError, msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
            file.unlink(missing_ok=True)
    return sorted(found, key=lambda work: work.saved_at, reverse=True)


def _lock(file: Path) -> QLockFile:
    lock = QLockFile(str(file.with_suffix(".lock")))
    lock.setStaleLockTime(0)  # only the end of its process makes it stale, however long ago it was made
    return lock
