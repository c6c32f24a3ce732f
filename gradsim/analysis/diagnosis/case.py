"""What a rule looks at, and what it answers: one recorded iteration, the history before it, the samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.cause import Causes, cause_budget, causes, main_cause_sentence
from gradsim.analysis.diagnosis.breaking import Breaking, Standing, breaking_by_counts, standing_of
from gradsim.analysis.diagnosis.losses import baseline_loss
from gradsim.analysis.diagnosis.words import number
from gradsim.analysis.fit import Direction
from gradsim.analysis.units import UnitSurvey
from gradsim.spec import Dense, Experiment, PlacedLayer, Residual, placed_layers, unrolled_layers
from gradsim.trace import History, IterationTrace, LayerTrace, SampleSet

CONVERGED = 0.1
"""Loss / baseline at or below which nothing is a fault: nine tenths of what the inputs do not tell by
themselves is explained (for a squared error R² ≥ 0.9)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Final losses of the same network at its depth and at half of it, one pair per seed."""

    deep: tuple[float, ...]
    shallow: tuple[float, ...]
    iterations: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a rule measured.

    ``value`` is the number of the worst layer, ``values`` that of every layer it was taken of (empty for a
    number of the whole network), ``cut`` replaces that of the rule where it depends on the network, ``excuse``
    says why a number past the cut is none the less no finding. ``layers`` are those concerned, where it is not each
    whose own number is past the cut; ``remedies`` replace those of the rule where it depends on the cause; ``after``
    are ids of findings that it is a consequence of: where they are found, they are told first.
    """

    value: float
    sentence: str
    why: str
    values: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)
    cut: float | None = None
    excuse: str = ""
    layers: tuple[str, ...] | None = None
    remedies: tuple[str, ...] | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a rule cannot be applied here."""

    reason: str


@dataclass(frozen=True, eq=False)
class Case:
    """One network at one iteration.

    ``history`` holds only iterations before that of ``trace``; ``recorded`` tells where the run broke, as it was
    recorded again, and ``survey`` is of all units over the whole training part, where somebody could make them.
    """

    trace: IterationTrace
    history: History
    samples: SampleSet
    comparison: Comparison | None = None
    recorded: Breaking | None = None
    survey: UnitSurvey | None = None

    @property
    def experiment(self) -> Experiment:
        """What was asked for."""
        return self.trace.experiment

    @cached_property
    def placed(self) -> dict[str, PlacedLayer]:
        """Every layer of the network as it was asked for, by its name."""
        return {placed.name: placed for placed in unrolled_layers(self.experiment.network)}

    @cached_property
    def numbered(self) -> tuple[LayerTrace, ...]:
        """The layers that carry weights forward, the head last."""
        return tuple(layer for layer in self.trace.layers if layer.number is not None)

    @cached_property
    def hidden(self) -> tuple[LayerTrace, ...]:
        """Those before the head."""
        return self.numbered[:-1]

    @cached_property
    def learning(self) -> tuple[LayerTrace, ...]:
        """The numbered layers that are not frozen."""
        return tuple(layer for layer in self.numbered if _learns(self.placed[layer.name]))

    @cached_property
    def closed(self) -> frozenset[str]:
        """Layers in branches whose trained scale is 0 now: they wait until it opens (SkipInit)."""
        return frozenset(
            inner.name
            for placed in self.placed.values()
            if isinstance(placed.layer, Residual) and placed.layer.train_scale
            if not np.any(self.trace[placed.name]["scale"])
            for inner in flat_layers(placed.branch)
        )

    @cached_property
    def path(self) -> tuple[LayerTrace, ...]:
        """Before the head, the layers that no skip goes round: numbered ones and whole residual blocks."""
        names = {placed.name for placed in placed_layers(self.experiment.network)}
        return tuple(
            layer
            for layer in self.trace.layers[:-1]
            if layer.name in names and (layer.number is not None or layer.kind == "residual")
        )

    @cached_property
    def plain(self) -> tuple[LayerTrace, ...]:
        """Of the path, the dense layers whose values no normalization sets anew."""
        layers = (self.placed[layer.name].layer for layer in self.path)
        return tuple(
            layer
            for layer, spec in zip(self.path, layers, strict=True)
            if isinstance(spec, Dense) and spec.normalization is None
        )

    @cached_property
    def weight_rms(self) -> NDArray[np.float64]:
        """Rms of the weights of every layer of the trace, at every record and now, (records + 1, layers)."""
        return self.with_now("weight")

    @cached_property
    def epoch(self) -> int:
        """Iterations in which every training sample comes once."""
        return max(1, math.ceil(len(self.samples.training_targets) / self.rows))

    @property
    def rows(self) -> int:
        """Samples in a batch."""
        return len(self.trace.sample_indices)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """Loss of every record and of the present batch."""
        return np.append(self.history.loss, self.trace.loss)

    @cached_property
    def loss(self) -> float:
        """Median loss of the last epoch, of at most the last quarter of the run; not finite as soon as now is not."""
        if not math.isfinite(self.trace.loss):
            return self.trace.loss
        records = math.ceil(self.epoch / self.history.stride)
        window = max(1, min(records, len(self.losses) // 4))
        return float(np.median(self.losses[-window:]))

    @cached_property
    def baseline(self) -> float:
        """Loss of the best constant answer."""
        return baseline_loss(self.experiment.training.loss, self.samples, self.rows)

    @cached_property
    def share(self) -> float:
        """Loss / baseline; NaN where there is nothing to be learned."""
        return self.loss / self.baseline if self.baseline > 0 else math.nan

    @property
    def is_converged(self) -> bool:
        """Whether the loss is so low that nothing is a fault."""
        return self.share <= CONVERGED

    @cached_property
    def breaking(self) -> Breaking | None:
        """Where the run broke, if it did."""
        return self.recorded or breaking_by_counts(self.trace, self.history)

    @cached_property
    def standing(self) -> Standing:
        """The pass on which signals are judged: the last finite one."""
        return standing_of(self.trace, self.history, self.breaking)

    @property
    def is_past(self) -> bool:
        """Whether signals are judged on an earlier pass than the present one, which is not finite."""
        return self.standing.iteration != self.trace.iteration

    @cached_property
    def _causes(self) -> Causes | None:
        trace = self.standing.trace
        return None if trace is None else causes(trace, details=False)

    def explains(self, direction: Direction) -> bool:
        """Whether the ratio of any two neighbouring layers has a cause: there is none where no gradient comes."""
        return self._causes is None or cause_budget(self._causes, direction).counted > 0

    def cause(self, direction: Direction) -> str:
        """Return the chief cause of what happens to the signal on its way."""
        if self._causes is None:
            return self._gains()
        budget = cause_budget(self._causes, direction)
        told = main_cause_sentence(budget)
        if told:
            return told
        signal = "the gradient" if direction == "backward" else "the signal"
        between = budget.left_out_words or "there is a single layer"
        return f"Between no two layers {signal} keeps a size that could be explained: {between}."

    def _gains(self) -> str:
        """Return how large the weights are where nothing but statistics is known."""
        at = self.standing
        gains = {
            layer.name: at.rms(layer, "weight") * math.sqrt(layer.fan_in)
            for layer in self.numbered
            if "weight" in layer.statistics
        }
        if not gains:
            return f"Of iteration {at.iteration:,} only the sizes are known, not what made them."
        large = max(gains, key=lambda name: gains[name])
        return (
            f"Of iteration {at.iteration:,} only the sizes are known: the weights have gains (rms · √fan_in) from "
            f"{number(min(gains.values()))} to {number(gains[large])}, the largest in {large}."
        )

    def with_now(self, tensor: str) -> NDArray[np.float64]:
        """Return the rms of a tensor of every layer at every record and now, shape (records + 1, layers)."""
        now = [
            layer.statistics[tensor].rms if tensor in layer.statistics else 0.0 for layer in self.trace.layers
        ]
        return np.vstack([self.history.series(tensor, "rms"), np.array(now, np.float64)])


def case_of(
    trace: IterationTrace,
    history: History,
    samples: SampleSet,
    comparison: Comparison | None = None,
    survey: UnitSurvey | None = None,
) -> Case:
    """Return a case whose history ends before the trace."""
    count = int(np.searchsorted(history.iterations, trace.iteration))
    if count < len(history):
        cut: dict[str, Any] = {
            name: getattr(history, name)[:count]
            for name in (
                *("iterations", "values", "counts", "saturation", "loss", "accuracy"),
                *("learning_rate", "gradient_norm", "clipped", "rounded", "loss_scale"),
            )
        }
        history = replace(history, **cut)
    return Case(trace, history, samples, comparison, survey=survey)


def flat_layers(branch: tuple[PlacedLayer, ...]) -> Iterator[PlacedLayer]:
    """Yield the layers of a branch and of the branches in it."""
    for placed in branch:
        yield placed
        yield from flat_layers(placed.branch)


def _learns(placed: PlacedLayer) -> bool:
    layer: Any = placed.layer
    return bool(layer.trainable and layer.learning_rate_scale > 0)
