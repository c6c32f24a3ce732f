"""The wiring of the window: every connection between its parts is made here, and nowhere else.

A view needs none of its own: whoever has one of the signals that views have is connected by it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Protocol

from gradsim.app.appearance import Appearance
from gradsim.app.audience import Audience
from gradsim.app.banner import Banners
from gradsim.app.comparison import Comparison
from gradsim.app.document import Document
from gradsim.app.files import Files
from gradsim.app.focus import Focus
from gradsim.app.greeting import Greeting
from gradsim.app.inquiries import Inquiries
from gradsim.app.lessons import Lessons
from gradsim.app.messages import TrainingState
from gradsim.app.offers import Offers
from gradsim.app.player import Player
from gradsim.app.recent_menu import RecentMenu
from gradsim.app.session import Session
from gradsim.app.status import StatusLine
from gradsim.app.view_questions import ViewQuestions
from gradsim.spec import SpecError
from gradsim.trace import Cursor, Run
from gradsim.views.builder.builder import Builder
from gradsim.views.transport_bar import TransportBar


class Parts(Protocol):
    """The window as it is wired: its parts, and what it does itself where several of them have to follow."""

    appearance: Appearance
    audience: Audience
    banners: Banners
    builder: Builder
    comparison: Comparison
    files: Files
    focus: Focus
    greeting: Greeting
    inquiries: Inquiries
    lessons: Lessons
    offers: Offers
    player: Player
    questions: ViewQuestions
    recent_menu: RecentMenu
    session: Session
    status: StatusLine
    transport: TransportBar
    views: dict[str, Any]

    def show_run(self, run: Run) -> None:
        """Show another trace, history or network."""

    def show_cursor(self, cursor: Cursor) -> None:
        """Show another place."""

    def show_selection(self, layer: int | None, unit: int | None) -> None:
        """Show which layer is selected."""

    def show_training(self, state: TrainingState) -> None:
        """Show how far the training is."""

    def show_document(self, document: Document) -> None:
        """Show which file is edited."""

    def show_error(self, error: SpecError | None) -> None:
        """Show what is wrong with an edit."""

    def show_lesson(self, state: Any) -> None:
        """Show what a lesson makes possible."""

    def show_comparison(self) -> None:
        """Show both courses of the loss."""

    def show_place(self, layer: int, place: Any) -> None:
        """Show the numbers of a place."""

    def seek(self, place: Cursor | int) -> None:
        """Go to a cursor or an iteration."""

    def raise_view(self, id_: str) -> None:
        """Bring a view to the top of its tabs."""

    def open_lesson(self) -> None:
        """Ask for a lesson and begin it."""

    def remember(self, **values: Any) -> None:
        """Keep settings for the next start."""

    def remember_file(self, path: Path) -> None:
        """Put a file on top of the recent ones."""


def connect_parts(window: Parts) -> None:
    """Connect everything with everything else.

    Parameters
    ----------
    window : Parts
        Nothing of it has been shown yet.
    """
    _connect_session(window)
    _connect_views(window)
    _connect_lessons(window)
    _connect_transport(window)
    _connect_memory(window)


def _connect_session(window: Parts) -> None:
    """Hand down what has become of the session."""
    session, player, transport, builder = window.session, window.player, window.transport, window.builder
    session.experiment_changed.connect(builder.set_experiment)
    session.error_raised.connect(window.show_error)
    session.document_changed.connect(window.show_document)
    session.run_changed.connect(window.inquiries.set_run)  # before the views, which ask anew
    session.run_changed.connect(window.show_run)
    session.cursor_changed.connect(window.show_cursor)
    session.selection_changed.connect(window.audience.set_selection)
    session.selection_changed.connect(window.show_selection)
    session.training_changed.connect(window.show_training)
    session.preparation_changed.connect(window.status.show_preparation)
    session.status_changed.connect(window.status.say)
    session.failed.connect(window.banners.show_fault)
    player.playing_changed.connect(transport.set_playing)
    window.appearance.theme_changed.connect(window.audience.set_theme)


def _connect_views(window: Parts) -> None:
    """Carry up what people wish in a view, whichever it is, and what views ask."""
    session, network, inspector = window.session, window.views["network"], window.views["inspector"]
    window.builder.preset_requested.connect(window.greeting.open_example)
    session.run_changed.connect(window.greeting.notice_run)
    session.experiment_changed.connect(window.greeting.notice_experiment)
    for view in window.views.values():
        if hasattr(view, "layer_selected"):
            view.layer_selected.connect(session.select)
        if hasattr(view, "seek_requested"):
            view.seek_requested.connect(window.seek)
        if hasattr(view, "edit_requested"):
            view.edit_requested.connect(session.edit)
        if hasattr(view, "place_selected"):
            view.place_selected.connect(window.show_place)
    for id_, asker in window.questions.askers.items():
        if hasattr(asker, "question_asked"):
            asker.question_asked.connect(partial(window.questions.ask, id_))
        if hasattr(asker, "question_cancelled"):
            asker.question_cancelled.connect(partial(window.inquiries.cancel, id_))
    window.inquiries.arrived.connect(window.questions.deliver)
    window.comparison.told.connect(window.status.say)
    window.comparison.arrived.connect(window.show_comparison)
    network.unit_selected.connect(session.select)
    inspector.unit_selected.connect(session.select)
    inspector.follow_requested.connect(lambda: session.select(None))
    inspector.paths_selected.connect(network.set_paths)


def _connect_lessons(window: Parts) -> None:
    """Connect the panel of lessons with the lesson under way."""
    session = window.session
    panel, lessons = window.views["lessons"], window.lessons
    panel.list_wanted.connect(lessons.fill_list)
    panel.lesson_requested.connect(lessons.start)
    panel.file_requested.connect(window.open_lesson)
    panel.step_requested.connect(lessons.move)
    panel.again_requested.connect(lessons.return_to_page)
    panel.leave_requested.connect(lessons.leave)
    panel.answered.connect(lessons.answer)
    panel.prediction_changed.connect(lessons.predict)
    panel.hint_requested.connect(lessons.give_hint)
    panel.answer_requested.connect(lessons.show_answer)
    lessons.lessons_changed.connect(panel.set_lessons)
    lessons.state_changed.connect(panel.set_state)
    lessons.state_changed.connect(window.show_lesson)
    lessons.view_requested.connect(window.raise_view)
    lessons.left.connect(lambda _: window.status.say(f"Left the lesson; back to “{session.experiment.name}”"))
    lessons.left.connect(window.offers.offer_lesson_experiment)
    lessons.failed.connect(partial(window.banners.show_fault, topic="lesson"))


def _connect_transport(window: Parts) -> None:
    """Connect the bar at the bottom and the player."""
    session, player, transport = window.session, window.player, window.transport
    player.seek_requested.connect(session.seek)
    transport.play_toggled.connect(player.toggle)
    transport.step_requested.connect(session.step)
    transport.layer_step_requested.connect(session.step_layer)
    transport.iteration_step_requested.connect(session.step_iteration)
    transport.seek_requested.connect(session.seek)
    transport.speed_changed.connect(player.set_speed)
    transport.loop_changed.connect(player.set_loop)
    transport.train_requested.connect(session.train)
    transport.train_toggled.connect(lambda on: session.train(None) if on else session.stop())
    transport.stop_requested.connect(session.stop)


def _connect_memory(window: Parts) -> None:
    """Keep what is remembered for the next start, and say what must be said of files."""
    files, transport = window.files, window.transport
    transport.speed_changed.connect(lambda speed: window.remember(speed=speed))
    transport.loop_changed.connect(lambda loop: window.remember(loop=loop))
    window.appearance.choice_changed.connect(lambda choice: window.remember(theme=choice))
    files.used.connect(window.remember_file)
    files.failed.connect(partial(window.banners.show_fault, topic="file"))
    files.rescue_offered.connect(window.offers.offer_rescue)
    window.recent_menu.chosen.connect(files.open)
    window.focus.follow()
