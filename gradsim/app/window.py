"""The main window: puts the parts together and connects them. What happens is decided in the parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QChildEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QTabBar, QVBoxLayout, QWidget

from gradsim.app.appearance import Appearance
from gradsim.app.audience import Audience
from gradsim.app.banner import Banners
from gradsim.app.bars import command_bar, transport_bar
from gradsim.app.command_palette import CommandPalette
from gradsim.app.command_state import command_state
from gradsim.app.commands import Actions
from gradsim.app.comparison import ID as COMPARISON
from gradsim.app.comparison import Comparison
from gradsim.app.docking import Docking
from gradsim.app.document import Document
from gradsim.app.figures import Figures
from gradsim.app.files import Files
from gradsim.app.focus import Focus
from gradsim.app.greeting import Greeting
from gradsim.app.inquiries import Inquiries
from gradsim.app.layout import LOW, keep_titles_whole
from gradsim.app.lessons import Lessons
from gradsim.app.messages import TrainingState
from gradsim.app.offers import Offers
from gradsim.app.player import Player
from gradsim.app.presets import preset_titles
from gradsim.app.questions import QUESTIONS
from gradsim.app.recent_menu import RecentMenu
from gradsim.app.session import Session
from gradsim.app.settings import Settings, read_settings, settings_path, with_recent_file, write_settings
from gradsim.app.status import StatusLine
from gradsim.app.view_questions import ViewQuestions
from gradsim.app.views_table import VIEWS
from gradsim.app.whereabouts import END
from gradsim.app.wiring import connect_parts
from gradsim.app.worker import Worker
from gradsim.formats.lessons import ENDING as LESSON
from gradsim.spec import SpecError
from gradsim.trace import Cursor, Run
from gradsim.views.builder.builder import Builder
from gradsim.views.icons import icon
from gradsim.views.transport_bar import TransportBar


class MainWindow(QMainWindow):
    """The window of design §5.

    Parameters
    ----------
    worker : Worker or None, default None
        Another one for tests.
    """

    def __init__(self, worker: Worker | None = None) -> None:
        super().__init__()
        self.setWindowIcon(icon("gradsim"))
        self.setAcceptDrops(True)
        self.settings: Settings = read_settings(settings_path())
        self.appearance: Appearance = Appearance(self.settings.theme, self)
        self.worker = worker or Worker(self)
        self.inquiries = Inquiries(QUESTIONS, self)
        self.session: Session = Session(self.worker, self)
        self.player: Player = Player(self)
        self.files: Files = Files(self.session, self, self.settings.folder)
        self.banners = Banners()
        self.status = StatusLine()
        self.transport = TransportBar()
        self.views: dict[str, Any] = {row.id: row.make() for row in VIEWS}
        self.builder: Builder = self.views["builder"]
        self.lessons: Lessons = Lessons(self.session, self)
        self.greeting = Greeting(self, self)
        self.comparison = Comparison(self.session, self)
        self.questions = ViewQuestions(
            self.session, self.inquiries, {**self.views, COMPARISON: self.comparison}
        )
        self.audience = Audience(self.views, self.transport, self)
        self.focus = Focus(self.views, self)
        self.figures = Figures(self, self)
        self.offers = Offers(self.session, self.files, self.lessons, self.banners)
        self._is_closed = False
        self.actions_ = Actions(self)
        self._lay_out()
        connect_parts(self)
        self.audience.set_theme(self.appearance.theme)
        self.player.set_speed(self.settings.speed)
        self.player.set_loop(self.settings.loop)
        self.transport.set_speed(self.settings.speed)
        self.transport.set_loop(self.settings.loop)
        self._update_commands()

    def _lay_out(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banners)
        column.addWidget(self.views["network"], 1)
        self.setCentralWidget(centre)
        self.docking = Docking(self, self.views)
        self.docks, self.go_actions = self.docking.docks, self.docking.go_actions
        menus = self.actions_.fill_menus(self.menuBar())
        self.menu_list = list(menus.values())
        self.recent_menu = RecentMenu(lambda: self.settings.recent_files, self)
        menus["file"].insertMenu(self.actions_.by_id["file.save"], self.recent_menu)
        for menu in self.docking.menus():
            menus["view"].insertMenu(self.actions_.by_id["view.reset"], menu)
        self.addToolBar(command_bar(self.actions_))
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, transport_bar(self.transport))
        self.setStatusBar(self.status)
        room = self.screen().availableSize()
        self.resize(min(1440, room.width()), min(900, room.height()))
        self.docking.arrange(self.settings.geometry, self.settings.layout)

    # -- beginning and end ------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to compute; called when the window has been painted for the first time."""
        self.worker.start()
        self.builder.set_presets([row[:3] for row in preset_titles()])
        self.files.offer_rescue()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._is_closed:
            return
        if not self.files.may_be_replaced():
            event.ignore()
            return
        self._is_closed = True
        self.player.pause()
        self.setUpdatesEnabled(False)
        geometry, layout = self.docking.saved()
        self.remember(geometry=geometry, layout=layout)
        self.files.close()
        self.hide()  # the thread may need a moment; nobody has to watch it
        self.focus.leave()
        self.inquiries.shut_down()
        self.worker.shut_down()
        super().closeEvent(event)

    # -- what the session says --------------------------------------------------------------------------

    def show_run(self, run: Run) -> None:
        """Show another trace, history or network."""
        self.docking.aside.set_run(run)
        self.player.set_steps(run.trace.steps)
        self.audience.set_run(run, in_turns=self.session.training.is_training)
        self.status.show_run(run)
        self._update_commands()

    def show_cursor(self, cursor: Cursor) -> None:
        """Show another place."""
        self.audience.set_cursor(cursor)
        self.player.set_cursor(cursor)
        if not self.session.training.is_training:
            self.status.show_place(cursor.iteration)
        self._update_commands()

    def show_selection(self, layer: int | None, unit: int | None) -> None:
        """Show in the tree which layer is selected."""
        if layer is not None:
            self.builder.select_layer(layer)

    def show_training(self, state: TrainingState) -> None:
        """Show how far the training is."""
        if state.is_training:
            self.player.pause()
        else:
            self.audience.catch_up()
        self.inquiries.set_resting(not state.is_training)
        self.transport.set_training(state.is_training, state.done, state.total, state.rate)
        self.audience.set_training_rate(state.rate)
        self._update_commands()

    def show_lesson(self, state: Any) -> None:
        """Show what a lesson makes possible."""
        if self.lessons.is_running:
            self.banners.settle("lesson")
        self._update_commands()

    def show_document(self, document: Document) -> None:
        """Show which file is edited, and whether it is saved."""
        file = document.path.name if document.path else document.experiment.name
        self.setWindowTitle(f"{file}[*] – GradSim")
        self.setWindowModified(document.is_dirty)
        self._update_commands()

    def show_error(self, error: SpecError | None) -> None:
        """Show what is wrong with an edit; None when that is over."""
        self.builder.set_error(error)
        if error is not None:
            self.status.say(f"Not applied: {error.reason}")
        self._update_commands()

    def _update_commands(self) -> None:
        document = self.session.document
        self.actions_.set_state(command_state(self.session, has_lesson=self.lessons.is_running))
        for id_, words, what in (
            ("edit.undo", "&Undo", document.undo_description),
            ("edit.redo", "&Redo", document.redo_description),
        ):
            self.actions_.by_id[id_].setText(f"{words} {what}" if what else words)

    def show_comparison(self) -> None:
        """Draw both courses of the loss over what they cost."""
        self.views["loss"].set_option("over", "operations")
        self.raise_view("loss")

    # -- commands ---------------------------------------------------------------------------------------

    def seek(self, place: Cursor | int) -> None:
        """Go to a cursor, or to an iteration at the present step."""
        self.session.seek(place if isinstance(place, Cursor) else Cursor(place, self.session.cursor.step))

    def show_place(self, layer: int, place: Any) -> None:
        """Select a unit of a layer, and fill in the numbers of a place in the inspector."""
        inspector = self.views["inspector"]
        self.session.select(layer, place.unit)
        inspector.set_weight(layer, place.source, place.unit)
        inspector.places.set_sample(place.sample)
        inspector.tabs.setCurrentIndex(0)
        self.raise_view("inspector")
        bar = inspector.formula.verticalScrollBar()
        bar.setValue(bar.maximum())  # a long sum has its result at its end

    def seek_step(self, step: int | None) -> None:
        """Go to a step of the present iteration; None for the last."""
        self.session.seek(Cursor(self.session.cursor.iteration, END if step is None else step))

    def seek_iteration(self, iteration: int) -> None:
        """Go to an iteration, to the same step."""
        self.session.seek(Cursor(iteration, self.session.cursor.step))

    def train_some(self) -> None:
        """Train as many iterations as the bar at the bottom says."""
        self.session.train(self.transport.train_count.value())

    def raise_view(self, id_: str) -> None:
        """Bring a view to the top of its tabs; the lessons themselves stay in sight."""
        self.docking.show(id_)

    def show_lessons(self) -> None:
        """Bring the lessons to the top."""
        self.docking.go_to("lessons")

    def open_lesson(self) -> None:
        """Ask for a lesson and begin it."""
        path = self.files.ask_for_lesson()
        if path is not None:
            self.begin_lesson(path)

    def begin_lesson(self, path: Path) -> bool:
        """Begin a lesson and show it; False where it cannot be read."""
        is_begun = self.lessons.start(path)
        if is_begun:
            self.show_lessons()
        return is_begun

    def focus_builder(self) -> None:
        """Put the keys into the tree of layers."""
        self.docks["builder"].show()
        self.docks["builder"].raise_()
        self.builder.layers.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def reset_layout(self) -> None:
        """Put every dock back where it was."""
        self.docking.reset()

    def childEvent(self, event: QChildEvent) -> None:
        super().childEvent(event)
        child = event.child()
        if event.polished() and isinstance(child, QTabBar):
            keep_titles_whole(child)

    def focusNextPrevChild(self, onward: bool) -> bool:
        return self.focus.pass_on(self, onward)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (event.size().height() < LOW) != (event.oldSize().height() < LOW):
            QTimer.singleShot(0, self, self.docking.fit)

    def show_palette(self) -> None:
        """Find a command by a few letters."""
        layers = self.builder.layers.actions_by_id.values()
        actions = [
            *self.actions_.by_id.values(),
            *self.go_actions,
            *layers,
            *self.docking.toggle_actions(),
        ]
        CommandPalette(actions, self).open_over(self)

    def show_about(self) -> None:
        """Say what this is."""
        from gradsim.app.about import AboutBox  # not before the first paint: it looks at installed packages

        AboutBox(self).open()

    # -- files, settings, keys --------------------------------------------------------------------------

    def remember(self, **values: Any) -> None:
        """Keep settings for the next start."""
        self.settings = msgspec.structs.replace(self.settings, **values)
        write_settings(self.settings, settings_path())

    def remember_file(self, path: Path) -> None:
        """Put a file on top of the recent ones."""
        self.banners.settle("file")
        self.settings = with_recent_file(self.settings, path)
        write_settings(self.settings, settings_path())

    def open_file(self, path: Path) -> bool:
        """Open an experiment, or begin a lesson, by the ending of the file."""
        if path.name.endswith(LESSON):
            return self.begin_lesson(path)
        return self.files.open(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            # The one who drags waits until this returns, and a question may come first.
            QTimer.singleShot(0, self, lambda: self.open_file(Path(files[0])))
