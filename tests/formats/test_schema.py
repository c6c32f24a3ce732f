"""The JSON Schema says what reading says."""

import json
from typing import Any

import pytest
from hypothesis import given

from gradsim.formats import schema
from gradsim.resource_files import resource_path
from gradsim.spec import Experiment, experiment_document
from tests.formats.json_schema import is_valid
from tests.spec import test_reading as reading
from tests.spec.strategies import experiments

SCHEMA = schema()
EXAMPLES = sorted(resource_path("experiments").glob("*.gradsim.json"))

# What a schema can not say: how deep repeats nest, and that text must have an encoding.
BEYOND_A_SCHEMA = {"repeats too deep", "text that no file can hold"}
# What no JSON holds: these come from Python only.
NO_JSON = {"key that is a number", "a Python object", "number that is NaN", "NaN in a row", "NaN in a target"}


def is_experiment(document: Any) -> bool:
    return is_valid(document, SCHEMA, SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_schema_accepts_every_example(path: Any) -> None:
    assert is_experiment(json.loads(path.read_text()))


@given(experiments(max_depth=4, wide=True))
def test_the_schema_accepts_every_experiment(experiment: Experiment) -> None:
    assert is_experiment(experiment_document(experiment))


@pytest.mark.parametrize("name", [name for name in reading.FAULTS if name not in BEYOND_A_SCHEMA | NO_JSON])
def test_the_schema_refuses_what_reading_refuses(name: str) -> None:
    assert not is_experiment(reading.FAULTS[name][0])


def test_the_schema_knows_the_bare_words_of_kinds_that_need_nothing_more() -> None:
    assert is_experiment({"gradsim": 1, "data": "moons", "network": {"layers": ["dense"]}})
    assert not is_experiment({"gradsim": 1, "data": "inline"})
    for word, known in {"normalization": True, "layer": True, "rms": True, "group": False}.items():
        layer = {"kind": "dense", "normalization": word}
        assert is_experiment({"gradsim": 1, "network": {"layers": [layer]}}) is known
    assert not is_experiment({"gradsim": 1, "network": {"layers": ["repeat"]}})


def test_the_schema_explains_itself_and_has_no_address_of_its_own() -> None:
    assert SCHEMA["title"] == "GradSim experiment"
    assert "description" in SCHEMA
    assert "$id" not in json.dumps(SCHEMA)
    assert SCHEMA["$defs"]["Dense"]["properties"]["units"]["maximum"] == 4096


def test_each_call_returns_a_schema_of_its_own() -> None:
    schema()["$defs"].clear()
    assert schema() == SCHEMA
