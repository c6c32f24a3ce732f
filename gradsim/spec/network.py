"""The network: small layers that nest, and the head that the data decides.

Small orthogonal pieces: a pre-norm block is a normalization inside the residual, a post-norm one after it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gradsim.spec.activation import Activation, Sigmoid, Softmax, Tanh
from gradsim.spec.initializer import BiasInitializer, GlorotUniform, Initializer, Orthogonal, Zeros
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


Trained = Annotated[bool, Meta(title="Trained", description="Off: the layer is frozen")]


class Normalization(Kind, frozen=True, kw_only=True, tag="normalization"):
    """x̂ · gamma + beta: over the batch (Ioffe and Szegedy 2015), the features (Ba et al. 2016) or by rms."""

    method: Annotated[
        Literal["batch", "layer", "rms"],
        Meta(
            title="Method",
            description="Mean and variance of each unit over the batch, of each sample over its units, "
            "or only the root mean square of each sample",
        ),
    ] = "batch"
    eps: Annotated[float, Meta(ge=0.0, le=1.0, title="Epsilon", description="Added to the variance")] = 1e-5
    momentum: Annotated[
        float,
        Meta(ge=0.0, le=1.0, title="Momentum", description="Weight of the new batch in the running values"),
    ] = 0.1
    affine: Annotated[bool, Meta(title="Gamma, beta", description="Trained scale and shift")] = True
    trainable: Trained = True
    learning_rate_scale: Multiplier = 1.0
    name: LayerName | None = None


class Dense(Kind, frozen=True, kw_only=True, tag="dense"):
    """A dense layer: z = x @ W + b, a = φ(z)."""

    units: Annotated[int, Meta(ge=1, le=MAX_UNITS, title="Units")] = 32
    normalization: Annotated[
        Normalization | None,
        Meta(title="Normalization", description="Between the linear map and the activation"),
    ] = None
    activation: Annotated[Activation, Meta(title="Activation")] = Sigmoid()
    initializer: Annotated[Initializer, Meta(title="Weights")] = GlorotUniform()
    bias: Annotated[bool, Meta(title="Bias")] = True
    bias_initializer: Annotated[BiasInitializer, Meta(title="Bias values")] = Zeros()
    trainable: Trained = True
    learning_rate_scale: Multiplier = 1.0
    name: LayerName | None = None


class Repeat(Kind, frozen=True, kw_only=True, tag="repeat"):
    """The layers inside, over and over, each time with parameters of their own."""

    times: Annotated[int, Meta(ge=1, le=1000, title="Times")] = 2
    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=MAX_LAYERS, title="Layers")]
    name: LayerName | None = None


class ActivationLayer(Kind, frozen=True, kw_only=True, tag="activation"):
    """An activation on its own: a = φ(x)."""

    activation: Annotated[Activation, Meta(title="Activation")] = Tanh()
    trainable: Trained = True
    learning_rate_scale: Multiplier = 1.0
    name: LayerName | None = None


class Dropout(Kind, frozen=True, kw_only=True, tag="dropout"):
    """Sets a random share of the values to 0 in training and enlarges the others (Srivastava et al. 2014)."""

    rate: Annotated[float, Meta(ge=0.0, lt=1.0, title="Rate", description="Share that is set to 0")] = 0.5
    name: LayerName | None = None


class Residual(Kind, frozen=True, kw_only=True, tag="residual"):
    """out = x + scale · branch(x) (He et al. 2016)."""

    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=MAX_LAYERS, title="Branch")]
    scale: Annotated[
        float, Meta(ge=-1e6, le=1e6, title="Scale", description="α, on the branch; 0 is SkipInit if trained")
    ] = 1.0
    train_scale: Annotated[bool, Meta(title="Train scale", description="α is a parameter")] = False
    projection: Annotated[
        Initializer | None,
        Meta(
            title="Projection", description="Weights of the skip where the widths differ; none refuses that"
        ),
    ] = GlorotUniform()
    trainable: Trained = True
    learning_rate_scale: Multiplier = 1.0
    name: LayerName | None = None


class Recurrent(Kind, frozen=True, kw_only=True, tag="recurrent"):
    """A recurrent layer over the time steps of a sequence, from state 0."""

    cell: Annotated[Literal["simple", "lstm", "gru"], Meta(title="Cell")] = "simple"
    units: Annotated[int, Meta(ge=1, le=MAX_UNITS, title="Units")] = 32
    activation: Annotated[
        Literal["tanh", "relu", "linear"],
        Meta(title="Activation", description="Of the simple cell; LSTM and GRU have tanh"),
    ] = "tanh"
    initializer: Annotated[Initializer, Meta(title="Input weights")] = GlorotUniform()
    recurrent_initializer: Annotated[Initializer, Meta(title="Recurrent weights")] = Orthogonal()
    bias: Annotated[bool, Meta(title="Bias")] = True
    forget_bias: Annotated[
        float,
        Meta(ge=-100.0, le=100.0, title="Forget bias", description="First bias of an LSTM's forget gate"),
    ] = 1.0
    reset_after: Annotated[
        bool, Meta(title="Reset after", description="GRU: reset gate after the recurrent product, not before")
    ] = True
    return_sequences: Annotated[
        bool, Meta(title="Every step", description="Hands on every step; off: only the last")
    ] = False
    truncation: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000,
            title="Truncation",
            description="Detaches the state every so many steps; 0 never",
        ),
    ] = 0
    trainable: Trained = True
    learning_rate_scale: Multiplier = 1.0
    name: LayerName | None = None


Layer = Dense | Recurrent | Normalization | ActivationLayer | Dropout | Residual | Repeat


class Head(Spec, frozen=True, kw_only=True):
    """The last dense layer, whose units the data decides."""

    normalization: Annotated[
        Normalization | None,
        Meta(title="Normalization", description="Between the linear map and the activation"),
    ] = None
    activation: Annotated[Activation, Meta(title="Activation")] = Softmax()
    initializer: Annotated[Initializer, Meta(title="Weights")] = GlorotUniform()
    bias: Annotated[bool, Meta(title="Bias")] = True
    bias_initializer: Annotated[BiasInitializer, Meta(title="Bias values")] = Zeros()
    trainable: Trained = True
    learning_rate_scale: Multiplier = 1.0


class Network(Spec, frozen=True, kw_only=True):
    """The layers from the input on, and the head."""

    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=MAX_LAYERS, title="Layers")] = (
        Dense(),
    )
    head: Head = Head()
