"""Explains records: the profile of the gradient through the layers. Runs no network."""

from gradsim.analysis.fit import Fit
from gradsim.analysis.profile import TABLE_UNITS, Profile, Stream, history_profile, profile, profile_table
from gradsim.analysis.residual_stream import ResidualBlock, residual_blocks
from gradsim.analysis.wording import sentence

__all__ = [
    "TABLE_UNITS",
    "Fit",
    "Profile",
    "ResidualBlock",
    "Stream",
    "history_profile",
    "profile",
    "profile_table",
    "residual_blocks",
    "sentence",
]
