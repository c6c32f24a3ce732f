"""``gradsim doctor``: what this installation has, and whether it works."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gradsim import __version__
from gradsim.cli.failure import DONE, FOUND
from gradsim.cli.progress import Progress
from gradsim.cli.terminal import Style, Terminal, terminal_of
from gradsim.cli.window import has_display

if TYPE_CHECKING:
    from gradsim.spec.experiment import Precision

Verdict = Literal["ok", "note", "wrong"]

_DEPENDENCIES = {
    "PySide6-Essentials": "PySide6.QtWidgets",
    "pyqtgraph": "",  # opens a Qt application's settings when it is imported: its version is enough
    "numpy": "numpy",
    "scipy": "scipy.linalg.blas",
    "numba": "gradsim.engine",
    "msgspec": "msgspec",
    "platformdirs": "platformdirs",
    "threadpoolctl": "threadpoolctl",
}
"""Distribution → module whose import shows that it works here."""

_WINDOW_PROBE = """\
import json
from PySide6.QtGui import QFontDatabase, QGuiApplication
application = QGuiApplication([])
screen = application.primaryScreen()
size = screen.size() if screen else None
print(json.dumps([application.platformName(), len(QFontDatabase.families()),
                  [size.width(), size.height()] if size else None,
                  screen.devicePixelRatio() if screen else None]))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What it is.
    verdict : {"ok", "note", "wrong"}
        ``note`` is worth knowing but no fault.
    detail : str
        What was found, and what to do if it is wrong.
    """

    name: str
    verdict: Verdict
    detail: str


def examine(arguments: argparse.Namespace) -> int:
    """Look at everything GradSim needs and print what was found.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``doctor``.

    Returns
    -------
    int
        Exit code: 1 if something is wrong.
    """
    terminal = terminal_of()
    findings = []
    if not arguments.json:
        terminal.write(terminal.painted(f"GradSim {__version__}", "bold"))
    for finding in all_findings(Progress()):
        findings.append(finding)
        if not arguments.json:
            _print(finding, terminal)
            terminal.stream.flush()
    wrong = [finding for finding in findings if finding.verdict == "wrong"]
    if arguments.json:
        from gradsim.cli.documents import json_text

        document = {
            "version": __version__,
            "healthy": not wrong,
            "findings": [asdict(finding) for finding in findings],
        }
        terminal.stream.write(json_text(document, ascii_only=not terminal.unicode) + "\n")
    else:
        terminal.write()
        terminal.write(f"{len(wrong)} wrong: {', '.join(f.name for f in wrong)}" if wrong else "All is well.")
    return FOUND if wrong else DONE


def all_findings(progress: Progress) -> Iterator[Finding]:
    """Look at one thing after the other.

    Parameters
    ----------
    progress : Progress
        Shows a compilation.

    Yields
    ------
    Finding
        Also where looking itself failed.
    """
    yield _python()
    for distribution, module in _DEPENDENCIES.items():
        yield _dependency(distribution, module)
    for name, look in (
        ("display", _display),
        ("resources", _resources),
        ("cache", _cache),
        ("compiled code", lambda: _compiled(progress)),
        ("matrix library", _matrix_library),
        ("gradients", _gradients),
    ):
        yield _looked(name, look)


def _looked(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:  # whatever it is, it is what the doctor was asked to find
        return Finding(name, "wrong", f"{type(error).__name__}: {error}")


def _python() -> Finding:
    detail = f"{platform.python_version()} ({sys.executable}) on {platform.platform()}"
    return Finding("Python", "ok" if sys.version_info >= (3, 11) else "wrong", detail)


def _dependency(distribution: str, module: str) -> Finding:
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return Finding(distribution, "wrong", f"missing: python -m pip install {distribution}")
    if distribution == "PySide6-Essentials" and sys.version_info < (3, 12):
        if tuple(int(part) for part in version.split(".")[:2]) >= (6, 12):
            advice = "python -m pip install 'PySide6-Essentials<6.12'"
            return Finding(distribution, "wrong", f"{version} aborts under Python before 3.12: {advice}")
    try:
        if module:
            importlib.import_module(module)
    except Exception as error:  # a missing system library raises ImportError, a broken one anything
        return Finding(distribution, "wrong", f"{version} cannot be imported: {error}")
    return Finding(distribution, "ok", version)


def _display() -> Finding:
    visible = has_display(os.environ, sys.platform)
    environment = os.environ | ({} if visible else {"QT_QPA_PLATFORM": "offscreen"})
    # Qt aborts the whole process where a system library of its platform is missing: ask another process.
    probe = subprocess.run(
        [sys.executable, "-c", _WINDOW_PROBE],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
    )
    if probe.returncode:
        reason = " ".join(probe.stderr.split()) or f"exit code {probe.returncode}"
        return Finding("display", "wrong", f"Qt cannot open a window: {reason[:500]}")
    import json

    name, families, size, ratio = json.loads(probe.stdout.splitlines()[-1])
    screen = f"{size[0]} × {size[1]} at scale {ratio:g}" if size else "no screen"
    detail = f"Qt platform {name}, {screen}, {families} font families of the system"
    if not visible:
        return Finding(
            "display", "note", f"none (no DISPLAY or WAYLAND_DISPLAY); files are drawn by {detail}"
        )
    return Finding("display", "ok", detail)


def _resources() -> Finding:
    from gradsim.cli.source import example_names
    from gradsim.resource_files import resource_path

    fonts = sorted(path.stem for path in resource_path("fonts").glob("*.ttf"))
    examples = example_names()
    if not fonts or not examples:
        missing = "fonts" if not fonts else "examples"
        return Finding("resources", "wrong", f"no {missing} in {resource_path()}: install GradSim again")
    detail = f"{resource_path()}: {len(fonts)} fonts, {len(examples)} examples ({', '.join(examples)})"
    return Finding("resources", "ok", detail)


def _cache() -> Finding:
    from gradsim.engine.compilation import FOLDER

    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    writable = os.access(FOLDER, os.W_OK)
    detail = f"{FOLDER} ({size / 2**20:.1f} MiB)"
    return Finding(
        "cache", "ok" if writable else "wrong", detail if writable else f"{detail} is not writable"
    )


def _compiled(progress: Progress) -> Finding:
    from gradsim.cli.training import prepare_engine

    words = []
    for precision in ("float32", "float64"):
        started = time.perf_counter()
        prepare_engine(precision, progress)
        words.append(f"{precision} in {time.perf_counter() - started:.1f} s")
    return Finding("compiled code", "ok", f"ready: {', '.join(words)}")


def _matrix_library() -> Finding:
    from threadpoolctl import threadpool_info

    import gradsim.engine  # noqa: F401 - loads the library and limits it

    libraries = [info for info in threadpool_info() if info.get("user_api") == "blas"]
    if not libraries:
        return Finding("matrix library", "note", "none that could be asked for its threads")
    words = [
        f"{info['internal_api']} {info.get('version') or ''} on {info['num_threads']} "
        f"{'thread' if info['num_threads'] == 1 else 'threads'} ({Path(info['filepath']).name})"
        for info in libraries
    ]
    return Finding("matrix library", "ok", "; ".join(words))


def _gradients() -> Finding:
    from gradsim.cli.self_check import self_check
    from gradsim.engine import Simulator

    precisions: tuple[Precision, ...] = ("float32", "float64")
    checks = [self_check(precision, Simulator) for precision in precisions]
    detail = "backpropagation against differences of the loss: " + ". ".join(check.words for check in checks)
    return Finding("gradients", "ok" if all(check.passed for check in checks) else "wrong", detail)


def _print(finding: Finding, terminal: Terminal) -> None:
    styles: dict[Verdict, Style] = {"ok": "good", "note": "dim", "wrong": "broken"}
    mark = terminal.painted(f"{finding.verdict:5}", styles[finding.verdict])
    terminal.write(f"{mark}  {finding.name:18}  {finding.detail}")
