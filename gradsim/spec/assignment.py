"""An experiment in which some values are others: what ``--set`` and the steps of a lesson ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from gradsim.spec.error import SpecError
from gradsim.spec.experiment import Experiment
from gradsim.spec.reading import experiment_document, read_experiment

_TOKEN = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+|\*)\]")
_Key = str | int


def experiment_with_values(
    experiment: Experiment, values: Iterable[tuple[str, Any]], place: str
) -> Experiment:
    """Return an experiment in which some values are others.

    Parameters
    ----------
    experiment : Experiment
        Where to start; it stays as it is.
    values : iterable of (str, value)
        A path such as ``network.layers[0].units`` or ``network.layers[*].activation`` and the value that it
        gets, as JSON has it; made one after the other. A changed ``kind`` starts from the defaults of the new
        kind.
    place : str
        What messages call a path that cannot be read.

    Returns
    -------
    Experiment
        Checked as a whole, after the last change.

    Raises
    ------
    SpecError
        If a path leads nowhere or the result is not a valid experiment.
    """
    document = experiment_document(experiment)
    for path, value in values:
        _assign(document, _keys(path, place), value, "$")
    return read_experiment(document)


def _keys(path: str, place: str) -> list[_Key]:
    rest = path.removeprefix("$").removeprefix(".")
    keys: list[_Key] = []
    position = 0
    while position < len(rest):
        match = _TOKEN.match(rest, position)
        if match is None:
            break
        keys.append(match[1] or (match[2] if match[2] == "*" else int(match[2])))
        position = match.end()
    if not keys or position < len(rest):
        raise SpecError(place, f"expected a path such as network.layers[0].units, got {path!r}")
    return keys


def _assign(node: Any, keys: Sequence[_Key], value: Any, path: str) -> None:
    key, *rest = keys
    if key == "*" and isinstance(node, list):
        for index in range(len(node)):
            _assign(node, [index, *rest], value, path)
        return
    here = _place(node, key, path)
    if not rest:
        _put(node, key, value)
        return
    if isinstance(node, dict) and key not in node:
        raise SpecError(here, f"no such key; there are {', '.join(node)}")
    if isinstance(node[key], str):
        node[key] = {"kind": node[key]}  # a bare name is short for the kind with its defaults
    _assign(node[key], rest, value, here)


def _place(node: Any, key: _Key, path: str) -> str:
    """Path of a key in a node that can have it."""
    if isinstance(key, str) and key != "*":
        if not isinstance(node, dict):
            raise SpecError(path, f"expected an object to look up {key!r} in, got {_described(node)}")
        return f"{path}.{key}"
    if not isinstance(node, list):
        raise SpecError(path, f"expected a list to look up [{key}] in, got {_described(node)}")
    if isinstance(key, int) and key >= len(node):
        wanted = f"an index from 0 to {len(node) - 1}" if node else "a list that is not empty"
        raise SpecError(path, f"expected {wanted}, got {key}")
    return f"{path}[{key}]"


def _put(node: Any, key: _Key, value: Any) -> None:
    if key == "kind" and node.get("kind") != value:
        node.clear()  # the keys of the old kind mean nothing to the new one
    node[key] = value


def _described(node: Any) -> str:
    if isinstance(node, dict):
        return "an object"
    if isinstance(node, list):
        return "a list"
    return json.dumps(node)
