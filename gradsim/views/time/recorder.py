"""How far the passes of a run are at hand: those that came by, and those that are being recorded again. Without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradsim.analysis.through_time import TimeRecord, time_record
from gradsim.trace import Run
from gradsim.views.time.passes import PassGrid, RecordedPasses, pass_grid

QUESTION = "through_training"
"""Asks for the passes of the run at some iterations (a tuple): a tuple of ``TimeRecord``."""

_ASKED_PASSES = 120
_FEW_PASSES = 12


class Recorder:
    """The passes of a run, and what is to be said about them."""

    def __init__(self) -> None:
        self.passes = RecordedPasses()
        self.words = ""
        self.is_asking = False
        self._asked_of: tuple[Any, ...] = ()
        self._records: tuple[Any, ...] = ()
        self._grids: dict[tuple[int, str], tuple[tuple[TimeRecord, ...], PassGrid]] = {}

    def take(self, run: Run) -> None:
        """Keep the pass of a run; an answer about another experiment will not come any more."""
        self.passes.take(run)
        if self.words and self._asked_of != _asked_of(run):
            self.end()

    def ask(self, run: Run) -> tuple[int, ...]:
        """Return the iterations to ask for; none where the run is recorded evenly already."""
        wanted = self.passes.missing(run.history, _ASKED_PASSES)
        self._asked_of = _asked_of(run)
        self.is_asking = bool(wanted)
        self.words = "recording: waiting" if wanted else "recorded evenly already"
        return wanted

    def tell(self, words: str, share: float) -> None:
        """Take how far the recording is."""
        self.words = f"recording: {words} ({share:.0%})"

    def end(self, words: str = "") -> None:
        """Ask no longer; say why, if there is something to say."""
        self.is_asking, self.words = False, words

    def answer(self, run: Run, records: Sequence[TimeRecord]) -> None:
        """Take what was recorded, as far as it is of this run."""
        strangers = self.passes.take_all(run, records)
        self.end(f"{strangers} differ: the training was changed on the way" if strangers else "")

    def records(self, run: Run) -> tuple[TimeRecord, ...]:
        """Return the passes by rising iteration, that on screen among them; the same object while they last."""
        trace, kept = run.trace, self.passes.records
        if not self._records or self._records[0] is not trace or self._records[1] is not kept:
            records = kept
            if all(one.iteration != trace.iteration for one in kept):
                records = tuple(sorted((*kept, time_record(trace)), key=lambda one: one.iteration))
            self._records = (trace, kept, records)
        found: tuple[TimeRecord, ...] = self._records[2]
        return found

    def grid(self, run: Run, layer: int, tensor: str) -> PassGrid:
        """Return the passes as a picture; the same object while they last."""
        records, key = self.records(run), (layer, tensor)
        if key not in self._grids or self._grids[key][0] is not records:
            self._grids[key] = (records, pass_grid(records, layer, tensor))
        return self._grids[key][1]

    def last_iteration(self, run: Run) -> int:
        """Return how far the run has come."""
        history = run.history
        return max(self.records(run)[-1].iteration, int(history.iterations[-1]) if len(history) else 0)

    def headline(self, run: Run) -> str:
        """Return what is said beside the picture; empty for nothing but how many passes there are."""
        count = len(self.records(run))
        if not self.words and count < _FEW_PASSES <= self.last_iteration(run):
            return f"{count} recorded; “Record run” adds those between"
        return self.words


def _asked_of(run: Run) -> tuple[Any, ...]:
    """Return what a question was about: all of an experiment but its name."""
    spec = run.experiment
    return (spec.network, spec.data, spec.seed, spec.precision, spec.parameters, spec.training)
