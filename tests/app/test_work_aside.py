"""The work that waits while something else, such as a lesson, is on screen."""

import msgspec
import pytest

from gradsim.app.session import Session
from gradsim.spec import Dense, Experiment, Network
from gradsim.trace import Cursor

OTHER = Experiment(name="Other", seed=5, network=Network(layers=(Dense(units=3),)))


def settled(qtbot, session):
    qtbot.waitUntil(lambda: session.is_settled and session.run is not None, timeout=60_000)


def test_work_comes_back_with_undo_and_unsaved_edits(session: Session, small, qtbot):
    edited = msgspec.structs.replace(small, seed=9)
    session.edit(edited, "Change the seed")
    settled(qtbot, session)
    before = session.document
    session.open_aside(OTHER, None, "A lesson")
    settled(qtbot, session)
    assert session.is_aside
    assert session.run.experiment == OTHER
    assert session.work is before
    assert not session.document.is_dirty
    session.take_back()
    settled(qtbot, session)
    assert not session.is_aside
    assert session.document == before
    assert session.run.experiment == edited
    session.undo()
    settled(qtbot, session)
    assert session.experiment == small


def test_what_is_put_aside_is_the_work_and_not_the_lesson_before(session: Session, small, qtbot):
    session.open_aside(OTHER, None, "A lesson")
    session.open_aside(msgspec.structs.replace(OTHER, seed=6), None, "Another")
    settled(qtbot, session)
    session.take_back()
    settled(qtbot, session)
    assert session.experiment == small


def test_opening_a_file_forgets_what_was_aside(session: Session, qtbot):
    session.open_aside(OTHER, None, "A lesson")
    session.open(msgspec.structs.replace(OTHER, name="A file"))
    settled(qtbot, session)
    assert not session.is_aside
    session.take_back()
    assert session.experiment.name == "A file"


def test_a_training_run_of_the_work_does_not_go_on_in_the_lesson(session: Session, qtbot):
    session.train(None)
    session.open_aside(OTHER, None, "A lesson")
    settled(qtbot, session)
    assert session.cursor.iteration == 0
    assert not session.training.is_training


def test_a_lesson_that_cannot_be_built_leaves_the_work(session: Session, small, qtbot):
    missing = msgspec.structs.replace(OTHER, parameters="none.npz")
    with qtbot.waitSignal(session.failed, timeout=60_000):
        session.open_aside(missing, None, "A lesson")
    assert not session.is_aside
    assert session.experiment == small


def test_parameters_are_looked_for_in_the_folder_of_the_lesson(session: Session, qtbot):
    from gradsim.formats import load
    from gradsim.resource_files import resource_path

    folder = resource_path("experiments")
    session.open_aside(load(folder / "chain.gradsim.json"), folder, "A lesson")
    settled(qtbot, session)
    assert session.run.trace["dense_1"].weight == pytest.approx(0.5)
    session.seek(Cursor(1, 0))
    settled(qtbot, session)
