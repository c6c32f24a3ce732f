"""Every command of the window, one row each. Menus, the toolbar and the command palette are made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar, QToolBar, QWidget

from gradsim.views.icons import icon


@dataclass(frozen=True, slots=True)
class State:
    """What decides which commands can be used."""

    has_run: bool = False
    is_training: bool = False
    can_undo: bool = False
    can_redo: bool = False
    has_ghost: bool = False
    is_at_start: bool = True
    has_time: bool = False
    has_lesson: bool = False
    is_comparable: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes
    ----------
    id : str
        Menu and name: ``file.open``.
    text : str
        Words of the menu entry.
    keys : str
        Shortcuts, separated by blanks; may be empty.
    tip : str
        One sentence.
    do : callable
        Gets the window.
    icon : str
        Name of the icon; may be empty.
    enabled : callable
        Gets the state.
    separated : bool
        Whether a line stands above it in the menu.
    """

    id: str
    text: str
    keys: str
    tip: str
    do: Callable[[Any], Any]
    icon: str = ""
    enabled: Callable[[State], bool] = lambda state: True
    separated: bool = False

    @property
    def menu(self) -> str:
        """The menu it stands in."""
        return self.id.partition(".")[0]


def _at_rest(state: State) -> bool:
    return state.has_run and not state.is_training


def _has_run(state: State) -> bool:
    return state.has_run


MENUS = {"file": "&File", "edit": "&Edit", "run": "&Run", "view": "&View", "help": "&Help"}

