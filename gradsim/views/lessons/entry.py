"""One lesson in the list."""

from __future__ import annotations

from gradsim.views.entry_button import EntryButton
from gradsim.views.lessons.state import LessonRow
from gradsim.views.theme import Theme


class LessonEntry(EntryButton):
    """One lesson in the list: its number, title, sentence, and what was answered."""

    def __init__(self, number: int, row: LessonRow, theme: Theme) -> None:
        done = f" · {row.answered} of {row.questions} answered" if row.answered else ""
        foot, color = f"{row.steps} steps{done}", theme.muted
        if row.answered == row.questions > 0:
            foot, color = f"{row.steps} steps · ✓ all answered", theme.good
        super().__init__(f"{number}&nbsp;&nbsp;{row.title}", [(row.summary, theme.muted), (foot, color)])
        self.setAccessibleName(f"Lesson {number}: {row.title}")
        self.setAccessibleDescription(f"{row.summary} {foot}")
