"""The document: edits, undo, redo, saved or not."""

from dataclasses import replace

import msgspec

from gradsim.app.document import LONGEST_UNDO, edited, moved, opened
from gradsim.spec import Experiment

EXPERIMENTS = [msgspec.structs.replace(Experiment(), seed=seed) for seed in range(1, 5)]


def test_an_edit_after_undo_forgets_what_was_undone():
    document = opened(Experiment())
    for experiment in EXPERIMENTS[:3]:
        document = edited(document, experiment, "a seed")
    document = edited(moved(document, -2), EXPERIMENTS[3], "another")
    assert [entry.experiment.seed for entry in document.entries] == [0, 1, 4]
    assert document.redo_description is None
    assert document.undo_description == "another"


def test_undoing_back_to_what_was_saved_is_clean_again():
    document = edited(opened(Experiment()), EXPERIMENTS[0], "a seed")
    assert document.is_dirty
    assert not moved(document, -1).is_dirty
    assert replace(opened(Experiment()), saved=None).is_dirty


def test_only_edits_of_the_same_thing_merge():
    document = edited(opened(Experiment()), EXPERIMENTS[0], "Seed: 1")
    assert len(edited(document, EXPERIMENTS[1], "Seed: 2", merges=True).entries) == 2
    assert len(edited(document, EXPERIMENTS[1], "Name: x", merges=True).entries) == 3
    assert len(edited(document, EXPERIMENTS[1], "Seed: 2").entries) == 3
    add = edited(opened(Experiment()), EXPERIMENTS[0], "Add a layer")
    assert len(edited(add, EXPERIMENTS[1], "Add a layer", merges=True).entries) == 3


def test_the_memory_of_edits_has_an_end():
    document = opened(Experiment())
    for seed in range(LONGEST_UNDO + 20):
        document = edited(document, msgspec.structs.replace(Experiment(), seed=seed), "a seed")
    assert len(document.entries) == LONGEST_UNDO
    assert moved(document, -10 * LONGEST_UNDO).position == 0
    assert moved(document, 5) == document
