"""What is to be said of a chain rule whose factors are no plain products."""

from __future__ import annotations

from typing import Any

from gradsim.analysis.chain_wires import Graph
from gradsim.analysis.layer_specs import spec_of
from gradsim.spec import Normalization
from gradsim.trace import IterationTrace, LayerTrace


def chain_remarks(trace: IterationTrace, layer: LayerTrace, graph: Graph) -> tuple[str, ...]:
    """Return a sentence for each layer that couples units, samples or steps, and for a loss derived in one."""
    told: dict[str, str] = {}
    if layer.kind == "recurrent":
        told["time"] = (
            f"{layer.name} goes through {layer.hidden.shape[1]} steps of time with the same weight: every step adds "
            "its own product, whose ∂L/∂h holds all later steps already; a path goes from step to step."
        )
    for edge in (edge for leaving in graph.edges for edge in leaving if edge.part == "jacobian"):
        name = trace.layers[edge.layer].name
        if trace.layers[edge.layer].activation_kind == "softmax":
            told[name] = (
                f"The softmax of {name} couples its units: the factor from unit j to unit k is an entry of its "
                "Jacobian, aₖ (1 − aₖ) for j = k, else −aₖ aⱼ."
            )
        else:
            told[name] = (
                f"The normalization in {name} couples the units of a sample: the factor from unit j to unit k is "
                "an entry of its Jacobian."
            )
    for end in (end for ends in graph.ends for end in ends):
        above = trace.layers[end.layer]
        if end.time is not None:
            told[above.name] = (
                f"{above.name} hands on every step: a path leaves it at one of them, with the recorded gradient from "
                "above."
            )
        elif end.part == "handed":
            told[above.name] = _handed(trace, above)
        elif end.part == "loss_and_slope":
            loss = trace.experiment.training.loss.replace("_", " ")
            told[above.name] = (
                f"{above.activation_kind.capitalize()} and {loss} are derived together: ∂L/∂z in one."
            )
    if trace.loss_scale != 1:
        told["scale"] = (
            f"The gradients were recorded times the loss scale {trace.loss_scale:g}; here it is taken off."
        )
    return tuple(told.values())


def _handed(trace: IterationTrace, layer: LayerTrace) -> str:
    if layer.kind == "recurrent":
        why = "goes through time with all its steps"
    else:
        spec: Any = spec_of(trace, layer)
        inner: Any = spec if isinstance(spec, Normalization) else getattr(spec, "normalization", None)
        is_batch = inner is not None and inner.method == "batch"
        why = "normalizes over the batch and so joins all samples" if is_batch else "couples all its units"
    return f"{layer.name} {why}: a path ends there with the recorded gradient, its Jacobian times all that follows."
