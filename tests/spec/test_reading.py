"""Documents become experiments, or are refused with the place and the reason."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gradsim.spec import (
    CURRENT_VERSION,
    Dense,
    Experiment,
    Network,
    Repeat,
    SpecError,
    checked,
    experiment_document,
    read_experiment,
)
from gradsim.spec import reading as reading_module
from gradsim.spec import versions as versions_module
from gradsim.spec.activation import LeakyRelu, Relu
from gradsim.spec.data import Inline, Moons
from gradsim.spec.initializer import HeNormal
from gradsim.spec.network import Normalization
from gradsim.spec.training import Adam, Sgd, Training
from tests.spec.strategies import experiments


def document(**parts: Any) -> dict[str, Any]:
    return {"gradsim": 1, **parts}


def layered(*layers: Any) -> dict[str, Any]:
    return document(network={"layers": list(layers)})


def inline(inputs: Any, targets: Any) -> dict[str, Any]:
    return document(data={"kind": "inline", "inputs": inputs, "targets": targets}, training={"loss": "mse"})


LAYER_KINDS = "dense, recurrent, normalization, activation, dropout, residual, repeat"


def nested_repeats(depth: int) -> Any:
    layer: Any = "dense"
    for _ in range(depth):
        layer = {"kind": "repeat", "times": 1, "layers": [layer]}
    return layer


def fault(wrong: object) -> SpecError:
    with pytest.raises(SpecError) as caught:
        read_experiment(wrong)
    return caught.value


FAULTS: dict[str, tuple[object, str]] = {
    "not an object": (3, "$: expected an experiment, which is an object, got 3"),
    "a list": ([], "$: expected an experiment, which is an object, got an empty list"),
    "no version": ({}, '$.gradsim: missing; an experiment begins with its version, "gradsim": 1'),
    "version of another type": (
        {"gradsim": "1"},
        '$.gradsim: expected the version, an integer from 1, got "1"',
    ),
    "version true": ({"gradsim": True}, "$.gradsim: expected the version, an integer from 1, got true"),
    "version zero": ({"gradsim": 0}, "$.gradsim: expected the version, an integer from 1, got 0"),
    "newer version": (
        {"gradsim": 7, "unheard": "of"},
        "$.gradsim: made by a newer GradSim: the document has version 7, this GradSim reads up to version 1",
    ),
    "misspelt key": (document(nam="x"), '$: unknown key "nam"; did you mean "name"?'),
    "strange key": (
        document(network={"head": {"units": 3}}),
        '$.network.head: unknown key "units"; known are normalization, activation, initializer, bias, '
        "bias_initializer, trainable, learning_rate_scale",
    ),
    "key that is a number": ({"gradsim": 1, 3: 4}, "$: expected keys of text, got the key 3"),
    "integer below": (
        layered("dense", "dense", {"kind": "dense", "units": 0}),
        "$.network.layers[2].units: expected an integer from 1 to 4096, got 0",
    ),
    "integer above": (
        layered({"kind": "dense", "units": 4097}),
        "$.network.layers[0].units: expected an integer from 1 to 4096, got 4097",
    ),
    "integer with a fraction": (
        layered({"kind": "dense", "units": 2.5}),
        "$.network.layers[0].units: expected an integer from 1 to 4096, got 2.5",
    ),
    "integer that is a truth value": (
        layered({"kind": "dense", "units": True}),
        "$.network.layers[0].units: expected an integer from 1 to 4096, got true",
    ),
    "integer of thousands of digits": (
        document(seed=10**5000),
        "$.seed: expected an integer from 0 to 9007199254740991, got an integer of more than 30 digits",
    ),
    "number that is infinite": (
        document(training={"optimizer": {"kind": "sgd", "learning_rate": math.inf}}),
        "$.training.optimizer.learning_rate: expected a number from 0 to 1000000, got infinity",
    ),
    "number that is NaN": (
        document(training={"optimizer": {"kind": "sgd", "learning_rate": math.nan}}),
        "$.training.optimizer.learning_rate: expected a number from 0 to 1000000, got NaN",
    ),
    "number at an open limit": (
        layered({"kind": "dense", "activation": {"kind": "elu", "alpha": 0}}),
        "$.network.layers[0].activation.alpha: expected a number above 0 and at most 100, got 0",
    ),
    "number that is text": (
        document(data={"kind": "moons", "noise": "0.1"}),
        '$.data.noise: expected a number from 0 to 10, got "0.1"',
    ),
    "second of a pair": (
        document(training={"optimizer": {"kind": "adam", "betas": [0.9, 1.0]}}),
        "$.training.optimizer.betas[1]: expected a number of at least 0 and below 1, got 1",
    ),
    "half a pair": (
        document(training={"optimizer": {"kind": "adam", "betas": [0.9]}}),
        "$.training.optimizer.betas: expected a list of 2 values, got a list of one value",
    ),
    "not a truth value": (
        layered({"kind": "dense", "bias": 0}),
        "$.network.layers[0].bias: expected true or false, got 0",
    ),
    "not a text": (document(name=None), "$.name: expected text of at most 200 characters, got null"),
    "long text": (
        document(name="x" * 201),
        f'$.name: expected text of at most 200 characters, got "{"x" * 60}…"',
    ),
    "text that no file can hold": (
        document(name="\ud800"),
        '$.name: expected text that UTF-8 can hold, got "\\ud800"',
    ),
    "name with a blank": (
        layered({"kind": "dense", "name": "my layer"}),
        "$.network.layers[0].name: expected at most 40 letters, digits and underscores that begin with a "
        'letter, got "my layer"',
    ),
    "name with a line feed": (
        layered({"kind": "dense", "name": "mine\n"}),
        "$.network.layers[0].name: expected at most 40 letters, digits and underscores that begin with a "
        'letter, got "mine\\n"',
    ),
    "misspelt choice": (
        document(precision="float46"),
        '$.precision: expected one of "bfloat16", "float16", "float32", "float64", got "float46"; did you mean '
        '"float64"?',
    ),
    "strange choice": (
        document(precision="decimal"),
        '$.precision: expected one of "bfloat16", "float16", "float32", "float64", got "decimal"',
    ),
    "choice of another type": (
        document(precision=32),
        '$.precision: expected one of "bfloat16", "float16", "float32", "float64", got 32',
    ),
    "misspelt kind": (
        layered({"kind": "dense", "activation": "rleu"}),
        '$.network.layers[0].activation.kind: unknown kind "rleu"; did you mean "relu"?',
    ),
    "strange kind": (
        layered("attention"),
        f'$.network.layers[0].kind: unknown kind "attention"; known are {LAYER_KINDS}',
    ),
    "kind that is a cell": (
        layered({"kind": "LSTM", "units": 4}),
        '$.network.layers[0].kind: unknown kind "LSTM"; that is a cell: {"kind": "recurrent", "cell": "lstm"}',
    ),
    "key of another library": (
        document(training={"optimizer": {"kind": "sgd", "lr": 0.1}}),
        '$.training.optimizer: unknown key "lr"; did you mean "learning_rate"?',
    ),
    "choice of another library": (
        document(training={"loss": "BCE"}),
        '$.training.loss: expected one of "binary_cross_entropy", "cross_entropy", "half_mse", "mse", "sse", '
        'got "BCE"; did you mean "binary_cross_entropy"?',
    ),
    "lesson": (
        {"gradsim_lesson": 1, "steps": []},
        '$: expected an experiment, got a lesson; "gradsim lessons check" reads it, and File ▸ Open lesson in the '
        "window",
    ),
    "no kind": (
        layered({"units": 3}),
        f"$.network.layers[0].kind: missing; expected one of {LAYER_KINDS}",
    ),
    "kind of another type": (
        layered({"kind": 1}),
        f"$.network.layers[0].kind: expected one of {LAYER_KINDS}, got 1",
    ),
    "number for a kind": (
        layered(3),
        f'$.network.layers[0]: expected an object with a key "kind" or one of the words {LAYER_KINDS}, got 3',
    ),
    "text for an object": (document(network="deep"), '$.network: expected an object, got "deep"'),
    "text for a list": (
        document(network={"layers": "dense"}),
        '$.network.layers: expected a list of 1 to 2000 values, got "dense"',
    ),
    "missing key": (
        layered("repeat"),
        "$.network.layers[0].layers: missing; expected a list of 1 to 2000 values",
    ),
    "empty network": (
        layered(),
        "$.network.layers: expected a list of 1 to 2000 values, got an empty list",
    ),
    "bias by a rule for matrices": (
        layered({"kind": "dense", "bias_initializer": "orthogonal"}),
        '$.network.layers[0].bias_initializer.kind: unknown kind "orthogonal"; known are variance_scaling, '
        "glorot_normal, glorot_uniform, xavier_normal, xavier_uniform, he_normal, he_uniform, "
        "kaiming_normal, kaiming_uniform, lecun_normal, lecun_uniform, pytorch_linear_default, zeros, ones, "
        "constant, normal, uniform",
    ),
    "parameters elsewhere": (
        document(parameters="../secret.npz"),
        "$.parameters: expected the name, without folders, of an .npz file beside the document, "
        'got "../secret.npz"',
    ),
    "class that is negative": (
        inline([[1], [2]], [0, -1]),
        "$.data.targets[1]: expected an integer from 0 to 4095 or a list of 1 to 4096 values, got -1",
    ),
    "class that is text": (
        inline([[1], [2]], [0, "cat"]),
        '$.data.targets[1]: expected an integer from 0 to 4095 or a list of 1 to 4096 values, got "cat"',
    ),
    "empty row": (
        inline([[]], [[1]]),
        "$.data.inputs[0]: expected a list of 1 to 4096 values, got an empty list",
    ),
    "NaN in a row": (
        inline([[1, 2], [3, math.nan]], [0, 1]),
        "$.data.inputs[1][1]: expected a number from -1e300 to 1e300, got NaN",
    ),
    "NaN in a target": (
        inline([[1], [2]], [[0], [math.nan]]),
        "$.data.targets[1][0]: expected a number from -1e300 to 1e300, got NaN",
    ),
    "repeats too deep": (
        layered(nested_repeats(40)),
        "$.network" + ".layers[0]" * 17 + ": expected at most 16 repeats inside one another, got more",
    ),
    "a Python object": (
        document(name={1, 2}),
        "$.name: expected text of at most 200 characters, got a Python set",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place_and_what_would_be_right(name: str) -> None:
    wrong, sentence = FAULTS[name]
    assert str(fault(wrong)) == sentence


def test_a_fault_knows_its_path_and_its_reason_apart() -> None:
    error = fault(layered({"kind": "dense", "units": 0}))
    assert error.path == "$.network.layers[0].units"
    assert error.reason == "expected an integer from 1 to 4096, got 0"


def test_a_bare_word_is_short_for_the_kind_with_its_defaults_wherever_a_kind_stands() -> None:
    read = read_experiment(
        document(
            data="moons",
            network={
                "layers": [
                    "dense",
                    {
                        "kind": "repeat",
                        "times": 3,
                        "layers": [{"kind": "dense", "activation": "leaky_relu", "initializer": "he_normal"}],
                    },
                ],
                "head": {"activation": "softmax"},
            },
            training={"optimizer": "adam", "schedule": "cosine", "clipping": "global_norm"},
        )
    )
    assert read.data == Moons()
    assert read.network.layers == (
        Dense(),
        Repeat(times=3, layers=(Dense(activation=LeakyRelu(), initializer=HeNormal()),)),
    )
    assert read.training.optimizer == Adam()


@pytest.mark.parametrize(
    ("word", "method"), [("batch", "batch"), ("layer", "layer"), ("rms", "rms"), ("normalization", "batch")]
)
def test_the_method_is_short_for_the_normalization_inside_a_dense_layer(word: str, method: Any) -> None:
    read = read_experiment(layered({"kind": "dense", "normalization": word}))
    assert read.network.layers == (Dense(normalization=Normalization(method=method)),)
    with pytest.raises(SpecError, match=r"normalization\.method: expected one of"):
        read_experiment(layered({"kind": "dense", "normalization": "bach"}))


def test_whole_numbers_written_with_a_point_are_integers_as_in_json_schema() -> None:
    read = read_experiment({"gradsim": 1.0, **layered({"kind": "dense", "units": 8.0})})
    assert repr(read.network.layers[0].units) == "8"
    assert read.version == 1


def test_integers_stand_for_reals() -> None:
    read = read_experiment(document(training={"optimizer": {"kind": "sgd", "learning_rate": 1}}))
    assert repr(read.training.optimizer) == repr(Sgd(learning_rate=1.0))


def test_reading_leaves_the_document_as_it_was() -> None:
    given_document = document(data="moons", network={"layers": ["dense", {"kind": "dense", "units": 8.0}]})
    before = copy.deepcopy(given_document)
    read_experiment(given_document)
    assert given_document == before


def test_the_shortest_document_is_the_default_experiment() -> None:
    assert read_experiment({"gradsim": 1}) == Experiment() == checked(Experiment())


def test_the_canonical_document_begins_with_the_version_and_writes_every_default_out() -> None:
    written = experiment_document(Experiment(network=Network(layers=(Dense(activation=Relu()),))))
    assert next(iter(written)) == "gradsim"
    assert written["network"]["layers"][0]["activation"] == {"kind": "relu", "slope_at_zero": 0.0}
    assert json.loads(json.dumps(written)) == written


@pytest.mark.parametrize(
    ("built", "path"),
    [
        (Experiment(seed=-1), "$.seed"),
        (Experiment(precision="float8"), "$.precision"),
        (Experiment(version=2), "$.gradsim"),
        (Experiment(network=Network(layers=())), "$.network.layers"),
        (Experiment(network=Network(layers=(Dense(units=0),))), "$.network.layers[0].units"),
        (
            Experiment(network=Network(layers=(Dense(activation="relu6x"),))),
            "$.network.layers[0].activation.kind",
        ),
        (Experiment(data=None), "$.data"),
        (
            Experiment(training=Training(optimizer=Sgd(learning_rate=math.nan))),
            "$.training.optimizer.learning_rate",
        ),
    ],
)
def test_an_experiment_built_in_python_goes_through_the_same_checks(built: Experiment, path: str) -> None:
    with pytest.raises(SpecError) as caught:
        checked(built)
    assert caught.value.path == path


def test_numbers_of_numpy_become_plain_ones_in_an_experiment_built_in_python() -> None:
    numpy = pytest.importorskip("numpy")
    built = Experiment(
        seed=numpy.int64(3),
        data=Inline(inputs=numpy.array([[0.0], [1.0]]), targets=numpy.array([0, 1])),
        network=Network(layers=(Dense(units=numpy.int32(5)),)),
        training=Training(optimizer=Sgd(learning_rate=numpy.float64(0.5))),
    )
    plain = checked(built)
    assert repr(plain.data.inputs) == "((0.0,), (1.0,))"
    assert repr(plain.network.layers[0].units) == "5"
    assert repr(plain.training.optimizer.learning_rate) == "0.5"


def test_repeats_nested_beyond_python_s_own_stack_are_refused_in_python_too() -> None:
    layer: Any = Dense()
    for _ in range(5000):
        layer = Repeat(layers=(layer,))
    with pytest.raises(SpecError, match="nested"):
        checked(Experiment(network=Network(layers=(layer,))))


def test_a_list_that_holds_itself_is_refused() -> None:
    layers: list[Any] = []
    layers.append({"kind": "repeat", "layers": layers})
    assert "inside one another" in fault(document(network={"layers": layers})).reason


def test_a_fault_that_only_msgspec_sees_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "plain_value", lambda kind, value, path: {"gradsim": 1, "seed": "x"})
    assert "seed" in fault(document()).reason


class TestVersions:
    @pytest.fixture(autouse=True)
    def _the_present_version_is_3(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def from_1(old: dict[str, Any]) -> dict[str, Any]:
            old["name"] = old.pop("title")
            return old

        def from_2(old: dict[str, Any]) -> dict[str, Any]:
            old["seed"] = old["random"]["seed"]
            del old["random"]
            return old

        monkeypatch.setattr(versions_module, "CURRENT_VERSION", 3)
        monkeypatch.setattr(versions_module, "MIGRATIONS", {1: from_1, 2: from_2})

    def test_an_older_document_migrates_version_by_version(self) -> None:
        old = {"gradsim": 1, "title": "Old", "random": {"seed": 5}}
        read = read_experiment(old)
        assert (read.version, read.name, read.seed) == (3, "Old", 5)
        assert old == {"gradsim": 1, "title": "Old", "random": {"seed": 5}}

    def test_a_migration_starts_at_the_document_s_own_version(self) -> None:
        assert read_experiment({"gradsim": 2, "name": "Newer", "random": {"seed": 6}}).name == "Newer"

    def test_a_document_that_only_claims_to_be_old_is_refused(self) -> None:
        assert fault({"gradsim": 2, "random": 3}).reason.startswith("not a document of version 2")

    def test_a_version_without_a_migration_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(versions_module, "MIGRATIONS", {})
        assert str(fault({"gradsim": 2})) == (
            "$.gradsim: version 2 is no longer read; this GradSim writes version 3"
        )


def test_each_older_version_has_its_migration() -> None:
    assert sorted(versions_module.MIGRATIONS) == list(range(1, CURRENT_VERSION))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["dense", "repeat", "relu", "softmax", "inline", "adam", "none", "float64"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(["kind", "layers", "units", "head"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


def outcome(any_document: object) -> Experiment | SpecError:
    try:
        return read_experiment(any_document)
    except SpecError as error:
        return error


def loads_or_is_refused(any_document: object) -> None:
    read = outcome(any_document)
    if isinstance(read, Experiment):
        event("loads")
        assert repr(read_experiment(experiment_document(read))) == repr(read)
    else:
        event("is refused")
        assert read.path.startswith("$")
        assert len(str(read).encode()) < 3000  # it can be printed, and it is one sentence


@given(
    JSON_VALUES
    | st.fixed_dictionaries(
        {"gradsim": st.just(1)},
        optional={
            "name": JSON_VALUES,
            "seed": JSON_VALUES,
            "precision": JSON_VALUES,
            "data": JSON_VALUES,
            "network": JSON_VALUES,
            "training": JSON_VALUES,
            "parameters": JSON_VALUES,
        },
    )
)
def test_any_json_loads_and_round_trips_or_is_refused(any_document: object) -> None:
    loads_or_is_refused(any_document)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key or index in a document."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in [(value, key), *places(value[key])]]


def nudged(value: Any) -> st.SearchStrategy[Any]:
    """Another value of the same type, which may well be a valid one."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.integers(0, 5000)
        case float():
            return st.floats(0.0, 1.0)
        case dict():
            return st.sampled_from([value, value.get("kind", value)])
        case _:
            return st.just(value)


