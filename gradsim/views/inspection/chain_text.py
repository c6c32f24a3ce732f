"""The chain rule of a weight as HTML: its factors, the samples and steps, the paths, and how the weight moves."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from gradsim.analysis.chain_rule import WeightChain
from gradsim.spec import kind_of
from gradsim.trace import IterationTrace
from gradsim.views.inspection.chain_paths_text import PathsText
from gradsim.views.inspection.chain_shares import SharesText
from gradsim.views.inspection.chain_words import PARAMETER_LETTERS
from gradsim.views.inspection.html_writer import HtmlWriter
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.recurrent import GATES

MOST_WEIGHTS = 5


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
        rows = SharesText(self.trace, chain, self.write)
        parts = [self._heading(), rows.rule(), rows.shares(), self._movement()]
        if chain.path_count:
            parts.append(PathsText(self.trace, chain, self.selected, self.write).html())
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
            whose = f"mean over {samples} samples, and their sum" if samples > 1 else "the only sample"
        if chain.time is not None:
            whose += f", step {chain.time + 1} of {layer.output.shape[1]} · "
            whose = escape(whose) + self.write.wish("step:all", "all steps")
        elif len(set(chain.steps.tolist())) > 1:
            whose += f", sum over {len(set(chain.steps.tolist()))} steps of time"
        return (
            f"<p style='margin:0 0 6px 0'><b>∂L/∂w for w = {letter}[{place}] of {escape(layer.name)}</b><br>"
            f"<span style='color:{self.write.theme.muted}'>{whose}</span></p>"
        )

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
            share = self.write.muted(f"Its share is {percent} % of the gradient of the batch.")
        return self.write.title("The weight moves") + self.write.table(lines) + share

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
        titles = ["∂L/∂w, whole batch"] if self.write.is_tightest else ["weight", "∂L/∂w, whole batch"]
        lines = [self.write.cells(titles, header=True)]
        for place in chosen.tolist():
            row, column = divmod(place, gradient.shape[1])
            name = f"{row + 1}→{self._unit_name(column)}" if is_matrix else self._unit_name(column)
            link = self.write.wish(f"weight:{row}:{column}", name)
            number = self.write.number(float(gradient[row, column]))
            if self.write.is_tightest:
                lines.append(self.write.cells([link]) + self.write.cells([number]))
            else:
                lines.append(self.write.cells([link, number]))
        return self.write.title("Largest gradients of the layer") + self.write.table(lines)

    def _unit_name(self, column: int) -> str:
        """Return the unit that a column of a parameter belongs to, of a cell with gates its gate too."""
        layer = self.trace.layers[self.chain.layer]
        if layer.kind != "recurrent" or layer.recurrent_weight.shape[1] == layer.fan_out:
            return f"{column + 1}"
        gates = next(n for n in GATES.values() if len(n) * layer.fan_out == layer.recurrent_weight.shape[1])
        return f"{column % layer.fan_out + 1}, gate {gates[column // layer.fan_out]}"
