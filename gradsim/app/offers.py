"""What is offered above the network: work that was kept when the program broke off, and what a lesson left."""

from __future__ import annotations

from gradsim.app.autosave import Rescued
from gradsim.app.banner import Banners
from gradsim.app.files import Files
from gradsim.app.lessons import Lessons
from gradsim.app.session import Session
from gradsim.spec import Experiment


class Offers:
    """Asks in a banner, which waits for an answer as long as it takes.

    Parameters
    ----------
    session : Session
        Gets what is taken.
    files : Files
        Knows the rescued work.
    lessons : Lessons
        Gives way to what is taken.
    banners : Banners
        Where it is asked.
    """

    def __init__(self, session: Session, files: Files, lessons: Lessons, banners: Banners) -> None:
        self._session = session
        self._files = files
        self._lessons = lessons
        self._banners = banners

    def offer_rescue(self, work: Rescued) -> None:
        """Offer unsaved work of a program that was not closed properly."""
        name = work.path.name if work.path else work.experiment.name
        self._banners.show_message(
            f"GradSim was not closed properly. Unsaved work on “{name}” was kept on "
            f"{work.saved_at:%d %B at %H:%M}.",
            choices={
                "Open it": lambda: self._files.rescue(work),
                "Discard": lambda: self._files.forget_rescue(work),
            },
        )

    def offer_lesson_experiment(self, experiment: Experiment | None) -> None:
        """Offer the experiment that somebody has made in a lesson that is over; None where there is none."""
        if experiment is not None:
            self._banners.show_message(
                "The lesson is over and your own experiment is back.",
                choices={"Keep the one I made": lambda: self._take_over(experiment)},
            )

    def _take_over(self, experiment: Experiment) -> None:
        self._lessons.leave()  # another one may have been begun since
        self._session.edit(experiment, f"Take over “{experiment.name}”")
