"""Making the machine ready: with progress, once, for each precision."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gradsim
from gradsim.engine import is_prepared, prepare
from gradsim.engine.compilation import IS_COMPILED

both = pytest.mark.parametrize("precision", ["float32", "float64"])


@pytest.mark.jitless
@both
def test_a_machine_is_ready_after_its_preparation(precision: Any) -> None:
    told: list[tuple[str, float]] = []
    prepare(precision, lambda what, share: told.append((what, share)))
    assert is_prepared(precision)
    assert told[-1] == ("ready", 1.0)
    assert all(0 <= share <= 1 for _, share in told)


@pytest.mark.jitless
def test_preparing_again_is_over_at_once() -> None:
    prepare("float32")
    told: list[tuple[str, float]] = []
    prepare("float32", lambda what, share: told.append((what, share)))
    assert told == [("ready", 1.0)]


@pytest.mark.slow
@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled with NUMBA_DISABLE_JIT")
@pytest.mark.parametrize("is_copy", [False, True], ids=["here", "a copy elsewhere"])
def test_nothing_is_compiled_when_the_machine_lies_in_the_cache(is_copy: bool, tmp_path: Path) -> None:
    root = Path(gradsim.__file__).parents[1]
    if is_copy:
        shutil.copytree(root / "gradsim", tmp_path / "gradsim", ignore=shutil.ignore_patterns("__pycache__"))
        root = tmp_path
    script = """
import gradsim
from gradsim.engine import prepare, is_prepared, processes
def refuse(*_): raise SystemExit("a process was started")
processes.compile_in_processes = refuse
assert not is_prepared("float32")
told = []
prepare("float32", lambda what, share: told.append(what))
compiled = [what for what in told if what.startswith("compiling")]
assert is_prepared("float32") and not is_prepared("float64")
print(gradsim.__file__, len(compiled))
"""
    prepare("float32")
    out = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
    )
    assert out.stdout.split() == [str(root / "gradsim" / "__init__.py"), "0"]
