"""The PyTorch twin of a recurrent layer: its cells step by step, derivatives left to autograd in float64."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gradsim.engine.recurrent_cells import GRU, LSTM, SIMPLE
from tests.engine.recurrent_runs import PARAMETERS, Array, Run


def _step(
    cell: int, from_x: Tensor, h: Tensor, c: Tensor, r: Tensor, rb: Tensor, phi: Any
) -> tuple[Tensor, Tensor]:
    units = h.shape[1]
    if cell == SIMPLE:
        return phi(from_x + h @ r), c
    if cell == LSTM:
        i, f, g, o = (from_x + h @ r).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    x_r, x_z, x_n = from_x.chunk(3, dim=1)
    h_r, h_z, h_n = (h @ r + rb).chunk(3, dim=1)
    reset, keep = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    felt = reset * h_n if cell == GRU else (reset * h) @ r[:, 2 * units :]
    return (1 - keep) * torch.tanh(x_n + felt) + keep * h, c


def twin_of(run: Run, direct: Array, phi: Any = torch.tanh) -> dict[str, Array]:
    """Return states and every derivative of Σ ⟨direct_t, h_t⟩, named as what the kernels write."""
    steps, batch, _, units = run.sizes
    x = torch.tensor(run.x, dtype=torch.float64, requires_grad=True)
    weights = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in run.parameters.items()
    }
    w, r = weights["input_weight"], weights["recurrent_weight"]
    b, rb = (weights.get(name, torch.zeros(w.shape[1], dtype=torch.float64)) for name in PARAMETERS[2:])
    h = c = torch.zeros(batch, units, dtype=torch.float64)
    hidden, cells, before = [], [], []
    for t in range(steps):
        if run.truncation and t % run.truncation == 0:
            h, c = h.detach(), c.detach()
        before.append(x[t] @ w + b)
        h, c = _step(run.cell, before[-1], h, c, r, rb, phi)
        hidden.append(h)
        cells.append(c)
    watched = hidden + (cells if run.cell == LSTM else [])
    for tensor in [*watched, *before]:
        tensor.retain_grad()
    torch.sum(torch.stack(hidden) * torch.tensor(direct, dtype=torch.float64)).backward()
    told = {
        "hidden": torch.stack(hidden).detach().numpy(),
        "hidden_gradient": torch.stack([tensor.grad for tensor in hidden]).numpy(),
        "delta": torch.stack([tensor.grad for tensor in before]).numpy(),
        "x_gradient": x.grad.numpy(),
    } | {f"{name}_gradient": value.grad.numpy() for name, value in weights.items()}
    if run.cell == LSTM:
        told["cell_state"] = torch.stack(cells).detach().numpy()
        told["cell_gradient"] = torch.stack([tensor.grad for tensor in cells]).numpy()
    return told


def stock_layer_of(run: Run, direct: Array, nonlinearity: str = "tanh") -> dict[str, Array]:
    """Return the outputs and gradients of PyTorch's own layer, in the names and shapes of ours."""
    units, fan_in = run.sizes[3], run.sizes[2]
    kind: Any = {SIMPLE: nn.RNN, LSTM: nn.LSTM, GRU: nn.GRU}[run.cell]
    layer = kind(fan_in, units, **({"nonlinearity": nonlinearity} if run.cell == SIMPLE else {})).double()
    ours = {name: torch.tensor(value, dtype=torch.float64) for name, value in run.parameters.items()}
    nothing = torch.zeros(ours["input_weight"].shape[1], dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(ours["input_weight"].T)
        layer.weight_hh_l0.copy_(ours["recurrent_weight"].T)
        layer.bias_ih_l0.copy_(ours["bias"])
        layer.bias_hh_l0.copy_(ours.get("recurrent_bias", nothing))
    x = torch.tensor(run.x, dtype=torch.float64, requires_grad=True)
    hidden, _ = layer(x)
    torch.sum(hidden * torch.tensor(direct, dtype=torch.float64)).backward()
    told = {
        "hidden": hidden.detach().numpy(),
        "x_gradient": x.grad.numpy(),
        "input_weight_gradient": layer.weight_ih_l0.grad.T.numpy(),
        "recurrent_weight_gradient": layer.weight_hh_l0.grad.T.numpy(),
        "bias_gradient": layer.bias_ih_l0.grad.numpy(),
    }
    if run.cell == GRU:
        told["recurrent_bias_gradient"] = layer.bias_hh_l0.grad.numpy()
    return told
