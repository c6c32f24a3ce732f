"""Unsaved work survives a crash, and only a crash."""

import subprocess
import sys

import msgspec
import pytest

from gradsim.app.autosave import Autosave, rescued_work
from gradsim.app.document import edited, opened
from gradsim.spec import Experiment
from tests.app.conftest import SMALL

DIRTY = edited(opened(SMALL), msgspec.structs.replace(SMALL, seed=99), "Seed: 99")

CRASH = """
import os, sys
from pathlib import Path
from gradsim.app.autosave import Autosave
from tests.app.test_autosave import DIRTY
assert Autosave(Path(sys.argv[1])).keep(DIRTY)
os._exit(1)
"""


def test_a_process_that_dies_leaves_its_work_behind(tmp_path):
    subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], check=False)
    (work,) = rescued_work(tmp_path)
    assert work.experiment == DIRTY.experiment
    work.file.unlink()
    assert rescued_work(tmp_path) == []


def test_the_work_of_an_open_window_is_left_alone(tmp_path):
    autosave = Autosave(tmp_path)
    assert autosave.keep(DIRTY)
    assert rescued_work(tmp_path) == []
    autosave.forget()
    assert list(tmp_path.glob("*.json")) == []


def test_saved_work_is_not_kept_aside(tmp_path):
    autosave = Autosave(tmp_path)
    autosave.keep(DIRTY)
    autosave.keep(opened(SMALL))
    assert list(tmp_path.glob("*.json")) == []
    autosave.forget()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"experiment": {}, "path": null}', b"[1]", b"\xff"])
def test_what_cannot_be_read_is_not_offered(tmp_path, content):
    (tmp_path / "odd.json").write_bytes(content)
    assert rescued_work(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    autosave = Autosave(tmp_path / "file")
    assert not autosave.keep(DIRTY)
    autosave.forget()


def test_there_may_be_no_folder_at_all(tmp_path):
    assert rescued_work(tmp_path / "nowhere") == []
    assert Experiment() == opened(Experiment()).experiment
