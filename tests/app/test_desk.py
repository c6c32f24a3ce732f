"""The desk: which document is edited, and to which others there is a way back."""

from pathlib import Path

import msgspec
import pytest

from gradsim.app.desk import Desk
from gradsim.app.document import opened
from gradsim.spec import Experiment

FIRST = Experiment(name="First")


def seeded(seed: int) -> Experiment:
    return msgspec.structs.replace(FIRST, seed=seed)


def lay_edit(desk: Desk, seed: int, words: str = "Seed: other", **more: bool) -> None:
    desk.lay(desk.edited(seeded(seed), words, None, **{"is_opening": False, **more}))


def test_edits_that_follow_closely_are_one_step_of_undo(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.5, 10.0])
    monkeypatch.setattr("gradsim.app.desk.time.monotonic", lambda: next(clock))
    desk = Desk(FIRST)
    for seed in (1, 2, 3):
        lay_edit(desk, seed)
    assert [entry.experiment.seed for entry in desk.document.entries] == [FIRST.seed, 2, 3]


def test_an_example_never_joins_the_edit_before_it() -> None:
    desk = Desk(FIRST)
    lay_edit(desk, 1)
    lay_edit(desk, 2, is_opening=True)
    assert len(desk.document.entries) == 3


def test_what_could_not_be_computed_goes_and_the_last_that_could_comes_back() -> None:
    desk = Desk(FIRST)
    lay_edit(desk, 1)
    desk.accept()
    lay_edit(desk, 2)
    assert desk.return_to_accepted() == seeded(2)
    assert desk.experiment == seeded(1)
    assert desk.return_to_accepted() is None


def test_the_work_is_aside_until_it_is_taken_back_and_a_refused_lesson_takes_it_back() -> None:
    desk = Desk(FIRST)
    desk.accept()
    work = desk.document
    desk.put_aside()
    desk.lay(opened(seeded(5)))
    assert desk.is_aside
    assert desk.work is work
    assert desk.return_to_accepted() == seeded(5)
    assert desk.work is work is desk.document
    assert desk.take_back() is None


@pytest.mark.parametrize("is_computed", [True, False])
def test_saving_stays_known_whether_or_not_the_last_edit_is_computed_yet(is_computed: bool) -> None:
    desk = Desk(FIRST)
    lay_edit(desk, 1)
    if is_computed:
        desk.accept()
    desk.mark_saved(Path("a.gradsim.json"))
    assert not desk.document.is_dirty
    desk.return_to_accepted()
    assert desk.document.path == Path("a.gradsim.json")
    assert desk.document.is_dirty is not is_computed


def test_a_refused_edit_can_be_taken_back_although_the_document_has_none() -> None:
    desk = Desk(FIRST)
    seen = [desk.can_undo]
    desk.has_refused_edit = True
    seen.append(desk.can_undo)
    desk.rename(opened(seeded(1)))
    assert [*seen, desk.can_undo] == [False, True, False]
    assert desk.return_to_accepted() is None
