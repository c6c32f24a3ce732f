"""Asks how a figure is to be written, shows it as it will be, and writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from gradsim.app.settings import ExportChoices
from gradsim.spec import Experiment, SpecError
from gradsim.views.export import Figure, export_view, figure_extent, figure_image
from gradsim.views.export.figure import PIXELS_PER_INCH
from gradsim.views.theme import LIGHT, THEMES, Theme

FORMATS = {"png": "PNG picture", "svg": "SVG drawing", "pdf": "PDF page", "csv": "CSV table of the numbers"}
COLOURS = {"paper": "For paper", "screen": "As on the screen", "light": "Light", "dark": "Dark"}
SIZES = {True: "As on the screen", False: "Fixed"}
UNITS = {"mm": "mm", "px": "pixels"}


class Preview(QWidget):
    """The figure, as large as there is room for.

    Parameters
    ----------
    parent : QWidget or None
        Owner in the sense of Qt.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image: QImage | None = None
        self.setAccessibleName("Preview")

    def sizeHint(self) -> QSize:
        return QSize(520, 300)

    def room(self, extent: QSizeF) -> float:
        """Return how many pixels of the screen a logical pixel of the figure may have."""
        ratio = self.devicePixelRatioF()
        return min(self.width() / extent.width(), self.height() / extent.height()) * ratio

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.image is None:
            words = "The numbers that are drawn, one column each, with units, seed and version in the header"
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), int(flags), words)
            return
        ratio = self.devicePixelRatioF()
        size = self.image.size() / ratio
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        image = QImage(self.image)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(left, top, image)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(left, top, size.width() - 1, size.height() - 1)


class ExportDialog(QDialog):
    """Writes one of the figures of the window.

    Parameters
    ----------
    figures : dict from str to Figure
        Views by their ids.
    figure : str
        The one that is offered first.
    experiment : Experiment
        Told in the header of a table.
    parent : QWidget or None
        The window.
    """

    written = Signal(object)
    """A file was written (Path)."""
    chosen = Signal(object)
    """How (ExportChoices), to be offered the next time."""

    def __init__(
        self,
        figures: dict[str, Figure],
        figure: str,
        experiment: Experiment,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export the figure")
        self._figures = figures
        self._experiment = experiment
        self._theme = LIGHT
        self._folder = ""
        self.view = _combo({id_: view.title for id_, view in figures.items()}, "Figure")
        self.view.setCurrentIndex(self.view.findData(figure))
        self.format = _combo(FORMATS, "Format")
        self.size_ = _combo(SIZES, "Size")
        self.colours = _combo(COLOURS, "Colours")
        self.unit = _combo(UNITS, "Unit of the size")
        self.across = _number(20, 20_000, "Width")
        self.down = _number(20, 20_000, "Height")
        self.resolution = _number(24, 1_200, "Resolution", " dots per inch")
        self.preview = Preview()
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setForegroundRole(QPalette.ColorRole.BrightText)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self._ask_and_write)
        self.buttons.rejected.connect(self.reject)
        for combo in (self.view, self.format, self.size_, self.colours, self.unit):
            combo.currentIndexChanged.connect(self._show)
        for number in (self.across, self.down, self.resolution):
            number.valueChanged.connect(self._show)
        self._lay_out()

    def _lay_out(self) -> None:
        extent = QHBoxLayout()
        extent.addWidget(self.across, 1)
        extent.addWidget(QLabel("×"))
        extent.addWidget(self.down, 1)
        extent.addWidget(self.unit)
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.addRow("Figure", self.view)
        form.addRow("Format", self.format)
        form.addRow("Colours", self.colours)
        form.addRow("Size", self.size_)
        form.addRow("", extent)
        form.addRow("Resolution", self.resolution)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(self.preview, 1)
        layout.addWidget(self.message)
        layout.addWidget(self.buttons)

    def choose(self, choices: ExportChoices, theme: Theme, folder: str) -> None:
        """Offer what was chosen the last time.

        Parameters
        ----------
        choices : ExportChoices
            From the settings.
        theme : Theme
            Of the screen.
        folder : str
            Where the file dialog begins.
        """
        self._theme, self._folder = theme, folder
        for combo, value in (
            (self.format, choices.format),
            (self.size_, choices.is_as_on_screen),
            (self.colours, choices.colours),
            (self.unit, choices.unit),
        ):
            combo.setCurrentIndex(combo.findData(value))
        self.across.setValue(choices.width)
        self.down.setValue(choices.height)
        self.resolution.setValue(choices.resolution)
        self._show()

    @property
    def choices(self) -> ExportChoices:
        """What is chosen now."""
        return ExportChoices(
            format=self.format.currentData(),
            is_as_on_screen=self.size_.currentData(),
            width=self.across.value(),
            height=self.down.value(),
            unit=self.unit.currentData(),
            resolution=self.resolution.value(),
            colours=self.colours.currentData(),
        )

    @property
    def figure(self) -> Figure:
        """The view that is chosen."""
        return self._figures[self.view.currentData()]

    def write(self, path: Path) -> None:
        """
        Write the figure as it is chosen.

        Parameters
        ----------
        path : Path
            Ends as the format wants.

        Raises
        ------
        ValueError
            If the size is impossible or the file cannot be written.
        """
        choices = self.choices
        export_view(
            self.figure,
            path,
            size=None if choices.is_as_on_screen else (choices.width, choices.height),
            unit=choices.unit,
            scale=choices.resolution / PIXELS_PER_INCH,
            theme=self._colours(choices),
            experiment=self._experiment,
        )

    def _colours(self, choices: ExportChoices) -> Theme:
        return self._theme if choices.colours == "screen" else THEMES[choices.colours]

    def _show(self, *_: Any) -> None:
        choices = self.choices
        is_table = choices.format == "csv"
        for widget in (self.size_, self.colours):
            widget.setEnabled(not is_table)
        for part in (self.across, self.down, self.unit):
            part.setEnabled(not is_table and not choices.is_as_on_screen)
        self.resolution.setEnabled(choices.format == "png")
        self.message.clear()
        self.preview.image = None
        if not is_table:
            try:
                extent = figure_extent(
                    self.figure,
                    None if choices.is_as_on_screen else (choices.width, choices.height),
                    choices.unit,
                )
                scale = max(self.preview.room(extent), 0.05)
                self.preview.image = figure_image(self.figure, extent, scale, self._colours(choices))
            except ValueError as error:
                self.message.setText(_sentence(str(error)))
        self.preview.update()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._show()

    def _ask_and_write(self) -> None:
        suffix = self.format.currentData()
        start = Path(self._folder) / f"{self.figure.view_id}.{suffix}"
        kind = f"{FORMATS[suffix]} (*.{suffix})"
        name, _ = QFileDialog.getSaveFileName(self, "Export the figure", str(start), kind)
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() != f".{suffix}":
            path = path.with_name(f"{path.name}.{suffix}")
        try:
            self.write(path)
        except (ValueError, OSError, SpecError) as error:
            self.message.setText(_sentence(f"{path.name} was not written: {error}"))
            return
        self.chosen.emit(self.choices)
        self.written.emit(path)
        self.accept()


def _combo(items: dict[Any, str], name: str) -> QComboBox:
    combo = QComboBox()
    for value, words in items.items():
        combo.addItem(words, value)
    combo.setAccessibleName(name)
    return combo


def _number(least: float, most: float, name: str, unit: str = "") -> QDoubleSpinBox:
    number = QDoubleSpinBox()
    number.setRange(least, most)
    number.setDecimals(0)
    number.setSuffix(unit)
    number.setAccessibleName(name)
    return number


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
