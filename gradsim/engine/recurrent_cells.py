"""The cells of recurrent layers by their numbers on the tape, and what each needs."""

from __future__ import annotations

from typing import Any

from gradsim.engine.compilation import kernel

SIMPLE = 0
LSTM = 1
GRU = 2
GRU_RESET_BEFORE = 3

_GATES = (1, 4, 3, 3)


def cell_code(cell: str, reset_after: bool = True) -> int:
    """Return the number of a cell on the tape.

    Parameters
    ----------
    cell : {"simple", "lstm", "gru"}
        As in an experiment.
    reset_after : bool
        Whether the reset of a GRU comes after the recurrent product; without meaning for the others.

    Returns
    -------
    int
        One of the constants of this module.
    """
    if cell == "gru":
        return GRU if reset_after else GRU_RESET_BEFORE
    return {"simple": SIMPLE, "lstm": LSTM}[cell]


def gate_count(cell: int) -> int:
    """Return how many gates a cell has, which is how many times ``units`` its pre-activation is wide.

    Parameters
    ----------
    cell : int
        One of the constants of this module.

    Returns
    -------
    int
        1, 3 or 4.
    """
    return _GATES[cell]


def workspace_size(cell: int, steps: int, batch: int, fan_in: int, units: int) -> int:
    """Return how many numbers ``recurrent_forward`` and ``recurrent_backward`` need beside the record.

    Parameters
    ----------
    cell : int
        One of the constants of this module.
    steps, batch, fan_in, units : int
        Of the layer.

    Returns
    -------
    int
        Numbers of the layer's dtype.
    """
    state, width = batch * units, gate_count(cell) * units
    largest_weight = max(units, fan_in) * width  # transposed, or one piece of its gradient
    if cell == GRU:
        return largest_weight + (3 * steps + 1) * state
    if cell == GRU_RESET_BEFORE:
        return largest_weight + 3 * units * units + (4 * steps + 1) * state
    return largest_weight + batch * width


@kernel
def gates_of(cell: Any) -> Any:
    """Return ``gate_count`` in compiled code."""
    if cell == SIMPLE:
        return 1
    return 4 if cell == LSTM else 3
