"""What a diagnosis needs of a simulator, which is handed in: analysis runs no network of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol

from msgspec.structs import replace
from numpy.typing import NDArray

from gradsim.spec import Experiment
from gradsim.trace import History, IterationTrace, SampleSet

SEED_STEP = 1_000_003
"""Other seeds are the present one and multiples of this further on, so that nobody's next seeds are among them."""


class Simulation(Protocol):
    """A simulator, as far as it is needed here."""

    iteration: int
    samples: SampleSet

    @property
    def experiment(self) -> Experiment:
        """What is run."""

    def record(self) -> IterationTrace:
        """Return the present iteration."""

    def history(self) -> History:
        """Return the statistics so far."""

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters, by name."""

    def seek(self, iteration: int) -> None:
        """Go to an iteration, backwards too."""

    def observed(
        self, part: Literal["training", "validation"] = "training"
    ) -> Iterator[Mapping[str, Mapping[str, NDArray[Any]]]]:
        """Run a part of the samples forwards, batch after batch."""

    def advance(self, iterations: int, should_stop: Callable[[], bool] | None = None) -> int:
        """Train."""

    def evaluate(self, part: Any = "validation") -> Any:
        """Return the loss over a part of the samples."""


Simulate = Callable[[Experiment], Simulation]
Progress = Callable[[str, float], None]


def other_seed(experiment: Experiment, number: int) -> Experiment:
    """Return an experiment that draws everything anew; 0 is the experiment itself."""
    return replace(experiment, seed=(experiment.seed + number * SEED_STEP) % 2**53)
