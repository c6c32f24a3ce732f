"""Paints the network itself: links, columns, circles, axis and labels. It stays while a phase lasts."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from gradsim.views.fonts import figure_font
from gradsim.views.inspection.number_text import number_text, power_of_ten
from gradsim.views.network.between_painting import paint_tags
from gradsim.views.network.column import Column
from gradsim.views.network.columns import paint_empty_column
from gradsim.views.network.content import SYMBOLS
from gradsim.views.network.links import BROKEN, SHADES
from gradsim.views.network.scales import Scale
from gradsim.views.network.scene import LANE, Scene

_FEW_LINKS = 400
_TICKS_EVERY = 24.0
_LEAST_SPINE = 8.0
_ARROWS_FROM = 9.0
_LABEL_GAP = 6.0
_OF_A_STEP = {"activation": "and hₜ", "delta": "∂L/∂hₜ"}
_CENTRED = Qt.AlignmentFlag.AlignCenter


def paint_ground(painter: QPainter, scene: Scene) -> None:
    """Paint all that does not depend on the step: links, empty columns and labels.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    """
    frame = scene.layout.frame
    painter.save()
    painter.setClipRect(QRectF(frame.left, 0, frame.right - frame.left, frame.height))
    _paint_spine(painter, scene)
    _paint_links(painter, scene)
    for column in scene.layout.visible:
        paint_empty_column(painter, scene, column)
    _paint_inputs_of_steps(painter, scene)
    paint_tags(painter, scene)
    painter.setClipRect(QRectF(frame.left - 10, 0, frame.right - frame.left + 20, frame.height))
    _paint_labels(painter, scene)
    painter.restore()


def paint_axis(painter: QPainter, scene: Scene, tensor: str) -> None:
    """Paint the axis of magnitudes, which is the legend of the colours as well.

    Parameters
    ----------
    painter : QPainter
        Where to.
    scene : Scene
        What.
    tensor : str
        What computed layers show: it names the axis.
    """
    frame, theme, scale = scene.layout.frame, scene.theme, scene.scale_of(tensor)
    low, high = frame.bottom - LANE, frame.top + LANE
    strip = QRectF(frame.left - 16, high, 7, low - high)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    pixels = round(low - high)
    for y in range(pixels):  # a rectangle a pixel: gradients come out in bands in some PDFs
        color = scene.share_color((y + 0.5) / pixels)
        painter.fillRect(QRectF(strip.left(), low - y - 1, strip.width(), 1), color)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(figure_font(10))
    painter.setPen(theme.color("muted"))
    for decade in ticks(scale, low - high):
        at = float(scene.height_of(decade, scale))
        painter.drawLine(QLineF(strip.left() - 4, at, strip.left(), at))
        edge = "≤" if decade == scale.low else ""
        painter.drawText(
            QRectF(-20, at - 8, strip.left() + 13, 16),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            edge + power_of_ten(decade),
        )
    painter.setFont(figure_font(11, bold=True))
    painter.setPen(theme.color("text"))
    painter.drawText(
        QRectF(8, 6, 180, 18),
        Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
        f"rms {SYMBOLS[tensor]}",
    )
    if tensor in _OF_A_STEP and any(column.time is not None for column in scene.content.columns):
        # Beside what layers show, what their time steps show.
        painter.setFont(figure_font(10))
        painter.drawText(QRectF(8, 21, 60, 15), Qt.AlignmentFlag.AlignLeft, _OF_A_STEP[tensor])
    painter.restore()


def ticks(scale: Scale, length: float) -> list[int]:
    """Return the decades labelled on an axis: both ends and round steps between, none touching.

    Parameters
    ----------
    scale : Scale
        The axis.
    length : float
        In px.

    Returns
    -------
    list of int
        Ascending.
    """
    per_decade = length / (scale.high - scale.low)
    every = next(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n * per_decade >= _TICKS_EVERY)
    gap = _TICKS_EVERY * 0.8 / per_decade
    inner = [
        d
        for d in range(scale.low + 1, scale.high)
        if d % every == 0 and scale.low + gap <= d <= scale.high - gap
    ]
    return [scale.low, *inner, scale.high]


def _paint_spine(painter: QPainter, scene: Scene) -> None:
    """Lines between columns whose links are not drawn one by one; a fan where one of the two has circles."""
    layout, columns = scene.layout, scene.content.columns
    drawn = set(scene.link_columns)
    lines = []
    for i in layout.visible:
        if i == 0 or i in drawn:
            continue
        left, right = layout.centre(i - 1), layout.centre(i)
        if right - left - layout.half_width(i - 1) - layout.half_width(i) < _LEAST_SPINE:
            continue
        before = layout.unit_heights(i - 1).tolist() if columns[i - 1].has_circles else [layout.middle]
        after = layout.unit_heights(i).tolist() if columns[i].has_circles else [layout.middle]
        if len(before) > 1 and len(after) > 1:
            before = after = [layout.middle]
        lines += [QLineF(left, b, right, a) for b in before for a in after]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(scene.theme.color("outline"), 1.0))
    painter.drawLines(lines)


def _paint_inputs_of_steps(painter: QPainter, scene: Scene) -> None:
    """Small arrows from below: every time step gets its own x, not only the first one."""
    layout = scene.layout
    if layout.viewport.pitch < _ARROWS_FROM:
        return
    foot, tip = layout.frame.bottom + 8.0, layout.frame.bottom + 1.0
    lines: list[QLineF] = []
    for index in layout.visible:
        if scene.content.columns[index].time is not None:
            x = layout.centre(index)
            lines.append(QLineF(x, foot, x, tip))
            lines += [QLineF(x, tip, x + side, tip + 3.0) for side in (-2.5, 2.5)]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(scene.theme.color("muted"), 1.0))
    painter.drawLines(lines)


def _paint_links(painter: QPainter, scene: Scene) -> None:
    layout = scene.layout
    batches: list[list[QLineF]] = [[] for _ in range(SHADES)]
    broken: list[QLineF] = []
    few = sum(len(links.values) for links in scene.links) <= _FEW_LINKS
    for column, links in zip(scene.link_columns, scene.links, strict=True):
        before, after = layout.unit_heights(column - 1), layout.unit_heights(column)
        left, right = layout.centre(column - 1), layout.centre(column)
        places = zip(
            scene.link_shades(links).tolist(),
            before[links.source].tolist(),
            after[links.target].tolist(),
            strict=True,
        )
        for shade, y0, y1 in places:
            (broken if shade == BROKEN else batches[shade]).append(QLineF(left, y0, right, y1))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, few)
    signed = scene.link_colours == "weight"
    # Strong links last, on top: from the middle outwards on a signed scale, upwards on one of magnitudes.
    order = sorted(range(SHADES), key=lambda s: abs(2 * s - SHADES + 1) if signed else s)
    for shade in order:
        if batches[shade]:
            strength = abs(2 * shade / (SHADES - 1) - 1) if signed else shade / (SHADES - 1)
            widest = 1.5 if signed else 0.5
            painter.setPen(QPen(scene.shade_colors[shade], 0.75 + widest * strength if few else 1.0))
            painter.drawLines(batches[shade])
    if broken:
        painter.setPen(QPen(scene.theme.color("bad"), 1.0, Qt.PenStyle.DotLine))
        painter.drawLines(broken)


def _paint_labels(painter: QPainter, scene: Scene) -> None:
    layout, theme, columns = scene.layout, scene.theme, scene.content.columns
    first_row, second_row = layout.frame.bottom + 18.0, layout.frame.bottom + 34.0
    pitch = layout.viewport.pitch
    name_font, small_font = figure_font(11), figure_font(10)
    named: set[int | None] = set()
    for index in layout.numbered if layout.shows_names else _apart(scene, QFontMetricsF(name_font)):
        column, x = columns[index], layout.centre(index)
        width = pitch - 4 if layout.shows_names else 40.0
        text = column.name if layout.shows_names and column.time is None else short_name(column)
        painter.setFont(name_font)
        painter.setPen(theme.color("text"))
        if (
            not layout.shows_names
        ):  # the axis and the badges beside the columns are painted over what sticks out
            half = 0.5 * QFontMetricsF(name_font).horizontalAdvance(text) + 1.0
            x = min(max(x, layout.frame.left + half), layout.frame.right - half)
        _draw_elided(painter, QRectF(x - width / 2, first_row, width, 16), text)
        if layout.shows_names:
            painter.setFont(small_font)
            painter.setPen(theme.color("muted"))
            text = f"{column.units} {column.activation}".rstrip()
            if index == 0:
                text = f"{column.units} feature{'s' * (column.units != 1)}"
            if column.time is None:
                _draw_elided(painter, QRectF(x - width / 2, second_row, width, 15), text)
            elif column.layer not in named:
                # Said once, at the first time step that is seen: the others have the room for it.
                named.add(column.layer)
                left = max(x - width / 2, layout.frame.left + 2)
                place = QRectF(left, second_row, layout.frame.right - left, 15)
                words = f"{column.name}: {text}, {column.steps} steps"
                painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
    if not layout.shows_names:
        _paint_shared_labels(painter, scene, second_row)


def _apart(scene: Scene, metrics: QFontMetricsF) -> list[int]:
    """Return the columns that are numbered, without those whose number would touch the last one's name."""
    layout = scene.layout
    numbered = list(layout.numbered)
    if not numbered:
        return numbered
    widths = [metrics.horizontalAdvance(short_name(scene.content.columns[index])) for index in numbered]
    # The last one is pushed in from the edge, see below where it is painted.
    last = min(layout.centre(numbered[-1]), layout.frame.right - 0.5 * widths[-1] - 1.0) - 0.5 * widths[-1]
    kept = [
        index
        for index, width in zip(numbered[:-1], widths[:-1], strict=True)
        if layout.centre(index) + 0.5 * width + _LABEL_GAP <= last
    ]
    return [*kept, numbered[-1]]


