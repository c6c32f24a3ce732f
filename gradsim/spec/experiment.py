"""The whole experiment: the undo unit, the saved file, the input of the terminal, and what is shared."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gradsim.spec.data import Data, Digits
from gradsim.spec.network import Network
from gradsim.spec.struct import Spec
from gradsim.spec.training import Training

CURRENT_VERSION = 1
MAX_SEED = 2**53 - 1
Precision = Literal["float32", "float64", "float16", "bfloat16"]
"""The narrow two are emulated: every stored value is rounded to the format and kept in float32."""
ParametersFile = Annotated[
    str,
    Meta(
        # Beside the document and nowhere else: an experiment from a stranger reads no other file.
        pattern=r"^[^/\\:]+\.npz$",
        max_length=255,
        title="Initial parameters",
        description="An .npz file beside the document, one array per parameter",
        extra={"expected": "the name, without folders, of an .npz file beside the document"},
    ),
]


class Experiment(Spec, frozen=True, kw_only=True):
    """Everything that decides the numbers: the same experiment gives the same bits."""

    version: Annotated[int, Meta(ge=1)] = msgspec.field(name="gradsim", default=CURRENT_VERSION)
    name: Annotated[str, Meta(max_length=200, title="Name")] = "Untitled"
    # JSON numbers are doubles for many readers: 2**53 - 1 is the largest that all of them keep.
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED, title="Seed")] = 0
    precision: Annotated[Precision, Meta(title="Precision")] = "float32"
    data: Annotated[Data, Meta(title="Data")] = Digits()
    network: Network = Network()
    training: Training = Training()
    parameters: ParametersFile | None = None
