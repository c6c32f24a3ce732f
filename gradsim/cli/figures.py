"""Views drawn without a display. How they look is decided in ``gradsim.views``; here they are only called."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import Failure

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from gradsim.engine import Simulator
    from gradsim.trace import IterationTrace, Run, SampleSet

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
_WITHOUT_LAYER = ("loss", "decision")
_WITH_UNIT = ("network", "time")
_SIZE = (960, 540)
_MOST_PIXELS = 100_000_000


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


def check(view: str, path: Path, size: tuple[int, int] | None, scale: float, theme: str) -> None:
    """Refuse a picture that cannot be made, before anything is trained.

    Parameters
    ----------
    view : str
        Name of the view.
    path : Path
        Where to.
    size : (int, int) or None
        Width and height in pixels of 1/96 inch.
    scale : float
        Pixels per such pixel.
    theme : str
        Name of the colours.

    Raises
    ------
    Failure
        For a window that is no PNG or on paper, and for too many pixels.
    """
    if view == "window" and path.suffix.lower() != ".png":
        raise Failure(f"--view window: expected a name that ends in .png, got {str(path)!r}")
    if view == "window" and theme == "paper":
        raise Failure("--view window: expected the theme light or dark, got paper")
    width, height = size or (0, 0)
    if path.suffix.lower() == ".png" and width * height * scale**2 > _MOST_PIXELS:
        raise Failure(
            f"--size {width}x{height} --scale {scale:g}: expected at most {_MOST_PIXELS:,} pixels in all"
        )


def checked_options(view: str, texts: Sequence[str], layer: str | None, unit: int | None) -> dict[str, Any]:
    """Return the options of a view, and refuse what it does not have, before anything is trained.

    Parameters
    ----------
    view : str
        Name of the view.
    texts : sequence of str
        ``NAME=VALUE`` each.
    layer : str or None
        That is to be selected.
    unit : int or None
        That is to be selected.

    Returns
    -------
    dict
        Values by name.

    Raises
    ------
    Failure
        For options and selections that the view does not have.
    """
    from gradsim.cli.view_options import read_options

    if unit is not None and layer is None:
        raise Failure(f"--unit {unit}: expected --layer NAME, too")
    if view == "window":
        if texts or layer is not None:
            raise Failure(
                "--view window: expected neither --option nor --layer, they belong to a single view"
            )
        return {}
    if layer is not None and view in _WITHOUT_LAYER:
        raise Failure(f"--layer {layer}: expected a view in which a layer can be selected, got {view}")
    if unit is not None and view not in _WITH_UNIT:
        raise Failure(f"--unit {unit}: expected the view {' or '.join(_WITH_UNIT)}, got {view}")
    return read_options(view, _class_of(view), texts) if texts else {}


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
    names = [option.name for option in getattr(_class_of(view), "options", ())]
    return {"over": "operations"} if "over" in names else {}


def check_drawable(view: str, samples: SampleSet) -> None:
    """Refuse a view that these data do not have, before anything is trained.

    Parameters
    ----------
    view : str
        Name of the view.
    samples : SampleSet
        The data.

    Raises
    ------
    Failure
        For the decision map of data that do not lie in a plane, and time where the data have none.
    """
    if view == "decision" and samples.map_inputs != 2:
        found = "sequences" if samples.steps else samples.features
        raise Failure(f"--view decision: expected data with 2 inputs, got {found} ({samples.title})")
    if view == "time" and not samples.steps:
        raise Failure(f"--view time: expected sequences, got data without time steps ({samples.title})")


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
    view = _class_of(name)()
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


def _class_of(name: str) -> Any:
    """Return the class of a view."""
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
