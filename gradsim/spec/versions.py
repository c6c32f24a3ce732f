"""From older documents to the present form, one version at a time.

A change of the document that old files do not survive raises ``CURRENT_VERSION`` and adds a row here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from gradsim.spec.error import SpecError
from gradsim.spec.experiment import CURRENT_VERSION
from gradsim.spec.limits import quoted

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: dict[int, Migration] = {}
"""For each older version, the function that makes a document of the next one; so far there is none."""


def migrated(document: object) -> dict[str, Any]:
    """Return a document in its present form.

    Parameters
    ----------
    document : object
        What was read; not changed.

    Returns
    -------
    dict
        With ``gradsim`` equal to ``CURRENT_VERSION``; nothing else has been checked.

    Raises
    ------
    SpecError
        If it is no experiment, or one of a version that cannot be read.
    """
    if not isinstance(document, dict):
        raise SpecError("$", f"expected an experiment, which is an object, got {quoted(document)}")
    if "gradsim" not in document and "gradsim_lesson" in document:
        raise SpecError(
            "$",
            'expected an experiment, got a lesson; "gradsim lessons check" reads it, and File ▸ Open lesson in '
            "the window",
        )
    if "gradsim" not in document:
        raise SpecError(
            "$.gradsim", f'missing; an experiment begins with its version, "gradsim": {CURRENT_VERSION}'
        )
    version = document["gradsim"]
    if isinstance(version, float) and version.is_integer():
        version = int(version)  # 1.0 is the same number to JSON
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SpecError("$.gradsim", f"expected the version, an integer from 1, got {quoted(version)}")
    if version > CURRENT_VERSION:
        raise SpecError(
            "$.gradsim",
            f"made by a newer GradSim: the document has version {quoted(version)}, "
            f"this GradSim reads up to version {CURRENT_VERSION}",
        )
    if version < CURRENT_VERSION:
        document = copy.deepcopy(document)
    for old in range(version, CURRENT_VERSION):
        document = _next(document, old)
    return {**document, "gradsim": CURRENT_VERSION}


def _next(document: dict[str, Any], old: int) -> dict[str, Any]:
    if old not in MIGRATIONS:
        raise SpecError(
            "$.gradsim", f"version {old} is no longer read; this GradSim writes version {CURRENT_VERSION}"
        )
    try:
        return MIGRATIONS[old](document)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        # A migration runs before anything is checked, so it meets documents that only claim to be old ones.
        raise SpecError("$", f"not a document of version {old}: {type(error).__name__} {error}") from error
