"""When the dead units of a network died: a search over the iterations of its run.

Looking at all units takes a pass over the whole data set, so not every iteration is looked at: first a coarse row
of iterations from the start to the end, then the middle of each stretch in which a unit died, until the moment is
known to one iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.units import Observable, Tell, UnitSurvey, unit_survey

MOST_LOOKS = 160
"""Iterations that are looked at, unless told otherwise; what is then not known to one iteration is said as it is."""

_PER_DOUBLING = 2
_STRIDE = 32
"""Iterations between two questions whether to stop, while the run is retraced."""


class Retraceable(Observable, Protocol):
    """A simulator that can go to any iteration of its run."""

    def seek(self, iteration: int) -> None:
        """Go to an iteration."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitDeaths:
    """When the units died that are dead at the end.

    Attributes
    ----------
    survey : UnitSurvey
        The units at the end.
    looked_at : ndarray of int64, shape (n,)
        The iterations at which all units were looked at, rising. Between two of them nothing is known: a unit may
        have died and revived there.
    alive_at : tuple of ndarray of int64, shape (units,) for each layer
        The last iteration looked at at which the unit was alive; −1 where it was never seen alive, and where it
        is alive at the end.
    dead_at : tuple of ndarray of int64, shape (units,) for each layer
        The iteration looked at after that one: dead there and at all later ones; −1 where the unit is alive at
        the end.
    """

    survey: UnitSurvey
    looked_at: NDArray[np.int64]
    alive_at: tuple[NDArray[np.int64], ...]
    dead_at: tuple[NDArray[np.int64], ...]

    @property
    def is_exact(self) -> bool:
        """Whether every death is known to one iteration."""
        return all(
            bool(np.all((dead <= 0) | (dead - alive == 1)))
            for alive, dead in zip(self.alive_at, self.dead_at, strict=True)
        )


def unit_deaths(
    simulator: Retraceable,
    last: int,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Tell = lambda words, share: None,
    most_looks: int = MOST_LOOKS,
    parameters: Mapping[str, NDArray[Any]] | None = None,
) -> UnitDeaths | None:
    """Find out when the units died that are dead at an iteration.

    Parameters
    ----------
    simulator : Retraceable
        Of the run; it is sought back and forth, and stands anywhere afterwards.
    last : int
        The iteration that counts as the end.
    should_stop : callable, optional
        Asked all the time; True ends the search.
    progress : callable, optional
        Told what is being looked at.
    most_looks : int, default MOST_LOOKS
        After so many iterations looked at the search ends with what it knows.
    parameters : mapping from str to ndarray, optional
        What the run has at ``last``, by name such as ``dense_1.weight``.

    Returns
    -------
    UnitDeaths or None
        None if it was stopped.

    Raises
    ------
    ValueError
        If the simulator does not come to these parameters: the run has another past than its experiment says.
    """
    search = _Search(simulator, should_stop, progress)
    waiting = coarse_iterations(last)
    while waiting:
        search.expect(len(waiting))
        for iteration in waiting:
            if not search.look(iteration):
                return None
            if iteration == last and parameters is not None:
                _check_past(simulator.parameters(), parameters, last)
        waiting = sorted(search.middles()[: max(most_looks - len(search.dead), 0)])
    return search.deaths()


def coarse_iterations(last: int) -> list[int]:
    """Return the iterations looked at first: two per doubling, from both ends of what most runs do.

    Parameters
    ----------
    last : int
        The last of them.

    Returns
    -------
    list of int
        Rising, 0 and ``last`` among them.
    """
    doublings = np.arange(0, _PER_DOUBLING * np.log2(max(last, 1)) + 1) / _PER_DOUBLING
    found = np.minimum(np.rint(2.0**doublings), last).astype(np.int64)
    return sorted({0, *found.tolist(), last})


def death_words(alive_at: int, dead_at: int) -> str:
    """Return when a unit died, in words that claim no more than is known.

    Parameters
    ----------
    alive_at, dead_at : int
        Of one unit, from ``UnitDeaths``.

    Returns
    -------
    str
        Such as ``died between iterations 120 and 128``.
    """
    if dead_at < 0:
        return "alive"
    if alive_at < 0:
        return "dead from the start" if dead_at == 0 else f"dead from iteration {dead_at:,} on"
    if dead_at - alive_at == 1:
        return f"died by the update of iteration {alive_at:,}"
    return f"died between iterations {alive_at:,} and {dead_at:,}"


def _check_past(
    found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]], iteration: int
) -> None:
    for name, values in expected.items():
        if not np.array_equal(found[name], values, equal_nan=True):
            raise ValueError(
                f"A run of this experiment from its start has other weights at iteration {iteration:,} "
                f"({name}): training settings or weights were changed on the way, so its past cannot be told."
            )


