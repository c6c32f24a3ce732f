"""Every question a view may ask: a new one is one row here. What answers it is imported when it is asked."""

from __future__ import annotations

from gradsim.app.inquiries import Question

QUESTIONS: dict[str, Question] = {}
