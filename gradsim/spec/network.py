"""The network: small layers that nest, and the head that the data decides."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gradsim.spec.activation import Activation, Sigmoid, Softmax
from gradsim.spec.initializer import BiasInitializer, GlorotUniform, Initializer, Zeros
from gradsim.spec.struct import Kind, Spec

MAX_UNITS = 4096
MAX_LAYERS = 2000
MAX_NESTING = 16

LayerName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        max_length=40,
        title="Name",
        description="Letters, digits and underscores; empty for the kind with a number",
        extra={"expected": "at most 40 letters, digits and underscores that begin with a letter"},
    ),
]
Multiplier = Annotated[
    float,
    Meta(ge=0.0, le=1e6, title="Learning-rate factor", description="Multiplies the learning rate here"),
]


class Dense(Kind, frozen=True, kw_only=True, tag="dense"):
    """A dense layer: z = x @ W + b, a = φ(z)."""

    units: Annotated[int, Meta(ge=1, le=MAX_UNITS, title="Units")] = 32
    activation: Annotated[Activation, Meta(title="Activation")] = Sigmoid()
    initializer: Annotated[Initializer, Meta(title="Weights")] = GlorotUniform()
    bias: Annotated[bool, Meta(title="Bias")] = True
    bias_initializer: Annotated[BiasInitializer, Meta(title="Bias values")] = Zeros()
    trainable: Annotated[bool, Meta(title="Trained", description="Off: the layer is frozen")] = True
    learning_rate_scale: Multiplier = 1.0
    name: LayerName | None = None


class Repeat(Kind, frozen=True, kw_only=True, tag="repeat"):
    """The layers inside, over and over, each time with parameters of their own."""

    times: Annotated[int, Meta(ge=1, le=1000, title="Times")] = 2
    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=MAX_LAYERS, title="Layers")]
    name: LayerName | None = None


Layer = Dense | Repeat


class Head(Spec, frozen=True, kw_only=True):
    """The last dense layer, whose units the data decides."""

    activation: Annotated[Activation, Meta(title="Activation")] = Softmax()
    initializer: Annotated[Initializer, Meta(title="Weights")] = GlorotUniform()
    bias: Annotated[bool, Meta(title="Bias")] = True
    bias_initializer: Annotated[BiasInitializer, Meta(title="Bias values")] = Zeros()
    trainable: Annotated[bool, Meta(title="Trained", description="Off: the layer is frozen")] = True
    learning_rate_scale: Multiplier = 1.0


class Network(Spec, frozen=True, kw_only=True):
    """The layers from the input on, and the head."""

    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=MAX_LAYERS, title="Layers")] = (
        Dense(),
    )
    head: Head = Head()
