"""The line of status."""

import pytest

from gradsim.app.status import parameter_count
from tests.kind_runs import kind_run


@pytest.mark.parametrize(
    ("name", "count"),
    [
        # 5→8, 8→8 twice, 8→3 with biases; γ and β of the input and of three layers
        ("batch normalization", 5 * 8 + 8 + 2 * (8 * 8 + 8) + 8 * 3 + 3 + 2 * 5 + 3 * 2 * 8),
        ("residual without weights", 5 * 8 + 8 + 8 * 3 + 3),
        # input, recurrent weights and bias of 4 gates, twice; dense 4→6; head 6→2
        ("lstm", 4 * (3 * 5 + 5 * 5 + 5) + 4 * (5 * 4 + 4 * 4 + 4) + 4 * 6 + 6 + 6 * 2 + 2),
    ],
)
def test_every_trained_number_is_counted_once(name, count):
    assert parameter_count(kind_run(name).trace) == count
