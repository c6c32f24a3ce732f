"""The chain rule of a weight as HTML: three factors in three colours, the samples, the paths, and the update."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_paths import ChainPath, product
from gradsim.analysis.chain_rule import WeightChain
from gradsim.spec import kind_of
from gradsim.trace import IterationTrace
from gradsim.views.inspection.chain_words import (
    PARAMETER_LETTERS,
    ROLE_WORDS,
    Role,
    count_text,
    factor_words,
    path_text,
    unit_chain,
)
from gradsim.views.inspection.html_writer import WIDE, HtmlWriter, role_color
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.recurrent import GATES

MOST_SAMPLES = 8
MOST_WEIGHTS = 5
_NARROW_DIGITS = 4
_MOST_FACTORS = 24
"""So many factors at either end of a path are listed."""

_SYMBOLS: dict[Role, str] = {
    "loss": "∂L/∂a",
    "output": "∂a/∂z",
    "weight": "∂z/∂w",
    "both": "∂L/∂z",
    "none": "",
}


@dataclass(frozen=True, slots=True)
class ChainText:
    """How the chain rule of a weight is written.

    Attributes
    ----------
    trace : IterationTrace
        The record.
    chain : WeightChain
        The weight.
    selected : int
        The path whose factors are listed.
    write : HtmlWriter
        Colours, digits and the room there is.
    """

    trace: IterationTrace
    chain: WeightChain
    selected: int
    write: HtmlWriter

    def html(self) -> str:
        """Return all of it."""
        chain = self.chain
        parts = [self._heading(), self._three()]
        if len(chain.terms) > 1:
            parts.append(self._rows())
        parts.append(self._movement())
        if chain.path_count:
            parts.append(self._paths())
        parts += [self.write.muted(remark) for remark in chain.remarks]
        parts.append(self._others())
        return "".join(parts)

    # The parts

    def _heading(self) -> str:
        chain, layer = self.chain, self.trace.layers[self.chain.layer]
        letter, samples = PARAMETER_LETTERS[chain.tensor], len(self.trace.inputs)
        place = self._unit_name(chain.column)
        if layer[chain.tensor].ndim == 2:
            place = f"{chain.row + 1}→{place}"
        if chain.sample is not None:
            whose = f"sample {chain.sample + 1} of {samples}"
        else:
            whose = f"sum over all {samples} samples" if samples > 1 else "the only sample"
        steps = len(set(chain.steps.tolist()))
        if steps > 1:
            whose += f", sum over {steps} steps of time"
        return (
            f"<p style='margin:0 0 6px 0'><b>∂L/∂w for w = {letter}[{place}] of {escape(layer.name)}</b><br>"
            f"<span style='color:{self.write.theme.muted}'>{whose}</span></p>"
        )

    def _three(self) -> str:
        """Return the rule itself, and for one row its numbers."""
        chain = self.chain
        values = [
            ("loss", chain.loss_by_output),
            ("output", chain.output_by_preactivation),
            ("weight", chain.preactivation_by_weight),
        ]
        if chain.loss_by_output is None:
            values = [("both", chain.loss_by_preactivation), ("weight", chain.preactivation_by_weight)]
        roles: list[Role] = [role for role, _ in values]  # type: ignore[misc]
        symbols = " · ".join(self.write.colored(role, _SYMBOLS[role]) for role in roles)
        sign = "Σ " if len(chain.terms) > 1 else ""
        rule = f"<p style='margin:0 0 4px 0'><b>{self.write.mono('∂L/∂w = ' + sign)}{symbols}</b></p>"
        rows = [
            self.write.row(
                self.write.colored(role, _SYMBOLS[role]),
                "" if len(chain.terms) > 1 or array is None else self.write.number(float(array[0])),
                f"<span style='color:{role_color(self.write.theme, role)}'>{ROLE_WORDS[role]}</span>",
            )
            for role, (_, array) in zip(roles, values, strict=True)
        ]
        what = "the product" if len(chain.terms) == 1 else "the sum"
        rows.append(
            self.write.row(
                f"<b>{self.write.mono('∂L/∂w')}</b>", f"<b>{self.write.number(chain.total)}</b>", what
            )
        )
        return rule + self.write.table(rows)

    def _rows(self) -> str:
        """Return the share of each sample, or of each step of time of one."""
        chain = self.chain
        by_time = chain.sample is not None
        keys = chain.steps if by_time else chain.samples
        shares = np.bincount(keys, weights=chain.terms) if np.isfinite(chain.terms).all() else None
        if shares is None:
            shares = np.array([chain.terms[keys == key].sum() for key in range(int(keys.max()) + 1)])
        order = np.argsort(-np.where(np.isnan(shares), np.inf, np.abs(shares)), kind="stable")
        is_single = len(keys) == len(shares)
        columns: list[tuple[str, NDArray[np.float64]]] = []
        if is_single:
            three = chain.loss_by_output, chain.output_by_preactivation
            if self.write.width >= WIDE and three[0] is not None and three[1] is not None:
                columns = [
                    (self.write.colored("loss", "∂L/∂a"), three[0]),
                    (self.write.colored("output", "∂a/∂z"), three[1]),
                ]
            else:
                columns = [(self.write.colored("both", "∂L/∂z"), chain.loss_by_preactivation)]
            columns.append((self.write.colored("weight", "∂z/∂w"), chain.preactivation_by_weight))
        if self.write.width < WIDE and self.write.digits > _NARROW_DIGITS:
            columns = []  # there is room for the products alone
        titles = ["step" if by_time else "sample", *(title for title, _ in columns), "product"]
        lines = [self.write.cells(titles, header=True)]
        for key in order[:MOST_SAMPLES].tolist():
            name = f"{key + 1}" if by_time else self.write.wish(f"sample:{key}", f"{key + 1}")
            cells = [self.write.number(float(values[key])) for _, values in columns]
            lines.append(self.write.cells([name, *cells, self.write.number(float(shares[key]))]))
        rest = order[MOST_SAMPLES:]
        if len(rest):
            with np.errstate(all="ignore"):
                total = self.write.number(float(shares[rest].sum()))
            what = ("step" if by_time else "sample") + ("s" if len(rest) > 1 else "")
            lines.append(self.write.cells([f"{len(rest)} more {what}", total], span=1 + len(columns), left=0))
        said = ""
        if not by_time and len(shares) > 1:
            with np.errstate(all="ignore"):
                mean = self.write.number(float(shares.mean()))
            is_sum = self.trace.experiment.training.loss == "sse"
            why = (
                "The loss is a sum over the samples"
                if is_sum
                else f"The loss is a mean over the samples, so every share has its 1/{len(shares)} inside"
            )
            said = f"<p style='margin:2px 0 8px 0; color:{self.write.theme.muted}'>{why}: the shares add up to the "
            said += f"gradient. Their mean is {mean}.</p>"
        return self.write.title("Largest shares") + self.write.table(lines) + said

    def _movement(self) -> str:
        """Return old weight, gradient, clipped gradient, update, new weight."""
        chain = self.chain
        digits = max(self.write.digits, 8)
        rows = [("w", chain.weight, "before"), ("∂L/∂w", chain.gradient, "recorded, whole batch")]
        if kind_of(self.trace.experiment.training.clipping) != "none":
            rows.append(("clipped", chain.clipped, "after clipping"))
        rows += [("Δw", chain.update, "what the optimizer adds"), ("w + Δw", chain.after, "after")]
        lines = [
            self.write.row(
                self.write.mono(symbol), self.write.number(value, digits if symbol[0] == "w" else 0), words
            )
            for symbol, value, words in rows
        ]
        share = ""
        if chain.sample is not None and len(self.trace.inputs) > 1 and chain.gradient:
            with np.errstate(all="ignore"):
                percent = number_text(100.0 * float(np.float64(chain.total) / chain.gradient), 3)
            share = self.write.muted(f"This sample's share is {percent} % of the gradient of the batch.")
        return self.write.title("The weight moves") + self.write.table(lines) + share

    def _paths(self) -> str:
        chain = self.chain
        if chain.is_product or (chain.path_count == 1 and chain.paths):
            title = "One path: the product of all factors"
            return self.write.title(title) + self._factors(chain.paths[0])
        several = len(chain.terms) > 1
        title = f"A sum over {count_text(chain.path_count)} paths"
        if not chain.paths:
            hint = (
                "Choose one sample to see the largest."
                if several
                else "Too many weights to search for the largest."
            )
            return self.write.title(title) + self.write.muted(hint)
        lines = []
        shown = 0.0
        for index, path in enumerate(chain.paths):
            shown += path.value
            way = path_text(unit_chain(self.trace, chain, path), 9 if self.write.width >= WIDE else 5)
            name = self.write.wish(f"path:{index}", ("▸ " if index == self.selected else "") + way)
            name = f"<b>{name}</b>" if index == self.selected else name
            lines.append(
                self.write.cells([self.write.number(path.value), self._share(path.value), name], left=2)
            )
        more = chain.path_count - len(chain.paths)
        if more:
            with np.errstate(all="ignore"):
                rest = float(np.float64(chain.path_total) - shown)
            words = f"{'and ' if lines else ''}{count_text(more)} more paths"
            lines.append(self.write.cells([self.write.number(rest), self._share(rest), words], left=2))
        total = [f"<b>{self.write.number(chain.path_total)}</b>", "", "<b>all paths</b>"]
        lines.append(self.write.cells(total, left=2))
        said = "A path is told by its unit in each layer, the input's as x."
        if chain.search == "found":
            said += " These are the largest found in the time there is; over several samples there may be larger ones."
        with np.errstate(all="ignore"):
            left = (
                float(np.abs(np.float64(chain.path_total)) / chain.path_sizes) if chain.path_sizes else np.nan
            )
        if np.isfinite(left):
            said += f" Paths of both signs cancel: {number_text(100 * left, 3)} % of their magnitude is left."
        listed = self.write.title(title) + self.write.table(lines) + (self.write.muted(said))
        path = chain.paths[min(self.selected, len(chain.paths) - 1)]
        return listed + self.write.title("The marked path, from the loss to the weight") + self._factors(path)

    def _factors(self, path: ChainPath) -> str:
        """Return every factor of a path from the loss down, with the product so far."""
        factors = path.factors[::-1]
        single = len(self.chain.terms) == 1
        is_wide = self.write.width >= WIDE
        titles = ["factor", "number", "product so far"]
        lines = [self.write.cells(titles if is_wide else titles[1:], header=True, left=0 if is_wide else -1)]
        values = np.array([np.broadcast_to(factor.values, (len(self.chain.terms),)) for factor in factors])
        left_out = range(0)
        if len(factors) > 2 * _MOST_FACTORS:
            left_out = range(_MOST_FACTORS, len(factors) - _MOST_FACTORS)
        for index, factor in enumerate(factors):
            if index in left_out:
                if index == left_out[0]:
                    lines.append(self._left_out(values[left_out], single, is_wide))
                continue
            words = factor_words(self.trace, factor)
            name = self.write.colored(words.role, words.symbol)
            name += f" <span style='color:{self.write.theme.muted}'>{escape(words.words)}</span>"
            number, so_far = "", ""
            if single or factor.part in ("weight", "branch", "skip"):
                number = self.write.number(float(values[index, 0]))
            if single:
                so_far = self.write.number(float(product(values[: index + 1])[0]))
            if is_wide:
                lines.append(self.write.cells([name, number, so_far], left=0))
            else:  # a line of words, and one of numbers
                lines.append(f"<tr><td colspan='2'>{name}</td></tr>")
                lines.append(self.write.cells([number, so_far]))
        if not single:
            total = ["sum over the samples", self.write.number(path.value)]
            lines.append(self.write.cells(total, left=0, span=2 if is_wide else 1))
        return self.write.table(lines)

    def _left_out(self, values: NDArray[np.float64], single: bool, is_wide: bool) -> str:
        """Return a line for the factors in the middle of a long path: their product."""
        words = f"… {len(values)} more factors, their product:"
        number = self.write.number(float(product(values)[0])) if single else ""
        if is_wide:
            return self.write.cells([words, number, ""], left=0)
        return f"<tr><td colspan='2'>{words}</td></tr>{self.write.cells([number, ''])}"

    def _others(self) -> str:
        """Return the weights of the layer with the largest gradients, each a link that chooses it."""
        chain, layer = self.chain, self.trace.layers[self.chain.layer]
        gradient = np.atleast_2d(layer[f"{chain.tensor}_gradient"])
        if gradient.size == 1:
            return ""
        size = np.abs(gradient, dtype=np.float64).ravel()
        size[np.isnan(size)] = np.inf
        count = min(MOST_WEIGHTS, size.size)
        chosen = np.argpartition(-size, count - 1)[:count]
        chosen = chosen[np.argsort(-size[chosen], kind="stable")]
        is_matrix = layer[chain.tensor].ndim == 2
        lines = [self.write.cells(["weight", "∂L/∂w, whole batch"], header=True)]
        for place in chosen.tolist():
            row, column = divmod(place, gradient.shape[1])
            name = f"{row + 1}→{self._unit_name(column)}" if is_matrix else self._unit_name(column)
            link = self.write.wish(f"weight:{row}:{column}", name)
            lines.append(self.write.cells([link, self.write.number(float(gradient[row, column]))]))
        return self.write.title("Largest gradients of the layer") + self.write.table(lines)

    def _unit_name(self, column: int) -> str:
        """Return the unit that a column of a parameter belongs to, of a cell with gates its gate too."""
        layer = self.trace.layers[self.chain.layer]
        if layer.kind != "recurrent" or layer.recurrent_weight.shape[1] == layer.fan_out:
            return f"{column + 1}"
        gates = next(n for n in GATES.values() if len(n) * layer.fan_out == layer.recurrent_weight.shape[1])
        return f"{column % layer.fan_out + 1}, gate {gates[column // layer.fan_out]}"

    def _share(self, value: float) -> str:
        total = self.chain.path_total
        if not total or not np.isfinite(value) or not np.isfinite(total):
            return ""
        return f"<span style='color:{self.write.theme.muted}'>{number_text(100 * value / total, 3)} %</span>"
