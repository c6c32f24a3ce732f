"""Every view of the window and where it stands. A new view is one file in ``views`` and one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from gradsim.trace import Run
from gradsim.views.activation_view import ActivationView
from gradsim.views.builder.builder import Builder
from gradsim.views.cause_view import CauseView
from gradsim.views.cost_view import CostView
from gradsim.views.decision_map import DecisionMapView
from gradsim.views.diagnosis_panel import DiagnosisPanel
from gradsim.views.distributions import DistributionsView
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.history_map import HistoryMapView
from gradsim.views.inspector import Inspector
from gradsim.views.jacobian_view import JacobianView
from gradsim.views.lesson_panel import LessonPanel
from gradsim.views.loss_plot import LossPlotView
from gradsim.views.network_view import NetworkView
from gradsim.views.proof_view import ProofView
from gradsim.views.time_map import TimeMapView
from gradsim.views.update_ratio import UpdateRatioView

Place = Literal["left", "centre", "below", "tabs", "right"]


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One view.

    Attributes
    ----------
    id : str
        Name in the saved layout.
    title : str
        On its title bar or tab.
    make : callable
        Returns the widget.
    place : {"left", "centre", "below", "tabs", "right"}
        Where it stands until it is moved; the centre cannot be moved.
    suits : callable or None
        Whether there is anything to see in it for a run; its tab steps aside where there is not. None for always.
    """

    id: str
    title: str
    make: Callable[[], Any]
    place: Place
    suits: Callable[[Run], bool] | None = None


def _has_map(run: Run) -> bool:
    return run.samples.map_inputs in (1, 2)


def _has_time(run: Run) -> bool:
    return any(layer.kind == "recurrent" for layer in run.trace.layers)


VIEWS: tuple[ViewRow, ...] = (
    ViewRow("network", "Network", NetworkView, "centre"),
    ViewRow("builder", "Builder", Builder, "left"),
    ViewRow("lessons", "Lessons", LessonPanel, "left"),
    ViewRow("gradient_profile", "Gradient profile", GradientProfileView, "below"),
    ViewRow("cause", "Cause", CauseView, "tabs"),
    ViewRow("history_map", "History", HistoryMapView, "tabs"),
    ViewRow("loss", "Loss", LossPlotView, "tabs"),
    ViewRow("activation", "Activations", ActivationView, "tabs"),
    ViewRow("jacobian", "Jacobian", JacobianView, "tabs"),
    ViewRow("distributions", "Distributions", DistributionsView, "tabs"),
    ViewRow("update_ratio", "Updates", UpdateRatioView, "tabs"),
    ViewRow("proof", "Proof", ProofView, "tabs"),
    ViewRow("cost", "Cost", CostView, "tabs"),
    ViewRow("decision_map", "Decisions", DecisionMapView, "tabs", _has_map),
    ViewRow("time_map", "Time", TimeMapView, "tabs", _has_time),
    ViewRow("inspector", "Inspector", Inspector, "right"),
    ViewRow("diagnosis", "Diagnosis", DiagnosisPanel, "right"),
)


def view_named_by(sentence: str) -> str | None:
    """
    Return the id of the view whose title a sentence begins with, as in "Loss: it falls".

    Parameters
    ----------
    sentence : str
        What to look at, and where.

    Returns
    -------
    str or None
        None where it begins otherwise.
    """
    place, colon, _ = sentence.partition(":")
    words = f"{place} "
    return next((row.id for row in VIEWS if colon and words.startswith(f"{row.title} ")), None)
