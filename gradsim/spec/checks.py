"""Rules that join several fields of an experiment: each is one small function in the table ``CHECKS``.

What one field alone may be is written in the structs; what depends on the samples themselves, such as
constant columns, is checked where they are made, and what depends on memory where it is allocated.
"""

from __future__ import annotations

from collections.abc import Callable

from gradsim.spec.activation import Activation, Rrelu, Sigmoid, Softmax
from gradsim.spec.data import Checkerboard, Circles, Gaussians, Inline, Spirals, Task
from gradsim.spec.error import SpecError
from gradsim.spec.experiment import Experiment
from gradsim.spec.layout import unrolled_layers
from gradsim.spec.network import MAX_UNITS, Dense, Head, Layer, Repeat
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
    for path, layer in _weighted(experiment.network.layers, "$.network.layers"):
        _check_activation(layer.activation, f"{path}.activation")
    _check_activation(experiment.network.head.activation, "$.network.head.activation")


def _weighted(layers: tuple[Layer, ...], path: str) -> list[tuple[str, Dense | Head]]:
    found: list[tuple[str, Dense | Head]] = []
    for index, layer in enumerate(layers):
        here = f"{path}[{index}]"
        if isinstance(layer, Repeat):
            found += _weighted(layer.layers, f"{here}.layers")
        else:
            found.append((here, layer))
    return found


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


CHECKS: tuple[Callable[[Experiment], None], ...] = (_check_layers, _check_inline, _check_classes, _check_loss)
