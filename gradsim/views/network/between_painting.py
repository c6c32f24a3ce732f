"""Paints what stands between the columns: tags of layers without a number, arcs of residual skips."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from gradsim.analysis import ResidualBlock
from gradsim.views.fonts import figure_font
from gradsim.views.network.between import Tag
from gradsim.views.network.layout import ARC_RISE
from gradsim.views.network.pulse import Pulse
from gradsim.views.network.scene import Scene
from gradsim.views.theme import phase_color

_CENTRED = Qt.AlignmentFlag.AlignCenter
_WIDEST = 15.0
_TEXT_FROM = 11.0
_LABEL_FROM = 34.0
_WIDE_ARC = 32.0
BRANCH_DROP = 6.0
"""How far below the arc of its skip the way through a branch runs, px: above the arcs inside it."""


def tag_box(scene: Scene, tag: Tag) -> QRectF:
    """Return where a tag stands, px: upright in its gap, as wide as there is room."""
    layout = scene.layout
    before, gap = int(tag.place), layout.viewport.pitch
    left = layout.centre(before) + layout.half_width(before)
    right = layout.centre(before + 1) - layout.half_width(before + 1)
    share = tag.place - before
    room = (right - left) * min(share, 1 - share) * (2.0 if share == 0.5 else 1.2)
    width = min(max(min(room - 4.0, 0.3 * gap), 1.5), _WIDEST)
    text = QFontMetricsF(figure_font(9)).horizontalAdvance(tag.text) + 14.0
    height = min(max(text, 48.0), layout.frame.bottom - layout.frame.top)
    x = left + share * (right - left)
    return QRectF(x - 0.5 * width, layout.middle - 0.5 * height, width, height)


def paint_tags(painter: QPainter, scene: Scene) -> None:
    """Paint all tags that are seen; too narrow ones without their words."""
    theme, visible = scene.theme, scene.layout.visible
    for tag in scene.content.tags:
        if not visible.start - 1 <= tag.place <= visible.stop:
            continue
        box = tag_box(scene, tag)
        reach = min(4.0, 0.5 * box.width())
        painter.setPen(QPen(theme.color("muted"), 1.0) if box.width() > 4 else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface" if box.width() > 4 else "muted"))
        painter.drawRoundedRect(box, reach, reach)
        if box.width() >= _TEXT_FROM:
            painter.save()
            painter.translate(box.center())
            painter.rotate(-90)
            painter.setFont(figure_font(9))
            painter.setPen(theme.color("text"))
            lying = QRectF(-0.5 * box.height(), -0.5 * box.width(), box.height(), box.width())
            painter.drawText(lying, _CENTRED, tag.text)
            painter.restore()


def mark_tag(painter: QPainter, scene: Scene, layer: int, pen: QPen) -> None:
    """Paint an outline around the tag of a layer, if it has one."""
    tag = next((tag for tag in scene.content.tags if tag.layer == layer), None)
    if tag is not None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(tag_box(scene, tag).adjusted(-3, -3, 3, 3), 5, 5)


def arc_ends(scene: Scene, block: ResidualBlock) -> tuple[float, float, float]:
    """Return left and right end and the height of a block's arc, px."""
    layout, level = scene.layout, scene.content.arc_levels[block.index]
    # An end shared by neighbours is split; an inner arc ends inside the one around it.
    inset = min(0.06 * layout.viewport.pitch * (1 + block.depth), 0.2 * layout.viewport.pitch)
    left, right = layout.centre(block.start) + inset, layout.centre(block.end) - inset
    if right - left < 2.0:
        middle = 0.5 * (left + right)
        left, right = middle - 6.0, middle + 6.0
    return left, right, layout.frame.top - 4.0 - ARC_RISE * min(level, scene.layout.frame.arcs)


