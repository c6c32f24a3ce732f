"""Which tensors of a layer's record are its parameters, and what they are called where they are stored."""

from __future__ import annotations

from gradsim.trace import PARAMETER_TENSORS, LayerTrace


def parameter_names(layer: LayerTrace) -> tuple[str, ...]:
    """Return the tensors of a layer that are its parameters, each once.

    Parameters
    ----------
    layer : LayerTrace
        Any.

    Returns
    -------
    tuple of str
        Such as ``weight`` and ``bias``; names of tensors in the record, see ``trace.PARAMETER_TENSORS``.
    """
    names = [name.removesuffix("_update") for name in layer.tensors if name.endswith("_update")]
    # In layers without a weight of that name it stands for the parameter that is measured, gamma for example.
    stand_in = any(layer.tensors.get("weight") is layer[name] for name in names if name != "weight")
    return tuple(name for name in names if not (name == "weight" and stand_in))


def stored_name(layer: str, tensor: str) -> str:
    """Return the name under which a simulator keeps a parameter.

    Parameters
    ----------
    layer : str
        Name of the layer.
    tensor : str
        Name of the tensor in its record.

    Returns
    -------
    str
        Such as ``dense_1.weight``.
    """
    return f"{layer}.{PARAMETER_TENSORS.get(tensor, tensor)}"
