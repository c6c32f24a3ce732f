"""Views drawn without a display. How they look is decided in ``gradsim.views``; here they are only called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from gradsim.engine import Simulator
    from gradsim.trace import IterationTrace, Run

_VIEWS = {
    "profile": "gradient_profile",
    "cause": "cause",
    "network": "network",
    "history": "history_map",
    "loss": "loss",
    "distributions": "distributions",
    "updates": "update_ratio",
    "activations": "activation",
    "jacobian": "jacobian",
    "proof": "proof",
    "cost": "cost",
    "decision": "decision_map",
    "time": "time_map",
}
"""Name on the command line → name in the window."""
_SIZE = (960, 540)


def application() -> QApplication:
    """Return the running Qt application, or one that draws into memory.

    Returns
    -------
    QApplication
        With the fonts that GradSim ships.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported: a display is never needed
    from PySide6.QtWidgets import QApplication

    running = QApplication.instance()
    qt = running if isinstance(running, QApplication) else QApplication(["gradsim"])
    from gradsim.views.fonts import install_fonts

    install_fonts()
    return qt


def run_of(simulator: Simulator) -> Run:
    """Return a run as a window would show it, as far as it has come.

    Parameters
    ----------
    simulator : Simulator
        Trained or not.

    Returns
    -------
    Run
        Its trace is the pass at the present iteration.
    """
    from gradsim.app.decision import decision_map
    from gradsim.trace import Run

    return Run(
        label=simulator.experiment.name,
        experiment=simulator.experiment,
        samples=simulator.samples,
        trace=simulator.record(),
        ghost=None,
        history=simulator.history(),
        decision_map=decision_map(simulator),
    )


def over_cost(view: str) -> dict[str, Any]:
    """Return the option that draws a view over what iterations cost: only so two methods can be compared.

    Parameters
    ----------
    view : str
        Name of the view.

    Returns
    -------
    dict
        Empty for a view that is not drawn over iterations.
    """
    names = [option.name for option in getattr(view_class(view), "options", ())]
    return {"over": "operations"} if "over" in names else {}


def view_of(
    name: str,
    run: Run,
    directory: Path | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    place: tuple[int, int | None] | None = None,
) -> Any:
    """Return the widget of a view that shows a run, with the answers to what it asks.

    Parameters
    ----------
    name : str
        Name of the view.
    run : Run
        What it shows.
    directory : Path or None
        Where a file of initial parameters is looked for.
    options : mapping, optional
        From ``checked_options``.
    place : tuple of int or None
        Layer and unit that are selected in it.

    Returns
    -------
    QWidget
        Never shown on a screen; the network at the moment when the last delta is known.
    """
    from gradsim.cli.view_options import show_chosen
    from gradsim.trace import Cursor

    application()
    view = view_class(name)()
    view.resize(*_SIZE)
    if hasattr(view, "question_asked"):
        _answer(view, run, directory)
    view.set_run(run)
    if name == "time":
        view.record_run()
    if name == "proof":
        view.check_gradients()
    if name == "network":
        view.set_cursor(Cursor(run.trace.iteration, telling_step(run.trace)))
    show_chosen(view, options, place)
    return view


def view_class(name: str) -> Any:
    """Return the class of a view.

    Parameters
    ----------
    name : str
        On the command line.

    Returns
    -------
    type
        Of the widget.
    """
    from gradsim.app.views_table import VIEWS

    return next(row for row in VIEWS if row.id == _VIEWS[name]).make


def _answer(view: Any, run: Run, directory: Path | None) -> None:
    """Answer what a view asks once it knows its run; a view that nobody sees would ask nothing."""
    from PySide6.QtCore import Qt

    from gradsim.app.inquiries import answer_now
    from gradsim.app.questions import QUESTIONS
    from gradsim.cli.quiet import quiet

    def answer(question: str, options: Any) -> None:
        try:
            found = answer_now(QUESTIONS[question], options, run, directory)
        except ValueError as error:  # a refusal, such as of too wide a network: the view tells it
            view.set_answer_failed(question, str(error))
        else:
            view.set_answer(question, found)

    view.question_asked.connect(answer)
    view.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    with quiet():
        view.show()


def telling_step(trace: IterationTrace) -> int:
    """Return the moment at which a still picture of an iteration says most.

    Parameters
    ----------
    trace : IterationTrace
        Any iteration.

    Returns
    -------
    int
        Index of the step that makes the last delta: all of them are known, and no update covers them yet.
    """
    return max(place for place, step in enumerate(trace.steps) if step.tensor == "delta")


def write_figure(
    name: str,
    run: Run,
    path: Path,
    size: tuple[int, int] | None,
    scale: float,
    theme: str,
    directory: Path | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    place: tuple[int, int | None] | None = None,
) -> None:
    """Write a view of a run to a file.

    Parameters
    ----------
    name : str
        Name of the view.
    run : Run
        What it shows.
    path : Path
        Ends in ``.png``, ``.svg``, ``.pdf`` or ``.csv``.
    size : (int, int) or None
        Width and height in pixels of 1/96 inch.
    scale : float
        Pixels of a PNG per such pixel.
    theme : str
        Name of the colours.
    directory : Path or None
        Where a file of initial parameters is looked for.
    options : mapping, optional
        From ``checked_options``.
    place : tuple of int or None
        Layer and unit that are selected in it.
    """
    from gradsim.views.export import export_view

    view = view_of(name, run, directory, options, place)
    export_view(view, path, size=size or _SIZE, scale=scale, theme=theme, experiment=run.experiment)
    view.deleteLater()
