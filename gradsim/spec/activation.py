"""Every activation a layer can ask for. A new one is a struct here and a row in ``engine.activations``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gradsim.spec.struct import Kind


class Linear(Kind, frozen=True, kw_only=True, tag="linear"):
    """φ(z) = z."""


class Step(Kind, frozen=True, kw_only=True, tag="step"):
    """Heaviside: φ(z) = 1 where z ≥ 0, else 0. Its slope is 0 everywhere: nothing is learned through it."""


class Sigmoid(Kind, frozen=True, kw_only=True, tag="sigmoid"):
    """φ(z) = 1 / (1 + exp(−z)); the slope is at most 1/4."""


class HardSigmoid(Kind, frozen=True, kw_only=True, tag="hard_sigmoid"):
    """φ(z) = clip(z + 3, 0, 6) / 6."""


class Tanh(Kind, frozen=True, kw_only=True, tag="tanh"):
    """φ(z) = tanh z; the slope is at most 1."""


class HardTanh(Kind, frozen=True, kw_only=True, tag="hard_tanh"):
    """φ(z) = clip(z, −1, 1)."""


class Softsign(Kind, frozen=True, kw_only=True, tag="softsign"):
    """φ(z) = z / (1 + |z|)."""


class Softplus(Kind, frozen=True, kw_only=True, tag="softplus"):
    """φ(z) = ln(1 + exp z)."""


class Relu(Kind, frozen=True, kw_only=True, tag="relu"):
    """φ(z) = max(z, 0)."""

    slope_at_zero: Annotated[
        float,
        Meta(ge=0.0, le=1.0, title="Slope at 0", description="φ'(0): 0 as in PyTorch and TensorFlow, or 1"),
    ] = 0.0


class LeakyRelu(Kind, frozen=True, kw_only=True, tag="leaky_relu"):
    """φ(z) = z where z > 0, else slope · z."""

    slope: Annotated[float, Meta(ge=0.0, le=1.0, title="Slope", description="Slope for z ≤ 0")] = 0.01


class Prelu(Kind, frozen=True, kw_only=True, tag="prelu"):
    """Leaky ReLU whose slope is trained with the weights."""

    initial: Annotated[float, Meta(ge=-1.0, le=1.0, title="Initial slope")] = 0.25
    per: Annotated[
        Literal["layer", "unit"], Meta(title="Slopes", description="One slope for the layer or one per unit")
    ] = "layer"


class Rrelu(Kind, frozen=True, kw_only=True, tag="rrelu"):
    """Leaky ReLU with a slope drawn anew for every value; evaluation uses the mean of the two limits."""

    lower: Annotated[float, Meta(ge=0.0, le=1.0, title="Lowest slope")] = 0.125
    upper: Annotated[float, Meta(ge=0.0, le=1.0, title="Highest slope")] = 1.0 / 3.0


class Elu(Kind, frozen=True, kw_only=True, tag="elu"):
    """φ(z) = z where z > 0, else alpha · (exp z − 1)."""

    alpha: Annotated[float, Meta(gt=0.0, le=100.0, title="Alpha")] = 1.0


class Selu(Kind, frozen=True, kw_only=True, tag="selu"):
    """φ(z) = λ z where z > 0, else λ α (exp z − 1), with the constants that keep mean 0 and variance 1."""


class Celu(Kind, frozen=True, kw_only=True, tag="celu"):
    """φ(z) = z where z > 0, else alpha · (exp(z / alpha) − 1)."""

    alpha: Annotated[float, Meta(gt=0.0, le=100.0, title="Alpha")] = 1.0


class Gelu(Kind, frozen=True, kw_only=True, tag="gelu"):
    """φ(z) = z Φ(z), Φ the normal distribution function (exact, with erf)."""


class GeluTanh(Kind, frozen=True, kw_only=True, tag="gelu_tanh"):
    """The tanh approximation of GELU."""


class Silu(Kind, frozen=True, kw_only=True, tag="silu"):
    """φ(z) = z · sigmoid(z), also called swish."""


class Mish(Kind, frozen=True, kw_only=True, tag="mish"):
    """φ(z) = z · tanh(softplus(z))."""


class Relu6(Kind, frozen=True, kw_only=True, tag="relu6"):
    """φ(z) = clip(z, 0, 6)."""


class Softmax(Kind, frozen=True, kw_only=True, tag="softmax"):
    """φ(z)_i = exp z_i / Σ_j exp z_j over the units of one sample."""


Activation = (
    Linear
    | Step
    | Sigmoid
    | HardSigmoid
    | Tanh
    | HardTanh
    | Softsign
    | Softplus
    | Relu
    | LeakyRelu
    | Prelu
    | Rrelu
    | Elu
    | Selu
    | Celu
    | Gelu
    | GeluTanh
    | Silu
    | Mish
    | Relu6
    | Softmax
)
