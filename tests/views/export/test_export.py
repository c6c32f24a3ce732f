"""Files that views are written to: read back, they hold the figure and its numbers."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from gradsim.spec import SpecError
from gradsim.views.export import copy_view, export_view, figure_extent, figure_svg
from gradsim.views.plot.plot_view import PlotView
from gradsim.views.theme import DARK, PAPER
from tests.views.plot_views import VIEWS, run_named

views = pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.view_id)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def view(qtbot: QtBot, request: pytest.FixtureRequest) -> PlotView:
    kind = getattr(request, "param", VIEWS[0])
    result = kind()
    qtbot.addWidget(result)
    result.resize(600, 330)
    result.set_run(run_named("mixed"))
    return result


every_view = pytest.mark.parametrize("view", VIEWS, indirect=True, ids=lambda kind: kind.view_id)


def grey(image: QImage, width: int, height: int) -> np.ndarray:
    from PySide6.QtCore import Qt

    small = image.scaled(
        width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    ).convertToFormat(QImage.Format.Format_Grayscale8)
    raw = np.frombuffer(small.constBits(), dtype=np.uint8).reshape(height, small.bytesPerLine())
    return raw[:, :width].astype(float)


@every_view
def test_a_png_has_the_size_the_resolution_and_the_words(view: PlotView, tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    export_view(view, path, size=(160, 80), unit="mm", scale=3.125, theme="paper")
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1890, 945)
    assert image.dotsPerMeterX() == pytest.approx(300 / 0.0254, rel=1e-3)
    assert image.text("Title") == view.title
    assert image.text("Description") == view.text_summary()
    assert image.pixelColor(2, 2) == QColor(PAPER.background)


@every_view
def test_an_svg_holds_the_same_picture_as_the_png(view: PlotView, tmp_path: Path) -> None:
    for suffix in ("svg", "png"):
        export_view(view, tmp_path / f"figure.{suffix}", size=(640, 320), theme="paper")
    renderer = QSvgRenderer(str(tmp_path / "figure.svg"))
    assert renderer.isValid()
    drawn = QImage(640, 320, QImage.Format.Format_RGB32)
    drawn.fill(QColor("#ffffff"))
    painter = QPainter(drawn)
    renderer.render(painter, QRectF(0, 0, 640, 320))
    painter.end()
    difference = grey(drawn, 80, 40) - grey(QImage(str(tmp_path / "figure.png")), 80, 40)
    assert np.abs(difference).mean() < 4.0
    assert np.abs(difference).max() < 100.0


@every_view
def test_the_words_of_an_svg_are_outlines_with_a_label(view: PlotView) -> None:
    root = ElementTree.fromstring(figure_svg(view, figure_extent(view, (160, 80), "mm"), PAPER))
    assert root.attrib["width"] == "160.0000mm"
    assert root.attrib["height"] == "80.0000mm"
    assert not list(root.iter(f"{SVG}text"))
    labels = [path.attrib["aria-label"] for path in root.iter(f"{SVG}path") if "aria-label" in path.attrib]
    assert labels
    assert all(
        path.attrib["d"].startswith("M") for path in root.iter(f"{SVG}path") if "aria-label" in path.attrib
    )
    assert root.find(f"{SVG}title").text == view.title


def test_labels_of_an_svg_say_powers_lanes_and_legend(view: PlotView) -> None:
    text = figure_svg(view, figure_extent(view, None, "px"), PAPER).decode()
    for word in ("10⁻²", "NaN", "∞", "activation a", "head"):
        assert f'aria-label="{word}"' in text


@every_view
def test_lines_of_an_svg_are_clipped_to_their_plot(view: PlotView) -> None:
    text = figure_svg(view, figure_extent(view, None, "px"), PAPER).decode()
    assert re.search(r'clip-path="url\(#\w+\)"', text)


@every_view
def test_a_pdf_has_one_page_of_the_size_asked_for_and_its_fonts(view: PlotView, tmp_path: Path) -> None:
    path = tmp_path / "figure.pdf"
    export_view(view, path, size=(160, 80), unit="mm", theme="paper")
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[([\d. ]+)\]", content)
    assert [float(side) for side in box[1].split()] == pytest.approx([0, 0, 453.54, 226.77], abs=0.6)
    assert b"DejaVuSans" in content
    assert b"/FontFile2" in content


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is not installed")
@every_view
def test_a_pdf_drawn_by_another_program_is_the_same_picture(view: PlotView, tmp_path: Path) -> None:
    for suffix in ("pdf", "png"):
        export_view(view, tmp_path / f"figure.{suffix}", size=(640, 320), theme="paper")
    command = ["pdftoppm", "-r", "96", "-png", "-singlefile", "figure.pdf", "drawn"]
    subprocess.run(command, cwd=tmp_path, check=True)
    drawn, wanted = (grey(QImage(str(tmp_path / f"{n}.png")), 80, 40) for n in ("drawn", "figure"))
    assert np.abs(drawn - wanted).mean() < 4.0


@pytest.mark.skipif(
    shutil.which("rsvg-convert") is None, reason="rsvg-convert (librsvg2-bin) is not installed"
)
@every_view
def test_an_svg_drawn_by_another_program_is_the_same_picture(view: PlotView, tmp_path: Path) -> None:
    for suffix in ("svg", "png"):
        export_view(view, tmp_path / f"figure.{suffix}", size=(640, 320), theme="paper")
    subprocess.run(["rsvg-convert", "figure.svg", "-o", "drawn.png"], cwd=tmp_path, check=True)
    drawn, wanted = (grey(QImage(str(tmp_path / f"{n}.png")), 80, 40) for n in ("drawn", "figure"))
    assert np.abs(drawn - wanted).mean() < 4.0


@every_view
def test_a_csv_holds_the_table_and_says_where_it_comes_from(view: PlotView, tmp_path: Path) -> None:
    path = tmp_path / "figure.csv"
    export_view(view, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert header[0].startswith("# GradSim ")
    assert any(line.startswith("# seed: ") for line in header)
    rows = list(csv.reader(lines[len(header) :]))
    columns, units = view.table()
    assert rows[0] == list(columns)
    assert len(rows) - 1 == len(next(iter(columns.values())))
    assert all(any(line.startswith(f"# unit of {name}: ") for line in header) for name in units)


def test_a_figure_can_have_another_theme_than_the_screen(view: PlotView, tmp_path: Path) -> None:
    export_view(view, tmp_path / "dark.png", theme=DARK)
    assert QImage(str(tmp_path / "dark.png")).pixelColor(1, 1) == QColor(DARK.background)
    export_view(view, tmp_path / "own.png")
    assert QImage(str(tmp_path / "own.png")).pixelColor(1, 1) == QColor(view.theme.background)


def test_without_a_size_a_figure_is_as_large_as_on_the_screen(view: PlotView, tmp_path: Path) -> None:
    export_view(view, tmp_path / "figure.png", scale=2)
    image = QImage(str(tmp_path / "figure.png"))
    assert (image.width(), image.height()) == (2 * view.canvas.width(), 2 * view.canvas.height())


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("figure.bmp", {}, "ends in .png, .svg, .pdf, .csv"),
        ("figure", {}, "ends in .png, .svg, .pdf, .csv"),
        ("figure.png", {"scale": 0.0}, "scale: expected a number from 0.1 to 32"),
        ("figure.png", {"scale": float("nan")}, "scale: expected"),
        ("figure.png", {"size": (10, 400)}, "width: expected 80 to 20000 px, got 10"),
        ("figure.svg", {"size": (400, float("inf"))}, "height: expected"),
        ("figure.svg", {"size": (100, 1), "unit": "mm"}, "height: expected 21 to 5292 mm"),
        ("figure.svg", {"size": (100, 100), "unit": "inch"}, "unit: expected px or mm"),
        ("figure.pdf", {"theme": "pink"}, "theme: expected one of light, dark, paper"),
        ("figure.png", {"size": (20000, 20000)}, "too large"),
    ],
)
def test_what_is_impossible_is_refused_and_writes_nothing(
    view: PlotView, tmp_path: Path, name: str, options: dict, reason: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        export_view(view, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "csv"])
def test_a_folder_that_is_not_there_is_named(view: PlotView, tmp_path: Path, suffix: str) -> None:
    with pytest.raises(SpecError, match="cannot be written"):
        export_view(view, tmp_path / "nowhere" / f"figure.{suffix}")


def test_a_csv_without_a_run_is_refused(view: PlotView, tmp_path: Path) -> None:
    view.set_run(None)
    with pytest.raises(ValueError, match="no run"):
        export_view(view, tmp_path / "figure.csv")


def test_a_copy_is_a_picture_and_an_svg(view: PlotView) -> None:
    copy_view(view)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasImage()
    assert QGuiApplication.clipboard().image().width() == 2 * view.canvas.width()
    assert bytes(data.data("image/svg+xml").data()).startswith(b"<?xml")
    QGuiApplication.clipboard().clear()
