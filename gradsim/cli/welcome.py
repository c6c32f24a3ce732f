"""What ``gradsim`` does where there is no display: the window's first minute, told in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gradsim.cli.failure import DONE, INTERRUPTED, Failure
from gradsim.cli.length import training_length
from gradsim.cli.progress import Progress
from gradsim.cli.source import opened
from gradsim.cli.terminal import terminal_of
from gradsim.cli.training import prepared_simulator, stop_wish

if TYPE_CHECKING:
    from gradsim.engine import Simulator

FOLDER = Path("gradsim-output")
_STILLS = {"profile.png": "profile", "profile.svg": "profile", "network.png": "network", "loss.png": "loss"}
_ANIMATIONS = {"profile.gif": "profile", "pass.gif": "network"}


def run_here(name: str) -> int:
    """Run an experiment in the terminal and write its pictures to ``gradsim-output/``.

    Parameters
    ----------
    name : str
        A path or the name of an example.

    Returns
    -------
    int
        Exit code.
    """
    from gradsim.cli.diagnose import instant_diagnosis
    from gradsim.cli.diagnosis_report import print_diagnosis
    from gradsim.cli.report import print_report
    from gradsim.cli.result import run_result

    terminal = terminal_of()
    source = opened(name)
    length = training_length(source, None)
    terminal.write(
        "There is no display (DISPLAY and WAYLAND_DISPLAY are not set): instead of opening a window,"
    )
    terminal.write(
        f"GradSim trains {name} here for {length.iterations:,} iterations and writes pictures to {FOLDER}/."
    )
    terminal.write()
    terminal.stream.flush()
    progress = Progress()
    simulator = prepared_simulator(source, progress)
    result = run_result(simulator, length.iterations, progress)
    print_report(result, terminal)
    terminal.write()
    terminal.stream.flush()
    if result.interrupted:
        return INTERRUPTED
    terminal.write(terminal.painted("Diagnosis", "bold"))
    print_diagnosis(instant_diagnosis(simulator, source), terminal)
    terminal.write()
    terminal.stream.flush()
    try:
        FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise Failure(f"{FOLDER}: cannot be made: {error.strerror or error}") from None
    written = _pictures(simulator, progress)
    if len(written) < len(_STILLS) + len(_ANIMATIONS):
        return INTERRUPTED
    terminal.write(f"Written to {FOLDER}/: {', '.join(written)}")
    terminal.write(
        "Go on with: gradsim run --help, gradsim diagnose --help, gradsim render --help; on a machine with a "
        "display: gradsim"
    )
    return DONE


def _pictures(simulator: Simulator, progress: Progress) -> list[str]:
    """Write all pictures; return the names of those that were done before a Ctrl+C."""
    from gradsim.cli import animation, figures

    run = figures.run_of(simulator)
    written: list[str] = []
    with stop_wish() as wish, progress:
        for name in (*_STILLS, *_ANIMATIONS):
            if wish.is_set():
                break
            progress.show("Drawing", len(written) / (len(_STILLS) + len(_ANIMATIONS)), name)
            if name in _STILLS:
                figures.write_figure(_STILLS[name], run, FOLDER / name, animation.SIZE, 2.0, "light")
            else:
                animation.write_animation(_ANIMATIONS[name], simulator, run, FOLDER / name)
            written.append(name)
    return written
