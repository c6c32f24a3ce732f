"""The experiments that come with GradSim, and the one it begins with."""

from __future__ import annotations

from gradsim.formats import load
from gradsim.resource_files import resource_path
from gradsim.spec import Dense, Experiment, Network, Repeat, SpecError

ENDING = ".gradsim.json"
WELCOME = "welcome"


def preset_titles() -> list[tuple[str, str]]:
    """
    Return the shipped experiments.

    Returns
    -------
    list of tuple of str
        Name of the file without its ending and the title of the experiment; the welcome first. A file that
        cannot be read is left out.
    """
    found = []
    try:
        folder = resource_path("experiments")
    except FileNotFoundError:
        return []
    for path in sorted(folder.glob(f"*{ENDING}")):
        try:
            found.append((path.name.removesuffix(ENDING), load(path).name))
        except SpecError:
            continue
    return sorted(found, key=lambda row: (row[0] != WELCOME, row[1]))


def preset(name: str) -> Experiment:
    """
    Return a shipped experiment.

    Parameters
    ----------
    name : str
        Name of its file without the ending.

    Returns
    -------
    Experiment
        As it is in the file.

    Raises
    ------
    SpecError
        If there is no such file or it cannot be read.
    """
    try:
        return load(resource_path("experiments", f"{name}{ENDING}"))
    except FileNotFoundError as error:
        raise SpecError(name, "there is no such experiment") from error


def welcome() -> Experiment:
    """
    Return the experiment that the window opens with.

    Returns
    -------
    Experiment
        A deep sigmoid network on the digits, whose early layers do not learn.
    """
    try:
        return preset(WELCOME)
    except SpecError:
        layers = (Repeat(times=10, layers=(Dense(units=64),)),)
        return Experiment(name="Deep sigmoid on digits", seed=7, network=Network(layers=layers))
