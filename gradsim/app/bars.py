"""The two bars of the window: commands above, transport below."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolBar, QWidget

from gradsim.app.commands import Actions

PLAIN_BAR = "QToolBar { border: none; spacing: 3px; padding: 2px; }"
"""Fusion's own edges are as bright in the dark as in the light."""


def command_bar(actions: Actions) -> QToolBar:
    """Return the bar of the commands used most."""
    bar = _plain_bar("Toolbar")
    bar.setIconSize(QSize(20, 20))
    actions.fill_toolbar(bar)
    return bar


def transport_bar(transport: QWidget) -> QToolBar:
    """Return the bar that holds the transport; it cannot be hidden."""
    bar = _plain_bar("Transport")
    bar.addWidget(transport)
    bar.toggleViewAction().setVisible(False)
    return bar


def _plain_bar(title: str) -> QToolBar:
    bar = QToolBar(title)
    bar.setObjectName(title.lower())  # layouts are saved by these names
    bar.setMovable(False)
    bar.setStyleSheet(PLAIN_BAR)
    return bar
