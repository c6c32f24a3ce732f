"""How the weights are found: by backpropagation alone, after layer-wise pretraining, or by search without gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from msgspec import Meta

from gradsim.spec.layout import unrolled_layers
from gradsim.spec.network import Dense
from gradsim.spec.struct import Kind, Spec

if TYPE_CHECKING:
    from gradsim.spec.experiment import Experiment


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


class TrainingPhase(NamedTuple):
    """Iterations during which the same layers are trained for the same goal."""

    title: str
    """Such as ``pretraining of dense_1``."""
    layer: str | None
    """The layer that is pretrained; None where all move."""
    start: int
    """First iteration."""
    stop: int | None
    """First iteration of the next phase; None for the last."""


def training_phases(experiment: Experiment) -> tuple[TrainingPhase, ...]:
    """Return the phases of a run, in order.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.

    Returns
    -------
    tuple of TrainingPhase
        One for each pretrained layer and then the fine-tuning; else a single one without an end.
    """
    method = experiment.training.method
    if isinstance(method, Evolution):
        return (TrainingPhase("evolution", None, 0, None),)
    if not isinstance(method, Pretraining):
        return (TrainingPhase("backpropagation", None, 0, None),)
    names = [placed.name for placed in unrolled_layers(experiment.network) if isinstance(placed.layer, Dense)]
    length = method.iterations
    phases = [
        TrainingPhase(f"pretraining of {name}", name, index * length, (index + 1) * length)
        for index, name in enumerate(names)
    ]
    return (*phases, TrainingPhase("fine-tuning", None, len(names) * length, None))


def phase_at(experiment: Experiment, iteration: int) -> TrainingPhase:
    """Return the phase to which an iteration belongs.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    iteration : int
        From 0 on.

    Returns
    -------
    TrainingPhase
        One of ``training_phases``.
    """
    phases = training_phases(experiment)
    return next(phase for phase in reversed(phases) if phase.start <= iteration)
