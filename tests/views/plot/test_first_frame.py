"""pyqtgraph takes as long to import as the first frame may: nothing before the first run needs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_VIEWS = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from tests.views.plot_views import VIEWS, run_named
views = [kind() for kind in VIEWS]
for view in views:
    view.show()
    app.processEvents()
    assert view.grab().width() > 0
"""

SCRIPTS = {
    "views without a run": _VIEWS,
    "figures of views never shown": """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from gradsim.views.export import figure_extent, figure_svg
from gradsim.views.theme import PAPER
from tests.views.plot_views import VIEWS, run_named
for kind in VIEWS:
    view = kind()
    view.set_run(run_named("six layers"))
    assert figure_svg(view, figure_extent(view, None, "px"), PAPER)
""",
    "the window": """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from gradsim.app.window import MainWindow
window = MainWindow()
window.show()
for _ in range(5):
    app.processEvents()
assert window.grab().width() > 0
window.close()
""",
}


def loaded(script: str) -> str:
    script += "\nprint('pyqtgraph' in sys.modules)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", SCRIPTS)
def test_pyqtgraph_is_not_loaded_for(name: str) -> None:
    assert loaded(SCRIPTS[name]) == "False"


def test_the_first_run_loads_it_for_the_views_that_are_shown() -> None:
    assert loaded(_VIEWS + "\nviews[0].set_run(run_named('six layers'))") == "True"
