"""Docks that are put together anew leave nothing behind."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabBar


def bars(window):
    found = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return [bar for bar in found if bar.isVisible()]


def titles(bar):
    return [bar.tabText(place) for place in range(bar.count())]


@pytest.mark.parametrize(
    "sizes", [[], [(1100, 700)], [(1100, 700), (1440, 900)]], ids=["tall", "low", "to and fro"]
)
def test_every_group_of_tabs_has_one_bar_and_it_works(window, qtbot, sizes):
    for width, height in [(1440, 900), *sizes]:
        window.resize(width, height)
        for _ in range(2):
            window.reset_layout()
        qtbot.waitUntil(lambda: len({tuple(titles(bar)) for bar in bars(window)}) == len(bars(window)))
    groups = [titles(bar) for bar in bars(window)]
    assert ["Builder", "Lessons"] in groups
    assert (["Inspector", "Diagnosis"] in groups) == (window.height() < 800)
    assert len(groups) == (3 if window.height() < 800 else 2)
    bar = next(bar for bar in bars(window) if titles(bar) == ["Builder", "Lessons"])
    for place, id_ in ((1, "lessons"), (0, "builder")):
        bar.setCurrentIndex(place)
        qtbot.waitUntil(lambda id_=id_: not window.docks[id_].visibleRegion().isEmpty())
