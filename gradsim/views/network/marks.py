"""Marks for what has no place on a logarithmic scale: 0, NaN and ∞, told apart by shape as well as colour."""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gradsim.views.fonts import figure_font
from gradsim.views.theme import Theme

SpecialKind = Literal["zero", "nan", "inf"]


def special_kind(value: float) -> SpecialKind | None:
    """Return which mark a magnitude needs; None for a finite one above 0."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf"
    return "zero" if value == 0 else None


def paint_special_mark(
    painter: QPainter, theme: Theme, kind: SpecialKind, centre: QPointF, radius: float
) -> None:
    """Paint the mark of 0 (ring with a stroke), NaN (cross) or ∞ (full disc with its sign).

    Parameters
    ----------
    painter : QPainter
        Where to.
    theme : Theme
        Colours.
    kind : {"zero", "nan", "inf"}
        Which.
    centre : QPointF
        Its middle.
    radius : float
        In px.
    """
    if kind == "zero":
        painter.setPen(QPen(theme.color("muted"), 1.25))
        painter.setBrush(theme.color("background"))
        painter.drawEllipse(centre, radius, radius)
        reach = 0.7071 * radius
        painter.drawLine(
            QLineF(centre.x() - reach, centre.y() + reach, centre.x() + reach, centre.y() - reach)
        )
        return
    if kind == "nan":
        painter.setPen(QPen(theme.color("update"), 1.5))
        painter.setBrush(theme.color("background"))
        painter.drawEllipse(centre, radius, radius)
        reach = 0.55 * radius
        for sign in (-1, 1):
            painter.drawLine(
                QLineF(
                    centre.x() - reach,
                    centre.y() - sign * reach,
                    centre.x() + reach,
                    centre.y() + sign * reach,
                )
            )
        return
    painter.setPen(QPen(theme.color("bad"), 1.0))
    painter.setBrush(theme.color("bad"))
    painter.drawEllipse(centre, radius, radius)
    if radius >= 4:
        painter.setPen(theme.color("background"))
        painter.setFont(figure_font(round(1.7 * radius), bold=True))
        box = QRectF(centre.x() - 2 * radius, centre.y() - 2 * radius, 4 * radius, 4 * radius)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "∞")


def paint_special_cell(
    painter: QPainter, theme: Theme, kind: SpecialKind, centre: QPointF, half_width: float, half_height: float
) -> None:
    """Paint 0, NaN or ∞ in a unit too narrow for a mark: 0 a line, NaN crossed, ∞ full.

    Parameters
    ----------
    painter : QPainter
        Where to.
    theme : Theme
        Colours.
    kind : {"zero", "nan", "inf"}
        Which.
    centre : QPointF
        Its middle.
    half_width, half_height : float
        In px.
    """
    ground = theme.color({"zero": "grid", "nan": "background", "inf": "bad"}[kind])
    paint_cell(painter, ground, centre.x(), centre.y(), half_width, half_height)
    if kind == "zero":
        paint_cell(painter, theme.color("muted"), centre.x(), centre.y(), half_width, 0.5)
    elif kind == "nan":
        painter.setPen(QPen(theme.color("update"), 1.0))
        for sign in (-1, 1):
            painter.drawLine(
                QLineF(
                    centre.x() - half_width,
                    centre.y() - sign * half_height,
                    centre.x() + half_width,
                    centre.y() + sign * half_height,
                )
            )


def paint_cell(
    painter: QPainter, color: QColor, x: float, y: float, half_width: float, half_height: float
) -> None:
    """Paint a unit too narrow for a circle: a plain rectangle about a point, which is quick for thousands.

    Parameters
    ----------
    painter : QPainter
        Where to.
    color : QColor
        Of the cell.
    x, y, half_width, half_height : float
        In px.
    """
    painter.fillRect(QRectF(x - half_width, y - half_height, 2 * half_width, 2 * half_height), color)
