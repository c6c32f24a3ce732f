"""What is known of the first broken and the first lost value of a run, and the way there."""

from __future__ import annotations

from typing import Any

from gradsim.analysis import (
    Fault,
    Forensics,
    fault_by_counts,
    fault_words,
    first_broken_record,
    forensic_sentences,
)
from gradsim.analysis.fault import broken_in
from gradsim.trace import Cursor, IterationTrace, Run
from gradsim.views.asking_view import Asked
from gradsim.views.inspection.fault_place import fault_place, fault_step


class KnownFaults:
    """Faults of the run on screen: by forensics where they were asked, else as far as record and counts tell."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._asked = Asked()
        self._looked_through: tuple[IterationTrace, Fault | None] | None = None

    def take(self, run: Run | None, asked: Asked) -> None:
        """Take a run, and what is known of the question to forensics.

        Parameters
        ----------
        run : Run or None
            On screen.
        asked : Asked
            Of forensics.
        """
        self._run, self._asked = run, asked

    @property
    def found(self) -> Forensics | None:
        """What forensics have found in this run; None if they were not asked about it as far as it has come."""
        asked = self._asked
        if self._run is None or asked.answered is None or asked.answer is None:
            return None
        is_same_run = asked.answered.experiment == self._run.trace.experiment
        knows_all = asked.answer.broken is not None or first_broken_record(self._run.history) is None
        return asked.answer if is_same_run and knows_all else None

    def fault(self, name: str) -> Fault | None:
        """Return a fault of the run as far as it is known.

        Parameters
        ----------
        name : {"broken", "lost"}
            Which one.

        Returns
        -------
        Fault or None
            Until forensics have been asked: as the iteration on screen tells it, by counts alone on any other.
        """
        if self.found is not None:
            return self.found.broken if name == "broken" else self.found.lost
        if name == "lost" or self._run is None:
            return None
        record = first_broken_record(self._run.history)
        if record is None:
            return None
        on_screen = self._run.trace.iteration == int(self._run.history.iterations[record])
        exact = self._on_screen(self._run.trace) if on_screen else None
        return exact or fault_by_counts(self._run.history, record)

    def words(self, waiting: str) -> str:
        """Return what broke and what was lost.

        Parameters
        ----------
        waiting : str
            How far forensics are; empty where they are not waited for.

        Returns
        -------
        str
            Sentences; none without a run.
        """
        if self._run is None:
            return ""
        if self.found is not None:
            return " ".join(forensic_sentences(self.found, self._run.experiment.precision))
        fault = self.fault("broken")
        told = (
            f"First broken value: {fault_words(fault)}."
            if fault
            else "By its counts every value of the run is finite."
        )
        if waiting:
            return f"{told} {waiting}"
        reason = self._asked.reason
        return f"{told} What made it could not be found: {reason}" if reason else told

    def _on_screen(self, trace: IterationTrace) -> Fault | None:
        if self._looked_through is None or self._looked_through[0] is not trace:
            self._looked_through = (trace, broken_in(trace))
        return self._looked_through[1]


def way_to(fault: Fault, trace: IterationTrace) -> tuple[Cursor, int, Any]:
    """Return where a fault is to be seen.

    Parameters
    ----------
    fault : Fault
        Of any iteration.
    trace : IterationTrace
        Of any iteration of the same run: the steps of all are the same.

    Returns
    -------
    tuple of Cursor, int and Place
        The moment, the index of the layer, and which of its numbers.
    """
    layer = fault.layer
    if layer is None:
        layer = 0 if fault.tensor == "inputs" else len(trace.layers) - 1
    moment = Cursor(fault.iteration, fault_step(fault, trace.steps))
    return moment, layer, fault_place(fault, trace.layers[layer])
