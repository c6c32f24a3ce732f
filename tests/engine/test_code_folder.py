"""Compiled code lies in a folder whose name tells what it was compiled from."""

import subprocess
import sys
from pathlib import Path

import pytest

from gradsim.engine import code_folder
from gradsim.engine.code_folder import cache_folder, cache_name


@pytest.fixture
def no_folder_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(code_folder, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.setattr(code_folder.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path


def test_compiled_code_is_kept_in_the_cache_folder_of_the_person(no_folder_asked_for: Path) -> None:
    assert cache_folder() == no_folder_asked_for / "cache" / cache_name()
    assert cache_folder().is_dir()


def test_a_folder_asked_for_is_used_and_not_nested_by_a_child_process(
    no_folder_asked_for: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = no_folder_asked_for / "elsewhere"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(asked_for))
    assert cache_folder() == asked_for / cache_name()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache_folder()))
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


def test_numba_keeps_its_code_there_even_if_somebody_imported_it_before() -> None:
    program = (
        "import numba\n"
        "from gradsim.engine import code_folder\n"
        "assert numba.config.CACHE_DIR.endswith(code_folder.cache_name()), numba.config.CACHE_DIR\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=100)
