"""Singular values as numbers: all of them as a table, and those under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gradsim.views.jacobian.words import condition_words
from gradsim.views.plot.numbers import brief, grouped
from gradsim.views.plot.plot_view import Table

if TYPE_CHECKING:
    from gradsim.analysis.jacobian import JacobianSpectrum

_UNITS = {
    "block": "layer, or residual block with its branch",
    "rank": "1 is the largest",
    "of_block": "singular value of ∂ output / ∂ input of the block",
    "to_output": "singular value of ∂ logits / ∂ input of the block",
}


def spectrum_table(spectrum: JacobianSpectrum | None) -> Table:
    """Return one row per singular value: of each block alone, and from it to the output.

    Parameters
    ----------
    spectrum : JacobianSpectrum or None
        None for an empty table.

    Returns
    -------
    tuple of dict
        Columns and their units.
    """
    if spectrum is None:
        return {name: np.array([]) for name in _UNITS}, _UNITS
    names: list[NDArray[Any]] = []
    ranks: list[NDArray[Any]] = []
    own: list[NDArray[Any]] = []
    onward: list[NDArray[Any]] = []
    for name, block, beyond in zip(spectrum.names, spectrum.blocks, spectrum.onward, strict=True):
        count = max(len(block), len(beyond))
        names.append(np.repeat(name, count))
        ranks.append(np.arange(1, count + 1))
        for column, values in ((own, block), (onward, beyond)):
            cells = np.full(count, "", dtype=object)
            cells[: len(values)] = ["NaN" if np.isnan(value) else value for value in values.tolist()]
            column.append(cells)
    columns = (names, ranks, own, onward)
    return dict(zip(_UNITS, (np.concatenate(column) for column in columns), strict=True)), _UNITS


def hover_block(spectrum: JacobianSpectrum, place: int) -> str:
    """Return the numbers of a block.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Of K blocks.
    place : int
        From 0; nothing is said beyond the last.

    Returns
    -------
    str
        Lines.
    """
    if not 0 <= place < len(spectrum.names):
        return ""
    values, onward = spectrum.blocks[place], spectrum.onward[place]
    outputs, inputs = spectrum.shapes[place]
    return (
        f"{spectrum.names[place]}: {grouped(outputs)} outputs, {grouped(inputs)} inputs\n"
        f"largest {brief(values[0])}, median {brief(float(np.median(values)))}, smallest {brief(values[-1])}\n"
        f"{condition_words(values, spectrum.eps)}\n"
        f"from here to the logits: largest {brief(onward[0])}, smallest {brief(onward[-1])}"
    )


def hover_rank(spectrum: JacobianSpectrum, block: int | None, rank: int) -> str:
    """Return the values of one rank: of the whole, and of a block.

    Parameters
    ----------
    spectrum : JacobianSpectrum
        Any.
    block : int or None
        Its place; None for the whole alone.
    rank : int
        From 0; nothing is said beyond the last.

    Returns
    -------
    str
        Lines.
    """
    series = {"input to output": spectrum.whole}
    if block is not None:
        series[spectrum.names[block]] = spectrum.blocks[block]
    told = [f"{name}: {brief(values[rank])}" for name, values in series.items() if 0 <= rank < len(values)]
    return "\n".join([f"Rank {rank + 1}", *told]) if told else ""
