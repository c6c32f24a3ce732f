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
    network = simulator._network
    choices = simulator._moment().choices._replace(measure=int(measure))
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
                network.program,
                network.buffers,
                network.parts["training"],
                network.parts["validation"],
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


def numpy_run(
    layers: int, width: int, batch: int, *, normalized: bool = False, residual: bool = False
) -> Run:
    """Plain NumPy with preallocated buffers, recording the same statistics.

    Hidden layers ``normalized`` over the batch before their activation, or each inside a ``residual``, on request.
    """
    random = np.random.default_rng(0)
    limit = np.sqrt(3.0 / width)
    w = [random.uniform(-limit, limit, (width, width)).astype(np.float32) for _ in range(layers)]
    b = [np.zeros(width, np.float32) for _ in range(layers)]
    inputs, targets = (random.standard_normal((batch, width), np.float32) for _ in range(2))
    z, a, g, d = ([np.empty((batch, width), np.float32) for _ in range(layers)] for _ in range(4))
    gradient, update = ([np.empty((width, width), np.float32) for _ in range(layers)] for _ in range(2))
    recorded = np.zeros((layers, 10, 9))
    scale = np.float32(2 / (batch * width))
    gamma, beta = np.ones((layers, width), np.float32), np.zeros((layers, width), np.float32)
    running = np.zeros((layers, 2, width), np.float32)
    hat, out = ([np.empty((batch, width), np.float32) for _ in range(layers)] for _ in range(2))
    inverse = np.empty((layers, width), np.float32)
    moves = np.zeros((layers, 2, width), np.float32)

    def normalize(i: int, values: Any) -> Any:
        mean, variance = values.mean(axis=0), values.var(axis=0)
        running[i] += np.float32(0.1) * (np.stack((mean, variance)) - running[i])
        inverse[i] = 1 / np.sqrt(variance + np.float32(1e-5))
        np.subtract(values, mean, out=hat[i])
        hat[i] *= inverse[i]
        return hat[i] * gamma[i] + beta[i]

    def normalize_back(i: int, gradient: Any) -> None:
        moves[i] = (gradient * hat[i]).sum(axis=0), gradient.sum(axis=0)
        by_hat = hat[i] * (moves[i, 0] / batch)
        np.subtract(gradient, moves[i, 1] / batch, out=gradient)
        gradient -= by_hat
        gradient *= gamma[i] * inverse[i]

    entered = [inputs] * layers

    def run(n: int) -> None:
        for _ in range(n):
            x = inputs
            for i in range(layers):
                np.dot(x, w[i], out=z[i])
                z[i] += b[i]
                hidden = i < layers - 1
                np.tanh(normalize(i, z[i]) if normalized and hidden else z[i], out=a[i])
                numpy_statistics(z[i], recorded[i, 0])
                numpy_statistics(a[i], recorded[i, 1])
                entered[i], x = x, a[i]
                if residual and hidden:
                    x = np.add(entered[i], a[i], out=out[i])
                    numpy_statistics(x, recorded[i, 7])
            np.subtract(x, targets, out=g[-1])
            np.vdot(g[-1], g[-1])
            g[-1] *= scale
            for i in range(layers - 1, -1, -1):
                np.multiply(a[i], a[i], out=d[i])
                np.subtract(1, d[i], out=d[i])
                d[i] *= g[i]
                if normalized and i < layers - 1:
                    normalize_back(i, d[i])
                np.dot(entered[i].T, d[i], out=gradient[i])
                numpy_statistics(g[i], recorded[i, 2])
                numpy_statistics(d[i], recorded[i, 3])
                numpy_statistics(gradient[i], recorded[i, 4])
                if i:
                    np.dot(d[i], w[i].T, out=g[i - 1])
                    if residual and i < layers - 1:
                        g[i - 1] += g[i]
                        numpy_statistics(g[i - 1], recorded[i, 8])
            for i in range(layers):
                np.multiply(gradient[i], np.float32(-RATE), out=update[i])
                numpy_statistics(update[i], recorded[i, 5])
                numpy_statistics(w[i], recorded[i, 6])
                w[i] += update[i]
                b[i] -= np.float32(RATE) * d[i].sum(axis=0)
                if normalized:
                    gamma[i] -= np.float32(RATE) * moves[i, 0]
                    beta[i] -= np.float32(RATE) * moves[i, 1]

    return run


def torch_run(layers: int, width: int, batch: int, *, record: bool) -> Run:
    """PyTorch eager: Linear and Tanh modules, ``mse_loss``, SGD; with hooks that record the same, or without."""
    from torch import nn

    modules: list[Any] = []
    for _ in range(layers):
        modules += [torch_linear(width), nn.Tanh()]
    return torch_steps(nn.Sequential(*modules), (batch, width), (batch, width), record=record)


def torch_linear(width: int) -> Any:
    """A Linear that starts as ours do."""
    from torch import nn

    linear = nn.Linear(width, width)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def torch_steps(model: Any, inputs: tuple[int, ...], outputs: tuple[int, ...], *, record: bool) -> Run:
    """Training of a model on noise by ``mse_loss`` and SGD.

    With ``record`` hooks take the numbers of what every module without children hands on and of its gradient, and of
    every weight matrix, its gradient and its update.
    """
    import torch
    from torch import nn

    torch.manual_seed(0)
    x, targets = torch.randn(*inputs), torch.randn(*outputs)
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
        output = output[0] if isinstance(output, tuple) else output
        statistics(output)
        output.register_hook(statistics)

    if record:
        for module in model.modules():
            if not any(module.children()):
                module.register_forward_hook(hook)
    weights = [p for p in model.parameters() if p.ndim == 2]

    def run(n: int) -> None:
        for _ in range(n):
            recorded.clear()
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), targets)
            loss.backward()
            if record:
                for weight in weights:
                    statistics(weight.grad)
                    statistics(weight.grad * -RATE)
                    statistics(weight)
            optimizer.step()

    return run
