"""A layer in a few words above its numbers."""

from __future__ import annotations

from html import escape

from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.number_text import shape_text
from gradsim.views.inspection.tables import update_ratio
from gradsim.views.inspection.wording import rate_words
from gradsim.views.theme import Theme

WITHOUT_SATURATION = ("softmax", "step")
"""Activations without a slope of their own, whose saturation has no meaning."""

_ACTIVATED = ("dense", "recurrent", "activation")


def layer_words(trace: IterationTrace, layer: LayerTrace) -> str:
    """Return the name of a layer, its kind, its number among those with weights, and its activation."""
    count = sum(one.number is not None for one in trace.layers)
    number = "" if layer.number is None else f" · layer {layer.number} of {count}"
    activation = f" · {layer.activation_kind}" if layer.kind in _ACTIVATED else ""
    return f"{layer.name} · {layer.kind}{number}{activation}"


def layer_heading(words: str, layer: LayerTrace, theme: Theme) -> str:
    """Return the words of a layer and the shapes of its tensors, as HTML."""
    weight = f"W {shape_text(layer.weight.shape)} &nbsp; " if "weight" in layer.statistics else ""
    return (
        f"<b style='font-size:11pt; color:{theme.text}'>{escape(layer.name)}</b>"
        f" &nbsp;{escape(words.partition(' · ')[2])}<br>"
        f"x {shape_text(layer.input.shape)} &nbsp; {weight}"
        f"{'z' if layer.number else 'y'} "
        f"{shape_text((layer.pre_activation if layer.number else layer.output).shape)}"
    )


def layer_ratios(trace: IterationTrace, layer: LayerTrace) -> str:
    """Return saturation, update ratio and learning rate or mutation, marked, as far as they have a meaning."""
    ratios = []
    if layer.activation_kind not in WITHOUT_SATURATION and (
        layer.saturation == layer.saturation or layer.kind == "dense"
    ):
        ratios.append(f"saturation {told(layer.saturation)}")
    if "weight" in layer.statistics:
        ratios.append(f"rms ΔW / rms W {told(update_ratio(layer))}")
    return "   ".join([*ratios, f"{rate_words(trace)[1]}\N{NO-BREAK SPACE}{told(trace.learning_rate)}"])
