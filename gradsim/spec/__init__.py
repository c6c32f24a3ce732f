"""What was asked for: frozen values that say everything about an experiment. No numpy, no files."""

from gradsim.spec.activation import Activation
from gradsim.spec.checks import check_experiment, task
from gradsim.spec.data import Data, Task
from gradsim.spec.error import SpecError
from gradsim.spec.experiment import CURRENT_VERSION, Experiment
from gradsim.spec.initializer import Initializer
from gradsim.spec.layout import BuiltLayer, PlacedLayer, placed_layers, unrolled_layers
from gradsim.spec.network import (
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Layer,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
)
from gradsim.spec.phases import TrainingPhase, phase_at, training_phases
from gradsim.spec.reading import checked, experiment_document, read_experiment
from gradsim.spec.struct import Kind, Spec, kind_of
from gradsim.spec.training import Clipping, LossName, Optimizer, Schedule, Training

__all__ = [
    "CURRENT_VERSION",
    "Activation",
    "ActivationLayer",
    "BuiltLayer",
    "Clipping",
    "Data",
    "Dense",
    "Dropout",
    "Experiment",
    "Head",
    "Initializer",
    "Kind",
    "Layer",
    "LossName",
    "Network",
    "Normalization",
    "Optimizer",
    "PlacedLayer",
    "Recurrent",
    "Repeat",
    "Residual",
    "Schedule",
    "Spec",
    "SpecError",
    "Task",
    "Training",
    "TrainingPhase",
    "check_experiment",
    "checked",
    "experiment_document",
    "kind_of",
    "phase_at",
    "placed_layers",
    "read_experiment",
    "task",
    "training_phases",
    "unrolled_layers",
]
