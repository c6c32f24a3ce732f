"""A headline makes room from its end, and never changes the order of its parts."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from gradsim.views.plot.headline import GAP, Part, fitting
from gradsim.views.plot.words import Words, headline_width


def part(*versions: str) -> Part:
    return [[Words(words)] for words in versions]


PARTS = [
    part("the first of all", "first"),
    part("then the second", "2nd"),
    part("at the end the third", "3rd"),
]


@pytest.mark.parametrize(
    "wanted",
    [
        ("the first of all", "then the second", "at the end the third"),
        ("the first of all", "then the second", "3rd"),
        ("the first of all", "2nd", "3rd"),
        ("first", "2nd", "3rd"),
        ("first", "2nd"),
        ("first",),
    ],
)
def test_the_last_parts_become_short_first_and_then_drop_out_there(
    qapp: QApplication, wanted: tuple[str, ...]
) -> None:
    room = headline_width([Words(GAP.join(wanted))]) + 1.0
    assert "".join(words.text for words in fitting(PARTS, room)) == GAP.join(wanted)


def test_what_a_dropped_part_leaves_goes_to_the_most_important_one(qapp: QApplication) -> None:
    parts = [part("a fairly long beginning", "a"), part("end that never fits " * 5)]
    room = headline_width([Words("a fairly long beginning")]) + 1.0
    assert [words.text for words in fitting(parts, room)] == ["a fairly long beginning"]


def test_parts_without_words_take_no_room_and_none_at_all_is_no_headline(qapp: QApplication) -> None:
    assert [words.text for words in fitting([[], *PARTS[:1], []], 1e4)] == ["the first of all"]
    assert fitting([], 100.0) == []
    assert [words.text for words in fitting(PARTS, 1.0)] == ["first"]
