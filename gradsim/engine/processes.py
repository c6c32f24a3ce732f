"""The first compilation in processes of its own: on every core, and with the window left alone.

There is a third reason: a function that is compiled in place may be inlined or not where the same one loaded from the
cache is, so that last bits differ. A machine that is always loaded gives the same bits in the first run as in others.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from gradsim.engine.code_folder import ASKED_FOR, COMPLETE, remove_unused
from gradsim.engine.compilation import FOLDER, IS_COMPILED
from gradsim.engine.parts import PARTS, WHOLE

_PATIENCE = 0.2  # seconds after which a silent compilation is reported again, so that it can be stopped
_ROOT = str(Path(__file__).parents[2])
_PROGRAM = (
    "import sys; sys.path.append({root!r}); "
    "from gradsim.engine.part_process import serve; serve({precision!r}, {part!r})"
)

_settled: set[str] = set()
_one_at_a_time = threading.Lock()


def compile_once(precision: str, report: Callable[[str], None] = lambda name: None) -> None:
    """Compile the machine in processes unless that has been done, on this machine or for this process.

    Where it cannot be done, whoever calls the machine next compiles it in place.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which machine.
    report : callable
        As for ``compile_in_processes``.
    """
    with _one_at_a_time:
        if precision in _settled:
            return
        if is_complete(precision):
            mark_complete(precision)  # and used today
        elif IS_COMPILED and can_start_processes() and compile_in_processes(precision, report):
            mark_complete(precision)
            remove_unused(FOLDER)
        compile_in_place(precision)


def compile_in_place(precision: str) -> None:
    """Let this process compile by itself what it does not find in the cache, as the processes for the parts do."""
    _settled.add(precision)


def is_complete(precision: str) -> bool:
    """Return whether all of a machine lies in the cache."""
    return _mark(precision).exists()


def mark_complete(precision: str) -> None:
    """Note that all of a machine lies in the cache; as plain Python it never does."""
    if IS_COMPILED:
        _mark(precision).touch()


def _mark(precision: str) -> Path:
    return FOLDER / f"{COMPLETE}{precision}"


def can_start_processes() -> bool:
    """Return whether a process with this Python can be started: not from a program packed into one file."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def compile_in_processes(precision: str, report: Callable[[str], None]) -> bool:
    """Compile the machine into the cache, its parts side by side and then what calls them.

    Parameters
    ----------
    precision : {"float32", "float64"}
        For which machine.
    report : callable
        Told the name of each function when its compilation begins, and the last one again while nothing new
        happens. If it raises, the processes are ended.

    Returns
    -------
    bool
        False where a process failed or could not be started; what the others have compiled is in the cache.
    """
    at_once = min(len(PARTS), _cores())
    return all(_compile(precision, parts, at_once, report) for parts in (PARTS, (WHOLE,)))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _compile(precision: str, parts: tuple[str, ...], at_once: int, report: Callable[[str], None]) -> bool:
    waiting = list(parts)
    running: dict[str, subprocess.Popen[str]] = {}
    lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    latest = ""
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                part = waiting.pop(0)
                running[part] = _started(precision, part)
                threading.Thread(target=_read, args=(part, running[part], lines), daemon=True).start()
            try:
                part, line = lines.get(timeout=_PATIENCE)
            except queue.Empty:
                part, line = "", latest
            if part and not line:  # its end
                if _ended(running.pop(part)) != 0:
                    return False
            elif line:
                latest = line
                report(line)
    except OSError:
        return False
    finally:
        for process in running.values():
            process.kill()
            _ended(process)
    return True


def _ended(process: subprocess.Popen[str]) -> int:
    assert process.stdin is not None
    process.stdin.close()
    return process.wait()


def _started(precision: str, part: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM.format(root=_ROOT, precision=precision, part=part)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, ASKED_FOR: str(FOLDER.parent)},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _read(part: str, process: subprocess.Popen[str], lines: queue.SimpleQueue[tuple[str, str]]) -> None:
    """Hand over what a process says, line by line, and an empty line at its end."""
    assert process.stdout is not None
    with process.stdout as said:
        for line in said:
            lines.put((part, line.strip()))
    lines.put((part, ""))
