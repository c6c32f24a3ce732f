"""What the network answers over its inputs: class regions, a regression surface, or a curve, with the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gradsim.trace import DecisionMap, Run, SampleSet
from gradsim.views.colormaps import CIVIDIS, INFINITE, NAN, ZERO, extended, scaled
from gradsim.views.plot.axis import Axis
from gradsim.views.plot.color_bar import ColorBar
from gradsim.views.plot.heat import Heat
from gradsim.views.plot.line import Line
from gradsim.views.plot.marks import Mark
from gradsim.views.plot.numbers import brief, grouped, percent
from gradsim.views.plot.options import Toggle
from gradsim.views.plot.panel import Panel
from gradsim.views.plot.plot_view import PlotView, Table, message_panel
from gradsim.views.plot.points import Points, Shape
from gradsim.views.plot.ranges import StickyRange, finite_range
from gradsim.views.plot.words import Words
from gradsim.views.theme import Theme

MOST_POINTS = 1000
"""Samples drawn of each part, the first ones: more hide the regions and cost more than a frame may."""

CLASS_SHAPES: tuple[Shape, ...] = (
    "circle",
    "triangle",
    "square",
    "diamond",
    "down",
    "cross",
    "pentagon",
    "plus",
    "star",
    "ring",
)
_REGION_OPACITY = 0.55
_TARGET_COLORS = 8
_SPECIAL_COLORS = 4


class DecisionMapView(PlotView):
    """For two inputs the plane, for one the curve; for any other number a sentence."""

    view_id = "decision_map"
    title = "Decisions"
    options = (
        Toggle("training", "Training samples", True, "Filled markers; the shape tells the class"),
        Toggle("validation", "Validation samples", True, "The same shapes with a dark edge"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._levels = StickyRange(step=0.25, margin=0.0, least=0.5)
        self._height = StickyRange(step=0.5, margin=0.1, least=1.0)

    def fit_ranges(self) -> None:
        """Choose the axes anew from the next numbers."""
        self._levels.fit()
        self._height.fit()

    def panels(self, theme: Theme) -> list[Panel]:
        """Return the one panel, or the reason why there is none."""
        if self.run is None:
            return [message_panel("No run yet")]
        samples, answer = self.run.samples, self.run.decision_map
        if samples.map_inputs == 1:
            return [self._curve(self.run, theme)]
        if samples.map_inputs != 2:
            return [message_panel(_no_map(samples))]
        if answer is None:
            return [message_panel("The map is not computed yet")]
        if samples.task == "classification":
            return [self._regions(samples, answer, theme)]
        return [self._surface(samples, answer, theme)]

    def text_summary(self) -> str:
        """Return what part of the plane each class has, or the span of the answers."""
        if self.run is None:
            return "No run yet."
        samples, answer = self.run.samples, self.run.decision_map
        if samples.map_inputs not in (1, 2):
            return _no_map(samples)
        if answer is None and samples.map_inputs == 2:
            return "The map is not computed yet."
        if samples.map_inputs == 1:
            x, y = _curve_of(self.run)
            span = finite_range(y)
            told = f"Answers from {brief(span[0])} to {brief(span[1])}" if span else "No answer is a number"
            return f"{told} over {len(x)} inputs."
        assert answer is not None
        broken = int(np.count_nonzero(~np.isfinite(answer.outputs).all(axis=-1)))
        tail = f"; {grouped(broken)} of {grouped(answer.outputs[..., 0].size)} points are not a number"
        tail = (tail if broken else "") + "."
        if samples.task == "regression":
            span = finite_range(answer.outputs[..., 0])
            return (f"Answers from {brief(span[0])} to {brief(span[1])}" if span else "No answer") + tail
        found = _shares(answer.outputs).argmax(axis=-1)
        shares = [float(np.mean(found == k)) for k in range(len(_class_names(samples)))]
        told = ", ".join(
            f"{name} {percent(share)}" for name, share in zip(_class_names(samples), shares, strict=True)
        )
        return f"Share of the map: {told}{tail}"

    def table(self) -> Table:
        """Return one row per point of the map: its two inputs and all outputs; of a curve, input and outputs."""
        if self.run is None or self.run.samples.map_inputs not in (1, 2):
            return {"x": np.array([])}, {}
        names = self.run.samples.feature_names
        units = {"x": f"{names[0]}, scaled as the network sees it"}
        if self.run.samples.map_inputs == 1:
            x, y = _curve_of(self.run)
            return {"x": x, **{f"output_{k + 1}": y[:, k] for k in range(y.shape[1])}}, units
        answer = self.run.decision_map
        if answer is None:
            return {"x": np.array([])}, {}
        x, y = np.meshgrid(answer.x, answer.y)
        columns = {"x": x.ravel(), "y": y.ravel()}
        columns |= {
            f"output_{k + 1}": answer.outputs[..., k].ravel() for k in range(answer.outputs.shape[-1])
        }
        return columns, units | {"y": f"{names[1]}, scaled as the network sees it"}

    def hover_text(self, key: str, x: float, y: float) -> str:
        """Return the answer at the pointer."""
        if self.run is None:
            return ""
        samples, answer = self.run.samples, self.run.decision_map
        if samples.map_inputs == 1:
            at, values = _curve_of(self.run)
            k = int(np.abs(at - x).argmin())
            return f"input {brief(at[k])}\noutput {', '.join(brief(v) for v in values[k])}"
        if answer is None or samples.map_inputs != 2:
            return ""
        outputs = answer.outputs[int(np.abs(answer.y - y).argmin()), int(np.abs(answer.x - x).argmin())]
        lines = [f"{samples.feature_names[0]} {brief(x)}, {samples.feature_names[1]} {brief(y)} (scaled)"]
        if samples.task == "regression":
            return "\n".join([*lines, f"output {brief(float(outputs[0]))}"])
        shares = _shares(outputs[None, :])[0]
        lines += [
            f"{name}: {percent(float(s)) if np.isfinite(s) else brief(float(s))}"
            for name, s in zip(_class_names(samples), shares, strict=True)
        ]
        return "\n".join(lines)

    def _regions(self, samples: SampleSet, answer: DecisionMap, theme: Theme) -> Panel:
        rows, colors = _blended(answer.outputs, theme)
        ordinary = len(colors) - _SPECIAL_COLORS
        edges = _edges(answer.x), _edges(answer.y)
        marks: list[Mark] = [Heat(rows, *edges, colors, theme, ordinary=ordinary)]
        names = _class_names(samples)
        for part, inputs, classes in self._parts(samples):
            edge = theme.color("background") if part == "training" else theme.color("text")
            for k in reversed(range(len(names))):
                of = classes == k
                name = names[k] if part == "training" else ""
                shape = CLASS_SHAPES[k % len(CLASS_SHAPES)]
                color = theme.color_of_series(k)
                marks.append(Points(inputs[of, 0], inputs[of, 1], color, shape, 7.0, edge, name))
        return self._plane(samples, answer, marks, headline=self._note(samples))

    def _surface(self, samples: SampleSet, answer: DecisionMap, theme: Theme) -> Panel:
        outputs = answer.outputs[..., 0]
        targets = np.concatenate([samples.training_targets[:, 0], samples.validation_targets[:, 0]])
        low, high = self._levels.around(finite_range(outputs, targets))
        colors = extended(CIVIDIS, theme)
        rows = scaled(outputs, low, high)
        marks: list[Mark] = [Heat(rows, _edges(answer.x), _edges(answer.y), colors, theme)]
        for part, inputs, _ in self._parts(samples):
            target = (samples.training_targets if part == "training" else samples.validation_targets)[:, 0]
            edge = theme.color("background") if part == "training" else theme.color("text")
            shape: Shape = "circle" if part == "training" else "square"
            # A few colours only: one mark for each, not one for every sample.
            level = scaled(target[: len(inputs)], low, high) * _TARGET_COLORS // 256
            for k in np.unique(level):
                of = level == k
                color = QColor(int(colors[int((k + 0.5) * 256 / _TARGET_COLORS)]))
                name = f"{part} (colour: target)" if k == level.max() else ""
                marks.append(Points(inputs[of, 0], inputs[of, 1], color, shape, 7.0, edge, name))
        axis = Axis("", low, high)
        bar = ColorBar(axis, CIVIDIS, (("NaN", NAN), ("∞", INFINITE)) if (rows > 255).any() else ())
        return self._plane(samples, answer, marks, color_bar=bar, headline=self._note(samples))

    def _plane(self, samples: SampleSet, answer: DecisionMap, marks: list[Mark], **more: Any) -> Panel:
        x_edges, y_edges = _edges(answer.x), _edges(answer.y)
        across, upright = (_label(samples, k) for k in (0, 1))
        return Panel(
            "map",
            Axis(across, float(x_edges[0]), float(x_edges[-1])),
            Axis(upright, float(y_edges[0]), float(y_edges[-1])),
            marks,
            **more,
        )

    def _curve(self, run: Run, theme: Theme) -> Panel:
        samples = run.samples
        x, y = _curve_of(run)
        targets = [samples.training_targets, samples.validation_targets]
        held = self._height.around(finite_range(y, *targets))
        inputs = np.concatenate([samples.training_inputs[:, 0], samples.validation_inputs[:, 0], x])
        low, high = finite_range(inputs) or (0.0, 1.0)
        room = 0.03 * max(high - low, 1e-9)
        marks: list[Mark] = []
        for part, at, _ in self._parts(samples):
            of = samples.training_targets if part == "training" else samples.validation_targets
            role = "ghost" if part == "training" else "clip"
            shape: Shape = "circle" if part == "training" else "square"
            marks.append(Points(at[:, 0], of[: len(at), 0], theme.color(role), shape, 4.5, name=part))
        for k in range(y.shape[1]):
            name = "network" if y.shape[1] == 1 else f"network: {samples.output_names[k]}"
            values = np.where(np.isfinite(y[:, k]), y[:, k], np.nan)
            marks.append(Line(x, values, theme.color_of_series(k), 2.0, name=name))
        words = self._note(samples)
        if not np.isfinite(y).all():
            words = [*words, Words(f"{np.count_nonzero(~np.isfinite(y))} answers are NaN or ∞", "bad")]
        upright = samples.output_names[0] if samples.task == "regression" else "output"
        across = Axis(_label(samples, 0), low - room, high + room)
        return Panel("map", across, Axis(upright, *held), marks, headline=words)

    def _parts(self, samples: SampleSet) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
        """Yield training and validation samples that are drawn, with their classes, none for a regression."""
        for part in ("validation", "training"):
            inputs = getattr(samples, f"{part}_inputs")[:MOST_POINTS]
            classes = getattr(samples, f"{part}_classes")
            if self.option(part) and len(inputs):
                yield part, inputs, np.zeros(0) if classes is None else classes[:MOST_POINTS]

    def _note(self, samples: SampleSet) -> list[Words]:
        counts = [len(samples.training_inputs), len(samples.validation_inputs)]
        if max(counts) <= MOST_POINTS:
            return []
        return [Words(f"the first {grouped(MOST_POINTS)} samples of each part", "muted")]


def _no_map(samples: SampleSet) -> str:
    has = "sequences" if samples.steps else grouped(samples.features)
    return (
        f"A decision map needs one or two inputs; “{samples.title}” has {has}. "
        "Choose data in the plane, such as moons or spirals, to see it."
    )


def _label(samples: SampleSet, place: int) -> str:
    is_scaled = samples.factor[place] != 1.0 or samples.offset[place] != 0.0
    return samples.feature_names[place] + (" (scaled)" if is_scaled else "")


def _class_names(samples: SampleSet) -> list[str]:
    """Return the names of the classes; one output column tells two."""
    names = list(samples.output_names)
    return names if len(names) > 1 else [f"not {names[0]}", names[0]]


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = (centres[1:] + centres[:-1]) / 2.0
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def _shares(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each class, shape (..., classes): outputs as they are, or y and 1 − y of a single one."""
    if outputs.shape[-1] > 1:
        return outputs
    return np.concatenate([1.0 - outputs, outputs], axis=-1)


