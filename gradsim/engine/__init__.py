"""Makes traces: the one compiled machine that runs every network. The only home of numba."""

import scipy.linalg.blas as _blas  # noqa: F401 - numba loads this library late; the limit below must find it
from threadpoolctl import threadpool_limits

# Two threads inside a matrix product stall each other by 10 to 500 times as soon as anything else runs.
threadpool_limits(1)

from gradsim.engine.initializers import calculate_gain, variance_scaling  # noqa: E402
from gradsim.engine.moment import Evaluation  # noqa: E402
from gradsim.engine.preparation import is_prepared, prepare  # noqa: E402
from gradsim.engine.ready_network import needed_bytes  # noqa: E402
from gradsim.engine.simulator import Simulator  # noqa: E402

__all__ = [
    "Evaluation",
    "Simulator",
    "calculate_gain",
    "is_prepared",
    "needed_bytes",
    "prepare",
    "variance_scaling",
]
