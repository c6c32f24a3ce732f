"""What happened: frozen records of read-only arrays. Nothing here computes a pass."""

from gradsim.trace.history import History
from gradsim.trace.iteration import (
    PARAMETER_TENSORS,
    PHASES,
    IterationTrace,
    LayerTrace,
    Phase,
    Rounding,
    Step,
)
from gradsim.trace.run import Cursor, DecisionMap, Run
from gradsim.trace.samples import SampleSet, Task
from gradsim.trace.statistics import (
    COUNTS,
    HISTOGRAM_BINS,
    HISTOGRAM_HIGHEST,
    HISTOGRAM_LOWEST,
    TENSORS,
    VALUES,
    TensorStatistics,
    histogram_edges_log10,
)

__all__ = [
    "COUNTS",
    "HISTOGRAM_BINS",
    "HISTOGRAM_HIGHEST",
    "HISTOGRAM_LOWEST",
    "PARAMETER_TENSORS",
    "PHASES",
    "TENSORS",
    "VALUES",
    "Cursor",
    "DecisionMap",
    "History",
    "IterationTrace",
    "LayerTrace",
    "Phase",
    "Rounding",
    "Run",
    "SampleSet",
    "Step",
    "Task",
    "TensorStatistics",
    "histogram_edges_log10",
]
