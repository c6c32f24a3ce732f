"""Files in and out: experiments, their schema, tables of numbers, parameters. No Qt, no network is run."""

from gradsim.formats.experiment import dumps, load, loads, save
from gradsim.formats.parameters import bring_parameters, load_parameters, save_parameters
from gradsim.formats.schema import schema
from gradsim.formats.tables import write_table

__all__ = [
    "bring_parameters",
    "dumps",
    "load",
    "load_parameters",
    "loads",
    "save",
    "save_parameters",
    "schema",
    "write_table",
]
