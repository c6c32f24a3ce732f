"""Views that ask, answered at once from the record: for tests that show a view with a picture in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.jacobian import jacobian_spectrum
from gradsim.analysis.local_jacobian import coupled_layers, is_local, local_jacobian
from gradsim.spec import Experiment, placed_layers
from gradsim.trace import IterationTrace, Run
from gradsim.views.jacobian_view import JACOBIAN, JacobianView


class RecordedJacobians:
    """Jacobians as products of what a record tells; noise for layers that only passes can tell."""

    def __init__(self, trace: IterationTrace) -> None:
        self._trace = trace
        self.iteration = trace.iteration
        self.experiment: Experiment = trace.experiment

    def record(self) -> IterationTrace:
        """Return the record."""
        return self._trace

    def jacobian(self, sample: int, first: str, last: str) -> NDArray[Any]:
        """Return a product over the blocks from the first to the last."""
        blocks = placed_layers(self.experiment.network)
        names = [block.name for block in blocks]
        found: NDArray[Any] | None = None
        for block in blocks[names.index(first) : names.index(last) + 1]:
            layer = self._trace[block.name]
            if is_local(block) and coupled_layers(block) < 2:
                own = local_jacobian(block, self._trace, sample)
            else:
                keeps = getattr(block.layer, "return_sequences", True)
                outputs = int(np.prod(layer.output.shape[1:])) if keeps else layer.output.shape[-1]
                inputs = int(np.prod(layer.input.shape[1:]))
                own = np.random.default_rng(5).normal(size=(outputs, inputs)) / np.sqrt(inputs)
            found = own if found is None else own @ found
        assert found is not None
        return found


class AnsweredJacobianView(JacobianView):
    """The view with its answer, as soon as it has a run."""

    def set_run(self, run: Run | None) -> None:
        is_new = run is not None and run is not self.run
        super().set_run(run)
        if is_new:
            assert run is not None
            with np.errstate(all="ignore"):
                self.set_answer(JACOBIAN, jacobian_spectrum(RecordedJacobians(run.trace), self.sample))
