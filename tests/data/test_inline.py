import math

import numpy as np
import pytest

from gradsim.data.inline import inline
from gradsim.spec import SpecError
from gradsim.spec.data import Inline

TWO = ((0.0, 1.0), (2.0, 3.0))


def raw(inputs, targets):
    return inline(Inline(inputs=inputs, targets=targets), np.random.default_rng(0))


def test_rows_keep_their_order():
    assert raw(TWO, (1, 0)).inputs.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert raw(TWO, (1, 0)).classes.tolist() == [1, 0]


def test_rows_of_numbers_are_a_regression():
    own = raw(TWO, ((0.5,), (1.5,)))
    assert own.classes is None
    assert own.numbers.tolist() == [[0.5], [1.5]]
    assert own.feature_names == ("x1", "x2")
    assert own.output_names == ("y1",)


@pytest.mark.parametrize(
    ("inputs", "targets", "path", "words"),
    [
        ((), (), "$.data.inputs", "at least one number"),
        (((),), (0,), "$.data.inputs[0]", "at least one number"),
        (((0.0, 1.0), (2.0,)), (0, 1), "$.data.inputs[1]", "as long as row 0, 2, got 1"),
        (((0.0,), (math.nan,)), (0, 1), "$.data.inputs[1][0]", "finite number, got nan"),
        (((0.0, -math.inf), (1.0, 2.0)), (0, 1), "$.data.inputs[0][1]", "finite number, got -inf"),
        (TWO, (0,), "$.data.targets", "as many targets as rows of inputs, 2, got 1"),
        (TWO, (0, 0), "$.data.targets", "at least two classes, got only class 0"),
        (TWO, (0, 2), "$.data.targets[1]", "got 2"),
        (TWO, (0, -1), "$.data.targets[1]", "got -1"),
        (TWO, (0, 10**12), "$.data.targets[1]", "got 1000000000000"),
        ((*TWO, (4.0, 5.0)), (0, 2, 2), "$.data.targets", "none of class 1"),
        (TWO, (0, (1.0,)), "$.data.targets[1]", "class number as before"),
        (TWO, ((1.0,), 0), "$.data.targets[1]", "row of numbers as before"),
        (TWO, ((1.0,), (1.0, 2.0)), "$.data.targets[1]", "as long as row 0, 1, got 2"),
        (TWO, ((1.0,), (math.inf,)), "$.data.targets[1][0]", "finite number, got inf"),
    ],
)
def test_wrong_tables_are_refused_by_row_and_column(inputs, targets, path, words):
    with pytest.raises(SpecError) as caught:
        raw(inputs, targets)
    assert caught.value.path == path
    assert words in caught.value.reason
