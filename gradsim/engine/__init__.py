"""Makes traces: the one compiled machine that runs every network. The only home of numba."""

from threadpoolctl import threadpool_limits

from gradsim.engine.matrix_library import load_matrix_library

load_matrix_library()  # numba loads it late; the limit must find it
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
