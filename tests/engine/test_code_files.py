"""Compiled code lies in a file of its own for every function and combination of types."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradsim.engine.code_files import CodeFiles

pytestmark = pytest.mark.jitless


def test_code_is_found_by_its_types_only(tmp_path: Path) -> None:
    files = CodeFiles(tmp_path, "machine.run-7")
    files.save(("float32",), b"single")
    files.save(("float64",), b"double")
    assert files.load(("float32",)) == b"single"
    assert files.load(("float64",)) == b"double"
    assert files.load(("int64",)) is None
    assert CodeFiles(tmp_path, "machine.run-8").load(("float32",)) is None


def test_who_saves_last_is_right_and_nothing_else_stays_behind(tmp_path: Path) -> None:
    files = CodeFiles(tmp_path, "run")
    files.save("key", 1)
    files.save("key", 2)
    assert files.load("key") == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_a_torn_file_is_none(tmp_path: Path) -> None:
    files = CodeFiles(tmp_path, "run")
    files.save("key", list(range(1000)))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    assert files.load("key") is None
    file.write_bytes(b"")
    assert files.load("key") is None


def test_what_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    files = CodeFiles(tmp_path, "run")
    with pytest.raises(TypeError):
        files.save("key", (thing for thing in ()))
    assert not list(tmp_path.iterdir())


def test_forgetting_takes_the_files_of_one_function(tmp_path: Path) -> None:
    first, second = CodeFiles(tmp_path, "first"), CodeFiles(tmp_path, "second")
    first.save("key", 1)
    second.save("key", 2)
    first.flush()
    assert first.load("key") is None
    assert second.load("key") == 2
