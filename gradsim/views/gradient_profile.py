"""The gradient profile, the chief picture: how large the error signal is in every layer, on a log axis."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import (
    Fit,
    cause_budget,
    causes,
    main_cause_sentence,
    profile,
    residual_blocks,
    sentence,
)
from gradsim.analysis.cause import is_along, main_cause_words, total_cause_sentence
from gradsim.analysis.profile import Profile
from gradsim.analysis.wording import course_words
from gradsim.trace import Run
from gradsim.views.asking_view import AskingView
from gradsim.views.phases import phase_title, phase_words
from gradsim.views.plot.axis import Axis, layer_axis
from gradsim.views.plot.headline import Part, fitting
from gradsim.views.plot.lanes import lanes_needed, log10_or_nan
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark, VerticalBand
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import Table, message_panel
from gradsim.views.plot.points import LanePoints, LinePoints, Points
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.words import Words
from gradsim.views.profile_marks import (
    SERIES,
    ProfileSeries,
    dodge,
    fit_marks,
    fitted,
    ghost_marks,
    stream_marks,
)
from gradsim.views.rounding import rounding_columns, rounding_marks, rounding_words, scale_words
from gradsim.views.theme import Theme, phase_color
from gradsim.views.theory_overlay import THEORY, Overlay, overlay_of
from gradsim.views.weight_layers import WeightLayers, padded

_DIMMED = 0.35
_BESIDE_HEADLINE = 24.0
"""Pixels that a headline does not have: its margins. A long one begins left of the plot."""
_TIP = 72
"""Letters in a line of the numbers at the pointer."""


class GradientProfileView(AskingView):
    """rms of δ per layer, with the forward signal, what was before, the fitted slope in words, and theory."""

    view_id = "gradient_profile"
    title = "Gradient profile"
    options = (
        *(
            Toggle(row.tensor, row.words[0].upper() + row.words[1:], row.default, f"rms of the {row.words}")
            for row in reversed(SERIES)
        ),
        Toggle(
            "stream", "Residual stream", True, "Gradient of the input of each block, and what the branch adds"
        ),
        Toggle("ghost", "Before the last change", True, "The profile before the last edit, dashed"),
        Toggle("cause", "Main cause in words", True, "Which factor explains how much of the change of δ"),
        Toggle("fit", "Fitted slope", True, "Least-squares line through log₁₀ of the rms"),
        Toggle(
            THEORY,
            "Theory",
            False,
            "What mean-field theory expects of δ and a, with the band of finite width",
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._range = StickyRange(step=1.0, margin=0.35, least=3.0)
        self._told: tuple[Run, str, str, str] | None = None

    def standing_questions(self) -> Mapping[str, Any]:
        """Return the one about theory, if that is to be seen."""
        return {THEORY: None} if self.option(THEORY) else {}

    def set_option(self, name: str, value: Any) -> None:
        """Choose what is drawn; for theory an answer is asked for.

        Parameters
        ----------
        name : str
            Of a row of ``options``.
        value : str or bool
            One it can have.
        """
        before = self.option(THEORY)
        super().set_option(name, value)
        if self.option(THEORY) and not before:
            self._ask_what_stands()
        elif before and not self.option(THEORY):
            self.cancel(THEORY)

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._range.fit()

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the one panel."""
        if self.run is None:
            return [message_panel("No run yet")]
        layers = WeightLayers(self.run.trace)
        found = profile(self.run.trace)
        values = {row.tensor: layers.rms(row.tensor) for row in self._shown()}
        ghost = WeightLayers(self.run.ghost) if self.run.ghost and self.option("ghost") else None
        before = {row.tensor: ghost.rms(row.tensor) for row in self._shown()} if ghost else {}
        stream = found.stream if self.option("stream") and self.option("delta") else None
        ways = [stream.gradient_rms, stream.branch_rms] if stream is not None else []
        everything = [*values.values(), *before.values(), *ways]
        theory, tensors = self._theory(), [row.tensor for row in self._shown()]
        curves = theory.curves(tensors) if theory else []
        held = self._range.around(finite_range(*(log10_or_nan(v) for v in everything), *curves))
        marks: list[Mark] = [*self._bands(layers, theme)]
        if theory:
            marks += theory.marks(tensors, layers.positions, theme, self.is_low)
        for row in self._shown():
            if ghost:
                marks += ghost_marks(row, ghost, before[row.tensor], theme)
        for row in self._shown():
            if self.option("fit") and row.fit:
                marks += fit_marks(getattr(found, row.fit), theme.color(row.role, 0.75))
        if stream is not None and len(stream):
            marks += stream_marks(stream, marker_size(len(stream), self.figure_size().width()), theme)
        for row in self._shown():
            marks += self._series_marks(row, layers, values[row.tensor], theme)
        marks += rounding_marks(layers.layers, layers.positions, theme)
        return [
            Panel(
                "profile",
                layer_axis(layers.names, "layer, from the input to the head"),
                Axis("rms of all values", *held, "log10"),
                marks,
                headline=self._headline(found, theory),
                notes=theory.notes() if theory else (),
                lanes=lanes_needed(*everything, *(np.where(np.isneginf(c), 0.0, 1.0) for c in curves)),
            )
        ]

    def text_summary(self) -> str:
        """Return the profile in two sentences, what is 0, NaN or ∞, and the main cause."""
        if self.run is None:
            return "No run yet."
        trace = self.run.trace
        phase, scale = phase_words(trace.experiment, trace.iteration), scale_words(trace)
        told = f"{sentence(profile(trace))} {self._main_cause()[0]}".rstrip()
        theory = self._theory()
        told = f"{told} {theory.sentence()}".rstrip() if theory else told
        return " ".join([told, *(f"{words[:1].upper()}{words[1:]}." for words in (phase, scale) if words)])

    def table(self) -> Table:
        """Return one row per layer: rms of every series shown, ratio, fit, and the same before the change."""
        if self.run is None:
            return {"layer": np.array([], dtype=np.int64)}, {}
        layers, found = WeightLayers(self.run.trace), profile(self.run.trace)
        ghost = WeightLayers(self.run.ghost) if self.run.ghost and self.option("ghost") else None
        rows = max(len(layers), len(ghost) if ghost else 0)
        names = layers.names if len(layers) == rows or ghost is None else ghost.names
        columns: dict[str, NDArray] = {"layer": np.arange(1, rows + 1), "name": np.array(names)}
        units = {"layer": "number from the input on"}
        for row in reversed(self._shown()):
            columns[f"{row.tensor}_rms"] = padded(layers.rms(row.tensor), rows)
            units[f"{row.tensor}_rms"] = f"rms of {row.symbol} over all values"
            if self.option("fit") and row.fit:
                fit: Fit = getattr(found, row.fit)
                columns[f"{row.tensor}_fit"] = padded(fitted(fit, len(layers)), rows)
                units[f"{row.tensor}_fit"] = "rms on the fitted line; NaN outside the fit"
            if ghost:
                columns[f"{row.tensor}_rms_before"] = padded(ghost.rms(row.tensor), rows)
                units[f"{row.tensor}_rms_before"] = f"rms of {row.symbol} before the last change"
        theory = self._theory()
        if theory:
            expected, what = theory.columns()
            columns |= {name: padded(values, rows) for name, values in expected.items()}
            units |= what
        lost, meaning = rounding_columns(self.run.trace, layers.layers)
        columns |= {name: padded(counts, rows) for name, counts in lost.items()}
        return columns, units | meaning

    def act_on_click(self, key: str, x: float, y: float) -> None:
        """Ask for the layer under the pointer."""
        layer = WeightLayers(self.run.trace).nearest(x) if self.run else None
        if layer is not None:
            self.layer_selected.emit(layer.index)

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the numbers of the layer at the pointer."""
        layer = WeightLayers(self.run.trace).nearest(x) if self.run else None
        if layer is None or self.run is None:
            return ""
        lines = [
            f"Layer {layer.number}: {layer.name} ({layer.activation_kind}, {layer.fan_in} → {layer.fan_out})"
        ]
        for row in reversed(SERIES):
            known = layer.statistics[row.tensor]
            broken = [
                f"{count:,} {word}"
                for word, count in (("zero", known.zeros), ("NaN", known.nans), ("∞", known.infs))
                if count
            ]
            tail = f"   ({', '.join(broken)} of {known.count:,})" if broken else ""
            lines.append(f"rms {row.symbol} = {brief(known.rms)}{tail}")
        found = profile(self.run.trace)
        if layer.number is not None and layer.number <= len(found.backward_ratio):
            ratio = brief(float(found.backward_ratio[layer.number - 1]))
            lines.append(f"δ here / δ in layer {layer.number + 1} = {ratio}")
        theory = self._theory()
        if theory and layer.number is not None:
            lines += theory.hover_lines(layer.number)
        lines += list(filter(None, (rounding_words(self.run.trace, layer), scale_words(self.run.trace))))
        for block in residual_blocks(self.run.trace):
            if layer.number is not None and block.start < layer.number < block.end:
                sizes = f"{brief(block.skip_rms)} by the skip, {brief(block.branch_rms)} through the branch"
                lines.append(f"{block.name}: rms ∂L/∂x = {sizes}")
        if theory and self.is_low:  # there was no room for the whole sentence
            lines += ["", *textwrap.wrap(theory.sentence(), _TIP)]
        return "\n".join(lines)

    def _shown(self) -> list[ProfileSeries]:
        return [row for row in SERIES if self.option(row.tensor)]

    def _theory(self) -> Overlay | None:
        """Return what is known of theory; None if it is not to be seen."""
        if self.run is None or not self.option(THEORY):
            return None
        asked = self.asked(THEORY)
        told = asked.reason or self.waiting_words(THEORY)
        return overlay_of(asked.answer, asked.answered, self.run.trace, told)

    def _headline(self, found: Profile, theory: Overlay | None) -> list[Words]:
        """Return the line above the plot: whatever the width, in one order, the most important first."""
        parts: list[Part] = [[[Words(told, "muted")]] for told in self._stored()]
        fits = {row.tensor: self._fit_part(row, found) for row in SERIES if row.fit and self._has_fit(row)}
        parts.append(fits.get("delta", []))
        if theory:
            parts.append(theory.headlines())
        parts.append(fits.get("activation", []))
        if self.option("cause") and self.option("delta") and all(told := self._main_cause()[1:]):
            parts.append([[Words(told[0])], [Words(f"main cause: {told[1]}")]])
        return fitting(parts, self.figure_size().width() - _BESIDE_HEADLINE)

    def _has_fit(self, row: ProfileSeries) -> bool:
        return bool(self.option(row.tensor) and self.option("fit"))

    def _fit_part(self, row: ProfileSeries, found: Profile) -> Part:
        """Return a fit in words: with how good it is, without, and the factor alone."""
        fit: Fit = getattr(found, row.fit)
        told = [course_words(fit)]
        # Two points always lie on a line, and a level one has nothing to explain.
        if len(fit.used) > 2 and not told[0].startswith("flat"):
            told = [f"{told[0]}, R² {fit.r_squared:.3f}", *told]
        told += [word.rstrip(",") for word in fit.words.split() if word.startswith("×")]
        way = "←" if row.fit == "backward_fit" else "→"
        return [[Words(f"{row.symbol} {way} ", row.role, bold=True), Words(words)] for words in told]

    def _stored(self) -> list[str]:
        """Return what is not as usual about the numbers: the scale of the gradients, and the phase."""
        if self.run is None:
            return []
        trace = self.run.trace
        return [
            words for words in (scale_words(trace), phase_title(trace.experiment, trace.iteration)) if words
        ]

    def _main_cause(self) -> tuple[str, str, str]:
        """Return what explains most of the change of δ, worked out once for a run.

        With the total it speaks of; and as a sentence and in short for beside the slope, empty where the total
        goes another way.
        """
        if self.run is None:
            return "", "", ""
        if self._told is None or self._told[0] is not self.run:
            budget = cause_budget(causes(self.run.trace, ("backward",), details=False), "backward")
            beside = is_along(budget, profile(self.run.trace).backward_fit)
            words = (main_cause_sentence(budget), main_cause_words(budget)) if beside else ("", "")
            self._told = (self.run, total_cause_sentence(budget), *words)
        return self._told[1:]

    def _bands(self, layers: WeightLayers, theme: Theme) -> list[Mark]:
        bands: list[Mark] = []
        chosen = layers.position(self.selected_layer)
        if chosen is not None:
            bands.append(VerticalBand(chosen - 0.5, chosen + 0.5, theme.color("accent", 0.14)))
        step = layers.step(self.cursor_at)
        place = layers.position(step.layer) if step else None
        if step and place is not None:
            color = phase_color(theme, step.phase)
            color.setAlphaF(0.22)
            bands.append(VerticalBand(place - 0.5, place + 0.5, color))
        return bands

    def _series_marks(
        self, row: ProfileSeries, layers: WeightLayers, values: NDArray[np.float64], theme: Theme
    ) -> list[Mark]:
        """Line and points; what has not been computed at the cursor stands back."""
        x, y = layers.positions, log10_or_nan(values)
        reached = layers.reached(row.tensor, self.cursor_at)
        room = self.figure_size().width()
        size = marker_size(len(layers), room)
        aside = dodge(self._shown().index(row), len(self._shown()), len(layers), room)
        bright, dim = theme.color(row.role), theme.color(row.role, _DIMMED)
        marks: list[Mark] = []
        if not reached.all():
            marks += [
                Line(x, y, dim),
                Points(x[~reached], y[~reached], dim, row.shape, size),
                LanePoints(x[~reached], values[~reached], dim, dodge=aside),
            ]
        marks += [
            Line(x, np.where(reached, y, np.nan), bright, 1.6),
            LanePoints(x[reached], values[reached], bright, dodge=aside),
            LinePoints(x[reached], y[reached], bright, row.shape, size, name=row.words),
        ]
        return marks


def marker_size(layers: int, pixels: float) -> float:
    """Return how large a point may be so that neighbours stay apart.

    Parameters
    ----------
    layers : int
        How many points stand side by side.
    pixels : float
        In what room.

    Returns
    -------
    float
        Diameter in pixels, from 2.2 to 6.5.
    """
    return float(np.clip(0.6 * (pixels - 80.0) / max(layers, 1), 2.2, 6.5))