# fmt: off
COMMANDS: tuple[Command, ...] = (
    Command("file.new", "&New", "Ctrl+N", "Begin with a small network", lambda w: w.files.new(), "new"),
    Command("file.open", "&Open…", "Ctrl+O", "Open an experiment", lambda w: w.files.ask_and_open(), "open"),
    Command("file.open_lesson", "Open &lesson…", "Ctrl+Shift+O", "Open a lesson that somebody wrote",
            lambda w: w.open_lesson()),
    Command("file.save", "&Save", "Ctrl+S", "Save the experiment", lambda w: w.files.save(), "save"),
    Command("file.save_as", "Save &as…", "Ctrl+Shift+S", "Save the experiment in another file",
            lambda w: w.files.save_as()),
    Command("file.export", "&Export the figure…", "Ctrl+E",
            "Write the view that has the focus to a PNG, SVG, PDF or CSV file", lambda w: w.figures.export(),
            "export", lambda s: s.has_run, separated=True),
    Command("file.copy", "&Copy the figure", "Ctrl+Shift+C",
            "Put a picture of the view that has the focus on the clipboard", lambda w: w.figures.copy(),
            "copy", lambda s: s.has_run),
    Command("file.quit", "&Quit", "Ctrl+Q", "Close the window", lambda w: w.close(), separated=True),

    Command("edit.undo", "&Undo", "Ctrl+Z", "Take the last edit back", lambda w: w.session.undo(), "undo",
            lambda s: s.can_undo),
    Command("edit.redo", "&Redo", "Ctrl+Shift+Z Ctrl+Y", "Do again what was undone",
            lambda w: w.session.redo(), "redo", lambda s: s.can_redo),
    Command("edit.seed", "Another &seed", "Ctrl+R",
            "Draw another seed: other initial weights, other samples, another order",
            lambda w: w.builder.draw_seed(), "seed", separated=True),
    Command("edit.builder", "Go to the &builder", "Ctrl+B", "Put the keys into the tree of layers",
            lambda w: w.focus_builder(), separated=True),

    Command("run.play", "&Play or pause", "Space", "Tell the iteration step by step",
            lambda w: w.player.toggle(), "", _has_run),
    Command("run.step_on", "Step &forward", "Right", "Show the next step", lambda w: w.session.step(1),
            "", _has_run, separated=True),
    Command("run.step_back", "Step &back", "Left", "Show the step before, also of the iteration before",
            lambda w: w.session.step(-1), "", _has_run),
    Command("run.layer_on", "Next &layer", "Shift+Right", "Go to the next layer or phase",
            lambda w: w.session.step_layer(1), "", _has_run),
    Command("run.layer_back", "Layer before", "Shift+Left", "Go to the layer or phase before",
            lambda w: w.session.step_layer(-1), "", _has_run),
    Command("run.iteration_on", "Next &iteration", "Ctrl+Right", "Show the same step one iteration later",
            lambda w: w.session.step_iteration(1), "", _has_run),
    Command("run.iteration_back", "Iteration before", "Ctrl+Left",
            "Show the same step one iteration earlier, to the same bits",
            lambda w: w.session.step_iteration(-1), "", lambda s: s.has_run and not s.is_at_start),
    Command("run.first", "First step", "Home", "Go to the first step of the iteration",
            lambda w: w.seek_step(0), "", _has_run),
    Command("run.last", "Last step", "End", "Go to the last step of the iteration",
            lambda w: w.seek_step(None), "", _has_run),
    Command("run.restart", "Back to iteration &0", "Ctrl+Home", "Show the first iteration",
            lambda w: w.seek_iteration(0), "", lambda s: s.has_run and not s.is_at_start),
    Command("run.train", "&Train some iterations", "Ctrl+T",
            "Train for the number of iterations that the bar at the bottom says",
            lambda w: w.train_some(), "", _at_rest, separated=True),
    Command("run.train_on", "Train &until stopped", "Ctrl+Shift+T", "Train as fast as it goes",
            lambda w: w.session.train(None), "", _at_rest),
    Command("run.stop", "St&op training", "Esc", "Stop after the present iteration",
            lambda w: w.session.stop(), "", lambda s: s.is_training),
    Command("run.diagnose", "&Diagnosis", "Ctrl+I", "Show what keeps the network from learning, and what helps",
            lambda w: w.raise_view("diagnosis"), "", _has_run, separated=True),
    Command("run.thorough", "Thorough dia&gnosis", "Ctrl+Shift+I",
            "Train other seeds, the network at half its depth, and every remedy",
            lambda w: (w.raise_view("diagnosis"), w.views["diagnosis"].ask_thorough()), "", _at_rest),
    Command("run.keep", "&Keep for comparison", "Ctrl+M",
            "Draw the present pass as a ghost behind later ones", lambda w: w.session.keep_ghost(), "keep",
            lambda s: s.has_run, separated=True),
    Command("run.compare", "Compare with &backpropagation", "Ctrl+Shift+B",
            "Train the same weights by backpropagation for the same cost, and draw both over what they cost",
            lambda w: w.comparison.ask(), "", lambda s: s.is_comparable and not s.is_training),
    Command("run.drop", "Stop comparing", "Ctrl+Shift+M", "Take the ghost away",
            lambda w: w.session.drop_ghost(), "", lambda s: s.has_ghost),

    Command("view.theme", "&Light or dark", "Ctrl+L", "Change between light and dark",
            lambda w: w.appearance.toggle(), "theme"),
    Command("view.theme_system", "Colours of the &system", "", "Follow light and dark of the system",
            lambda w: w.appearance.choose("system")),
    Command("view.unroll", "&Unroll through time", "Ctrl+U",
            "Show the time steps of the selected recurrent layer as columns, or of all; again rolls them up",
            lambda w: w.views["network"].toggle_unrolled(), "", lambda s: s.has_time, separated=True),
    Command("view.next", "&Next view", "F6", "Put the keys into the next view", lambda w: w.focus.go(1),
            separated=True),
    Command("view.previous", "&View before", "Shift+F6", "Put the keys into the view before",
            lambda w: w.focus.go(-1)),
    Command("view.reset", "&Reset layout", "", "Put every dock back where it was", lambda w: w.reset_layout(),
            separated=True),
    Command("view.palette", "Command &palette…", "Ctrl+K Ctrl+Shift+P", "Find a command by a few letters",
            lambda w: w.show_palette(), "palette", separated=True),

    Command("help.welcome", "&Welcome", "Shift+F1",
            "Experiments by topic, each with what to look at, lessons, recent files",
            lambda w: w.greeting.show_page()),
    Command("help.lessons", "&Lessons", "F1", "Learn what a gradient is, why it vanishes or explodes, what cures it",
            lambda w: w.show_lessons()),
    Command("help.lesson_next", "&Next page of the lesson", "Alt+Right", "Go on in the lesson",
            lambda w: w.lessons.move(1), "", lambda s: s.has_lesson),
    Command("help.lesson_back", "Page &before", "Alt+Left", "Go back in the lesson",
            lambda w: w.lessons.move(-1), "", lambda s: s.has_lesson),
    Command("help.lesson_leave", "Lea&ve the lesson", "", "Your own experiment comes back",
            lambda w: w.lessons.leave(), "", lambda s: s.has_lesson),
    Command("help.about", "&About GradSim", "", "Version and licence", lambda w: w.show_about(),
            separated=True),
)
# fmt: on

