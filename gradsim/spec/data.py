"""Every data set an experiment can ask for. A new one is a struct here and a row in ``gradsim.data``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from gradsim.spec.network import MAX_UNITS
from gradsim.spec.struct import Kind

Task = Literal["classification", "regression"]
MAX_SAMPLES = 1_000_000
MAX_STEPS = 10_000

Samples = Annotated[int, Meta(ge=2, le=MAX_SAMPLES, title="Samples")]
Noise = Annotated[
    float, Meta(ge=0.0, le=10.0, title="Noise", description="Standard deviation of what is added")
]
Scaling = Annotated[
    Literal["none", "standard", "min_max"],
    Meta(title="Scaling", description="Fitted on the training part only: mean 0 and sd 1, or 0 to 1"),
]
Validation = Annotated[
    float,
    Meta(ge=0.0, le=0.9, title="Validation", description="Share of the samples held back from training"),
]


class _Set(Kind, frozen=True, kw_only=True):
    task: ClassVar[Task] = "classification"
    """What the targets are; ``inline`` data say it themselves by their first target."""
    is_sequence: ClassVar[bool] = False
    """Whether a sample has time steps."""
    answers_every_step: ClassVar[bool] = False
    """Whether a sequence has a target at each of its steps, and not one for the whole of it."""

    scaling: Scaling = "standard"
    validation: Validation = 0.2


class Moons(_Set, frozen=True, kw_only=True, tag="moons"):
    """Two half circles that reach into each other, in the plane."""

    samples: Samples = 500
    noise: Noise = 0.1


class Circles(_Set, frozen=True, kw_only=True, tag="circles"):
    """Rings around one centre, in the plane, one class per ring."""

    samples: Samples = 500
    noise: Noise = 0.05
    classes: Annotated[int, Meta(ge=2, le=10, title="Classes")] = 2
    factor: Annotated[
        float, Meta(gt=0.0, lt=1.0, title="Inner radius", description="Innermost / outermost radius")
    ] = 0.5


class Spirals(_Set, frozen=True, kw_only=True, tag="spirals"):
    """Arms of a spiral in the plane, one class per arm."""

    samples: Samples = 500
    noise: Noise = 0.05
    classes: Annotated[int, Meta(ge=2, le=10, title="Classes")] = 2
    turns: Annotated[float, Meta(gt=0.0, le=5.0, title="Turns")] = 1.0


class Xor(_Set, frozen=True, kw_only=True, tag="xor"):
    """Four quadrants of the plane; opposite quadrants are one class."""

    samples: Samples = 500
    noise: Noise = 0.05


class Gaussians(_Set, frozen=True, kw_only=True, tag="gaussians"):
    """Round clouds in the plane, one class per cloud, their centres on a circle."""

    samples: Samples = 500
    noise: Noise = 0.3
    classes: Annotated[int, Meta(ge=2, le=10, title="Classes")] = 3


class Checkerboard(_Set, frozen=True, kw_only=True, tag="checkerboard"):
    """The squares of a board in the plane, coloured in turn."""

    samples: Samples = 800
    noise: Noise = 0.0
    classes: Annotated[int, Meta(ge=2, le=10, title="Classes")] = 2
    squares: Annotated[int, Meta(ge=2, le=12, title="Squares", description="Squares along one side")] = 4


class Curve(_Set, frozen=True, kw_only=True, tag="curve"):
    """Regression of one number on one number: a curve with noise."""

    task: ClassVar[Task] = "regression"

    function: Annotated[Literal["sine", "cubic", "step", "absolute", "chirp"], Meta(title="Function")] = (
        "sine"
    )
    samples: Samples = 300
    noise: Noise = 0.1


class Plane(_Set, frozen=True, kw_only=True, tag="plane"):
    """Regression of one number on two: a surface over the plane with noise."""

    task: ClassVar[Task] = "regression"

    function: Annotated[Literal["linear", "product", "gaussian", "ripple"], Meta(title="Function")] = (
        "product"
    )
    samples: Samples = 500
    noise: Noise = 0.05


class GaussianNoise(_Set, frozen=True, kw_only=True, tag="noise"):
    """Inputs and targets without any relation, standard normal: what theory assumes."""

    task: ClassVar[Task] = "regression"

    samples: Samples = 512
    features: Annotated[int, Meta(ge=1, le=MAX_UNITS, title="Features")] = 64
    outputs: Annotated[int, Meta(ge=1, le=MAX_UNITS, title="Outputs")] = 10
    scaling: Scaling = "none"
    validation: Validation = 0.0


class Iris(_Set, frozen=True, kw_only=True, tag="iris"):
    """150 flowers, 4 lengths in centimetres, 3 species (Fisher 1936)."""


class Wine(_Set, frozen=True, kw_only=True, tag="wine"):
    """178 wines, 13 chemical measurements, 3 growers (Forina et al.)."""


class BreastCancer(_Set, frozen=True, kw_only=True, tag="breast_cancer"):
    """569 tumours, 30 measurements of cell nuclei, malignant or benign (Wolberg et al. 1995)."""


class Digits(_Set, frozen=True, kw_only=True, tag="digits"):
    """1,797 handwritten digits of 8 × 8 grey values, 10 classes (Alpaydin and Kaynak 1998)."""


class _Sequence(_Set, frozen=True, kw_only=True):
    is_sequence: ClassVar[bool] = True

    scaling: Scaling = "none"


Delay = Annotated[
    int,
    Meta(ge=1, le=MAX_STEPS, title="Delay", description="Steps from the last thing to keep until the answer"),
]


class Adding(_Sequence, frozen=True, kw_only=True, tag="adding"):
    """The sum of the two marked numbers of a long list (Hochreiter and Schmidhuber 1997)."""

    task: ClassVar[Task] = "regression"

    samples: Samples = 2000
    steps: Annotated[int, Meta(ge=2, le=MAX_STEPS, title="Steps", description="Numbers in the list")] = 50


class CopyMemory(_Sequence, frozen=True, kw_only=True, tag="copy_memory"):
    """Symbols to be kept for a while, then written down in their order; every step is answered."""

    answers_every_step: ClassVar[bool] = True

    samples: Samples = 5000
    symbols: Annotated[
        int, Meta(ge=2, le=100, title="Symbols", description="Different ones, beside the blank")
    ] = 8
    length: Annotated[int, Meta(ge=1, le=1000, title="Length", description="Symbols to be kept")] = 5
    delay: Delay = 20


class DelayedParity(_Sequence, frozen=True, kw_only=True, tag="delayed_parity"):
    """Whether the bits at the beginning hold an odd number of ones, asked long after."""

    samples: Samples = 1000
    bits: Annotated[int, Meta(ge=1, le=1000, title="Bits", description="At the beginning")] = 3
    delay: Delay = 20


class Sunspots(_Sequence, frozen=True, kw_only=True, tag="sunspots"):
    """Sunspots of the years 1700 to 2008: the next year from the years before it, the latest held back."""

    task: ClassVar[Task] = "regression"

    steps: Annotated[int, Meta(ge=1, le=200, title="Steps", description="Years that are seen")] = 20
    scaling: Scaling = "standard"


Number = Annotated[float, Meta(ge=-1e300, le=1e300)]
Row = Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_UNITS)]
ClassNumber = Annotated[int, Meta(ge=0, le=MAX_UNITS - 1)]


class Inline(_Set, frozen=True, kw_only=True, tag="inline"):
    """Samples written into the experiment itself: rows of numbers, and for each a row or a class number."""

    inputs: Annotated[
        tuple[Row, ...],
        Meta(min_length=1, max_length=MAX_SAMPLES, title="Inputs", description="One row per sample"),
    ]
    targets: Annotated[
        tuple[ClassNumber | Row, ...],
        Meta(
            min_length=1,
            max_length=MAX_SAMPLES,
            title="Targets",
            description="One row of numbers, or one class number, per sample",
        ),
    ]
    scaling: Scaling = "none"
    validation: Validation = 0.0


Data = (
    Moons
    | Circles
    | Spirals
    | Xor
    | Gaussians
    | Checkerboard
    | Curve
    | Plane
    | GaussianNoise
    | Iris
    | Wine
    | BreastCancer
    | Digits
    | Adding
    | CopyMemory
    | DelayedParity
    | Sunspots
    | Inline
)
