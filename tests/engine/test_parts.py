"""The parts that are compiled side by side are those that the machine calls, for the types it calls them with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from gradsim.data import prepare_samples
from gradsim.engine import Simulator, prepare, processes
from gradsim.engine.buffers import allocate_buffers, program_of, samples_of
from gradsim.engine.compilation import FOLDER, IS_COMPILED
from gradsim.engine.parts import KERNELS, PARTS, SEPARATE, numba_type
from gradsim.engine.processes import compile_in_processes
from gradsim.engine.program import Amounts, Buffers, Choices, Program, Samples
from gradsim.engine.settings import amounts_of, choices_of
from gradsim.engine.writing import compile_network
from tests.engine.small_nets import net

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled with NUMBA_DISABLE_JIT")

both = pytest.mark.parametrize("precision", ["float32", "float64"])
typeof: Any = numba.typeof


@both
def test_types_read_off_the_annotations_are_those_of_a_run(precision: str) -> None:
    experiment = net(precision=precision)
    samples = prepare_samples(experiment)
    tape = compile_network(experiment, samples.features, samples.outputs, 11, samples.steps)
    training = samples_of(precision, samples.training_inputs, samples.training_targets, None)
    assert typeof(choices_of(experiment, samples, tape)) == numba_type(Choices, precision)
    assert typeof(amounts_of(experiment)) == numba_type(Amounts, precision)
    assert typeof(program_of(experiment, tape)) == numba_type(Program, precision)
    assert typeof(allocate_buffers(experiment, tape, samples)) == numba_type(Buffers, precision)
    assert typeof(training) == numba_type(Samples, precision)


def test_every_kernel_of_a_part_is_compiled_once_for_each_precision() -> None:
    for precision in ("float32", "float64"):
        prepare(
            precision
        )  # by its parts, so that one with other types would lie there beside what the machine calls
    for part in KERNELS.values():
        for kernel, _ in part:
            module = kernel.__module__.rpartition(".")[2]
            files = list(FOLDER.glob(f"{module}.{kernel.__name__}-*.nbc"))
            assert len(files) == 2, kernel.__name__


def test_every_part_is_there_to_be_compiled() -> None:
    assert set(PARTS) == {*KERNELS, *SEPARATE}


@both
def test_processes_find_everything_in_the_cache(precision: str) -> None:
    prepare(precision)
    told: list[str] = []
    assert compile_in_processes(precision, told.append)
    assert not told


def test_a_process_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PARTS", ("no such part",))
    assert not compile_in_processes("float32", lambda name: None)


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert not compile_in_processes("float32", lambda name: None)


def test_processes_end_when_nobody_waits_for_them_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    program = "print('working', flush=True); import time; time.sleep(600) #{root!r}{precision!r}{part!r}"
    monkeypatch.setattr(processes, "_PROGRAM", program)
    start = processes._started

    def noted(precision: str, part: str) -> Any:
        started.append(start(precision, part))
        return started[-1]

    def stop(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "_started", noted)
    with pytest.raises(KeyboardInterrupt):
        compile_in_processes("float32", stop)
    assert started
    assert all(process.poll() is not None for process in started)


def test_a_machine_that_lies_in_the_cache_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare("float32")
    monkeypatch.setattr(processes, "_settled", set())
    monkeypatch.setattr(processes, "_started", lambda *_: pytest.fail("a process was started"))
    processes.compile_once("float32")


def test_the_first_network_of_a_process_is_compiled_by_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked_for: list[str] = []

    def compiled(precision: str, report: Any) -> bool:
        asked_for.append(precision)
        return True

    folder, of_long_ago = tmp_path / "present", tmp_path / "numba-0123456789abcdef"
    folder.mkdir()
    of_long_ago.mkdir()
    os.utime(of_long_ago, (0, 0))
    monkeypatch.setattr(processes, "_settled", set())
    monkeypatch.setattr(processes, "FOLDER", folder)
    monkeypatch.setattr(processes, "compile_in_processes", compiled)
    for _ in range(2):
        Simulator(net(precision="float64"))
    assert asked_for == ["float64"]
    assert processes.is_complete("float64")
    assert not processes.is_complete("float32")
    assert not of_long_ago.exists()


def test_a_compilation_that_is_stopped_is_begun_again_the_next_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stopped(precision: str, report: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "_settled", set())
    monkeypatch.setattr(processes, "FOLDER", tmp_path)
    monkeypatch.setattr(processes, "compile_in_processes", stopped)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            processes.compile_once("float32")
    assert not processes.is_complete("float32")


def test_processes_keep_their_code_where_this_one_looks_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "FOLDER", tmp_path / "numba-of-this-process")
    monkeypatch.setattr(
        processes,
        "_PROGRAM",
        "import os; print(os.environ['NUMBA_CACHE_DIR']) #{root!r}{precision!r}{part!r}",
    )
    told: list[str] = []
    assert compile_in_processes("float32", told.append)
    assert set(told) == {str(tmp_path)}
