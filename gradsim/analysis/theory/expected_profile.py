"""The profile of δ that theory expects of the network of a record, with the band of finite width around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.fit import Fit, fitted_factor
from gradsim.analysis.theory.gaussian import Numbers
from gradsim.analysis.theory.mean_field import MeanField
from gradsim.analysis.theory.network_mean_field import mean_field
from gradsim.analysis.theory.parting import reasons_to_part
from gradsim.analysis.theory.passages import walked
from gradsim.analysis.theory.recurrent_bound import bound_words, recurrent_bounds
from gradsim.analysis.theory.signals import NotRandom, Passage
from gradsim.spec import placed_layers
from gradsim.trace import IterationTrace, LayerTrace

Kind = TypeVar("Kind", bound=np.generic)

_BAND = 2.0
_ROUNDING = 1e-5
"""log10 that float32 may round away: where there is no band to speak of, it must not matter."""
_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedProfile:
    """What theory expects of rms δ and rms a in the L numbered layers, beside what was measured.

    It starts forwards at the measured z of the first layer and backwards at the measured δ of the last layer before
    the head; between them only widths, initializers, activations and the tree of layers count. Arrays are read-only.

    Attributes
    ----------
    why_not : str
        Why theory does not apply, and what bounds a recurrent gradient instead; empty
        where it does. Without it every number is NaN.
    numbers : ndarray of int64, shape (L,)
        1…L.
    widths : tuple of int
        Units of the narrowest and the widest layer before the head.
    batch : int
        Samples over which the rms is measured; all of them go through the same weights.
    log10_delta : ndarray of float64, shape (L,)
        log10 of the expected rms δ; NaN for the head, −∞ where nothing comes back.
    log10_low, log10_high : ndarray of float64, shape (L,)
        Two standard deviations to either side, from finite width (Hanin 2018, arXiv 1801.03744: the variances of
        the layers passed add up, each about 5 / width for ReLU): of the weights drawn, not of the samples.
    log10_measured : ndarray of float64, shape (L,)
        log10 of the measured rms δ.
    log10_activation, log10_activation_low, log10_activation_high, log10_activation_measured : ndarray of float64
        The same of the activation a, shape (L,); NaN for the head. Its band: the mean of φ² over so many normal draws
        of z varies by (E[φ⁴] / E[φ²]² − 1) / width per layer, and later layers carry it on.
    backward_ratio : ndarray of float64, shape (L − 2,)
        √χ of each layer here: expected rms δ of a layer / that of the next.
    q : ndarray of float64, shape (L,)
        Expected variance of what enters φ; NaN where theory does not apply.
    fit, measured_fit : Fit or None
        Lines through the expected and the measured values of layers 1…L − 1, in which the head has no part.
    mean_field : MeanField or None
        Of the layer that most of the network is made of, where its layers are plain.
    reasons : tuple of str
        Why measurement and theory may part, or do, most weighty first.
    """

    why_not: str
    numbers: NDArray[np.int64]
    widths: tuple[int, int]
    batch: int
    log10_delta: NDArray[np.float64]
    log10_low: NDArray[np.float64]
    log10_high: NDArray[np.float64]
    log10_measured: NDArray[np.float64]
    log10_activation: NDArray[np.float64]
    log10_activation_low: NDArray[np.float64]
    log10_activation_high: NDArray[np.float64]
    log10_activation_measured: NDArray[np.float64]
    backward_ratio: NDArray[np.float64]
    q: NDArray[np.float64]
    fit: Fit | None
    measured_fit: Fit | None
    mean_field: MeanField | None
    reasons: tuple[str, ...]

    @property
    def applies(self) -> bool:
        """Whether there is anything to expect."""
        return not self.why_not

    @property
    def outside(self) -> NDArray[np.int64]:
        """Numbers of the layers whose measured δ lies outside the band, the anchor apart."""
        return self._outside(self.log10_measured, self.log10_low, self.log10_high)

    @property
    def outside_forward(self) -> NDArray[np.int64]:
        """Numbers of the layers whose measured a lies outside its band."""
        return self._outside(
            self.log10_activation_measured, self.log10_activation_low, self.log10_activation_high
        )

    def _outside(
        self, measured: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        with np.errstate(invalid="ignore"):
            inside = (measured >= low - _ROUNDING) & (measured <= high + _ROUNDING)
        return self.numbers[~inside & ~np.isnan(low)]


def expected_profile(trace: IterationTrace) -> ExpectedProfile:
    """Return the profile that theory expects of the network of a record.

    Parameters
    ----------
    trace : IterationTrace
        Any record. The weights are taken to be as the experiment's initializers draw them, whatever training has made
        of them since: where that matters, ``reasons`` says so.

    Returns
    -------
    ExpectedProfile
        With ``why_not`` where theory has nothing to say.
    """
    layers = [layer for layer in trace.layers if layer.number is not None]
    numbers = np.array([layer.number for layer in layers], dtype=np.int64)
    delta, activation = (
        np.array([layer.statistics[tensor].rms for layer in layers], dtype=np.float64)
        for tensor in ("delta", "activation")
    )
    with np.errstate(divide="ignore"):
        measured, forward_measured = np.log10(delta), np.log10(activation)
    try:
        if len(layers) < 3:
            raise NotRandom("it needs at least two layers before the head")
        passages, told = walked(trace, placed_layers(trace.experiment.network))
        if not (delta[-2] > 0 and math.isfinite(delta[-2])):
            raise NotRandom(
                f"δ of {layers[-2].name}, from which it would go back, is {'0' if delta[-2] == 0 else 'not finite'}"
            )
    except NotRandom as reason:
        bounds = [bound_words(bound) for bound in recurrent_bounds(trace)]
        text = " ".join([f"Theory does not apply here: {reason}.", *bounds])
        return _nothing(text, numbers, _widths(layers), len(trace.inputs), measured, forward_measured)
    back = _Backward()
    back.through(passages, np.zeros(1), 0.0)
    names = [layer.name for layer in layers]
    log = np.array([back.log[name] for name in names]) / (2.0 * _LN10)
    spread = np.sqrt(np.maximum([back.variance[name] - back.variance[names[-2]] for name in names], 0.0))
    expected = log - log[-2] + measured[-2]
    expected[-1] = np.nan
    band = _BAND * spread / (2.0 * _LN10)
    forward = np.array([float(_log(back.passages[name].square)) for name in names]) / (2.0 * _LN10)
    forward[-1] = np.nan
    forward_band = _BAND * np.sqrt([back.passages[name].noise for name in names]) / (2.0 * _LN10)
    inner = len(layers) - 1
    fit, measured_fit = (
        fitted_factor(_powers(values), numbers, "backward", inner) for values in (expected, measured)
    )
    field = mean_field(trace)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        ratio = np.power(10.0, expected[:-2] - expected[1:-1])
    return ExpectedProfile(
        why_not="",
        numbers=_frozen(numbers),
        widths=_widths(layers),
        batch=len(trace.inputs),
        log10_delta=_frozen(expected),
        log10_low=_frozen(expected - band),
        log10_high=_frozen(expected + band),
        log10_measured=_frozen(measured),
        log10_activation=_frozen(forward),
        log10_activation_low=_frozen(forward - forward_band),
        log10_activation_high=_frozen(forward + forward_band),
        log10_activation_measured=_frozen(forward_measured),
        backward_ratio=_frozen(ratio),
        q=_frozen(np.array([back.passages[name].q for name in names])),
        fit=fit,
        measured_fit=measured_fit,
        mean_field=field,
        reasons=reasons_to_part(trace, passages, field, told, expected, measured, band),
    )


class _Backward:
    """Walks the passages backwards with the logarithm of the mean square of a gradient, of groups of samples."""

    def __init__(self) -> None:
        self.log: dict[str, float] = {}
        self.variance: dict[str, float] = {}
        self.passages: dict[str, Passage] = {}

    def through(self, passages: Sequence[Passage], log: Numbers, variance: float) -> tuple[Numbers, float]:
        for passage in reversed(passages):
            if passage.branch:
                log, variance = self._residual(passage, log, variance)
                continue
            delta = log + _log(passage.before)
            variance += passage.variance
            self.log[passage.name] = float(_log_mean(delta))
            self.variance[passage.name] = variance
            self.passages[passage.name] = passage
            log = delta + float(_log(passage.after))
        return log, variance

    def _residual(self, passage: Passage, log: Numbers, variance: float) -> tuple[Numbers, float]:
        """Add the two ways back: a branch of share s adds s² of its own variance, and chance overlap 4 s (1 − s)."""
        branch, of_branch = self.through(passage.branch, log + float(_log(passage.scale_square)), variance)
        skip = log + float(_log(passage.skip))
        both = np.logaddexp(skip, branch)
        share = float(np.exp(_log_mean(branch) - _log_mean(both))) if np.isfinite(both).all() else 0.0
        overlap = 4.0 * share * (1.0 - share) / passage.width
        return both, variance + share**2 * (of_branch - variance) + overlap


def _log(value: float | Numbers) -> Numbers:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(value, dtype=np.float64))


def _log_mean(values: Numbers) -> float:
    top = float(values.max())
    if not math.isfinite(top):
        return top
    return top + math.log(float(np.exp(values - top).mean()))


def _powers(log10: NDArray[np.float64]) -> NDArray[np.float64]:
    """10 to the power, for a fit: shifted so that a profile of any depth stays in reach."""
    finite = log10[np.isfinite(log10)]
    shift = float(finite.mean()) if len(finite) else 0.0
    with np.errstate(over="ignore", under="ignore"):
        return np.power(10.0, log10 - shift)


def _widths(layers: Sequence[LayerTrace]) -> tuple[int, int]:
    units = [layer.fan_out for layer in layers[:-1]] or [layers[-1].fan_out]
    return min(units), max(units)


def _frozen(array: NDArray[Kind]) -> NDArray[Kind]:
    array.setflags(write=False)
    return array


def _nothing(
    why_not: str,
    numbers: NDArray[np.int64],
    widths: tuple[int, int],
    batch: int,
    measured: NDArray[np.float64],
    forward_measured: NDArray[np.float64],
) -> ExpectedProfile:
    none = _frozen(np.full(len(numbers), np.nan))
    return ExpectedProfile(
        why_not=why_not,
        numbers=_frozen(numbers),
        widths=widths,
        batch=batch,
        log10_delta=none,
        log10_low=none,
        log10_high=none,
        log10_measured=_frozen(measured),
        log10_activation=none,
        log10_activation_low=none,
        log10_activation_high=none,
        log10_activation_measured=_frozen(forward_measured),
        backward_ratio=none[2:],
        q=none,
        fit=None,
        measured_fit=None,
        mean_field=None,
        reasons=(),
    )
