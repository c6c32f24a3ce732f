"""What runs side by side: the same iterations by GradSim, by NumPy, by PyTorch, and the bare matrix products.

Each contender is a function ``run(n)`` that does n iterations. All run on one thread, in float32, and those
that record take mean, sd, rms, min, max and the counts of zeros, subnormals, NaN and Inf of seven tensors of
every layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from gradsim.engine import Simulator
from gradsim.engine.machine import run_iterations
from gradsim.engine.settings import amounts_of
from tests.benchmarks.sizes import RATE, experiment_of

Run = Callable[[int], None]
TINY = np.finfo(np.float32).tiny


def simulator_of(layers: int, width: int, batch: int) -> Simulator:
    """A simulator that has done its first iteration."""
    simulator = Simulator(experiment_of(layers, width, batch))
    simulator.advance(1)
    return simulator


def advance_run(simulator: Simulator) -> Run:
    """What a person gets: ``Simulator.advance`` with history, histograms and checkpoints."""

    def run(n: int) -> None:
        simulator.advance(n)

    return run


def machine_run(simulator: Simulator, *, measure: bool) -> Run:
    """The compiled machine alone, with all statistics of every iteration, or with none."""
    choices = simulator._choices(simulator._stretch(0))._replace(measure=int(measure))
    amounts = amounts_of(simulator.experiment)
    most = len(simulator._statistics.values)

    reached = (
        1  # goes on, so that histograms come at every tenth iteration and not at the first of every call
    )

    def run(n: int) -> None:
        nonlocal reached
        for done in range(0, n, most):
            run_iterations(
                reached + done,
                min(most, n - done),
                choices,
                amounts,
                simulator._program,
                simulator._buffers,
                simulator._training,
                simulator._validation,
                simulator._statistics,
            )
        reached += n

    return run


@njit(nogil=True)  # type: ignore[untyped-decorator]
def _products(x: Any, w: Any, z: Any, d: Any, g: Any, dx: Any, n: int) -> None:
    for _ in range(n):
        for layer in range(len(w)):
            np.dot(x[layer], w[layer], z[layer])
        for layer in range(len(w) - 1, -1, -1):
            np.dot(x[layer].T, d[layer], g[layer])
            if layer > 0:
                np.dot(d[layer], w[layer].T, dx[layer])


def products_run(layers: int, width: int, batch: int) -> Run:
    """The matrix products of an iteration by BLAS, on arrays of their own for every layer."""
    random = np.random.default_rng(0)

    def values(*shape: int) -> Any:
        return random.standard_normal((layers, *shape), np.float32)

    x, w, z, d = (values(*s) for s in ((batch, width), (width, width), (batch, width), (batch, width)))
    g, dx = values(width, width), values(batch, width)
    _products(x, w, z, d, g, dx, 1)
    return lambda n: _products(x, w, z, d, g, dx, n)


def numpy_statistics(x: Any, out: Any) -> None:
    """The nine numbers of one tensor as one writes them in NumPy."""
    flat = x.ravel()
    magnitude = np.abs(flat)
    zeros = flat.size - np.count_nonzero(flat)
    out[0] = flat.mean()
    out[1] = flat.std()
    out[2] = np.sqrt(np.dot(flat, flat) / flat.size)
    out[3] = flat.min()
    out[4] = flat.max()
    out[5] = zeros
    out[6] = np.count_nonzero(magnitude < TINY) - zeros
    out[7] = np.count_nonzero(np.isnan(flat))
    out[8] = np.count_nonzero(np.isinf(flat))


def numpy_run(layers: int, width: int, batch: int) -> Run:
    """Plain NumPy with preallocated buffers, recording the same statistics."""
    random = np.random.default_rng(0)
    limit = np.sqrt(3.0 / width)
    w = [random.uniform(-limit, limit, (width, width)).astype(np.float32) for _ in range(layers)]
    b = [np.zeros(width, np.float32) for _ in range(layers)]
    inputs, targets = (random.standard_normal((batch, width), np.float32) for _ in range(2))
    z, a, g, d = ([np.empty((batch, width), np.float32) for _ in range(layers)] for _ in range(4))
    gradient, update = ([np.empty((width, width), np.float32) for _ in range(layers)] for _ in range(2))
    recorded = np.zeros((layers, 7, 9))
    scale = np.float32(2 / (batch * width))

    def run(n: int) -> None:
        for _ in range(n):
            x = inputs
            for i in range(layers):
                np.dot(x, w[i], out=z[i])
                z[i] += b[i]
                np.tanh(z[i], out=a[i])
                numpy_statistics(z[i], recorded[i, 0])
                numpy_statistics(a[i], recorded[i, 1])
                x = a[i]
            np.subtract(x, targets, out=g[-1])
            np.vdot(g[-1], g[-1])
            g[-1] *= scale
            for i in range(layers - 1, -1, -1):
                np.multiply(a[i], a[i], out=d[i])
                np.subtract(1, d[i], out=d[i])
                d[i] *= g[i]
                np.dot((a[i - 1] if i else inputs).T, d[i], out=gradient[i])
                numpy_statistics(g[i], recorded[i, 2])
                numpy_statistics(d[i], recorded[i, 3])
                numpy_statistics(gradient[i], recorded[i, 4])
                if i:
                    np.dot(d[i], w[i].T, out=g[i - 1])
            for i in range(layers):
                np.multiply(gradient[i], np.float32(-RATE), out=update[i])
                numpy_statistics(update[i], recorded[i, 5])
                numpy_statistics(w[i], recorded[i, 6])
                w[i] += update[i]
                b[i] -= np.float32(RATE) * d[i].sum(axis=0)

    return run


def torch_run(layers: int, width: int, batch: int, *, record: bool) -> Run:
    """PyTorch eager: Linear and Tanh modules, ``mse_loss``, SGD; with hooks that record the same, or without."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    modules: list[Any] = []
    for _ in range(layers):
        linear = nn.Linear(width, width)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        modules += [linear, nn.Tanh()]
    model = nn.Sequential(*modules)
    x, targets = torch.randn(batch, width), torch.randn(batch, width)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    recorded: list[Any] = []

    def statistics(t: Any) -> None:
        t = t.detach()
        zero = t == 0
        low, high = torch.aminmax(t)
        counts = (zero, (t.abs() < TINY) & ~zero, t.isnan(), t.isinf())
        recorded.append(
            torch.stack(
                (
                    t.mean(),
                    t.std(correction=0),
                    t.square().mean().sqrt(),
                    low,
                    high,
                    *(c.sum().float() for c in counts),
                )
            )
        )

    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        statistics(output)
        output.register_hook(statistics)

    if record:
        for module in modules:
            module.register_forward_hook(hook)

    def run(n: int) -> None:
        for _ in range(n):
            recorded.clear()
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), targets)
            loss.backward()
            if record:
                for linear in modules[::2]:
                    statistics(linear.weight.grad)
                    statistics(linear.weight.grad * -RATE)
                    statistics(linear.weight)
            optimizer.step()

    return run
