"""Where one begins: the welcome page, when it opens, and what an example says once it is on screen."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from gradsim.app.appearance import Appearance
from gradsim.app.banner import Banners
from gradsim.app.comparison import Comparison, is_comparable
from gradsim.app.files import Files
from gradsim.app.lessons import Lessons
from gradsim.app.presets import Advice, preset_advice, preset_titles
from gradsim.app.session import Session
from gradsim.app.settings import Settings
from gradsim.app.views_table import view_named_by
from gradsim.trace import Run
from gradsim.views.transport_bar import TransportBar

if TYPE_CHECKING:
    from gradsim.app.welcome_page import WelcomePage

TOPIC = "example"


class Host(Protocol):
    """The window, as far as it is needed here."""

    settings: Settings
    session: Session
    files: Files
    lessons: Lessons
    banners: Banners
    transport: TransportBar
    appearance: Appearance
    comparison: Comparison

    def remember(self, **values: Any) -> None:
        """Keep settings for the next start."""

    def begin_lesson(self, path: Path) -> bool:
        """Begin a lesson."""

    def open_file(self, path: Path) -> bool:
        """Open an experiment or a lesson."""

    def raise_view(self, id_: str) -> None:
        """Bring a view to the top of its tabs."""


class Greeting(QObject):
    """Opens the welcome page, and shipped experiments with their sentence and their number of iterations.

    Parameters
    ----------
    window : Host
        Whose files, lessons, settings and banners are used.
    parent : QWidget
        The same window as a widget: the page stands over it.
    """

    def __init__(self, window: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = window
        self._parent = parent
        self._page: WelcomePage | None = None
        self._expected: tuple[str, Advice] | None = None
        self._offered: Advice | None = None

    # -- the page ---------------------------------------------------------------------------------------

    @property
    def page(self) -> WelcomePage | None:
        """The page, while it is open."""
        return self._page

    def greet(self) -> None:
        """Open the page where a person has never started the program before, or wants to see it at every start."""
        if self._window.settings.welcome_at_start is not False:
            is_first = self._window.settings.welcome_at_start is None
            self.show_page()
            if is_first:
                self._window.remember(welcome_at_start=False)

    def show_page(self) -> None:
        """Open the page, or bring it to the front."""
        if self._page is None:
            self._page = self._made_page()
        self._page.show()
        self._page.raise_()
        self._page.activateWindow()

    def _made_page(self) -> WelcomePage:
        from gradsim.app.welcome_page import WelcomePage  # nobody who does not open it waits for it

        window = self._window
        page = WelcomePage(
            preset_titles(),
            window.lessons.rows(),
            window.settings.recent_files,
            bool(window.settings.welcome_at_start),
            window.appearance.theme,
            self._parent,
        )
        page.preset_chosen.connect(self.open_example)
        page.lesson_chosen.connect(window.begin_lesson)
        page.file_chosen.connect(window.open_file)
        page.other_file_wanted.connect(window.files.ask_and_open)
        page.show_at_start_changed.connect(lambda on: window.remember(welcome_at_start=on))
        page.finished.connect(self._forget_page)
        return page

    def _forget_page(self) -> None:
        self._page = None

    # -- an example -------------------------------------------------------------------------------------

    def open_example(self, name: str) -> None:
        """Replace everything by a shipped experiment; once it is on screen its sentence is said."""
        window = self._window
        window.banners.settle(TOPIC)
        window.files.open_preset(name)
        advice = preset_advice(name)
        self._expected = None if advice is None else (window.session.experiment.name, advice)
        if window.session.is_settled and window.session.run is not None:
            self.notice_run(window.session.run)  # it was there already

    def notice_run(self, run: Run) -> None:
        """Say what to look at, and bring it up, when the example that was opened has come, unless it has gone."""
        window = self._window
        self._notice_training(run)
        if self._expected is None:
            return
        name, advice = self._expected
        if run.experiment != window.session.experiment or run.experiment.name != name:
            return
        self._expected = None
        window.transport.train_count.setValue(advice.iterations)
        self._offer(advice)
        if (view := view_named_by(advice.look)) is not None:
            window.raise_view(view)

    def notice_experiment(self, experiment: object) -> None:
        """Take the sentence away with the first edit of the example."""
        run = self._window.session.run
        if self._expected is None and (run is None or run.experiment != experiment):
            self._window.banners.settle(TOPIC)
            self._offered = None

    def _offer(self, advice: Advice) -> None:
        self._offered = advice
        words = f"Train {advice.iterations:,}"
        self._window.banners.show_message(
            advice.look, choices={words: partial(self._train, advice)}, topic=TOPIC
        )

    def _notice_training(self, run: Run) -> None:
        """Take the offer to train away once that has been done, whichever button did it."""
        advice = self._offered
        if advice is not None and run.trace.iteration >= advice.iterations:
            if advice.look in self._window.banners.texts:
                self._say_what_is_seen(advice)
            self._offered = None

    def _train(self, advice: Advice) -> None:
        """Train what is left of it, and leave the sentence there: it says what is to be seen now."""
        session = self._window.session
        if session.run is None or session.training.is_training:
            self._offer(advice)  # a press takes it away
            return
        self._offered = None
        session.train(max(advice.iterations - session.run.trace.iteration, 1))
        self._say_what_is_seen(advice)

    def _say_what_is_seen(self, advice: Advice) -> None:
        window = self._window
        choices = {"Compare with backpropagation": window.comparison.ask}
        is_other = is_comparable(window.session.run)
        window.banners.show_message(advice.look, choices=choices if is_other else None, topic=TOPIC)
