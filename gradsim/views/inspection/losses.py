"""The losses as formulas, with the numbers of one sample. A new loss is a row in each of the two tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import IterationTrace
from gradsim.views.inspection.formula import number_at
from gradsim.views.inspection.marked_number import told as number
from gradsim.views.inspection.number_text import count_text
from gradsim.views.inspection.sums import added, factor_text, rows_of, sum_of_products

_SYMBOLS = {
    "mse": "L = 1/(n m) Σₛ Σₖ (aₖ − yₖ)²",
    "half_mse": "L = 1/n Σₛ ½ Σₖ (aₖ − yₖ)²",
    "sse": "L = Σₛ Σₖ (aₖ − yₖ)²",
    "cross_entropy": "L = −1/n Σₛ Σₖ yₖ ln aₖ",
    "binary_cross_entropy": "L = −1/(n m) Σₛ Σₖ [yₖ ln aₖ + (1 − yₖ) ln(1 − aₖ)]",
}

_GRADIENTS = {
    "mse": "∂L/∂a = 2 (a − y) / (n m)",
    "half_mse": "∂L/∂a = (a − y) / n",
    "sse": "∂L/∂a = 2 (a − y)",
    "cross_entropy": "∂L/∂a = −y / (a n)",
    "binary_cross_entropy": "∂L/∂a = (a − y) / (a (1 − a) n m)",
}


def sample_loss(trace: IterationTrace, sample: int) -> float:
    """Return what one sample contributes before the mean over the batch, in float64.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    sample : int
        Row of the batch.

    Returns
    -------
    float
        For the cross-entropies from the pre-activations, as the engine does it: an output that has
        underflowed to 0 would give ∞.
    """
    head, loss = trace.layers[-1], trace.experiment.training.loss
    a, y, z = (
        np.asarray(values[sample], dtype=np.float64)
        for values in (head.activation, trace.targets, head["pre_activation"])
    )
    with np.errstate(all="ignore"):
        if loss == "cross_entropy":
            logs = (
                z - z.max() - np.log(np.exp(z - z.max()).sum())
                if head.activation_kind == "softmax"
                else np.log(a)
            )
            return float(-np.where(y == 0, 0.0, y * logs).sum())
        if loss == "binary_cross_entropy":
            if head.activation_kind == "sigmoid":
                return float(np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))))
            return float(-np.mean(y * np.log(a) + (1 - y) * np.log1p(-a)))
        squares = np.square(a - y)
        return float({"mse": squares.mean(), "half_mse": 0.5 * squares.sum(), "sse": squares.sum()}[loss])


def loss_formula(trace: IterationTrace, sample: int | None, time: int = -1) -> tuple[str, str, str]:
    """Return the loss in symbols, with the numbers of a sample, and in words.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    sample : int or None
        Row of the batch; None for all of it: the samples with the largest losses, and what the others add.
    time : int, default -1
        Step of a sequence that is answered at every step.

    Returns
    -------
    symbols, filled, note : str
        Marked; ``n`` samples in the batch, ``m`` outputs.
    """
    loss, head, count = trace.experiment.training.loss, trace.layers[-1], len(trace.inputs)
    if sample is None:
        return _whole_loss(trace, loss, count)
    outputs, targets = head.activation[sample], trace.targets[sample]
    if outputs.ndim == 2:  # one line for a sequence: one of its steps
        outputs, targets = outputs[time], targets[time]
    here = number(sample_loss(trace, sample))
    told = _terms(loss, outputs, targets)
    whole = "sum over" if loss == "sse" else "mean over"
    samples = count_text(count, "sample")
    filled = f"sample {sample + 1}: {told} = {here}\n{whole} {samples}: L = {number(trace.loss)}"
    note = f"output a = {rows_of(outputs)}, target y = {rows_of(targets)}"
    if trace.targets.ndim == 3:
        steps = trace.targets.shape[1]
        step = time % steps + 1
        filled = f"sample {sample + 1}, step {step} of {steps}: {told}\nall steps: {here}\n{filled.splitlines()[-1]}"
    return _SYMBOLS[loss], filled, note


def _whole_loss(trace: IterationTrace, loss: str, count: int) -> tuple[str, str, str]:
    shares = np.array([sample_loss(trace, one) for one in range(count)])
    text, _written = sum_of_products(shares, None)
    filled = f"L = {text} = {number(trace.loss)}"
    if loss != "sse":
        filled = f"L = 1/{count}·({text}) = {number(trace.loss)}"
    return (
        _SYMBOLS[loss],
        filled,
        f"the losses of the {count} samples: the first, the largest, and what the others add"
        if count > 1
        else "the loss of the only sample",
    )


def _terms(loss: str, a: NDArray[Any], y: NDArray[Any]) -> str:
    if loss == "cross_entropy":
        one = int(np.argmax(y))
        return f"−ln {number(float(a[one]))}" if y[one] == 1 and y.sum() == 1 else "−Σₖ yₖ ln aₖ"
    if loss == "binary_cross_entropy":
        if len(a) > 1 or y[0] not in (0, 1):
            return "−mean of [yₖ ln aₖ + (1 − yₖ) ln(1 − aₖ)]"
        return f"−ln {number(float(a[0]))}" if y[0] == 1 else f"−ln(1 − {number(float(a[0]))})"
    squares = " + ".join(
        f"({added(number(float(p)), -float(q))})²" for p, q in zip(a[:3], y[:3], strict=True)
    )
    squares += f" + [… {len(a) - 3} more]" if len(a) > 3 else ""
    many = len(a) > 1
    return {
        "mse": f"1/{len(a)}·({squares})" if many else squares,
        "half_mse": f"½·({squares})" if many else f"½·{squares}",
        "sse": squares,
    }[loss]


def loss_gradient_formula(
    trace: IterationTrace, sample: int | None, unit: int, time: int = -1
) -> tuple[str, str, float | None]:
    """Return the gradient of the loss by an output, in symbols and with numbers.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    sample : int or None
        Row of the batch; None for means over all of it.
    unit : int
        Output.
    time : int, default -1
        Step of a sequence that is answered at every step.

    Returns
    -------
    symbols, numbers : str
        The marked numbers without their result.
    value : float or None
        What they make, where they are means and it is not the mean of the gradient.
    """
    loss = trace.experiment.training.loss
    a, y = (number_at(values, sample, unit, time) for values in (trace.layers[-1].activation, trace.targets))
    samples, values = trace.targets.size // trace.targets.shape[-1], trace.targets.size
    difference = added(number(a), -y)
    numbers = {
        "mse": f"2·({difference}) / {values}",
        "half_mse": f"({difference}) / {samples}",
        "sse": f"2·({difference})",
        "cross_entropy": f"−{number(y)} / ({factor_text(a)}·{samples})" if y else "0",
        "binary_cross_entropy": f"({difference}) / ({factor_text(a)}·{factor_text(1.0 - a)}·{values})",
    }
    value = None
    if sample is None and loss.endswith("cross_entropy"):
        with np.errstate(all="ignore"):
            inverse = 1.0 / (np.float64(a) * (samples if loss == "cross_entropy" else (1.0 - a) * values))
            value = float(-y * inverse if loss == "cross_entropy" else (a - y) * inverse)
    return _GRADIENTS[loss], numbers[loss], value
