"""The shipped icons, drawn in the colour of words, so that they follow light and dark by themselves."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from gradsim.resource_files import resource_path


@cache
def _drawing(name: str) -> str:
    return resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")


class _Engine(QIconEngine):
    """Draws an SVG whose ``currentColor`` is taken from the palette when it is painted."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def clone(self) -> QIconEngine:
        return _Engine(self._name)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        group = QPalette.ColorGroup.Disabled if mode is QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        role = QPalette.ColorRole.ButtonText
        if mode is QIcon.Mode.Selected:
            role = QPalette.ColorRole.HighlightedText
        color = QApplication.palette().color(group, role).name()
        drawing = _drawing(self._name).replace("currentColor", color)
        QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(), size), mode, state)
        painter.end()
        return pixmap


def icon(name: str) -> QIcon:
    """Return a shipped icon.

    Parameters
    ----------
    name : str
        File in ``resources/icons`` without its ending.

    Returns
    -------
    QIcon
        Sharp at every size, in the colour of words of the palette at the time it is painted.
    """
    return QIcon(_Engine(name))
