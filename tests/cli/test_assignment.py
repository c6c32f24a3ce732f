"""--set path=value."""

import pytest

from gradsim.cli.assignment import experiment_with
from gradsim.spec import Dense, Experiment, Network, Repeat, SpecError, kind_of
from gradsim.spec.training import Adam, Momentum

EXPERIMENT = Experiment(
    name="Start",
    network=Network(layers=(Dense(units=8), Repeat(times=3, layers=(Dense(units=4), Dense(units=5))))),
)


def test_without_assignments_the_experiment_is_the_same():
    assert experiment_with(EXPERIMENT, []) is EXPERIMENT


@pytest.mark.parametrize(
    ("assignment", "read"),
    [
        ("network.layers[0].units=32", lambda e: e.network.layers[0].units == 32),
        ("$.network.layers[0].units=32", lambda e: e.network.layers[0].units == 32),
        ("training.optimizer.learning_rate=1e-3", lambda e: e.training.optimizer.learning_rate == 1e-3),
        (
            "network.layers[1].layers[0].activation=relu",
            lambda e: kind_of(e.network.layers[1].layers[0].activation) == "relu",
        ),
        (
            "network.layers[1].layers[*].activation=relu",
            lambda e: {kind_of(layer.activation) for layer in e.network.layers[1].layers} == {"relu"},
        ),
        ("network.layers[1].times=30", lambda e: e.network.layers[1].times == 30),
        ("training.optimizer=adam", lambda e: e.training.optimizer == Adam()),
        ("training.optimizer.kind=momentum", lambda e: e.training.optimizer == Momentum()),
        ('training.optimizer={"kind": "adam", "eps": 0.5}', lambda e: e.training.optimizer == Adam(eps=0.5)),
        ("name=Straight = good", lambda e: e.name == "Straight = good"),
        ('name="5"', lambda e: e.name == "5"),
        ('network.layers=[{"kind": "dense"}]', lambda e: e.network.layers == (Dense(),)),
        ("seed=9007199254740991", lambda e: e.seed == 2**53 - 1),
    ],
)
def test_a_value_is_changed_at_its_path(assignment, read):
    changed = experiment_with(EXPERIMENT, [assignment])
    assert read(changed)
    assert changed != EXPERIMENT


def test_assignments_are_made_one_after_the_other_and_checked_together():
    changed = experiment_with(
        EXPERIMENT,
        [
            "network.head.activation=sigmoid",
            "data=moons",
            "training.loss=binary_cross_entropy",
            "training.optimizer=adam",
            "training.optimizer.eps=0.5",
        ],
    )
    assert changed.training.optimizer == Adam(eps=0.5)
    assert changed.training.loss == "binary_cross_entropy"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("network.layers[2].units=3", r"^\$\.network\.layers: expected an index from 0 to 1, got 2$"),
        ("network.layers[0].units=0", r"^\$\.network\.layers\[0\]\.units: expected .* got 0$"),
        ("network.layer[0].units=3", r"^\$\.network\.layer: no such key; there are "),
        (
            "network.layers.units=3",
            r"^\$\.network\.layers: expected an object to look up 'units' in, got a list",
        ),
        ("network[0]=3", r"^\$\.network: expected a list to look up \[0\] in, got an object"),
        ("seed.value=3", r"^\$\.seed: expected an object to look up 'value' in, got 0"),
        ("network.layers[0].unit=3", r"^\$\.network\.layers\[0\]"),
        ("training.optimizer.learning_rate=NaN", r"^\$\.training\.optimizer\.learning_rate: "),
        ("network.layers[0].activation=rellu", r"^\$\.network\.layers\[0\]\.activation"),
        ("seed", "^--set: expected path=value, got 'seed'$"),
        ("=3", "^--set: expected a path such as"),
        ("network.layers[-1].units=3", "^--set: expected a path such as"),
        ("network layers=3", "^--set: expected a path such as"),
    ],
)
def test_a_wrong_assignment_is_one_sentence_with_the_place(assignment, message):
    with pytest.raises(SpecError, match=message):
        experiment_with(EXPERIMENT, [assignment])


def test_a_value_nested_beyond_reason_is_a_sentence_too():
    with pytest.raises(SpecError):
        experiment_with(EXPERIMENT, ["name=" + "[" * 100_000])
