"""The lessons that can be taken: those that come with GradSim, and what is remembered of each that was begun."""

from __future__ import annotations

from pathlib import Path

from gradsim.app.lesson_visit import Visit, lesson_row
from gradsim.formats.lessons import OpenedLesson, load_lesson, shipped_lessons
from gradsim.spec import SpecError
from gradsim.views.lessons.state import LessonRow


class LessonShelf:
    """Lessons by file; answers last as long as the window is open."""

    def __init__(self) -> None:
        self._shipped: dict[Path, OpenedLesson] = {}
        self._visits: dict[Path, Visit] = {}

    def fill(self) -> tuple[str, ...]:
        """Read the lessons that come with GradSim, if that has not been done; return what is wrong with them."""
        faults = []
        if not self._shipped:
            for path in shipped_lessons():
                try:
                    self._shipped[path] = load_lesson(path)
                except SpecError as error:
                    faults.append(f"The lesson {path.name} cannot be read: {error}")
        return tuple(faults)

    def rows(self) -> tuple[LessonRow, ...]:
        """Return the lessons that have been read, as a list shows them."""
        return tuple(
            lesson_row(path, opened, self._visits.get(path)) for path, opened in self._shipped.items()
        )

    def visit(self, path: Path) -> Visit:
        """Return the visit of a lesson, a new one where the file holds another lesson than at the last visit.

        Parameters
        ----------
        path : Path
            A lesson that comes with GradSim, or anybody's.

        Returns
        -------
        Visit
            Where it was left.

        Raises
        ------
        SpecError
            If it cannot be read.
        """
        opened = self._shipped.get(path) or load_lesson(path)
        visit = self._visits.get(path)
        if visit is None or visit.opened.lesson != opened.lesson:
            visit = self._visits[path] = Visit(opened)
        return visit