def _blended(outputs: NDArray[np.float64], theme: Theme) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Return rows and a table of colours: those of the classes, mixed by their shares, upon the ground."""
    shares = _shares(outputs)
    broken = np.asarray(~np.isfinite(shares).all(axis=-1))
    weights = np.clip(np.where(broken[..., None], 0.0, shares), 0.0, None)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-300)
    palette = np.array([_rgb(theme.color_of_series(k)) for k in range(shares.shape[-1])])
    ground = _rgb(theme.color("background"))
    mixed = ground + _REGION_OPACITY * (weights @ palette - ground)
    # Few levels per channel keep the table small; the eye sees no steps at this opacity.
    pixels = np.round(mixed).astype(np.uint32)
    packed = 0xFF000000 | pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    table, rows = np.unique(packed, return_inverse=True)
    colors = np.concatenate([table, extended(CIVIDIS, theme)[ZERO:]])
    rows = rows.reshape(packed.shape)
    rows[broken] = len(table) + NAN - ZERO
    return rows, colors.astype(np.uint32)


def _rgb(color: QColor) -> NDArray[np.float64]:
    return np.array([color.red(), color.green(), color.blue()], dtype=np.float64)


def _curve_of(run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return inputs and outputs of the curve: the map's only row, or the batch recorded, in order."""
    if run.decision_map is not None:
        return run.decision_map.x, run.decision_map.outputs[0]
    x = run.trace.inputs[:, 0].astype(np.float64)
    order = np.argsort(x, kind="stable")
    return x[order], run.trace.layers[-1].output[order].astype(np.float64)
