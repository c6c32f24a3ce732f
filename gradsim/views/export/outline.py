"""Text of an SVG as outlines: it looks the same whatever fonts are installed, and stays readable to machines."""

from __future__ import annotations

import html
import re

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QPainterPath

_TEXT = re.compile(r"<text\b(?P<attributes>[^>]*)>(?P<words>.*?)</text>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_KEPT = ("fill", "fill-opacity", "transform")


def with_outlined_text(svg: str) -> str:
    """Return an SVG in which every text element has become a path.

    Parameters
    ----------
    svg : str
        As ``QSvgGenerator`` writes it: sizes in pixels, one line per element.

    Returns
    -------
    str
        Without text elements; the words stand in ``aria-label``.
    """
    return _TEXT.sub(_outlined, svg)


def _outlined(found: re.Match[str]) -> str:
    attributes = dict(_ATTRIBUTE.findall(found["attributes"]))
    words = html.unescape(found["words"])
    if not words.strip():
        return ""
    font = QFont(attributes["font-family"])
    font.setPixelSize(round(float(attributes["font-size"])))
    font.setWeight(QFont.Weight(int(attributes.get("font-weight", "400"))))
    font.setItalic(attributes.get("font-style") in ("italic", "oblique"))
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    path.addText(QPointF(float(attributes["x"]), float(attributes["y"])), font, words)
    kept = " ".join(f'{name}="{attributes[name]}"' for name in _KEPT if name in attributes)
    label = html.escape(words.strip())
    return f'<path role="img" aria-label="{label}" stroke="none" fill-rule="nonzero" {kept} d="{path_data(path)}"/>'


def path_data(path: QPainterPath) -> str:
    """Return a path in the letters of SVG, to a hundredth of a pixel.

    Parameters
    ----------
    path : QPainterPath
        Lines and cubic curves.

    Returns
    -------
    str
        For the attribute ``d``.
    """
    kinds = QPainterPath.ElementType
    letters = {kinds.MoveToElement: "M", kinds.LineToElement: "L", kinds.CurveToElement: "C"}
    parts = []
    for place in range(path.elementCount()):
        element = path.elementAt(place)
        parts.append(f"{letters.get(element.type, '')}{_short(element.x)} {_short(element.y)}")
    return " ".join(parts)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
