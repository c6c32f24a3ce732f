"""``gradsim render``: any view of an experiment as a file, drawn without a display."""

from __future__ import annotations

import argparse
import dataclasses

from gradsim.cli.beside import check_beside, trained_beside_it
from gradsim.cli.failure import DONE, INTERRUPTED, Failure
from gradsim.cli.length import print_length, training_length
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
    from gradsim.cli.view_options import place_in

    check_writable(arguments.output)
    source = opened(arguments.file, arguments.set, arguments.seed)
    length = training_length(source, arguments.iterations)

    from gradsim.cli import animation, figure_refusals, figures

    view, output, size, scale, theme = (
        arguments.view,
        arguments.output,
        arguments.size,
        arguments.scale,
        arguments.theme,
    )
    moves = output.suffix.lower() == ".gif"
    if scale is None:
        scale = 1.0 if moves else 2.0
    check_beside(source.experiment, arguments.beside)
    if arguments.beside and moves:
        raise Failure("--beside: expected a still picture, got a GIF")
    if arguments.beside and view == "window":
        raise Failure("--beside: the window compares by itself, Run: Compare with backpropagation")
    figure_refusals.check_picture(view, output, size, scale, theme)
    options = figure_refusals.checked_options(view, arguments.option, arguments.layer, arguments.unit)
    progress = Progress()
    if view == "window":
        from gradsim.cli.window_picture import SIZE, window_picture, write_picture

        picture, finished = window_picture(source, length.iterations, size or SIZE, scale, theme, progress)
        write_picture(picture, output)
    else:
        simulator = prepared_simulator(source, progress)
        figure_refusals.check_drawable(view, simulator.samples)
        place = place_in(simulator.record().layers, arguments.layer, arguments.unit)
        finished = train(simulator, length.iterations, progress)
        run = figures.run_of(simulator)
        if arguments.beside:
            beside = trained_beside_it(run.trace, source, progress)
            run = dataclasses.replace(run, ghost=beside.trace, ghost_history=beside.history)
            finished = finished and beside.finished
            options = figures.over_cost(view) | dict(options)
        if moves:
            drawn = figures.view_of(view, run, source.directory, options, place)
            with progress:
                animation.write_animation(
                    view,
                    simulator,
                    run,
                    output,
                    size or animation.SIZE,
                    theme,
                    scale,
                    drawn,
                    lambda share: progress.show("Drawing", share, output.name),
                )
        else:
            figures.write_figure(view, run, output, size, scale, theme, source.directory, options, place)
    terminal = terminal_of()
    print_length(length, terminal)
    terminal.write(f"Written: {output}")
    return DONE if finished else INTERRUPTED