TOOLBAR = (
    "file.new", "file.open", "file.save", "", "edit.undo", "edit.redo", "", "run.keep", "file.export",
    "file.copy", "", "view.theme", "view.palette",
)  # fmt: skip


class Actions:
    """The commands as Qt knows them.

    Parameters
    ----------
    window : MainWindow
        What the commands act on.
    """

    def __init__(self, window: QMainWindow) -> None:
        self.by_id: dict[str, QAction] = {}
        for command in COMMANDS:
            action = QAction(command.text, window)
            if command.icon:
                action.setIcon(icon(command.icon))
            action.setObjectName(command.id)
            keys = [QKeySequence(key) for key in command.keys.split()]
            action.setShortcuts(keys)
            first = f" ({keys[0].toString(QKeySequence.SequenceFormat.NativeText)})" if keys else ""
            action.setToolTip(f"{command.tip}{first}")
            action.setStatusTip(command.tip)
            action.setData(MENUS[command.menu].replace("&", ""))
            action.triggered.connect(lambda *_, do=command.do: do(window))
            window.addAction(action)
            self.by_id[command.id] = action

    def set_state(self, state: State) -> None:
        """Offer the commands that make sense now."""
        for command in COMMANDS:
            self.by_id[command.id].setEnabled(command.enabled(state))

    def fill_menus(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Fill the menu bar and return the menus by name."""
        menus = {name: bar.addMenu(title) for name, title in MENUS.items()}
        for command in COMMANDS:
            if command.separated:
                menus[command.menu].addSeparator()
            menus[command.menu].addAction(self.by_id[command.id])
        return menus

    def fill_toolbar(self, bar: QToolBar) -> None:
        """Fill the toolbar."""
        for name in TOOLBAR:
            bar.addAction(self.by_id[name]) if name else bar.addSeparator()


def keeps_key(widget: QWidget, key: int, modifiers: Qt.KeyboardModifier) -> bool:
    """
    Whether a key belongs to the widget that has the focus rather than to a command of the window.

    Parameters
    ----------
    widget : QWidget
        With the focus.
    key : int
        Such as ``Qt.Key.Key_Space``.
    modifiers : Qt.KeyboardModifier
        Shift, Ctrl, Alt.

    Returns
    -------
    bool
        True for the arrows in a tree, the space bar on a button, everything plain in a line of text.
    """
    inside = {kind.__name__ for kind in type(widget).__mro__}
    plain = modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
    return plain and any(key in keys for kind, keys in KEPT_KEYS.items() if kind in inside)


_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
_ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)
KEPT_KEYS: dict[str, Iterable[int]] = {
    "QAbstractButton": (Qt.Key.Key_Space,),
    "QComboBox": (Qt.Key.Key_Space, *_ARROWS, *_ENDS),
    "QAbstractSlider": (*_ARROWS, *_ENDS),
    "QAbstractSpinBox": (Qt.Key.Key_Space, Qt.Key.Key_Escape, *_ARROWS, *_ENDS),
    "QLineEdit": (Qt.Key.Key_Space, Qt.Key.Key_Escape, *_ARROWS, *_ENDS),
    "QPlainTextEdit": (Qt.Key.Key_Space, *_ARROWS, *_ENDS),
    "QTabBar": _ARROWS,
    "QTreeView": (*_ARROWS, *_ENDS),
}
"""Class of a widget → keys that are its own while it has the focus."""
