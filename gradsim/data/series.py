"""Real time series that come with GradSim. Their origin and licence stand in ``resources/data/README.md``."""

from __future__ import annotations

import gzip

import numpy as np

from gradsim.data.raw import RawSamples
from gradsim.resource_files import resource_path
from gradsim.spec.data import Sunspots

_UNIT = "sunspot number (yearly mean)"


def sunspots(spec: Sunspots, random: np.random.Generator) -> RawSamples:
    """Return windows of the yearly sunspot numbers from 1700 to 2008, each with the year after it.

    Parameters
    ----------
    spec : Sunspots
        How many years a window has.
    random : numpy.random.Generator
        Not used: nothing is drawn, and the windows stay in the order of time.

    Returns
    -------
    RawSamples
        One feature, the sunspot number; target the next one; ``309 - steps`` windows.
    """
    with gzip.open(resource_path("data", "sunspots.csv.gz"), "rt", encoding="utf-8") as file:
        number = np.loadtxt(file, delimiter=",", skiprows=1, usecols=1, dtype=np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(number[:-1], spec.steps)
    return RawSamples(
        inputs=np.ascontiguousarray(windows)[..., None],
        feature_names=(_UNIT,),
        output_names=("next year",),
        title="Sunspots since 1700",
        origin="NOAA National Geophysical Data Center, yearly 1700–2008, public domain",
        numbers=number[spec.steps :, None],
        is_series=True,
    )