@given(experiments(max_depth=4), st.data())
def test_a_valid_document_with_something_changed_loads_or_is_refused(
    experiment: Experiment, data: st.DataObject
) -> None:
    changed = experiment_document(experiment)
    for _ in range(data.draw(st.integers(1, 2))):
        found = places(changed)
        container, key = data.draw(st.sampled_from(found))
        match data.draw(st.sampled_from(["nudge", "nudge", "remove", "replace", "add", "move"])):
            case "nudge":
                container[key] = data.draw(nudged(container[key]))
            case "remove":
                del container[key]
            case "replace":
                container[key] = data.draw(JSON_VALUES)
            case "add" if isinstance(container, dict):
                container[data.draw(st.text(max_size=5))] = data.draw(JSON_VALUES)
            case "add":
                container.insert(key, data.draw(JSON_VALUES))
            case "move":
                other, there = data.draw(st.sampled_from(found))
                container[key] = copy.deepcopy(other[there])
    loads_or_is_refused(changed)


@given(experiments(max_depth=6, wide=True))
def test_every_valid_experiment_round_trips_bit_for_bit(experiment: Experiment) -> None:
    read = read_experiment(experiment_document(experiment))
    assert repr(read) == repr(experiment)
    assert read == experiment
    assert hash(read) == hash(experiment)