def _paint_shared_labels(painter: QPainter, scene: Scene, top: float) -> None:
    layout, theme = scene.layout, scene.theme
    metrics = QFontMetricsF(figure_font(10))
    painter.setFont(figure_font(10))
    for label in layout.shared_labels:
        left = max(layout.centre(label.first) - layout.half_column, layout.frame.left + 2)
        right = min(layout.centre(label.last) + layout.half_column, layout.frame.right - 2)
        is_one = label.first == label.last or label.is_time
        text = label.text if is_one else f"{label.last - label.first + 1} × {label.text}"
        if right - left < metrics.horizontalAdvance(text) + 6:
            continue
        painter.setPen(QPen(theme.color("outline"), 1.0))
        painter.drawLine(QLineF(left, top + 1.5, right, top + 1.5))
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(left, top + 4, right - left, 14), _CENTRED, text)


def short_name(column: Column) -> str:
    """Return the label of a narrow column: ``in``, ``head``, ``t7`` for a time step, or its number."""
    if column.layer is None:
        return "in"
    if column.time is not None:
        return f"t{column.time + 1}"
    return "head" if column.name == "head" else str(column.number or column.name)


def _draw_elided(painter: QPainter, place: QRectF, text: str) -> None:
    metrics = QFontMetricsF(painter.font())
    painter.drawText(place, _CENTRED, metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, place.width()))


def link_caption(scene: Scene) -> tuple[str, str, str]:
    """Return what the legend of the links says: caption, and the words of its two ends."""
    if scene.link_colours == "gradient":
        scale = scene.link_scale
        return "link: |∂L/∂W|", power_of_ten(scale.low), power_of_ten(scale.high)
    largest = number_text(scene.largest_link, 2)
    return "link: weight", f"−{largest}", largest
