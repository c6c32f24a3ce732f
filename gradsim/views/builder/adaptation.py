"""What must change along with an edit so that the experiment still makes sense: loss and head."""

from __future__ import annotations

from typing import Any

import msgspec

from gradsim.spec import Experiment
from gradsim.spec.activation import Linear, Sigmoid, Softmax
from gradsim.spec.checks import HEAD_OF_LOSS, task
from gradsim.spec.struct import Kind
from gradsim.views.builder.through_time import recurrent_layers, with_time, without_time


def adapted(before: Experiment, after: Experiment) -> Experiment:
    """Return an edited experiment whose network, loss and head follow its data, or each other.

    Sequences bring a recurrent layer, other data take recurrent layers away, and another recurrent layer decides
    anew which of them hand on every step. New data with another task bring the usual loss; a new loss that is
    computed with its own head brings that head; a new head that does not fit the loss brings a loss that fits.
    What the edit itself set stays.

    Parameters
    ----------
    before : Experiment
        The valid one.
    after : Experiment
        With one edit.

    Returns
    -------
    Experiment
        The same where nothing has to follow.
    """
    after = _in_time(before, after)
    loss = after.training.loss
    head = after.network.head.activation
    if after.data != before.data and task(after) != task(before):
        return _with(
            after, *(("cross_entropy", Softmax()) if task(after) == "classification" else ("mse", Linear()))
        )
    if task(after) == "classification" and loss in HEAD_OF_LOSS and not isinstance(head, HEAD_OF_LOSS[loss]):
        if loss != before.training.loss:
            return _with(after, loss, HEAD_OF_LOSS[loss]())
        if isinstance(head, Softmax):
            return _with(after, "cross_entropy", head)
        if isinstance(head, Sigmoid):
            return _with(after, "binary_cross_entropy", head)
        return _with(after, "mse", head)
    return after


def _in_time(before: Experiment, after: Experiment) -> Experiment:
    network, is_sequence = after.network, after.data.is_sequence
    present, earlier = recurrent_layers(network), recurrent_layers(before.network)
    if after.data == before.data and len(present) == len(earlier):
        return after
    if not is_sequence and not before.data.is_sequence:
        return after
    if is_sequence:
        network = with_time(network, after.data.answers_every_step)
    else:
        network = without_time(network)
    return msgspec.structs.replace(after, network=network)


def _with(experiment: Experiment, loss: str, activation: Any) -> Experiment:
    head = msgspec.structs.replace(experiment.network.head, activation=activation)
    return msgspec.structs.replace(
        experiment,
        network=msgspec.structs.replace(experiment.network, head=head),
        training=msgspec.structs.replace(experiment.training, loss=loss),
    )


def of_kind(kind: type[Kind], old: Kind) -> Kind:
    """Return a value of another kind that keeps what was set.

    Fields that both kinds have are kept, unless they were at the old kind's default: a learning rate of 0.1 that
    nobody chose is right for gradient descent and far too high for Adam.

    Parameters
    ----------
    kind : type of Kind
        The new kind.
    old : Kind
        The present value.

    Returns
    -------
    Kind
        Of the new kind.
    """
    if isinstance(old, kind):
        return old
    present = {field.name: field for field in msgspec.structs.fields(old)}
    kept = {
        field.name: getattr(old, field.name)
        for field in msgspec.structs.fields(kind)
        if field.name in present
        and present[field.name].type == field.type
        and getattr(old, field.name) != present[field.name].default
    }
    required = {
        field.name: REQUIRED[kind.__struct_config__.tag][field.name]
        for field in msgspec.structs.fields(kind)
        if field.required and field.name not in kept
    }
    return kind(**(required | kept))


REQUIRED: dict[object, dict[str, Any]] = {
    "inline": {
        "inputs": ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)),
        "targets": (0, 1, 1, 0),
    }
}
"""Where a kind has fields without a default, what they start with: the truth table of XOR."""
