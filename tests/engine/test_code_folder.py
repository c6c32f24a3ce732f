"""Compiled code lies in a folder whose name tells what it was compiled from."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from gradsim.engine import code_folder
from gradsim.engine.code_folder import COMPLETE, UNUSED_DAYS, cache_folder, cache_name, remove_unused


@pytest.fixture
def no_folder_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(code_folder, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.setattr(code_folder.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path


def test_compiled_code_is_kept_in_the_cache_folder_of_the_person(no_folder_asked_for: Path) -> None:
    assert cache_folder() == no_folder_asked_for / "cache" / cache_name()
    assert cache_folder().is_dir()


def test_a_folder_asked_for_is_used(no_folder_asked_for: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = no_folder_asked_for / "elsewhere"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(asked_for))
    assert cache_folder() == asked_for / cache_name()


def test_where_nothing_can_be_written_the_code_goes_to_a_temporary_folder(no_folder_asked_for: Path) -> None:
    (no_folder_asked_for / "cache").write_text("a file where the folder should be")
    folder = cache_folder()
    assert folder.name == cache_name()
    assert folder.is_relative_to(no_folder_asked_for / "temporary")


def test_a_change_of_any_source_of_the_engine_changes_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_folder, "__file__", str(tmp_path / "code_folder.py"))
    names = [cache_name()]
    for text in ("a = 1", "a = 2"):
        (tmp_path / "machine.py").write_text(text)
        names.append(cache_name())
    assert len(set(names)) == 3
    assert cache_name() == names[-1]


def test_what_others_compile_with_numba_stays_where_they_keep_it() -> None:
    program = (
        "import numba, os\n"
        "before = numba.config.CACHE_DIR\n"
        "import gradsim.engine\n"
        "assert numba.config.CACHE_DIR == before == 'theirs', numba.config.CACHE_DIR\n"
        "assert os.environ['NUMBA_CACHE_DIR'] == 'theirs'\n"
    )
    theirs = {**os.environ, "NUMBA_CACHE_DIR": "theirs"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "error", "-c", program]
        subprocess.run(command, check=True, timeout=100, env=theirs, cwd=folder)
        assert (Path(folder) / "theirs" / cache_name()).is_dir()


def left_alone(path: Path, days: float) -> None:
    at = time.time() - days * 24 * 3600
    os.utime(path, (at, at))


def test_code_of_other_states_goes_when_it_has_not_been_used_for_long(tmp_path: Path) -> None:
    present, old, lately, only_noted, foreign = (
        tmp_path / name
        for name in (
            "numba-0123456789abcdef",
            "numba-1111111111111111",
            "numba-2222222222222222",
            "numba-3333333333333333",
            "numba-of-somebody-else",
        )
    )
    for folder in (present, old, lately, only_noted, foreign):
        folder.mkdir()
        (folder / "machine.run-1.nbc").touch()
        (folder / f"{COMPLETE}float32").touch()
        left_alone(folder / f"{COMPLETE}float32", UNUSED_DAYS + 1)
        left_alone(folder, UNUSED_DAYS + 1)
    left_alone(only_noted / f"{COMPLETE}float32", UNUSED_DAYS - 1)
    left_alone(lately, UNUSED_DAYS - 1)
    remove_unused(present)
    assert not old.exists()
    assert all(folder.exists() for folder in (present, lately, only_noted, foreign))
