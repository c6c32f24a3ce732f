"""Explains records: the profile of the gradient through the layers. Runs no network."""

from gradsim.analysis.fit import Fit
from gradsim.analysis.profile import TABLE_UNITS, Profile, history_profile, profile, profile_table
from gradsim.analysis.wording import sentence

__all__ = ["TABLE_UNITS", "Fit", "Profile", "history_profile", "profile", "profile_table", "sentence"]
