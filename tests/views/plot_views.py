"""The table of plot views, and the runs that all of them must show."""

from __future__ import annotations

from functools import cache

from gradsim.spec.data import Curve, Iris, Moons, Plane
from gradsim.trace import Run
from gradsim.views.activation_view import ActivationView
from gradsim.views.cause_view import CauseView
from gradsim.views.cost_view import CostView
from gradsim.views.decision_map import DecisionMapView
from gradsim.views.distributions import DistributionsView
from gradsim.views.gradient_profile import GradientProfileView
from gradsim.views.history_map import HistoryMapView
from gradsim.views.loss_plot import LossPlotView
from gradsim.views.plot.plot_view import PlotView
from gradsim.views.update_ratio import UpdateRatioView
from tests.kind_runs import NETWORKS, kind_run
from tests.reference import reference_run
from tests.views.answered import AnsweredJacobianView, AnsweredProofView

VIEWS: tuple[type[PlotView], ...] = (
    GradientProfileView,
    CauseView,
    HistoryMapView,
    LossPlotView,
    DistributionsView,
    UpdateRatioView,
    ActivationView,
    AnsweredJacobianView,
    AnsweredProofView,
    CostView,
    DecisionMapView,
)

_RUNS = {
    "one layer": {"layers": 1},
    "six layers": {"layers": 6, "units": 16, "activation": "sigmoid"},
    "double precision": {"layers": 3, "precision": "float64"},
    "200 layers": {"layers": 200, "records": 3},
    "all zero": {"layers": 4, "fault": "zero"},
    "NaN": {"layers": 4, "fault": "nan"},
    "Inf": {"layers": 4, "fault": "inf"},
    "mixed": {"layers": 8, "fault": "mixed"},
    "subnormal": {"layers": 4, "fault": "subnormal", "precision": "float64"},
    "four inputs": {"layers": 3, "data": Iris()},
    "surface": {"layers": 3, "data": Plane(samples=60)},
    "curve": {"layers": 3, "data": Curve(samples=60)},
}
KINDS = tuple(NETWORKS)
RUN_NAMES = (*_RUNS, *KINDS)


@cache
def run_named(name: str) -> Run:
    """Return one of the runs, made once."""
    if name in NETWORKS:
        return kind_run(name)
    options = dict(_RUNS[name])
    options.setdefault("data", Moons(samples=80))
    options.setdefault("records", 12)
    return reference_run(**options)
