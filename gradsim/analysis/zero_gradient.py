"""Why the gradient of a parameter is exactly 0: what of its layer, or of one above, lets nothing through."""

from __future__ import annotations

import numpy as np

from gradsim.trace import IterationTrace, LayerTrace


def zero_gradient_reason(trace: IterationTrace, layer: int) -> str:
    """Return why nothing arrives at the parameters of a layer.

    Parameters
    ----------
    trace : IterationTrace
        A record in which a parameter of the layer has the gradient 0.
    layer : int
        Index into ``trace.layers``.

    Returns
    -------
    str
        The end of a sentence: what lets no gradient through, named with its layer. Looked for from the layer upwards
        in the order of the layers; empty where none of the known reasons holds.
    """
    here = trace.layers[layer]
    if _has(here, "delta"):  # something arrives, so it is what the parameter is multiplied by
        if _is_zero(here, "input"):
            return f"every input of {here.name} is 0"
        return ""
    for above in trace.layers[layer:]:
        if not _has(above, "output_gradient"):
            continue
        if _is_zero(above, "delta"):
            return _blocked(above)
        if above.index > layer and _is_zero(above, "input_gradient"):
            if _is_zero(above, "weight"):
                return f"every weight of {above.name} is 0"
            return f"what {above.name} hands down is below the smallest float64 number, flushed to 0"
        if above.kind == "residual":
            return f"the branch of {above.name} has the scale 0"
    return "the loss does not change with the outputs: its gradient is 0 already at the head"


def _blocked(layer: LayerTrace) -> str:
    """Return why a layer that gets a gradient has none at its pre-activation."""
    arrives = layer["output_gradient"] != 0
    if "slope" in layer.tensors and layer["slope"].shape == arrives.shape:
        slope = layer["slope"]
        if not slope.any():
            whole = "all its units are dead" if "relu" in layer.activation_kind else "all its units are flat"
            return f"in {layer.name} the slope φ'(z) is 0 for every sample: {whole}"
        if not slope[arrives].any():
            return f"in {layer.name} the slope φ'(z) is 0 wherever a gradient arrives"
    if layer.kind == "residual":
        return f"the branch of {layer.name} has the scale 0"
    return f"the gradient in {layer.name} is below the smallest float64 number, flushed to 0"


def _has(layer: LayerTrace, tensor: str) -> bool:
    return tensor in layer.tensors and bool(np.any(layer[tensor]))


def _is_zero(layer: LayerTrace, tensor: str) -> bool:
    return tensor in layer.tensors and not np.any(layer[tensor])
