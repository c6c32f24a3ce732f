"""Views that ask, answered at once from the record: for tests that show a view with a picture in it."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import Difference, DirectionCheck, GradientCheck, TensorCheck
from gradsim.analysis.gradient_verdict import Verdict
from gradsim.analysis.jacobian import jacobian_spectrum
from gradsim.analysis.local_jacobian import coupled_layers, is_local, local_jacobian
from gradsim.analysis.parameters import parameter_names, stored_name
from gradsim.spec import Experiment, placed_layers
from gradsim.trace import IterationTrace, Run
from gradsim.views.jacobian_view import JACOBIAN, JacobianView
from gradsim.views.proof_view import CHECK, ProofView


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


class AnsweredProofView(ProofView):
    """The view with a check of every parameter, as soon as it has a run; every verdict occurs."""

    def set_run(self, run: Run | None) -> None:
        is_new = run is not None and run is not self.run
        super().set_run(run)
        if is_new:
            assert run is not None
            with np.errstate(all="ignore"):
                self.ask(CHECK)
                self.set_answer(CHECK, some_check(run.trace))


def some_check(trace: IterationTrace) -> GradientCheck:
    """Return a check whose errors are drawn at random, as its verdicts say."""
    random = np.random.default_rng(3)
    verdicts: tuple[Verdict, ...] = get_args(Verdict)
    tensors = []
    for layer in trace.layers:
        for name in parameter_names(layer):
            verdict = verdicts[len(tensors) % len(verdicts)]
            error = {"zero": 0.0, "not finite": np.nan}.get(verdict, 10.0 ** random.uniform(-12, -7))
            found = Difference(1.0, 1e-12, 1e-3, 1.1, 0.9, None, 6)
            way = DirectionCheck("gradient", 1.0 + error, found, error, verdict)
            stored = stored_name(layer.name, name)
            tensors.append(TensorCheck(stored, layer.index, 12, 1.0, (way,), 3e-7, 0, 0))
    names = tuple(layer.name for layer in trace.layers)
    precision = trace.experiment.precision
    loss = trace.loss
    return GradientCheck(trace.iteration, precision, loss, loss, names, tuple(tensors), 40, names[:1])
