"""Explains records: the profile of the gradient through the layers. Runs no network."""

from gradsim.analysis.cost import (
    TARGET,
    Cost,
    LayerMotion,
    Machine,
    Speed,
    cost,
    iterations_to_move,
    layers_bought,
    measured_speed,
)
from gradsim.analysis.cost_wording import amount_words, cost_sentences, duration_words, factor_words
from gradsim.analysis.fit import Fit
from gradsim.analysis.operations import CONVENTION, LayerOperations, Operations, operations
from gradsim.analysis.profile import TABLE_UNITS, Profile, Stream, history_profile, profile, profile_table
from gradsim.analysis.residual_stream import ResidualBlock, residual_blocks
from gradsim.analysis.through_time import (
    KeptProduct,
    TimeRecord,
    fitted_factor_per_step,
    gates_of,
    kept_product,
    recorded_again,
    recurrent_layers,
    rms_per_step,
    rms_per_unit,
    time_record,
)
from gradsim.analysis.wording import sentence

__all__ = [
    "CONVENTION",
    "TABLE_UNITS",
    "TARGET",
    "Cost",
    "Fit",
    "KeptProduct",
    "LayerMotion",
    "LayerOperations",
    "Machine",
    "Operations",
    "Profile",
    "ResidualBlock",
    "Speed",
    "Stream",
    "TimeRecord",
    "amount_words",
    "cost",
    "cost_sentences",
    "duration_words",
    "factor_words",
    "fitted_factor_per_step",
    "gates_of",
    "history_profile",
    "iterations_to_move",
    "kept_product",
    "layers_bought",
    "measured_speed",
    "operations",
    "profile",
    "profile_table",
    "recorded_again",
    "recurrent_layers",
    "residual_blocks",
    "rms_per_step",
    "rms_per_unit",
    "sentence",
    "time_record",
]
