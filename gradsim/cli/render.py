"""``gradsim render``: any view of an experiment as a file, drawn without a display."""

from __future__ import annotations

import argparse

from gradsim.cli.failure import DONE, INTERRUPTED
from gradsim.cli.progress import Progress
from gradsim.cli.run import check_writable
from gradsim.cli.source import opened
from gradsim.cli.terminal import terminal_of


def render(arguments: argparse.Namespace) -> int:
    """Train an experiment and draw one view of it.

    Parameters
    ----------
    arguments : Namespace
        Of the command ``render``.

    Returns
    -------
    int
        Exit code: 130 if Ctrl+C ended the training early; what was done so far is drawn all the same.
    """
    from gradsim.cli.training import prepared_simulator, train

    check_writable(arguments.output)
    source = opened(arguments.file, arguments.set, arguments.seed)

    from gradsim.cli import figures

    figures.check(arguments.view, arguments.output)
    progress = Progress()
    simulator = prepared_simulator(source, progress)
    figures.check_drawable(arguments.view, simulator.samples)
    finished = train(simulator, arguments.iterations, progress)
    if arguments.view == "window":
        figures.write_window(
            simulator, source, arguments.output, arguments.size, arguments.scale, arguments.theme
        )
    else:
        figures.write_figure(
            arguments.view,
            figures.run_of(simulator),
            arguments.output,
            arguments.size,
            arguments.scale,
            arguments.theme,
        )
    terminal_of().write(f"Written: {arguments.output}")
    return DONE if finished else INTERRUPTED
