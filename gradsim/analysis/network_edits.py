"""Walking through the layers of an experiment to change them, repeats and branches included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from gradsim.spec import Dense, Experiment, Layer, Network, Recurrent, Repeat, Residual, unrolled_layers


def with_network(experiment: Experiment, network: Network) -> Experiment:
    """Return an experiment with another network; parameters from a file are left behind, for they fit only theirs."""
    return replace(experiment, network=network, parameters=None)


def with_training(experiment: Experiment, **fields: Any) -> Experiment:
    """Return an experiment with other settings of the training."""
    return replace(experiment, training=replace(experiment.training, **fields))


def with_layers(experiment: Experiment, change: Callable[[Layer], Layer]) -> Experiment:
    """Return an experiment whose layers before the head are changed one by one, the innermost first."""
    network = experiment.network
    return with_network(experiment, replace(network, layers=_changed(network.layers, change)))


def with_dense(experiment: Experiment, change: Callable[[Dense], Dense]) -> Experiment:
    """Return an experiment whose dense layers before the head are changed one by one."""
    return with_layers(experiment, lambda layer: change(layer) if isinstance(layer, Dense) else layer)


def with_recurrent(experiment: Experiment, change: Callable[[Recurrent], Recurrent]) -> Experiment:
    """Return an experiment whose recurrent layers are changed one by one."""
    return with_layers(experiment, lambda layer: change(layer) if isinstance(layer, Recurrent) else layer)


def with_blocks(experiment: Experiment, block: Callable[[Dense, int], Residual]) -> tuple[Experiment, int]:
    """Return an experiment whose dense layers get a skip wherever the width stays; and how many did.

    ``block`` makes a residual of a layer, told how many there will be. What is in a residual already stays.
    """
    network = experiment.network
    marked = _Skips(lambda layer: Residual(layers=(layer,))).wrapped(network.layers, None)[0]
    count = _residuals(replace(network, layers=marked)) - _residuals(network)
    if not count:
        return experiment, 0
    layers = _Skips(lambda layer: block(layer, count)).wrapped(network.layers, None)[0]
    return with_network(experiment, replace(network, layers=layers)), count


def halved(experiment: Experiment) -> Experiment | None:
    """Return an experiment with half as many hidden layers, rounded up; None where none can be left out.

    Repeats run half as often; where there is none, every second of neighbouring layers that are equal goes.
    """
    layers = _halved(experiment.network.layers)
    if layers == experiment.network.layers:
        return None
    return with_network(experiment, replace(experiment.network, layers=layers))


def _changed(layers: tuple[Layer, ...], change: Callable[[Layer], Layer]) -> tuple[Layer, ...]:
    return tuple(
        change(
            replace(layer, layers=_changed(layer.layers, change))
            if isinstance(layer, Repeat | Residual)
            else layer
        )
        for layer in layers
    )


def _residuals(network: Network) -> int:
    return sum(isinstance(placed.layer, Residual) for placed in unrolled_layers(network))


class _Skips:
    """Puts a skip round each dense layer that keeps the width."""

    def __init__(self, block: Callable[[Dense], Layer]) -> None:
        self.block = block

    def wrapped(self, layers: tuple[Layer, ...], width: int | None) -> tuple[tuple[Layer, ...], int | None]:
        """Return layers with skips, and the width behind them; ``width`` is that before, None if unknown."""
        out: list[Layer] = []
        for layer in layers:
            new: Layer = layer
            if isinstance(layer, Dense):
                new = self.block(layer) if layer.units == width else layer
                width = layer.units
            elif isinstance(layer, Recurrent):
                width = layer.units
            elif isinstance(layer, Repeat):
                out.extend(self._repeated(layer, width))
                width = self.wrapped(layer.layers, width)[1]
                continue
            elif isinstance(layer, Residual):
                width = self.wrapped(layer.layers, width)[1]
            out.append(new)
        return tuple(out), width

    def _repeated(self, repeat: Repeat, width: int | None) -> list[Layer]:
        """Return a repeat whose first round may begin with another width than the others."""
        first, behind = self.wrapped(repeat.layers, width)
        rest, _ = self.wrapped(repeat.layers, behind)
        if first == rest:
            return [replace(repeat, layers=rest)]
        others: list[Layer] = (
            [replace(repeat, layers=rest, times=repeat.times - 1)] if repeat.times > 1 else []
        )
        return [*first, *others]


def _halved(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    out: list[Layer] = []
    dropped = True
    for layer in layers:
        if isinstance(layer, Repeat) and layer.times > 1:
            out.append(replace(layer, times=-(-layer.times // 2)))
            dropped = True
        elif out and layer == out[-1] and not dropped:
            dropped = True
        else:
            out.append(layer)
            dropped = False
    return tuple(out)