def deaths_words(deaths: UnitDeaths) -> str:
    """Return when the units of a network died, all in all.

    Parameters
    ----------
    deaths : UnitDeaths
        From a search.

    Returns
    -------
    str
        ``Of the 14 dead units 3 were so from the start and 11 died in iterations 4 to 57, half of them by 20; most
        in dense_4: 6``, without an end.
    """
    dead_at = np.concatenate([np.zeros(0, np.int64), *deaths.dead_at])
    count, later = int(np.count_nonzero(dead_at >= 0)), np.sort(dead_at[dead_at > 0])
    looked = f"{len(deaths.looked_at):,} iterations up to {deaths.survey.iteration:,} were looked at"
    if not count:
        return f"No unit is dead; {looked}"
    told = []
    at_start = count - len(later)
    if at_start:
        told.append(f"{at_start:,} {'was' if at_start == 1 else 'were'} so from the start")
    if len(later):
        when = f"in iteration {later[0]:,}"
        if later[0] != later[-1]:
            when = f"in iterations {later[0]:,} to {later[-1]:,}, half of them by {later[(len(later) - 1) // 2]:,}"
        told.append(f"{len(later):,} died {when}")
    by_layer = [int(np.count_nonzero(dead >= 0)) for dead in deaths.dead_at]
    most = int(np.argmax(by_layer))
    exact = "" if deaths.is_exact else ", at the latest"
    units = f"{count:,} dead unit{'' if count == 1 else 's'}"
    where = f"most in {deaths.survey.layers[most].name}: {by_layer[most]:,}"
    return f"Of the {units} {' and '.join(told)}{exact}; {where}; {looked}"


class _Search:
    """Which units are dead at which iterations, as far as it has been looked at."""

    def __init__(self, simulator: Retraceable, should_stop: Callable[[], bool], progress: Tell) -> None:
        self._simulator, self._should_stop, self._progress = simulator, should_stop, progress
        self.dead: dict[int, NDArray[np.bool_]] = {}
        self._survey: UnitSurvey | None = None
        self._expected = 0

    def expect(self, looks: int) -> None:
        """Say how many looks are still to come, as far as that is known."""
        self._expected = len(self.dead) + looks

    def look(self, iteration: int) -> bool:
        """Look at all units at an iteration; False if it was stopped."""
        if not self._travel(iteration):
            return False
        share = len(self.dead) / max(self._expected, 1)
        self._progress(f"Looking at iteration {iteration:,}", share)
        survey = unit_survey(self._simulator, self._should_stop)
        if survey is None:
            return False
        self.dead[iteration] = np.concatenate([layer.dead for layer in survey.layers])
        if self._survey is None or iteration >= self._survey.iteration:
            self._survey = survey
        return True

    def _travel(self, iteration: int) -> bool:
        """Go to an iteration in short steps, so that it can be stopped on the way."""
        if iteration < self._simulator.iteration:
            self._simulator.seek(iteration)
        while self._simulator.iteration < iteration:
            if self._should_stop():
                return False
            self._simulator.seek(min(self._simulator.iteration + _STRIDE, iteration))
        return True

    def brackets(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the iterations looked at, and of each unit the last alive and the next dead one."""
        at = np.array(sorted(self.dead), dtype=np.int64)
        dead = np.stack([self.dead[int(iteration)] for iteration in at])
        # Alive at any later look: not dead for good yet.
        last_alive = np.where(dead, -1, np.arange(len(at))[:, None]).max(axis=0)
        is_dead = dead[-1]
        alive_at = np.where(is_dead & (last_alive >= 0), at[np.maximum(last_alive, 0)], -1)
        dead_at = np.where(is_dead, at[np.minimum(last_alive + 1, len(at) - 1)], -1)
        return at, alive_at, dead_at

    def middles(self) -> list[int]:
        """Return the middles of the stretches in which units died, those of the most deaths first."""
        _, alive_at, dead_at = self.brackets()
        is_open = (alive_at >= 0) & (dead_at - alive_at > 1)
        found, counts = np.unique((alive_at[is_open] + dead_at[is_open]) // 2, return_counts=True)
        return [int(middle) for middle in found[np.argsort(-counts, kind="stable")]]

    def deaths(self) -> UnitDeaths:
        """Return what is known."""
        assert self._survey is not None
        at, alive_at, dead_at = self.brackets()
        edges = np.cumsum([len(layer) for layer in self._survey.layers])[:-1]
        return UnitDeaths(self._survey, at, tuple(np.split(alive_at, edges)), tuple(np.split(dead_at, edges)))
