"""A recurrent layer through time in words and as tables. Without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.through_time import TimeRecord
from gradsim.views.plot.numbers import brief, grouped, power_of_ten
from gradsim.views.time.reading import SYMBOLS, Reading

_Table = tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]


def summary(reading: Reading, passes: int) -> str:
    """Return how the gradient changes on its way back in time, in one sentence."""
    told = [
        f"{reading.layer.name} goes through {reading.steps} steps; "
        f"iteration {grouped(reading.trace.iteration)}, {reading.whose}"
    ]
    for tensor in reading.tensors:
        sizes, fit = reading.sizes[tensor], reading.fits[tensor]
        words = f"rms {SYMBOLS[tensor]} is {brief(float(sizes[-1]))} at the last step and "
        words += f"{brief(float(sizes[0]))} at the first, {fit.words}"
        told.append(words + (f" ({fit.note})" if fit.note else ""))
    if reading.gates:
        means = (f"{gate} {brief(float(values.mean()), 2)}" for gate, values in reading.gates.items())
        told.append(f"gates open on average: {', '.join(means)}")
    if reading.kept is not None:
        share = power_text(float(reading.kept.log10_mean[0]))
        told.append(f"the product of gate {reading.kept.gate} after the first step is {share}")
    told.append(f"{grouped(passes)} pass{'es' if passes != 1 else ''} of the training recorded")
    return "; ".join(told) + "."


def table_of_steps(reading: Reading) -> _Table:
    """Return one row per time step: sizes, gates, and what they let through."""
    columns: dict[str, NDArray[Any]] = {"t": np.arange(1, reading.steps + 1)}
    units = {"t": "time step"}
    for tensor in reading.tensors:
        columns[f"{tensor}_rms"], units[f"{tensor}_rms"] = reading.sizes[tensor], "root mean square"
    for gate, values in reading.gates.items():
        columns[f"gate_{gate}"], units[f"gate_{gate}"] = values, "mean, 0 to 1"
    if reading.kept is not None:
        name = f"product_{reading.kept.gate}_log10"
        columns[name], units[name] = reading.kept.log10_mean, "log10 of the geometric mean"
    return columns, units


def table_of_passes(reading: Reading, records: Sequence[TimeRecord]) -> _Table:
    """Return one row per recorded pass, one column per gradient and time step."""
    columns: dict[str, NDArray[Any]] = {"iteration": np.array([one.iteration for one in records])}
    units = {"iteration": "updates made before"}
    for tensor in reading.tensors:
        values = np.stack([one.rms[reading.layer.index, tensor] for one in records])
        for t in range(values.shape[1]):
            columns[f"{tensor}_t{t + 1}"], units[f"{tensor}_t{t + 1}"] = values[:, t], "root mean square"
    return columns, units


def hover_step(reading: Reading, key: str, tensor: str, time: int, unit: int) -> str:
    """Return the numbers of a time step in one of the panels; empty beside it."""
    if not 0 <= time < reading.steps:
        return ""
    lines = [f"t = {time + 1} of {reading.steps}"]
    if key == "units":
        values = reading.units(tensor)
        if not 0 <= unit < values.shape[1]:
            return ""
        lines.append(f"unit {unit + 1}: {SYMBOLS[tensor]} = {brief(float(values[time, unit]))}")
    elif key == "sizes":
        lines += [f"rms {SYMBOLS[name]} = {brief(float(v[time]))}" for name, v in reading.sizes.items()]
    elif key == "gates":
        lines += [f"{gate} = {brief(float(values[time]))}" for gate, values in reading.gates.items()]
    elif reading.kept is not None:
        kept = reading.kept
        rows = (("mean", kept.log10_mean), ("least", kept.log10_least), ("greatest", kept.log10_greatest))
        lines += [f"{words}: {power_text(float(logs[time]))}" for words, logs in rows]
    return "\n".join(lines)


def hover_pass(reading: Reading, record: TimeRecord, tensor: str, time: int) -> str:
    """Return the number of a time step of a recorded pass; empty beside it."""
    if not 0 <= time < reading.steps:
        return ""
    value = brief(float(record.rms[reading.layer.index, tensor][time]))
    return (
        f"recorded at iteration {grouped(record.iteration)}\nt = {time + 1}: rms {SYMBOLS[tensor]} = {value}"
    )


def power_text(log10: float) -> str:
    """Return a number given by its logarithm in words, however small it is."""
    if np.isneginf(log10) or np.isnan(log10):
        return "0" if np.isneginf(log10) else "NaN"
    if log10 > -300:
        return brief(10.0**log10)
    exponent = int(np.floor(log10))
    return f"{10.0 ** (log10 - exponent):.2f}×{power_of_ten(exponent)}"
