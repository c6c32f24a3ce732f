"""The paths of a chain rule as HTML: the largest in a list, and every factor of the marked one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from gradsim.analysis.chain_means import mean_product
from gradsim.analysis.chain_paths import ChainPath, product
from gradsim.analysis.chain_rule import WeightChain
from gradsim.trace import IterationTrace
from gradsim.views.inspection.chain_words import count_text, factor_words, unit_chain
from gradsim.views.inspection.html_writer import WIDE, HtmlWriter
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.path_text import SKIP, path_texts

_MOST_FACTORS = 24
"""So many factors at either end of a path are listed."""


@dataclass(frozen=True, slots=True)
class PathsText:
    """How the paths of a weight are written.

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
        if chain.path_count == 1 and chain.paths:
            return self.write.title("One path: the product of all factors") + self._factors(chain.paths[0])
        title = self.write.title(f"A sum over {count_text(chain.path_count)} paths")
        if not chain.paths:
            return title + self.write.muted("Too many weights to search for the largest.")
        marked = "The marked path, from the loss to the weight"
        path = chain.paths[min(self.selected, len(chain.paths) - 1)]
        return title + self._list() + self.write.title(marked) + self._factors(path)

    def _list(self) -> str:
        chain, write = self.chain, self.write
        ways = [unit_chain(self.trace, chain, path) for path in chain.paths]
        lines = []
        texts = path_texts(ways, 9 if write.width >= WIDE else 5)
        for index, way in enumerate(texts):
            value = chain.paths[index].value
            name = write.wish(f"path:{index}", ("▸ " if index == self.selected else "") + way)
            name = f"<b>{name}</b>" if index == self.selected else name
            lines.append(self._way(value, name))
        more = chain.path_count - len(chain.paths)
        if more:
            with np.errstate(all="ignore"):
                rest = float(chain.path_total - np.sum([path.value for path in chain.paths]))
            words = f"and {count_text(more)} more paths"
            lines.append(self._way(rest, words))
        lines.append(self._way(chain.path_total, "<b>all paths</b>", is_whole=True))
        return write.table(lines) + write.muted(self._said(texts))

    def _way(self, value: float, words: str, *, is_whole: bool = False) -> str:
        """Return a row of what paths add, their share and which they are: in two lines where it is tight."""
        number = self.write.number(value)
        cells = [f"<b>{number}</b>" if is_whole else number, "" if is_whole else self._share(value)]
        if self.write.is_tight:
            below = self.write.cells([cells[0]]) if self.write.is_tightest else self.write.cells(cells)
            beside = f" &nbsp;{cells[1]}" if self.write.is_tightest else ""
            return f"<tr><td colspan='2'>{words}{beside}</td></tr>{below}"
        return self.write.cells([*cells, words], left=2)

    def _said(self, texts: list[str]) -> str:
        chain = self.chain
        said = "A path is told by its unit in each layer, the input's as x"
        is_timed = any(factor.time is not None for factor in chain.paths[0].factors)
        said += ", at a step of time as unit@step." if is_timed else "."
        if any(SKIP in way for way in texts):
            said += f" {SKIP} passes a layer by a skip."
        if chain.search == "found":
            said += " These are the largest found: samples cancel in part, so that a larger one may have been missed."
        with np.errstate(all="ignore"):
            left = (
                float(np.abs(np.float64(chain.path_total)) / chain.path_sizes) if chain.path_sizes else np.nan
            )
        if np.isfinite(left):
            said += f" Paths of both signs cancel: {number_text(100 * left, 3)} % of their magnitude is left."
        return said

    def _share(self, value: float) -> str:
        total = self.chain.path_total
        if not total or not np.isfinite(value) or not np.isfinite(total):
            return ""
        return f"<span style='color:{self.write.theme.muted}'>{number_text(100 * value / total, 3)} %</span>"

    def _factors(self, path: ChainPath) -> str:
        """Return every factor of a path from the loss down, with the product so far; for a batch their means."""
        factors = path.factors[::-1]
        means = mean_product([factor.values for factor in factors], path.value)
        numbers = np.array(means.means)
        write, is_wide, several = self.write, self.write.width >= WIDE, means.count > 1
        titles = ["factor", "mean" if several else "number", "product so far"]
        lines = [write.cells(titles if is_wide else titles[1:], header=True, left=0 if is_wide else -1)]
        if write.is_tightest:
            lines = [write.cells(["·", titles[1]], header=True), write.cells(["=", titles[2]], header=True)]
        if several:
            lines.append(self._line("n, samples", float(means.count), float(means.count), is_wide))
            numbers[0] *= means.count
        left_out = range(0)
        if len(factors) > 2 * _MOST_FACTORS:
            left_out = range(_MOST_FACTORS, len(factors) - _MOST_FACTORS)
        for index, factor in enumerate(factors):
            if index in left_out:
                if index == left_out[0]:
                    words = f"… {len(left_out)} more factors, their product:"
                    so_far = float(product(numbers[: left_out[-1] + 1, None])[0])
                    between = float(product(numbers[left_out[0] : left_out[-1] + 1, None])[0])
                    lines.append(self._line(words, between, so_far, is_wide))
                continue
            told = factor_words(self.trace, factor)
            name = write.colored(told.role, told.symbol)
            name += f" <span style='color:{write.theme.muted}'>{escape(told.words)}</span>"
            so_far = float(product(numbers[: index + 1, None])[0])
            lines.append(self._line(name, means.means[index], so_far, is_wide))
        if several:
            lines.append(
                self._line("remainder: what the factors do together", means.remainder, None, is_wide)
            )
            lines.append(self._line("<b>sum over the samples</b>", means.total, None, is_wide))
        return write.table(lines)

    def _line(self, name: str, number: float, so_far: float | None, is_wide: bool) -> str:
        """Return a row of words and two numbers: in a narrow dock a line of words, and one of numbers."""
        write = self.write
        cells = [write.number(number), "" if so_far is None else write.number(so_far)]
        if so_far is None:
            cells.reverse()
        if is_wide:
            return write.cells([name, *cells], left=0)
        if write.is_tightest:  # one below the other
            numbers = "".join(
                write.cells(["·" if i == 0 else "=", cell]) for i, cell in enumerate(cells) if cell
            )
            return f"<tr><td colspan='2'>{name}</td></tr>{numbers}"
        return f"<tr><td colspan='2'>{name}</td></tr>{write.cells(cells)}"
