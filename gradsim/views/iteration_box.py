"""The number of the iteration as a field that asks, and follows what is answered."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSpinBox, QWidget

_LAST_ITERATION = 2_000_000_000


class IterationBox(QSpinBox):
    """Number of the iteration; its arrows and what is typed are wishes, the number follows the cursor.

    Wishes: ``iteration_step_requested(delta)`` and ``iteration_requested(iteration)``.
    """

    iteration_step_requested = Signal(int)
    iteration_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, _LAST_ITERATION)
        self.setGroupSeparatorShown(True)
        self.setKeyboardTracking(False)
        self._shown = 0
        self.editingFinished.connect(self._request)

    def show_iteration(self, iteration: int) -> None:
        """Show where the cursor is."""
        self._shown = iteration
        if self.value() != iteration:
            self.setValue(iteration)

    def stepBy(self, steps: int) -> None:
        if self._shown + steps >= 0:
            self.iteration_step_requested.emit(steps)

    def _request(self) -> None:
        if self.value() != self._shown:
            wanted = self.value()
            self.setValue(self._shown)
            self.iteration_requested.emit(wanted)
