"""An experiment in the numbers that the machine reads."""

from __future__ import annotations

from gradsim.engine.clipping import CLIPPING_CODES
from gradsim.engine.evolution import parents_of
from gradsim.engine.loss_scaling import SCALING_CODES
from gradsim.engine.losses import LOSS_CODES
from gradsim.engine.optimizers import OPTIMIZER_CODES
from gradsim.engine.precision import FORMATS
from gradsim.engine.program import METHOD_CODES, Amounts, Choices
from gradsim.engine.schedules import SCHEDULE_CODES
from gradsim.engine.tape import Tape
from gradsim.spec import Experiment, kind_of
from gradsim.spec.method import DynamicLossScale, Evolution, Pretraining
from gradsim.spec.training import (
    Adagrad,
    Adam,
    Adamw,
    AdaptiveClipping,
    CosineSchedule,
    Momentum,
    Nesterov,
    NoClipping,
    Rmsprop,
    StepSchedule,
)
from gradsim.trace import SampleSet


def choices_of(
    experiment: Experiment,
    samples: SampleSet,
    tape: Tape,
    *,
    optimizer_start: int = 0,
    input_gradient: bool = False,
    measure: bool = True,
    histogram_every: int = 10,
) -> Choices:
    """Return the whole-number settings of an experiment.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.
    samples : SampleSet
        Decides the number of samples and whether accuracy has a meaning.
    tape : Tape
        Decides the batch and the number of instructions.
    optimizer_start : int
        The iteration at which the optimizer had no memory yet.
    input_gradient : bool
        Whether the gradient of the inputs is computed too.
    measure : bool
        Whether statistics are taken.
    histogram_every : int
        Iterations from one histogram to the next.

    Returns
    -------
    Choices
        For the machine.
    """
    training = experiment.training
    batch = tape.batch
    schedule = training.schedule
    population = parents = 0
    if isinstance(training.method, Evolution):
        population = training.method.population
        parents = parents_of(population, training.method.selection)
    length = 1
    if isinstance(schedule, StepSchedule):
        length = schedule.every
    elif isinstance(schedule, CosineSchedule):
        length = schedule.iterations
    return Choices(
        batch=batch,
        sample_count=len(samples.training_inputs),
        features=samples.features,
        outputs=samples.outputs,
        steps=max(1, samples.steps),
        target_steps=samples.target_steps,
        loss=LOSS_CODES[training.loss],
        optimizer=OPTIMIZER_CODES[kind_of(training.optimizer)],
        clipping=CLIPPING_CODES[kind_of(training.clipping)],
        schedule=SCHEDULE_CODES[kind_of(schedule)],
        warm_up=schedule.warm_up,
        schedule_length=length,
        shuffle=int(training.shuffle),
        is_classification=int(samples.task == "classification"),
        optimizer_start=optimizer_start,
        input_gradient=int(input_gradient),
        measure=int(measure),
        histogram_every=histogram_every,
        validate_every=validation_interval(len(samples.training_inputs), batch),
        first_op=0,
        last_op=tape.operations - 1,
        seed_offset=0,
        seed_size=0,
        seed=-1,
        operations=tape.operations,
        format=FORMATS[experiment.precision],
        loss_scaling=SCALING_CODES[kind_of(training.loss_scale)],
        scaling_interval=training.loss_scale.interval
        if isinstance(training.loss_scale, DynamicLossScale)
        else 0,
        method=METHOD_CODES[kind_of(training.method)],
        phases=len(tape.phases) if isinstance(training.method, Pretraining) else 0,
        phase_length=training.method.iterations if isinstance(training.method, Pretraining) else 1,
        population=population,
        parents=parents,
    )


def validation_interval(samples: int, batch: int) -> int:
    """Return the iterations from one look at the validation part to the next: an epoch, at least 10."""
    return max(10, samples // batch)


def amounts_of(experiment: Experiment) -> Amounts:
    """Return the real settings of an experiment.

    Parameters
    ----------
    experiment : Experiment
        What was asked for.

    Returns
    -------
    Amounts
        For the machine; what an optimizer or schedule does not know is 0.
    """
    training = experiment.training
    optimizer, schedule, clipping = training.optimizer, training.schedule, training.clipping
    beta_1 = beta_2 = 0.0
    if isinstance(optimizer, Adam | Adamw):
        beta_1, beta_2 = optimizer.betas
    elif isinstance(optimizer, Momentum | Nesterov):
        beta_1 = optimizer.momentum
    elif isinstance(optimizer, Rmsprop):
        beta_1 = optimizer.alpha
    share = 0.0
    if isinstance(schedule, StepSchedule):
        share = schedule.factor
    elif isinstance(schedule, CosineSchedule):
        share = schedule.lowest
    return Amounts(
        rate=optimizer.learning_rate,
        beta_1=beta_1,
        beta_2=beta_2,
        eps=optimizer.eps if isinstance(optimizer, Rmsprop | Adagrad | Adam | Adamw) else 0.0,
        weight_decay=optimizer.weight_decay,
        threshold=0.0 if isinstance(clipping, NoClipping) else clipping.threshold,
        clipping_eps=clipping.eps if isinstance(clipping, AdaptiveClipping) else 0.0,
        schedule_share=share,
        weight_noise=training.weight_noise,
        phase_rate=training.method.learning_rate if isinstance(training.method, Pretraining) else 0.0,
        mutation=training.method.mutation if isinstance(training.method, Evolution) else 0.0,
        mutation_decay=training.method.decay if isinstance(training.method, Evolution) else 1.0,
    )
