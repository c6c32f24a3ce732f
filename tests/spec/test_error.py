"""The one error."""

import pickle

from gradsim.spec import SpecError


def test_an_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(SpecError("$.seed", "expected: an integer")))
    assert (error.path, error.reason) == ("$.seed", "expected: an integer")
    assert str(error) == "$.seed: expected: an integer"
