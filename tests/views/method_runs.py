"""Small real runs by other ways to the weights and in narrow formats, as the views get them."""

from __future__ import annotations

from functools import cache
from typing import Any

from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Training, checked
from gradsim.spec.activation import Sigmoid, Softmax
from gradsim.spec.data import Moons
from gradsim.spec.method import Evolution, FixedLossScale, Pretraining
from gradsim.spec.training import Sgd
from gradsim.trace import Run

SETTINGS: dict[str, dict[str, Any]] = {
    "pretraining": {"method": Pretraining(iterations=10, learning_rate=0.2)},
    "evolution": {"method": Evolution(population=12)},
    "float16": {"precision": "float16", "layers": 14},  # deep enough for gradients below 6e-8
    "scaled": {"precision": "float16", "loss_scale": FixedLossScale(scale=1024.0)},
    "bfloat16": {"precision": "bfloat16"},
    "plain": {},
}


@cache
def method_run(name: str, iterations: int = 15, layers: int | None = None) -> Run:
    """Return a run of a deep sigmoid net at an iteration."""
    settings = dict(SETTINGS[name])
    precision, layers = settings.pop("precision", "float32"), settings.pop("layers", layers or 8)
    training = Training(batch_size=16, optimizer=Sgd(learning_rate=0.3), **settings)
    dense = Dense(units=6, activation=Sigmoid())
    experiment = checked(
        Experiment(
            precision=precision,
            seed=3,
            data=Moons(samples=80),
            network=Network(layers=(dense,) * layers, head=Head(activation=Softmax())),
            training=training,
        )
    )
    simulator = Simulator(experiment)
    simulator.advance(iterations)
    return Run(
        label=name,
        experiment=experiment,
        samples=simulator.samples,
        trace=simulator.record(),
        ghost=None,
        history=simulator.history(),
    )
