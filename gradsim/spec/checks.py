"""Rules that join several fields of an experiment: each is one small function in the table ``CHECKS``.

What one field alone may be is written in the structs; what depends on the samples themselves, such as
constant columns, is checked where they are made, and what depends on memory where it is allocated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from gradsim.spec.activation import Activation, Rrelu, Sigmoid, Softmax
from gradsim.spec.data import Checkerboard, Circles, Gaussians, Inline, Spirals, Task
from gradsim.spec.error import SpecError
from gradsim.spec.experiment import Experiment
from gradsim.spec.layout import PlacedLayer, placed_layers, unrolled_layers
from gradsim.spec.method import Evolution, Pretraining
from gradsim.spec.network import (
    MAX_UNITS,
    ActivationLayer,
    Dense,
    Head,
    Layer,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
)
from gradsim.spec.struct import kind_of


def task(experiment: Experiment) -> Task:
    """Return what the data of an experiment ask for.

    Parameters
    ----------
    experiment : Experiment
        Any checked experiment.

    Returns
    -------
    {"classification", "regression"}
        Classification where the targets are classes.
    """
    data = experiment.data
    if isinstance(data, Inline):
        return "classification" if isinstance(data.targets[0], int) else "regression"
    return data.task


def check_experiment(experiment: Experiment) -> None:
    """Refuse an experiment whose parts do not fit each other.

    Parameters
    ----------
    experiment : Experiment
        Each field within its own limits; for one built in Python use ``checked``, which tests those too.

    Raises
    ------
    SpecError
        With the path and the reason of the first fault.
    """
    for check in CHECKS:
        check(experiment)


def _check_layers(experiment: Experiment) -> None:
    if not experiment.network.layers:
        raise SpecError("$.network.layers", "expected at least one layer before the head, got an empty list")
    unrolled_layers(experiment.network)
    for path, layer in _inside(experiment.network.layers, "$.network.layers"):
        if isinstance(layer, Dense | ActivationLayer):
            _check_activation(layer.activation, f"{path}.activation")
        _check_normalization(experiment, layer, path)
    _check_activation(experiment.network.head.activation, "$.network.head.activation")
    _check_normalization(experiment, experiment.network.head, "$.network.head")


def _inside(layers: tuple[Layer, ...], path: str) -> list[tuple[str, Layer]]:
    """Every layer with its path, those inside repeats and residuals too."""
    found: list[tuple[str, Layer]] = []
    for index, layer in enumerate(layers):
        here = f"{path}[{index}]"
        found.append((here, layer))
        if isinstance(layer, Repeat | Residual):
            found += _inside(layer.layers, f"{here}.layers")
    return found


def _check_time(experiment: Experiment) -> None:
    """Time steps go in with the samples, through recurrent layers alone, and out as the targets have them."""
    data = experiment.data
    placed = placed_layers(experiment.network)
    recurrent = [layer for layer in unrolled_layers(experiment.network) if isinstance(layer.layer, Recurrent)]
    if not data.is_sequence:
        if recurrent:
            raise SpecError(
                recurrent[0].path,
                f"expected no recurrent layer, because the data {kind_of(data)} have no time steps, got one",
            )
        return
    if not recurrent:
        raise SpecError(
            "$.network.layers",
            f"expected a recurrent layer, because the data {kind_of(data)} are sequences, got none",
        )
    _check_branches(placed)
    if data.answers_every_step:
        reason = f"because the data {kind_of(data)} have a target at every step"
        _check_every_step(recurrent, reason)
    else:
        _check_last_step(placed, f"because the data {kind_of(data)} have one target per sequence")


def _check_branches(placed: tuple[PlacedLayer, ...]) -> None:
    for layer in placed:
        inside = [inner for inner in layer.branch if isinstance(inner.layer, Recurrent)]
        _check_every_step(inside, "because the residual adds its branch step by step")
        _check_branches(layer.branch)


def _check_every_step(recurrent: list[PlacedLayer], reason: str) -> None:
    for path, layer in ((placed.path, placed.layer) for placed in recurrent):
        if isinstance(layer, Recurrent) and not layer.return_sequences:
            raise SpecError(f"{path}.return_sequences", f"expected true, {reason}, got false")


def _check_last_step(placed: tuple[PlacedLayer, ...], reason: str) -> None:
    through_time = [
        layer for layer in placed if isinstance(layer.layer, Recurrent) or _holds_recurrent(layer)
    ]
    *before, last = through_time
    needed = f"recurrent layer that hands on only its last step, {reason}, got none"
    if not isinstance(last.layer, Recurrent):
        raise SpecError(last.path, f"expected after this residual a {needed}")
    if Counter(layer.path for layer in before)[last.path]:
        raise SpecError(last.path, f"expected after the repeats of this layer a {needed}")
    _check_every_step(before, "because the recurrent layers after it need every step")
    if last.layer.return_sequences:
        raise SpecError(f"{last.path}.return_sequences", f"expected false, {reason}, got true")


def _holds_recurrent(placed: PlacedLayer) -> bool:
    return any(isinstance(layer.layer, Recurrent) or _holds_recurrent(layer) for layer in placed.branch)


def _check_normalization(experiment: Experiment, layer: Layer | Head, path: str) -> None:
    method = None
    if isinstance(layer, Normalization):
        method, here = layer.method, f"{path}.method"
    elif isinstance(layer, Dense | Head) and layer.normalization is not None:
        method, here = layer.normalization.method, f"{path}.normalization.method"
    if method == "batch" and experiment.training.batch_size == 1:
        raise SpecError(here, "expected layer or rms, because a batch of 1 has no variance, got batch")


def _check_activation(activation: Activation, path: str) -> None:
    if isinstance(activation, Rrelu) and activation.lower > activation.upper:
        raise SpecError(
            f"{path}.lower",
            f"expected at most the highest slope {activation.upper!r}, got {activation.lower!r}",
        )


HEAD_OF_LOSS: dict[str, type[Softmax] | type[Sigmoid]] = {
    "cross_entropy": Softmax,
    "binary_cross_entropy": Sigmoid,
}
"""Losses that compare with classes, each computed together with its own head from the logits."""


def _check_loss(experiment: Experiment) -> None:
    loss = experiment.training.loss
    if loss not in HEAD_OF_LOSS:
        return
    if task(experiment) != "classification":
        raise SpecError(
            "$.training.loss",
            f"expected mse, half_mse or sse, because the targets of the data "
            f"{kind_of(experiment.data)} are numbers and not classes, got {loss}",
        )
    head = experiment.network.head.activation
    if not isinstance(head, HEAD_OF_LOSS[loss]):
        needed = str(HEAD_OF_LOSS[loss].__struct_config__.tag)
        raise SpecError(
            "$.network.head.activation",
            f"expected {needed}, which the loss {loss} is computed with, got {kind_of(head)}",
        )


def _check_classes(experiment: Experiment) -> None:
    data = experiment.data
    if isinstance(data, Circles | Spirals | Gaussians | Checkerboard) and data.samples < data.classes:
        raise SpecError(
            "$.data.samples",
            f"expected at least one sample for each of the {data.classes} classes, got {data.samples}",
        )
    # The colour of a square is (row + column) mod classes, so a board has at most 2 · squares − 1 colours.
    if isinstance(data, Checkerboard) and data.classes > 2 * data.squares - 1:
        raise SpecError(
            "$.data.classes",
            f"expected at most {2 * data.squares - 1} classes on a board of {data.squares} × {data.squares} "
            f"squares, got {data.classes}",
        )


def _check_inline(experiment: Experiment) -> None:
    data = experiment.data
    if not isinstance(data, Inline):
        return
    _check_widths(data.inputs, "$.data.inputs")
    if len(data.targets) != len(data.inputs):
        raise SpecError(
            "$.data.targets",
            f"expected one target for each of the {len(data.inputs)} rows of inputs, got {len(data.targets)}",
        )
    classes = [target for target in data.targets if isinstance(target, int)]
    rows = [target for target in data.targets if not isinstance(target, int)]
    if classes and rows:
        is_class = isinstance(data.targets[0], int)
        odd = next(i for i, target in enumerate(data.targets) if isinstance(target, int) != is_class)
        words = ("a class number", "a list of numbers")
        first, other = words if is_class else words[::-1]
        raise SpecError(f"$.data.targets[{odd}]", f"expected {first} like the targets before, got {other}")
    if rows:
        _check_widths(tuple(rows), "$.data.targets")
    else:
        _check_class_numbers(classes)


def _check_widths(rows: tuple[tuple[float, ...], ...], path: str) -> None:
    width = len(rows[0])
    if not 1 <= width <= MAX_UNITS:
        raise SpecError(f"{path}[0]", f"expected 1 to {MAX_UNITS} numbers, got {width}")
    for index, row in enumerate(rows):
        if len(row) != width:
            raise SpecError(
                f"{path}[{index}]", f"expected {width} numbers as in the first row, got {len(row)}"
            )


def _check_class_numbers(classes: list[int]) -> None:
    present = set(classes)
    if len(present) == 1:
        raise SpecError("$.data.targets", f"expected at least two classes, got only class {classes[0]}")
    missing = next(number for number in range(len(present) + 1) if number not in present)
    if missing < len(present):
        raise SpecError(
            "$.data.targets", f"expected classes numbered from 0 without a gap, but none is {missing}"
        )


def _check_method(experiment: Experiment) -> None:
    if not isinstance(experiment.training.method, Pretraining):
        return
    for placed in unrolled_layers(experiment.network):
        if isinstance(placed.layer, Recurrent | Residual):
            raise SpecError(
                placed.path,
                "expected dense layers one after the other, because pretraining restores the input of each, got "
                f"{kind_of(placed.layer)}",
            )
    if not any(isinstance(placed.layer, Dense) for placed in unrolled_layers(experiment.network)):
        raise SpecError("$.network.layers", "expected a dense layer that could be pretrained, got none")


def _check_loss_scale(experiment: Experiment) -> None:
    if (
        isinstance(experiment.training.method, Evolution)
        and kind_of(experiment.training.loss_scale) != "none"
    ):
        raise SpecError(
            "$.training.loss_scale", "expected none, because evolution uses no gradient that could be scaled"
        )


CHECKS: tuple[Callable[[Experiment], None], ...] = (
    _check_layers,
    _check_time,
    _check_inline,
    _check_classes,
    _check_loss,
    _check_method,
    _check_loss_scale,
)
