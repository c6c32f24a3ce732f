"""Paints what changes with the step: the pulse, the progress of the phase, the badges; and the selection."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from gradsim.spec import kind_of
from gradsim.views.fonts import figure_font
from gradsim.views.inspection.number_text import number_text
from gradsim.views.inspection.wording import formula_of, rate_words, time_words
from gradsim.views.network.between_painting import mark_tag, paint_arcs
from gradsim.views.network.columns import paint_columns
from gradsim.views.network.content import SYMBOLS
from gradsim.views.network.painting import link_caption
from gradsim.views.network.pulse import Pulse
from gradsim.views.network.scene import Scene
from gradsim.views.theme import Theme, phase_color

_CENTRED = Qt.AlignmentFlag.AlignCenter
_BADGE = (88.0, 38.0)
_LEAST_BADGE, _LEAST_GAP = 26.0, 3.0
_CHIP_TOP, _CHIP_HEIGHT = 5.0, 20.0
_LEGEND_ABOVE = 5.0
"""Where the legend of the links begins, in pixels below the units."""


def paint_overlay(
    painter: QPainter, scene: Scene, pulse: Pulse, selected: int | None, unit: int | None
) -> None:
    """Paint all that changes with the step or the selection.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    pulse : Pulse
        State of the step.
    selected : int or None
        Layer that is selected.
    unit : int or None
        Unit of it that is selected.
    """
    frame = scene.layout.frame
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # The outline of the last column reaches a little beyond it.
    painter.setClipRect(QRectF(frame.left - 6.0, 0, frame.right - frame.left + 12.0, frame.height))
    _paint_selection(painter, scene, selected, unit)
    _paint_active(painter, scene, pulse)
    paint_arcs(painter, scene, pulse, selected)
    painter.setClipping(False)
    _paint_progress(painter, scene, pulse)
    _paint_chip(painter, scene, pulse)
    _paint_badges(painter, scene, pulse)
    _paint_link_legend(painter, scene)
    _paint_value_legend(painter, scene, pulse.tensor)
    painter.restore()


def _paint_selection(painter: QPainter, scene: Scene, selected: int | None, unit: int | None) -> None:
    if selected is None or not 0 <= selected < len(scene.content.trace.layers):
        return
    layout, column = scene.layout, scene.content.column_of(selected)
    if column is None:
        mark_tag(painter, scene, selected, QPen(scene.theme.color("accent"), 1.5, Qt.PenStyle.DashLine))
        return
    begin = scene.content.first_column(selected)
    first = column if begin is None else begin
    half = layout.half_width(column) + 4.0
    left, x = layout.centre(first), layout.centre(column)
    painter.setPen(QPen(scene.theme.color("accent"), 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawLine(QLineF(left - half, layout.frame.bottom + 54, x + half, layout.frame.bottom + 54))
    painter.setPen(QPen(scene.theme.color("accent"), 1.25, Qt.PenStyle.DashLine))
    painter.drawRoundedRect(_box(scene, first, 4.0).united(_box(scene, column, 4.0)), 8, 8)
    if unit is not None and scene.content.columns[column].has_circles:
        heights = layout.unit_heights(column)
        if unit < len(heights):
            reach, rise = layout.radius + 2.5, layout.half_unit + 2.5
            painter.setPen(QPen(scene.theme.color("accent"), 2.0))
            painter.drawRoundedRect(
                QRectF(left, float(heights[unit]), x - left, 0).adjusted(-reach, -rise, reach, rise),
                reach,
                min(reach, rise),
            )


def _box(scene: Scene, column: int, margin: float) -> QRectF:
    frame, half = scene.layout.frame, scene.layout.half_width(column) + margin
    return QRectF(scene.layout.centre(column) - half, frame.top - 3, 2 * half, frame.bottom - frame.top + 6)


def _paint_active(painter: QPainter, scene: Scene, pulse: Pulse) -> None:
    if pulse.active is None:
        return
    layout, column = scene.layout, scene.content.column_of(pulse.active, pulse.time)
    color = phase_color(scene.theme, pulse.phase)
    if column is None:
        mark_tag(painter, scene, pulse.active, QPen(color, 2.0))
        return
    is_one_of_its_columns = scene.content.columns[column].time is not None
    # A column that stands for all of the time shows the step in work, which no kept picture holds.
    if not is_one_of_its_columns and (pulse.time is not None or pulse.active_tensor != pulse.tensor):
        paint_columns(painter, scene, [column], pulse.active_tensor, pulse.time)
    painter.setPen(QPen(color, 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(_box(scene, column, 4.0), 8, 8)
    gap = layout.viewport.pitch - layout.half_width(column) * 2 - 8
    if gap < 12:
        return
    side = -1 if pulse.into_weights else 1 if pulse.from_above else 0
    if side:
        # Beside a tag in the middle of the gap, not on top of it.
        has_tag = any(int(tag.place) == column + min(side, 0) for tag in scene.content.tags)
        share = 0.5 if not has_tag else 0.28
        reach = layout.viewport.pitch * share + (layout.half_width(column) * 0.5 if has_tag else 0.0)
        middle = layout.centre(column) + side * reach
        forward = pulse.phase == "forward"
        size = min(0.25 * gap, 7.0) * (1 if forward else -1)
        painter.setPen(QPen(color, 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for shift in (-0.6, 0.6):
            tip = QPointF(middle + (shift + 0.5) * size, layout.middle)
            back, reach = tip.x() - size, abs(size)
            painter.drawPolyline(
                QPolygonF([QPointF(back, tip.y() - reach), tip, QPointF(back, tip.y() + reach)])
            )


def place_of(scene: Scene, pulse: Pulse) -> float:
    """Return where on the line below the columns the step is done, px."""
    layout = scene.layout
    if pulse.active is None:
        return layout.frame.right
    column = scene.content.column_of(pulse.active, pulse.time)
    if column is None:
        return layout.centre(scene.content.place_of(pulse.active))
    if pulse.time is not None and scene.content.columns[column].time is None:
        # The layer is one column: its time passes in the gap before it, or behind it on the way back.
        steps = scene.content.layer_of(column).hidden.shape[1]
        told = pulse.time + 1 if pulse.phase == "forward" else steps - pulse.time
        way = 0.5 * (1.0 - told / steps) * layout.viewport.pitch
        return layout.centre(column) + (-way if pulse.phase == "forward" else way)
    side = -0.5 if pulse.into_weights else 0.5 if pulse.from_above else 0.0
    if pulse.phase == "backward" and column == len(layout.columns) - 1 and pulse.from_above:
        return layout.frame.right
    return layout.centre(column) + side * layout.viewport.pitch


def _paint_progress(painter: QPainter, scene: Scene, pulse: Pulse) -> None:
    layout, frame = scene.layout, scene.layout.frame
    y, color = frame.bottom + 10.0, phase_color(scene.theme, pulse.phase)
    begin = max(layout.centre(0), frame.left)
    place = min(max(place_of(scene, pulse), frame.left), frame.right)
    painter.setPen(QPen(scene.theme.color("grid"), 4.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QLineF(begin, y, frame.right, y))
    painter.setPen(QPen(color, 4.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    if pulse.phase in ("backward", "clip"):
        painter.drawLine(QLineF(begin if pulse.phase == "clip" else place, y, frame.right, y))
    else:
        painter.drawLine(QLineF(begin, y, place, y))
    painter.setPen(QPen(scene.theme.color("background"), 2.0))
    painter.setBrush(color)
    painter.drawEllipse(QPointF(place, y), 6.0, 6.0)


def _paint_chip(painter: QPainter, scene: Scene, pulse: Pulse) -> None:
    """Paint the formula above the layer in work, kept inside the picture."""
    frame, color = scene.layout.frame, phase_color(scene.theme, pulse.phase)
    font = figure_font(11, bold=True)
    layers = scene.content.trace.layers
    text = " · ".join(
        part for part in (time_words(pulse.step, layers), formula_of(pulse.step, layers)) if part
    )
    width = QFontMetricsF(font).horizontalAdvance(text) + 18
    x = min(max(place_of(scene, pulse), frame.left), frame.right)
    if pulse.active is not None:
        x = scene.layout.centre(scene.content.place_of(pulse.active, pulse.time))
    first = badge_boxes(scene)[0]
    right = frame.width - 8.0 if first.top() > _CHIP_TOP + _CHIP_HEIGHT else first.left() - 4.0
    left = min(max(x - width / 2, frame.left + 20), right - width)
    chip = QRectF(left, _CHIP_TOP, width, _CHIP_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(chip, 10, 10)
    painter.setFont(font)
    painter.setPen(scene.theme.color("background"))
    painter.drawText(chip, _CENTRED, text)


def _paint_badges(painter: QPainter, scene: Scene, pulse: Pulse) -> None:
    trace = scene.content.trace
    order = ["forward", "loss", "backward", "clip", "update"]
    reached = order.index(pulse.phase)
    badges = [("loss", "batch loss L", number_text(trace.loss, 4))]
    if kind_of(trace.experiment.training.clipping) != "none":
        badges.append(("clip", "gradient norm", number_text(trace.gradient_norm, 3)))
    badges.append(("update", " ".join(rate_words(trace)), number_text(trace.learning_rate, 3)))
    for (phase, caption, value), box in zip(badges, badge_boxes(scene), strict=True):
        color = phase_color(scene.theme, phase)  # type: ignore[arg-type]
        _paint_badge(painter, scene, box, color, caption, value, order.index(phase) - reached)


def badge_boxes(scene: Scene) -> list[QRectF]:
    """Return where the badges stand, px: level with the units, lower ones where there is little room for them."""
    frame, (width, height) = scene.layout.frame, _BADGE
    count = 3 if kind_of(scene.content.trace.experiment.training.clipping) != "none" else 2
    spare = frame.bottom - frame.top - height * count
    gap = min(12.0, max(spare / count, _LEAST_GAP))
    end = frame.bottom + _LEGEND_ABOVE if scene.link_columns else frame.height - 4.0
    room = max(end - 4.0, count * (_LEAST_BADGE + _LEAST_GAP))
    height = min(height, max(room / count - gap, _LEAST_BADGE))
    whole = height * count + gap * (count - 1)
    top = max(min(scene.layout.middle - 0.5 * whole, end - whole), 4.0)
    return [QRectF(frame.right + 10.0, top + row * (height + gap), width, height) for row in range(count)]


def _paint_badge(
    painter: QPainter, scene: Scene, box: QRectF, color: QColor, caption: str, value: str, ahead: int
) -> None:
    theme = scene.theme
    painter.setPen(QPen(theme.color("outline") if ahead > 0 else color, 1.25))
    painter.setBrush(color if ahead == 0 else theme.color("surface"))
    painter.drawRoundedRect(box, 8, 8)
    painter.setFont(figure_font(9))
    painter.setPen(theme.color("background" if ahead == 0 else "muted"))
    # Both lines keep their distance; a low badge has no room above and below them.
    line = QRectF(box.left(), box.center().y() - 15.0, box.width(), 12.0)
    painter.drawText(line, _CENTRED, caption)
    painter.setFont(figure_font(12, bold=True))
    painter.setPen(theme.color("background" if ahead == 0 else "ghost" if ahead > 0 else "text"))
    painter.drawText(line.adjusted(0, 11.0, 0, 19.0), _CENTRED, value)


def _paint_link_legend(painter: QPainter, scene: Scene) -> None:
    if not scene.link_columns or badge_boxes(scene)[-1].bottom() > scene.layout.frame.bottom + _LEGEND_ABOVE:
        return  # the badges need its room
    frame, theme = scene.layout.frame, scene.theme
    caption, low, high = link_caption(scene)
    left, top, width = frame.right + 10.0, frame.bottom + 22.0, _BADGE[0]
    _paint_bar(painter, theme, QRectF(left, top, width, 5), scene.shade_colors, (caption, low, high))
    drawn, total = sum(len(k.values) for k in scene.links), sum(k.total for k in scene.links)
    if drawn < total:
        painter.drawText(QRectF(left - 8, top + 18, width + 16, 13), _CENTRED, f"{drawn:,} of {total:,}")


def _paint_value_legend(painter: QPainter, scene: Scene, tensor: str) -> None:
    """Paint the scale of signed means, where circles are coloured by them."""
    columns = scene.content.columns
    if scene.unit_colours != "value" or not any(column.has_circles for column in columns):
        return
    frame, largest = scene.layout.frame, scene.content.largest_mean(tensor)
    shades = [scene.value_color(at / 16, 1.0) for at in range(-16, 17)]
    text = number_text(largest, 2)
    bar = QRectF(8, frame.bottom + 22.0, frame.left - 20, 5)
    _paint_bar(painter, scene.theme, bar, shades, (f"mean {SYMBOLS[tensor]}", f"−{text}", text))


def _paint_bar(
    painter: QPainter, theme: Theme, bar: QRectF, shades: Sequence[QColor], words: tuple[str, str, str]
) -> None:
    """Paint a lying scale of colours with its caption above and its ends below."""
    caption, low, high = words
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for x in range(round(bar.width())):
        shade = shades[round(x / (bar.width() - 1) * (len(shades) - 1))]
        painter.fillRect(QRectF(bar.left() + x, bar.top(), 1, bar.height()), shade)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(figure_font(9))
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(bar.left(), bar.top() - 15, bar.width(), 13), _CENTRED, caption)
    ends = QRectF(bar.left() - 4, bar.top() + 6, bar.width() + 8, 13)
    painter.drawText(ends, Qt.AlignmentFlag.AlignLeft, low)
    painter.drawText(ends, Qt.AlignmentFlag.AlignRight, high)
