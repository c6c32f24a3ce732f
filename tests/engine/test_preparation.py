"""Making the machine ready: with progress, once, for each precision."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

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
def test_nothing_is_compiled_when_the_machine_lies_in_the_cache() -> None:
    script = """
from gradsim.engine import prepare, is_prepared
assert not is_prepared("float32")
told = []
prepare("float32", lambda what, share: told.append(what))
compiled = [what for what in told if what.startswith("compiling")]
assert is_prepared("float32") and not is_prepared("float64")
print(len(compiled))
"""
    prepare("float32")
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=110
    )
    assert out.stdout.strip() == "0"
