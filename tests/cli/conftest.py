"""Small experiments as files."""

import pytest

from gradsim import formats
from gradsim.spec import Dense, Experiment, Head, Network, Recurrent, Training
from gradsim.spec.activation import Linear, Relu, Tanh
from gradsim.spec.data import Adding, Moons
from gradsim.spec.initializer import GlorotNormal, Normal
from gradsim.spec.training import Sgd

SMALL = Experiment(
    name="Small moons",
    seed=3,
    data=Moons(samples=60),
    network=Network(layers=(Dense(units=5, activation=Tanh(), initializer=GlorotNormal()),) * 3),
    training=Training(optimizer=Sgd(learning_rate=0.5), batch_size=12),
)
SEQUENCES = Experiment(
    name="Small sequences",
    data=Adding(samples=40, steps=6),
    network=Network(layers=(Recurrent(units=4),), head=Head(activation=Linear())),
    training=Training(loss="mse", batch_size=10),
)
BROKEN = Experiment(
    name="Broken",
    data=Moons(samples=60, validation=0.0),
    network=Network(
        layers=(Dense(units=5, activation=Relu(), initializer=Normal(std=1e6)),) * 10, head=Head()
    ),
    training=Training(batch_size=12),
)


@pytest.fixture(scope="session")
def compiled():
    from gradsim.engine import prepare

    prepare("float32")


@pytest.fixture
def small(tmp_path, compiled):
    path = tmp_path / "small.gradsim.json"
    formats.save(SMALL, path)
    return str(path)


@pytest.fixture
def sequences(tmp_path, compiled):
    path = tmp_path / "sequences.gradsim.json"
    formats.save(SEQUENCES, path)
    return str(path)


@pytest.fixture
def broken(tmp_path, compiled):
    path = tmp_path / "broken.gradsim.json"
    formats.save(BROKEN, path)
    return str(path)
