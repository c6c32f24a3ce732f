"""Singular values of the Jacobians of a network at one sample: of every layer, and from each layer to the output.

A gradient that comes back through a layer is multiplied by its transposed Jacobian. Its singular values say how much
the most and the least favoured direction shrinks or grows there; those of the whole say what is left at the input.
The network is run by the simulator that is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.jacobian_work import MOST_WORK, check_work
from gradsim.analysis.local_jacobian import Matrix, coupled_layers, is_local, local_jacobian
from gradsim.spec import Experiment, PlacedLayer, placed_layers
from gradsim.trace import IterationTrace

Tell = Callable[[str, float], None]
"""Told what is being done, and the share that is done."""


class Differentiable(Protocol):
    """What the Jacobians need of a simulator."""

    iteration: int

    @property
    def experiment(self) -> Experiment:
        """What is run."""

    def record(self) -> IterationTrace:
        """Return the pass at the present iteration."""

    def jacobian(self, sample: int, first: str, last: str) -> NDArray[Any]:
        """Return ∂ output of ``last`` / ∂ input of ``first`` by passes backwards."""


@dataclass(frozen=True, slots=True, eq=False)
class JacobianSpectrum:
    """Singular values at one sample, each array descending and read-only.

    Attributes
    ----------
    iteration : int
        Number of updates made before.
    sample : int
        Row of the batch.
    names : tuple of str
        The K blocks one after the other: the layers that stand in no other, a residual with all that is inside.
    layers : tuple of tuple of int
        Indices into ``IterationTrace.layers`` of the layers each block holds, its own last.
    blocks : tuple of ndarray of float64
        Singular values of the Jacobian of each block; NaN where it holds NaN or ∞.
    onward : tuple of ndarray of float64
        Of the Jacobian from the input of each block to the output of the network, the logits of the head: the
        first one is that of the whole.
    shapes : tuple of (int, int)
        Outputs and inputs of each block.
    eps : float
        Relative rounding of the precision; a singular value below ``eps`` times the largest says nothing.
    product_gap : float
        Largest difference between the Jacobian of the whole, by passes backwards, and the product of those of the
        blocks, relative to its largest entry; NaN where they do not multiply (batch normalization).
    """

    iteration: int
    sample: int
    names: tuple[str, ...]
    layers: tuple[tuple[int, ...], ...]
    blocks: tuple[NDArray[np.float64], ...]
    onward: tuple[NDArray[np.float64], ...]
    shapes: tuple[tuple[int, int], ...]
    eps: float
    product_gap: float

    @property
    def whole(self) -> NDArray[np.float64]:
        """Singular values from the input to the output."""
        return self.onward[0]

    @property
    def log10_bounds(self) -> NDArray[np.float64]:
        """log10 of the product of the largest singular values from each block to the last, shape (K,).

        The largest singular value of a product is at most that product: −∞ where one is 0.
        """
        with np.errstate(divide="ignore"):
            largest = np.log10(np.array([values[0] for values in self.blocks]))
        return np.asarray(np.cumsum(largest[::-1])[::-1])

    def block_of(self, layer: int | None) -> int | None:
        """Return the block that holds a layer.

        Parameters
        ----------
        layer : int or None
            Index into ``IterationTrace.layers``.

        Returns
        -------
        int or None
            Its place among the K blocks; None for no layer.
        """
        return next((k for k, held in enumerate(self.layers) if layer in held), None)


def jacobian_spectrum(
    simulator: Differentiable,
    sample: int,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Tell = lambda words, share: None,
    most_work: float = MOST_WORK,
) -> JacobianSpectrum | None:
    """Return the singular values of all Jacobians at one sample of the present batch.

    Parameters
    ----------
    simulator : Differentiable
        Stands at the iteration; nothing in it changes.
    sample : int
        Row of the batch.
    should_stop : callable, optional
        Asked after every block; True ends it.
    progress : callable, optional
        Told before every block.
    most_work : float, default MOST_WORK
        Multiplications that may be spent.

    Returns
    -------
    JacobianSpectrum or None
        None if it was stopped.

    Raises
    ------
    ValueError
        If it would take more; says what would fit. For a sample that the batch does not have.
    """
    trace = simulator.record()
    blocks = placed_layers(simulator.experiment.network)
    if not 0 <= sample < len(trace.inputs):
        raise ValueError(f"expected a row of the batch from 0 to {len(trace.inputs) - 1}, got {sample}")
    check_work(trace, blocks, most_work)
    chain = _Chain(simulator, trace, blocks, sample)
    for done, place in enumerate(reversed(range(len(blocks)))):
        if should_stop():
            return None
        progress(f"Jacobian of {blocks[place].name}", done / (len(blocks) + 1))
        chain.add(place)
    progress("Jacobian of the whole", len(blocks) / (len(blocks) + 1))
    return chain.spectrum()


class _Chain:
    """Goes from the last block to the first; keeps the product of the Jacobians, and of each its singular values."""

    def __init__(
        self, simulator: Differentiable, trace: IterationTrace, blocks: Sequence[PlacedLayer], sample: int
    ) -> None:
        self._simulator, self._trace, self._blocks, self._sample = simulator, trace, blocks, sample
        self._multiplies = sum(map(coupled_layers, blocks)) < 2
        self._product: Matrix | None = None
        self._own: list[NDArray[np.float64]] = []
        self._onward: list[NDArray[np.float64]] = []
        self._shapes: list[tuple[int, int]] = []

    def add(self, place: int) -> None:
        """Take in the block before those that were taken in."""
        block = self._blocks[place]
        if is_local(block):
            own = local_jacobian(block, self._trace, self._sample)
        else:
            own = self._by_passes(block.name, block.name)
        self._shapes.append((own.shape[0], own.shape[1]))
        self._own.append(singular_values(own))
        if self._multiplies:
            with np.errstate(all="ignore"):
                self._product = own if self._product is None else self._product @ own
        else:
            self._product = self._by_passes(block.name, "head")
        self._onward.append(singular_values(self._product))

    def spectrum(self) -> JacobianSpectrum:
        """Return all of it, the Jacobian of the whole by passes backwards."""
        assert self._product is not None
        whole, gap = self._product, math.nan
        if self._multiplies:
            whole = self._by_passes(self._blocks[0].name, "head")
            gap = _gap(self._product, whole)
            self._onward[-1] = singular_values(whole)
        index_of = {layer.name: layer.index for layer in self._trace.layers}
        return JacobianSpectrum(
            iteration=self._simulator.iteration,
            sample=self._sample,
            names=tuple(block.name for block in self._blocks),
            layers=tuple(tuple(index_of[name] for name in _names(block)) for block in self._blocks),
            blocks=tuple(reversed(self._own)),
            onward=tuple(reversed(self._onward)),
            shapes=tuple(reversed(self._shapes)),
            eps=_EPS[self._simulator.experiment.precision],
            product_gap=gap,
        )

    def _by_passes(self, first: str, last: str) -> Matrix:
        return np.asarray(self._simulator.jacobian(self._sample, first, last), dtype=np.float64)


def singular_values(matrix: Matrix) -> NDArray[np.float64]:
    """Return the singular values of a matrix.

    Parameters
    ----------
    matrix : ndarray of float64, shape (m, n)
        Any.

    Returns
    -------
    ndarray of float64, shape (min(m, n),)
        Descending, read-only; NaN throughout where the matrix holds NaN or ∞. A row or column of zeros, such as
        that of a silent unit, makes values that are exactly 0, where a decomposition would give its rounding.
    """
    found = np.zeros(min(matrix.shape))
    if np.isfinite(matrix).all():
        inner = matrix[matrix.any(axis=1)][:, matrix.any(axis=0)]
        found[: min(inner.shape)] = np.linalg.svd(inner, compute_uv=False)
    else:
        found[:] = np.nan
    found.setflags(write=False)
    return found


_EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Distance from 1 to the next number of each precision."""


def _names(block: PlacedLayer) -> list[str]:
    return [name for inner in block.branch for name in _names(inner)] + [block.name]


def _gap(product: Matrix, whole: Matrix) -> float:
    if not (np.isfinite(product).all() and np.isfinite(whole).all()):
        return math.nan
    largest = float(np.abs(whole).max())
    difference = float(np.abs(product - whole).max())
    return difference / largest if largest else (0.0 if difference == 0 else math.inf)
