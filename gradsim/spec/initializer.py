"""Every rule by which a parameter can start. The named ones are cases of ``variance_scaling``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gradsim.spec.struct import Kind

NegativeSlope = Annotated[
    float, Meta(ge=0.0, le=1.0, title="Slope", description="Slope of the leaky ReLU that follows; 0 for ReLU")
]


class VarianceScaling(Kind, frozen=True, kw_only=True, tag="variance_scaling"):
    """Variance = scale / fan, the rule of which Glorot, He and LeCun are cases."""

    scale: Annotated[float, Meta(gt=0.0, le=1e6, title="Scale")] = 1.0
    mode: Annotated[Literal["fan_in", "fan_out", "fan_avg"], Meta(title="Fan")] = "fan_in"
    distribution: Annotated[Literal["normal", "truncated_normal", "uniform"], Meta(title="Distribution")] = (
        "truncated_normal"
    )


class GlorotNormal(Kind, frozen=True, kw_only=True, tag="glorot_normal"):
    """Normal with variance 1 / fan_avg (Glorot and Bengio 2010)."""


class GlorotUniform(Kind, frozen=True, kw_only=True, tag="glorot_uniform"):
    """Uniform with variance 1 / fan_avg (Glorot and Bengio 2010)."""


class XavierNormal(Kind, frozen=True, kw_only=True, tag="xavier_normal"):
    """PyTorch's name for ``glorot_normal``."""


class XavierUniform(Kind, frozen=True, kw_only=True, tag="xavier_uniform"):
    """PyTorch's name for ``glorot_uniform``."""


class HeNormal(Kind, frozen=True, kw_only=True, tag="he_normal"):
    """Normal with variance 2 / ((1 + slope²) fan_in) (He et al. 2015)."""

    slope: NegativeSlope = 0.0


class HeUniform(Kind, frozen=True, kw_only=True, tag="he_uniform"):
    """Uniform with variance 2 / ((1 + slope²) fan_in) (He et al. 2015)."""

    slope: NegativeSlope = 0.0


class KaimingNormal(Kind, frozen=True, kw_only=True, tag="kaiming_normal"):
    """PyTorch's name for ``he_normal``."""

    slope: NegativeSlope = 0.0


class KaimingUniform(Kind, frozen=True, kw_only=True, tag="kaiming_uniform"):
    """PyTorch's name for ``he_uniform``."""

    slope: NegativeSlope = 0.0


class LecunNormal(Kind, frozen=True, kw_only=True, tag="lecun_normal"):
    """Normal with variance 1 / fan_in (LeCun et al. 1998)."""


class LecunUniform(Kind, frozen=True, kw_only=True, tag="lecun_uniform"):
    """Uniform with variance 1 / fan_in (LeCun et al. 1998)."""


class PytorchLinearDefault(Kind, frozen=True, kw_only=True, tag="pytorch_linear_default"):
    """Uniform on ±1/√fan_in, for weight and bias, as ``torch.nn.Linear`` starts."""


class Zeros(Kind, frozen=True, kw_only=True, tag="zeros"):
    """Every value 0."""


class Ones(Kind, frozen=True, kw_only=True, tag="ones"):
    """Every value 1."""


class Constant(Kind, frozen=True, kw_only=True, tag="constant"):
    """Every value the same: the units of a layer stay copies of each other."""

    value: Annotated[float, Meta(ge=-1e6, le=1e6, title="Value")] = 0.5


class Identity(Kind, frozen=True, kw_only=True, tag="identity"):
    """The gain on the diagonal, 0 elsewhere."""

    gain: Annotated[float, Meta(ge=-1e6, le=1e6, title="Gain")] = 1.0


class Normal(Kind, frozen=True, kw_only=True, tag="normal"):
    """Normal with mean 0 and the given standard deviation, whatever the width."""

    std: Annotated[float, Meta(ge=0.0, le=1e6, title="Standard deviation")] = 0.05


class Uniform(Kind, frozen=True, kw_only=True, tag="uniform"):
    """Uniform on ±limit, whatever the width."""

    limit: Annotated[float, Meta(ge=0.0, le=1e6, title="Limit")] = 0.05


class Orthogonal(Kind, frozen=True, kw_only=True, tag="orthogonal"):
    """Gain times a random orthogonal matrix (Saxe et al. 2013)."""

    gain: Annotated[float, Meta(gt=0.0, le=1e6, title="Gain")] = 1.0


class Sparse(Kind, frozen=True, kw_only=True, tag="sparse"):
    """Normal values, of which the given share in every column of inputs is 0 (Martens 2010)."""

    sparsity: Annotated[float, Meta(ge=0.0, le=1.0, title="Share of zeros")] = 0.9
    std: Annotated[float, Meta(ge=0.0, le=1e6, title="Standard deviation")] = 0.1


BiasInitializer = (
    VarianceScaling
    | GlorotNormal
    | GlorotUniform
    | XavierNormal
    | XavierUniform
    | HeNormal
    | HeUniform
    | KaimingNormal
    | KaimingUniform
    | LecunNormal
    | LecunUniform
    | PytorchLinearDefault
    | Zeros
    | Ones
    | Constant
    | Normal
    | Uniform
)
"""Rules for a vector, with the fans of its layer's weights; the others need rows and columns."""

Initializer = BiasInitializer | Identity | Orthogonal | Sparse
