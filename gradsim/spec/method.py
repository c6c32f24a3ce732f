"""How the weights are found: by backpropagation alone, after layer-wise pretraining, or by search without gradients."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, NamedTuple

from msgspec import Meta

from gradsim.spec.struct import Kind, Spec


class Backpropagation(Kind, frozen=True, kw_only=True, tag="backpropagation"):
    """The gradient of the loss moves every layer at once."""


class Pretraining(Kind, frozen=True, kw_only=True, tag="pretraining"):
    """Each dense layer is first trained to let its input be restored, then all are fine-tuned together.

    Greedy layer-wise pretraining with autoencoders (Bengio et al. 2007, after the multi-level hierarchy of
    Schmidhuber 1992 and Hinton et al. 2006): in its phase a layer and a linear decoder behind it learn to
    restore the layer's input, mean squared error, while all others stand still.
    """

    iterations: Annotated[
        int, Meta(ge=1, le=10_000_000, title="Iterations per layer", description="Length of each phase")
    ] = 100
    learning_rate: Annotated[
        float, Meta(ge=0.0, le=1e6, title="Learning rate of the phases", description="η while pretraining")
    ] = 0.1


class Evolution(Kind, frozen=True, kw_only=True, tag="evolution"):
    """Weights are mutated, tried and selected; no gradient is used.

    An evolution strategy (μ, λ) with recombination (Rechenberg 1973; Schwefel 1977): in every iteration the
    present weights have ``population`` children, each with normal noise on every weight; the loss of each is
    one pass forward; the best ``selection`` share are averaged to the next weights.
    """

    population: Annotated[int, Meta(ge=2, le=10_000, title="Population", description="λ, passes forward")] = (
        50
    )
    mutation: Annotated[
        float, Meta(gt=0.0, le=1e3, title="Mutation", description="Standard deviation σ of the noise")
    ] = 0.1
    decay: Annotated[
        float, Meta(gt=0.0, le=1.0, title="Decay", description="Factor on σ after every iteration")
    ] = 1.0
    selection: Annotated[
        float, Meta(gt=0.0, le=1.0, title="Selection", description="Share of the children that are averaged")
    ] = 0.25


Method = Backpropagation | Pretraining | Evolution


class ParameterGroup(Spec, frozen=True, kw_only=True):
    """Parameters that move by rules of their own; where several groups fit, their factors multiply."""

    parameters: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            title="Parameters",
            description="Names, with * for any letters, as *.bias or dense_1.*",
        ),
    ]
    learning_rate_scale: Annotated[
        float, Meta(ge=0.0, le=1e6, title="Learning rate ×", description="Factor on the learning rate")
    ] = 1.0
    weight_decay_scale: Annotated[
        float, Meta(ge=0.0, le=1e6, title="Weight decay ×", description="Factor on the weight decay")
    ] = 1.0
    trainable: Annotated[bool, Meta(title="Trainable", description="Off: they stay as they are")] = True


class ParameterRules(NamedTuple):
    """By which rules a parameter moves, its layer's and its groups' together."""

    trainable: bool
    learning_rate_scale: float
    weight_decay_scale: float


def parameter_rules(
    groups: Sequence[ParameterGroup], name: str, trainable: bool = True, learning_rate_scale: float = 1.0
) -> ParameterRules:
    """Return the rules of a parameter.

    Parameters
    ----------
    groups : sequence of ParameterGroup
        Of the training.
    name : str
        Of the parameter, such as ``dense_1.weight``.
    trainable : bool, default True
        What its layer says.
    learning_rate_scale : float, default 1
        What its layer says.

    Returns
    -------
    ParameterRules
        Trained if nobody says no; the factors of all groups that fit, multiplied.
    """
    decay = 1.0
    for group in groups:
        if fnmatchcase(name, group.parameters):
            trainable = trainable and group.trainable
            learning_rate_scale *= group.learning_rate_scale
            decay *= group.weight_decay_scale
    return ParameterRules(trainable, learning_rate_scale, decay)


class NoLossScale(Kind, frozen=True, kw_only=True, tag="none"):
    """The gradient as it is."""


class FixedLossScale(Kind, frozen=True, kw_only=True, tag="fixed"):
    """The loss is multiplied by the scale before the pass backwards, the parameter gradients divided by it after."""

    scale: Annotated[float, Meta(gt=0.0, le=2.0**60, title="Scale")] = 1024.0


class DynamicLossScale(Kind, frozen=True, kw_only=True, tag="dynamic"):
    """The scale is halved, and the update left out, whenever a gradient is not finite; else doubled now and then.

    Micikevicius et al., "Mixed precision training" (2018).
    """

    scale: Annotated[
        float, Meta(gt=0.0, le=2.0**60, title="First scale", description="With which the run begins")
    ] = 65536.0
    interval: Annotated[
        int, Meta(ge=1, le=10_000_000, title="Interval", description="Good iterations until it is doubled")
    ] = 200


LossScale = NoLossScale | FixedLossScale | DynamicLossScale
