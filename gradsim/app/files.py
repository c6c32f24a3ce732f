"""Opening and saving, with every question that goes with it. What is in a file is the business of ``formats``."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from gradsim.app.autosave import Autosave, Rescued, autosave_folder, rescued_work
from gradsim.app.presets import preset, preset_folder
from gradsim.app.session import Session
from gradsim.formats import bring_parameters, load, save
from gradsim.resource_files import EXPERIMENT_ENDING
from gradsim.spec import Dense, Experiment, Network, SpecError
from gradsim.spec.activation import Tanh
from gradsim.spec.data import Moons

FILTER = f"Experiments (*{EXPERIMENT_ENDING});;JSON files (*.json);;All files (*)"
LESSON_FILTER = "Lessons (*.lesson.json);;JSON files (*.json);;All files (*)"
AUTOSAVE_MILLISECONDS = 1500


class Files(QObject):
    """Brings files into the session and the session into files.

    Parameters
    ----------
    session : Session
        Holds the document.
    window : QWidget
        Parent of the dialogs.
    folder : str
        Where the first dialog begins.
    """

    used = Signal(object)
    """A file was opened or saved (Path)."""
    failed = Signal(str)
    rescue_offered = Signal(object)
    """Work left behind by a crash (Rescued)."""

    def __init__(self, session: Session, window: QWidget, folder: str) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._folder = folder
        self._autosave = Autosave(autosave_folder())
        self._timer = QTimer(self, interval=AUTOSAVE_MILLISECONDS, singleShot=True)
        self._timer.timeout.connect(self.keep_aside)
        session.document_changed.connect(lambda _: self._timer.start())

    def new(self) -> None:
        """Begin with a small network."""
        if self.may_be_replaced():
            layer = Dense(units=8, activation=Tanh())
            network = Network(layers=(layer, layer))
            self._session.open(Experiment(name="Untitled", data=Moons(), network=network))

    def ask_and_open(self) -> None:
        """Ask for a file and open it."""
        if not self.may_be_replaced():
            return
        name, _ = QFileDialog.getOpenFileName(self._window, "Open an experiment", self._folder, FILTER)
        if name:
            self._open(Path(name))

    def open(self, path: Path) -> bool:
        """Open a file, unless the present work is still wanted."""
        return self.may_be_replaced() and self._open(path)

    def _open(self, path: Path) -> bool:
        try:
            experiment = load(path)
        except SpecError as error:
            self.failed.emit(f"{path.name} was not opened: {_without_folder(error, path)}")
            return False
        self._session.open(experiment, path)
        self._use(path)
        return True

    def ask_for_lesson(self) -> Path | None:
        """Ask for the file of a lesson; None where none was chosen."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open a lesson", self._folder, LESSON_FILTER)
        return Path(name) if name else None

    def open_preset(self, name: str) -> None:
        """Replace everything by a shipped experiment; this can be undone."""
        try:
            experiment = preset(name)
        except SpecError as error:
            self.failed.emit(f"The experiment was not opened: {error}")
            return
        self._session.edit(experiment, f"Start from “{experiment.name}”", preset_folder(), is_opening=True)

    def save(self) -> bool:
        """Save in the file that was opened; ask for one where there is none."""
        path = self._session.document.path
        return self._save(path) if path is not None else self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and save in it."""
        document = self._session.document
        start = (
            document.path or Path(self._folder) / f"{_file_name(document.experiment.name)}{EXPERIMENT_ENDING}"
        )
        name, _ = QFileDialog.getSaveFileName(self._window, "Save the experiment", str(start), FILTER)
        if not name:
            return False
        path = Path(name)
        return self._save(path if path.suffix else path.with_name(path.name + EXPERIMENT_ENDING))

    def _save(self, path: Path) -> bool:
        try:
            bring_parameters(
                self._session.experiment.parameters, self._session.document.directory, path.parent
            )
            save(self._session.experiment, path)
        except SpecError as error:
            self.failed.emit(f"{path.name} was not saved: {_without_folder(error, path)}")
            return False
        self._session.mark_saved(path)
        self._use(path)
        return True

    def _use(self, path: Path) -> None:
        self._folder = str(path.parent)
        self.used.emit(path)

    def may_be_replaced(self) -> bool:
        """Ask whether unsaved work is to be saved; True where it then need not be kept."""
        if not self._session.work.is_dirty:
            return True
        self._session.take_back()  # what is asked about is seen
        name = self._session.experiment.name
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("GradSim")
        box.setText(f"“{name}” has changes that are not saved.")
        box.setInformativeText("Do you want to save them?")
        button = QMessageBox.StandardButton
        box.setStandardButtons(button.Save | button.Discard | button.Cancel)
        box.setDefaultButton(button.Save)
        answer = box.exec()
        box.deleteLater()
        if answer == button.Save:
            return self.save()
        return bool(answer == button.Discard)

    # -- unsaved work -----------------------------------------------------------------------------------

    def keep_aside(self) -> None:
        """Write unsaved work into its own file, so that a crash loses nothing."""
        self._timer.stop()
        if not self._autosave.keep(self._session.work):
            self.failed.emit(
                "Unsaved work cannot be kept aside, because its folder cannot be written: save it yourself."
            )

    def offer_rescue(self) -> None:
        """Offer what a crash has left behind."""
        for work in rescued_work(autosave_folder())[:1]:
            self.rescue_offered.emit(work)

    def rescue(self, work: Rescued) -> None:
        """Open what a crash has left behind; it counts as unsaved."""
        if self.may_be_replaced():
            self._session.open(work.experiment, work.path, is_saved=False)
            self.keep_aside()
            self.forget_rescue(work)

    def forget_rescue(self, work: Rescued) -> None:
        """Take away what a crash has left behind."""
        work.file.unlink(missing_ok=True)

    def close(self) -> None:
        """End: nothing is left to be rescued."""
        self._timer.stop()
        self._autosave.forget()


def _without_folder(error: SpecError, path: Path) -> str:
    """Say the reason once, without repeating where the file lies."""
    return error.reason if error.path == str(path) else str(error)


def _file_name(title: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in title).split()
    return "_".join(words)[:60].lower() or "experiment"
