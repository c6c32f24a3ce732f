"""The rows of a chain rule as HTML: three factors, their means over a batch and what remains, the largest shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_means import MeanProduct, mean_product
from gradsim.analysis.chain_rule import WeightChain
from gradsim.analysis.chain_terms import ON_OUTPUT
from gradsim.trace import IterationTrace
from gradsim.views.inspection.chain_words import ROLE_WORDS, Role
from gradsim.views.inspection.html_writer import WIDE, HtmlWriter, role_color
from gradsim.views.inspection.recurrent import GATES

MOST_SHARES = 8

_LAST_DIGITS = 1e-13
"""Share of a sum that its order may change."""

Factor = tuple[Role, str, str, NDArray[np.float64]]
"""Whose colour, its symbol, what it is, and its number in each row."""


def three_factors(trace: IterationTrace, chain: WeightChain) -> list[Factor]:
    """Return ∂L/∂a, ∂a/∂z and ∂z/∂w of a weight, the first two in one where they are no product of two.

    Parameters
    ----------
    trace : IterationTrace
        The record.
    chain : WeightChain
        The weight.

    Returns
    -------
    list of (role, symbol, words, values)
        Of a recurrent cell by the names of its gates.
    """
    layer = trace.layers[chain.layer]
    if chain.tensor in ON_OUTPUT:
        return [
            ("loss", "∂L/∂y", "loss by output", chain.loss_by_preactivation),
            ("weight", "∂y/∂w", "output by weight", chain.preactivation_by_weight),
        ]
    weight: Factor = ("weight", "∂z/∂w", ROLE_WORDS["weight"], chain.preactivation_by_weight)
    if chain.loss_by_output is None or chain.output_by_preactivation is None:
        return [("both", "∂L/∂z", ROLE_WORDS["both"], chain.loss_by_preactivation), weight]
    name, by_output, by_z = "a", ROLE_WORDS["loss"], ROLE_WORDS["output"]
    if layer.kind == "recurrent":
        count = layer.recurrent_weight.shape[1] // layer.fan_out
        gates = next(names for names in GATES.values() if len(names) == count)
        gate = gates[chain.column // layer.fan_out]
        name = gate or "h"
        by_output = (
            f"loss by gate {gate}, all later steps in it" if gate else "loss by h, all later steps in it"
        )
        by_z = f"gate {gate} by pre-activation" if gate else "h by pre-activation"
    return [
        ("loss", f"∂L/∂{name}", by_output, chain.loss_by_output),
        ("output", f"∂{name}/∂z", by_z, chain.output_by_preactivation),
        weight,
    ]


def rows_words(chain: WeightChain) -> str:
    """Return over what a mean is taken, such as ``64 samples × 9 steps``."""
    samples, steps = len(set(chain.samples.tolist())), len(set(chain.steps.tolist()))
    others = len(chain.terms) // max(samples * steps, 1)
    parts = [f"{samples} samples"] if samples > 1 else []
    parts += [f"{steps} steps"] if steps > 1 else []
    parts += [f"{others} units"] if others > 1 else []
    return " × ".join(parts) or "1 sample"


@dataclass(frozen=True, slots=True)
class SharesText:
    """How the rows of a chain rule are written.

    Attributes
    ----------
    trace : IterationTrace
        The record.
    chain : WeightChain
        The weight.
    write : HtmlWriter
        Colours, digits and the room there is.
    """

    trace: IterationTrace
    chain: WeightChain
    write: HtmlWriter

    def rule(self) -> str:
        """Return the rule itself with its numbers: for several rows their means, and what remains."""
        factors, write = three_factors(self.trace, self.chain), self.write
        symbols = " · ".join(write.colored(role, symbol) for role, symbol, _, _ in factors)
        is_one = len(self.chain.terms) == 1
        sign = "" if is_one else "Σ "
        rule = f"<p style='margin:0 0 4px 0'><b>{write.mono('∂L/∂w = ' + sign)}{symbols}</b></p>"
        if is_one:
            rows = [self._factor(factor, float(factor[3][0])) for factor in factors]
            rows.append(self._total("the product"))
            return rule + write.table(rows)
        means = mean_product([values for _, _, _, values in factors])
        rows = [write.row(write.mono("n"), write.number(means.count), rows_words(self.chain))]
        rows += [
            self._factor((role, symbol, f"mean, {words}", values), mean)
            for (role, symbol, words, values), mean in zip(factors, means.means, strict=True)
        ]
        words = "n times the product of the means"
        rows.append(write.row(write.mono("n · …"), write.number(means.product), words))
        rows.append(write.row("", write.number(means.remainder), "remainder: what they do together"))
        rounding = self._rounding(means.total)
        if rounding:
            words = f"rounding in {self.trace.experiment.precision}"
            rows.append(write.row("", write.number(rounding), words))
        rows.append(self._total("the sum over all"))
        return rule + write.table(rows) + self._together(factors, means)

    @property
    def _whole(self) -> float:
        """What the rows make: the recorded gradient where they are all there are."""
        chain = self.chain
        return chain.gradient if chain.sample is None and chain.time is None else chain.total

    def _rounding(self, total: float) -> float:
        """Return what the engine's rounding added to a sum of the recorded factors; 0 for the last digits alone."""
        with np.errstate(all="ignore"):
            missing = float(np.float64(self._whole) - total)
            size = float(np.abs(self.chain.terms).sum())
        return missing if abs(missing) > _LAST_DIGITS * size else 0.0

    def _factor(self, factor: Factor, value: float) -> str:
        role, symbol, words, _ = factor
        color = role_color(self.write.theme, role)
        words = f"<span style='color:{color}'>{words}</span>"
        return self.write.row(self.write.colored(role, symbol), self.write.number(value), words)

    def _total(self, words: str) -> str:
        number = f"<b>{self.write.number(self._whole)}</b>"
        return self.write.row(f"<b>{self.write.mono('∂L/∂w')}</b>", number, words)

    def _together(self, factors: list[Factor], means: MeanProduct) -> str:
        """Return the remainder in parts: which factors rise and fall together."""
        if len(means.together) < 2:
            return ""
        rows = []
        for part in means.together:
            names = " with ".join(self.write.colored(factors[i][0], factors[i][1]) for i in part.factors)
            number = self.write.number(part.value)
            if self.write.is_tight:
                rows.append(f"<tr><td>{names}</td></tr>{self.write.cells([number])}")
            else:
                rows.append(self.write.cells([names, number], left=0))
        said = self.write.muted(
            "The remainder in parts: n times the mean of what they deviate together, times the others."
        )
        return said + self.write.table(rows)

    def shares(self) -> str:
        """Return the largest shares of the samples, and of the steps of time."""
        chain, parts = self.chain, []
        if len(set(chain.samples.tolist())) > 1:
            parts.append(self._shares(chain.samples, "sample"))
        if len(set(chain.steps.tolist())) > 1:
            parts.append(self._shares(chain.steps, "step"))
        return "".join(parts)

    def _shares(self, keys: NDArray[np.int64], what: str) -> str:
        chain, write = self.chain, self.write
        shares = _sums(keys, chain.terms)
        order = np.argsort(-np.where(np.isnan(shares), np.inf, np.abs(shares)), kind="stable")
        factors = three_factors(self.trace, chain) if len(keys) == len(shares) else []
        is_wide = write.width >= WIDE
        columns = factors if is_wide else []
        titles = [
            what,
            *(write.colored(role, symbol) for role, symbol, _, _ in columns),
            "product" if factors else "sum",
        ]
        lines = [write.cells(titles, header=True)]
        for key in order[:MOST_SHARES].tolist():
            name = write.wish(f"{what}:{key}", f"{key + 1}")
            cells = [write.number(float(values[key])) for _, _, _, values in columns]
            lines.append(write.cells([name, *cells, write.number(float(shares[key]))]))
            if factors and not is_wide:  # in a line of its own, which may break
                three = " · ".join(write.in_color(role, float(values[key])) for role, _, _, values in factors)
                lines.append(f"<tr><td colspan='2' align='right'>{three}</td></tr>")
        rest = order[MOST_SHARES:]
        if len(rest):
            with np.errstate(all="ignore"):
                total = write.number(float(shares[rest].sum()))
            more = f"{len(rest)} more {what}{'s' if len(rest) > 1 else ''}"
            lines.append(write.cells([more, total], span=1 + len(columns), left=0))
        title = f"Largest shares of the {what}s"
        return write.title(title) + write.table(lines) + (self._why(shares) if what == "sample" else "")

    def _why(self, shares: NDArray[np.float64]) -> str:
        with np.errstate(all="ignore"):
            mean = self.write.number(float(shares.mean()))
        why = f"The loss is a mean over the samples, so every share has its 1/{len(shares)} inside"
        if self.trace.experiment.training.loss == "sse":
            why = "The loss is a sum over the samples"
        return (
            f"<p style='margin:2px 0 8px 0; color:{self.write.theme.muted}'>{why}: the shares add up to the "
            f"gradient. Their mean is {mean}.</p>"
        )


def _sums(keys: NDArray[np.int64], terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the terms of each key from 0 on; NaN and ∞ stay with theirs."""
    if np.isfinite(terms).all():
        return np.bincount(keys, weights=terms).astype(np.float64)
    with np.errstate(all="ignore"):
        return np.array([terms[keys == key].sum() for key in range(int(keys.max()) + 1)])
