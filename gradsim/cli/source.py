"""Where an experiment comes from: a file, a shipped example by its name, or standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradsim.cli.failure import Failure
from gradsim.resource_files import EXPERIMENT_ENDING, example_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradsim.spec import Experiment, SpecError


class Source(NamedTuple):
    """An experiment and where it came from."""

    experiment: Experiment
    path: Path | None
    """The file; None for standard input."""
    label: str
    """How messages call it."""

    @property
    def directory(self) -> Path:
        """Where files named in the experiment are looked for."""
        return Path.cwd() if self.path is None else self.path.parent


def example_names() -> tuple[str, ...]:
    """Return the names of the shipped example experiments.

    Returns
    -------
    tuple of str
        In alphabetical order; empty if this installation has none.
    """
    return tuple(example_files())


def located(name: str) -> Path:
    """Return the path of an experiment.

    Parameters
    ----------
    name : str
        A path, or the name of an example; a file that exists goes first.

    Returns
    -------
    Path
        Of an existing file.

    Raises
    ------
    Failure
        If there is no such file and no such example.
    """
    path = Path(name)
    try:
        if path.is_file():
            return path
        if path.is_dir():
            raise Failure(f"{name}: expected a file, this is a folder")
    except (OSError, ValueError) as error:  # a name too long, or with a zero byte
        raise Failure(f"{name[:80]}: no usable file name: {error}") from None
    examples = example_files()
    if name in examples:
        return examples[name]
    from gradsim.spec.limits import suggestion

    wanted = name.removesuffix(EXPERIMENT_ENDING)
    known = f", and no example; {suggestion(wanted, examples)}" if examples else ""
    raise Failure(f"{name}: no such file{known}")


def opened(name: str, assignments: Sequence[str] = (), seed: int | None = None) -> Source:
    """Read an experiment and change what was asked to be changed.

    Parameters
    ----------
    name : str
        A path, the name of an example, or ``-`` for standard input.
    assignments : sequence of str, default none
        Values of ``--set``.
    seed : int, optional
        Instead of the experiment's own.

    Returns
    -------
    Source
        The experiment, valid in itself.

    Raises
    ------
    Failure
        With one sentence that names the file, the place in it and the reason.
    """
    from gradsim import formats
    from gradsim.cli.assignment import experiment_with
    from gradsim.spec import SpecError

    path = None if name == "-" else located(name)
    label = "standard input" if path is None else name
    try:
        experiment = formats.loads(sys.stdin.read()) if path is None else formats.load(path)
        changes = [*assignments, *([] if seed is None else [f"seed={seed}"])]
        experiment = experiment_with(experiment, changes)
    except SpecError as error:
        raise refusal(error, label) from None
    except UnicodeDecodeError as error:  # only standard input is decoded here
        raise Failure(f"{label}: expected text in UTF-8, got another byte at {error.start}") from None
    return Source(experiment, None if path is None else path.resolve(), label)


def refusal(error: SpecError, label: str) -> Failure:
    """Return a wrong experiment as a failure of the command.

    Parameters
    ----------
    error : SpecError
        Its path is a place in the document, or the name of a file that could not be read.
    label : str
        How messages call the experiment.

    Returns
    -------
    Failure
        That names the file once.
    """
    return Failure(f"{label}: {error}" if error.path.startswith("$") else str(error))
