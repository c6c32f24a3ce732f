"""The experiments that come with GradSim, and the one it begins with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from gradsim.formats import load
from gradsim.resource_files import example_files, resource_path
from gradsim.spec import Dense, Experiment, Network, Repeat, SpecError

WELCOME = "welcome"
_LAST = 1_000_000


class Advice(NamedTuple):
    """What a shipped experiment asks for, so that its point is made."""

    iterations: int
    """How many to train."""
    look: str
    """One sentence: what to look at, and where."""


class PresetTitle(NamedTuple):
    """A shipped experiment as a list of them shows it."""

    name: str
    """Name of the file without its ending."""
    title: str
    """The name of the experiment in the file."""
    topic: str
    """Under which heading it stands."""
    advice: Advice | None = None
    """What it asks for; None where nobody has written that down."""


def preset_titles() -> list[PresetTitle]:
    """
    Return the shipped experiments.

    Returns
    -------
    list of PresetTitle
        In the order of the topics; those without a topic at the end, in alphabetical order. A file that cannot be
        read is left out.
    """
    files = example_files()
    if not files:
        return []
    places = _places(preset_folder())
    found = []
    for name, path in files.items():
        _, topic, advice = places.get(name, (_LAST, "Others", None))
        try:
            found.append(PresetTitle(name, load(path).name, topic, advice))
        except SpecError:
            continue
    return sorted(found, key=lambda row: (places.get(row.name, (_LAST, "", None))[0], row.title))


def preset_advice(name: str) -> Advice | None:
    """
    Return what a shipped experiment asks for.

    Parameters
    ----------
    name : str
        Name of its file without the ending.

    Returns
    -------
    Advice or None
        None where there is no such experiment, or nothing is written down for it.
    """
    try:
        folder = resource_path("experiments")
    except FileNotFoundError:
        return None
    return _places(folder).get(name, (0, "", None))[2]


def _places(folder: Path) -> dict[str, tuple[int, str, Advice | None]]:
    """Name of an experiment → where it stands in the list, its topic, and what it asks for."""
    try:
        topics = json.loads((folder / "topics.json").read_text(encoding="utf-8"))
        rows = [
            (row["name"], topic["topic"], Advice(int(row["iterations"]), str(row["look"])))
            for topic in topics
            for row in topic["experiments"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {name: (place, topic, advice) for place, (name, topic, advice) in enumerate(rows)}


def preset_folder() -> Path:
    """Return the folder of the shipped experiments and their initial parameters."""
    return Path(resource_path("experiments"))


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
    files = example_files()
    if name not in files:
        raise SpecError(name, "there is no such experiment")
    return load(files[name])


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
