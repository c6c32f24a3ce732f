"""The passes looked at last, so that stepping to and fro over an iteration's edge is instant."""

from __future__ import annotations

from collections import OrderedDict

from gradsim.trace import IterationTrace

MOST_TRACES = 12
MOST_BYTES = 256 * 2**20
"""Of the passes beside the one on screen."""


class RecentTraces:
    """Passes of one run by iteration; the one not looked at for longest goes first."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, IterationTrace] = OrderedDict()

    def __contains__(self, iteration: int) -> bool:
        return iteration in self._traces

    def __getitem__(self, iteration: int) -> IterationTrace:
        return self._traces[iteration]

    def keep(self, trace: IterationTrace) -> None:
        """Keep a pass, in the place of the oldest ones where room is short."""
        self._traces[trace.iteration] = trace
        self._traces.move_to_end(trace.iteration)
        size = max(sum(a.nbytes for layer in trace.layers for a in layer.tensors.values()), 1)
        most = min(MOST_TRACES, max(MOST_BYTES // size, 1))
        while len(self._traces) > most:
            self._traces.popitem(last=False)

    def clear(self) -> None:
        """Forget all: they belong to another run."""
        self._traces.clear()
