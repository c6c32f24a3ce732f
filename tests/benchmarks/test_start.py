"""From the start of a process to something to look at, each in a process of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.benchmarks.report import Figure, microseconds

TABLE = "From the start of the process, median"


SCRIPTS = {
    "python alone": ("pass", None),
    "gradsim --version": ("from gradsim.cli import main; main(['--version'])", None),
    "import gradsim.engine": ("import gradsim.engine", None),
    "engine ready from its cache": ("from gradsim.engine import prepare; prepare('float32')", 1.0),
    "first frame of the window": (
        # what ``begin`` would start comes two rounds of the event loop after the window is shown: it is painted
        """
import os, sys
from gradsim.app import main, start
start.begin = lambda window, argv: (os.write(1, b"painted"), os._exit(0))
sys.exit(main([]))
""",
        0.5,
    ),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_start(benchmark: Any, figures: list[Figure], what: str) -> None:
    script, target = SCRIPTS[what]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}

    def start() -> None:
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode in (0, None), done.stderr
        if "painted" in script:
            assert done.stdout == "painted", done.stderr

    start()
    times: list[float] = []

    def one() -> None:
        began = time.perf_counter()
        start()
        times.append(time.perf_counter() - began)

    benchmark.pedantic(one, rounds=5)
    median = statistics.median(times)
    bound = "" if target is None else f"≤ {target:g} s"
    reached = None if target is None else median <= target
    figures.append(Figure(TABLE, what, "", microseconds(median), bound, reached))
