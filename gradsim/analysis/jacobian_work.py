"""What the Jacobians of a network would take, and the refusal of what would take too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.local_jacobian import coupled_layers, is_local
from gradsim.spec import PlacedLayer, Recurrent
from gradsim.trace import IterationTrace

MOST_WORK = 1e11
"""Multiplications allowed: a few seconds."""

_SVD = 4.0
"""Multiplications of a singular value decomposition without vectors, per m · n · min(m, n)."""

_OVERHEAD = 4e5
"""What a pass costs besides its products, in multiplications: 0.2 ms."""

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def check_work(trace: IterationTrace, blocks: Sequence[PlacedLayer], most_work: float = MOST_WORK) -> None:
    """Refuse Jacobians that would take too long.

    Parameters
    ----------
    trace : IterationTrace
        A record of the network.
    blocks : sequence of PlacedLayer
        Its outermost layers.
    most_work : float, default MOST_WORK
        Multiplications that may be spent.

    Raises
    ------
    ValueError
        With the work, the limit, and what would fit.
    """
    work = jacobian_work(trace, blocks)
    if work <= most_work:
        return
    width = max(max(layer.fan_in, layer.fan_out) for layer in trace.layers)
    fitting = _most(width, lambda share: jacobian_work(trace, blocks, units=share) <= most_work)
    message = (
        f"The Jacobians of this network would take about {_power(work)} multiplications, and the "
        f"limit is {_power(most_work)}: layers of up to about {fitting:,} units would fit"
    )
    steps = max(_steps(trace[block.name].output) for block in blocks)
    if steps > 1:
        fewer = _most(steps, lambda share: jacobian_work(trace, blocks, steps=share) <= most_work)
        message += f", or about {fewer:,} time steps"
    raise ValueError(f"{message} (now {width:,} units{f', {steps:,} time steps' if steps > 1 else ''}).")


def _most(now: int, fits: Callable[[float], bool]) -> int:
    """Return the greatest number, to two digits, of which the share fits that it has of the present one."""
    low, high = 1, now
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle / now) else (low, middle)
    unit = int(10 ** max(len(str(low)) - 2, 0))
    return low // unit * unit


def jacobian_work(
    trace: IterationTrace, blocks: Sequence[PlacedLayer], units: float = 1.0, steps: float = 1.0
) -> float:
    """Return about how many multiplications the Jacobians of a network take.

    Parameters
    ----------
    trace : IterationTrace
        A record of the network.
    blocks : sequence of PlacedLayer
        Its outermost layers.
    units, steps : float, default 1
        As if it had only this share of its units, or of its time steps.

    Returns
    -------
    float
        Passes through the network, one for each output that is carried back; products and singular values.
    """
    batch = len(trace.inputs)
    weights = units**2 * sum(
        layer.tensors[name].size
        for layer in trace.layers
        for name in ("weight", "input_weight", "projection")
        if name in layer.tensors
    )
    times = max(_steps(layer.output) for layer in trace.layers)
    one_pass = 6.0 * batch * times * steps * weights + _OVERHEAD
    multiplies = sum(map(coupled_layers, blocks)) < 2
    outputs = float(_values(trace[blocks[-1].name].output))
    passes, work = outputs if multiplies else 0.0, 0.0
    for block in blocks:
        layer = trace[block.name]
        m = units * _outputs(block, layer.output) * (steps if _keeps_time(block, layer.output) else 1.0)
        n = units * _values(layer.input) * (steps if layer.input.ndim == 3 else 1.0)
        work += _SVD * m * n * min(m, n) + m * n * outputs + _SVD * outputs * n * min(outputs, n)
        passes += 0.0 if is_local(block) else m
        passes += 0.0 if multiplies else outputs
    return work + passes * one_pass


def _power(number: float) -> str:
    mantissa, exponent = f"{number:.0e}".split("e")
    return f"{mantissa}·10" + str(int(exponent)).translate(_SUPERSCRIPT)


def _values(tensor: NDArray[Any]) -> int:
    """Return the number of values of one sample."""
    return int(np.prod(tensor.shape[1:]))


def _keeps_time(block: PlacedLayer, output: NDArray[Any]) -> bool:
    """Return whether a block hands on every time step; a record holds all of them even if only the last goes on."""
    only_last = isinstance(block.layer, Recurrent) and not block.layer.return_sequences
    return output.ndim == 3 and not only_last


def _outputs(block: PlacedLayer, output: NDArray[Any]) -> int:
    return _values(output) if _keeps_time(block, output) else output.shape[-1]


def _steps(tensor: NDArray[Any]) -> int:
    return tensor.shape[1] if tensor.ndim == 3 else 1