def paint_arcs(painter: QPainter, scene: Scene, pulse: Pulse, selected: int | None) -> None:
    """Paint the skips as arcs above the columns; once the gradient is back, the branch inside each of them, too.

    Colour and width of the two ways are their shares of the gradient that comes out at the input of the block.
    """
    theme, visible = scene.theme, scene.layout.visible
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for block in scene.content.blocks:
        if block.end < visible.start - 1 or block.start > visible.stop:
            continue
        left, right, top = arc_ends(scene, block)
        foot = scene.layout.frame.top - 3.0
        path = _arch(left, right, top, foot)
        share = block.skip_share
        known = _is_known(pulse, block) and not math.isnan(share)
        if block.index in (pulse.active, selected):
            chosen = theme.color("accent") if block.index == selected else phase_color(theme, pulse.phase)
            halo = QColor(chosen)
            halo.setAlphaF(0.35)
            painter.setPen(QPen(halo, 9.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPath(path)
        if not known:
            painter.setPen(QPen(theme.color("muted"), 2.25))
            painter.drawPath(path)
            continue
        reach = branch_inset(left, right)
        branch = _arch(left + reach, right - reach, top + BRANCH_DROP, foot)
        near = min(max((right - left) / _WIDE_ARC, 0.6), 1.0)  # strokes of many blocks must not run together
        for way, part in ((branch, 1.0 - share), (path, share)):
            width = near * (1.0 + 3.0 * part)
            if near == 1.0:
                painter.setPen(QPen(theme.color("muted"), width + 1.0))
                painter.drawPath(way)
            painter.setPen(QPen(scene.share_color(part), width))
            painter.drawPath(way)
        if right - left >= _LABEL_FROM:
            _paint_shares(painter, scene, QPointF(0.5 * (left + right), top), right - left, share)


def branch_inset(left: float, right: float) -> float:
    """Return how far inside the arc of its skip the way through a branch runs, px."""
    return min(5.0, 0.25 * (right - left))


def _arch(left: float, right: float, top: float, foot: float) -> QPainterPath:
    """Return a way up, along and down again, with round corners."""
    rise = min(8.0, 0.5 * (right - left), foot - top)
    path = QPainterPath(QPointF(left, foot))
    path.lineTo(left, top + rise)
    path.quadTo(left, top, left + rise, top)
    path.lineTo(right - rise, top)
    path.quadTo(right, top, right, top + rise)
    path.lineTo(right, foot)
    return path


def _is_known(pulse: Pulse, block: ResidualBlock) -> bool:
    """Whether the gradient has come back to the input of the block."""
    return pulse.phase in ("clip", "update") or (pulse.phase == "backward" and pulse.computed[block.index])


def share_words(share: float) -> tuple[str, str, str]:
    """Return how a gradient divides, in ever fewer words.

    Parameters
    ----------
    share : float
        Of the skip, 0 to 1.

    Returns
    -------
    tuple of str
        ``skip 98 % · branch 2 %``, ``98 : 2 %``, ``98 %``.
    """
    skip, branch = f"{100 * share:.0f}", f"{100 * (1 - share):.0f}"
    return f"skip {skip} % · branch {branch} %", f"{skip} : {branch} %", f"{skip} %"


def _paint_shares(painter: QPainter, scene: Scene, at: QPointF, room: float, share: float) -> None:
    font = figure_font(9)
    metrics = QFontMetricsF(font)
    words = share_words(share)
    text = next((told for told in words if metrics.horizontalAdvance(told) + 30.0 <= room), words[-1])
    width = metrics.horizontalAdvance(text) + 8
    box = QRectF(at.x() - 0.5 * width, at.y() - 6.5, width, 13)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(scene.theme.color("background"))
    painter.drawRoundedRect(box, 5, 5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(font)
    painter.setPen(scene.theme.color("text"))
    painter.drawText(box, _CENTRED, text)


def layer_at(scene: Scene, x: float, y: float) -> int | None:
    """Return the layer without a number at a place in the picture, or None.

    Parameters
    ----------
    scene : Scene
        The picture.
    x, y : float
        Place, px.

    Returns
    -------
    int or None
        Index into ``IterationTrace.layers``.
    """
    for tag in scene.content.tags:
        if tag_box(scene, tag).adjusted(-2, 0, 2, 0).contains(x, y):
            return tag.layer
    for block in scene.content.blocks:
        left, right, top = arc_ends(scene, block)
        is_above = abs(y - top) <= 5.0 and left - 3 <= x <= right + 3
        is_beside = min(abs(x - left), abs(x - right)) <= 4.0 and top <= y <= scene.layout.frame.top
        if is_above or is_beside:
            return block.index
    return None
