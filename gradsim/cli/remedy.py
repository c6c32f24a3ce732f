"""A remedy applied from the terminal: trained as far as the experiment, and compared with it."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradsim.cli.failure import Failure
from gradsim.cli.table import Cell, Column, laid_out, scientific
from gradsim.resource_files import EXPERIMENT_ENDING

if TYPE_CHECKING:
    from gradsim.analysis.diagnosis import Diagnosis
    from gradsim.analysis.remedy import Remedy
    from gradsim.cli.progress import Progress
    from gradsim.cli.result import Scores
    from gradsim.cli.source import Source
    from gradsim.cli.terminal import Terminal
    from gradsim.engine import Simulator


@dataclass(frozen=True, slots=True)
class Standing:
    """How a network stands after its training.

    Attributes
    ----------
    iterations : int
        How far it was trained.
    scores : Scores
        Loss and accuracy over all data.
    backward : float
        Factor of rms δ per layer on the way back; NaN for a single layer.
    problems : tuple of str
        Titles of what keeps it from learning.
    """

    iterations: int
    scores: Scores
    backward: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TriedRemedy:
    """A remedy, and how the network stands without and with it."""

    remedy: Remedy
    before: Standing
    after: Standing


def check_remedy(name: str) -> None:
    """Refuse a name that no remedy has, before anything is trained.

    Parameters
    ----------
    name : str
        As it was typed.

    Raises
    ------
    Failure
        With the nearest name, or all of them.
    """
    from gradsim.analysis.remedies import REMEDIES
    from gradsim.spec.limits import suggestion

    if name not in REMEDIES:
        raise Failure(f"--remedy {name}: no remedy has this name; {suggestion(name, REMEDIES)}")


def tried_remedy(
    name: str, diagnosis: Diagnosis, simulator: Simulator, source: Source, progress: Progress
) -> tuple[TriedRemedy | None, bool]:
    """Apply a remedy that a diagnosis proposes, and train the network with it as far.

    Parameters
    ----------
    name : str
        Of the remedy.
    diagnosis : Diagnosis
        Of the network without it.
    simulator : Simulator
        Of the same network, after its training.
    source : Source
        Where its experiment came from.
    progress : Progress
        Shows the training.

    Returns
    -------
    TriedRemedy or None
        None where no finding proposes it; else as the first that does.
    bool
        False if Ctrl+C ended the training.
    """
    from gradsim.analysis.diagnosis import diagnose
    from gradsim.cli.training import train
    from gradsim.engine import Simulator

    remedy = _proposed(diagnosis).get(name)
    if remedy is None:
        return None, True
    cured = Simulator(remedy.experiment, source.directory)
    finished = train(cured, simulator.iteration, progress)
    found = diagnose(cured, simulate=lambda experiment: Simulator(experiment, source.directory), seeds=0)
    return TriedRemedy(remedy, _standing(simulator, diagnosis), _standing(cured, found)), finished


def not_proposed(name: str, diagnosis: Diagnosis) -> Failure:
    """Return the complaint about a remedy that no finding proposes.

    Parameters
    ----------
    name : str
        Of the remedy.
    diagnosis : Diagnosis
        Of the network.

    Returns
    -------
    Failure
        It names those that are proposed.
    """
    known = ", ".join(_proposed(diagnosis)) or "none, for nothing was found that a remedy is known for"
    return Failure(f"--remedy {name}: no finding proposes it here; proposed: {known}")


def print_proposal(diagnosis: Diagnosis, source: Source, terminal: Terminal) -> None:
    """Print how the first remedy is applied; nothing where there is none.

    Parameters
    ----------
    diagnosis : Diagnosis
        Any diagnosis.
    source : Source
        Where the experiment came from.
    terminal : Terminal
        Where to print.
    """
    first = next(iter(_proposed(diagnosis)), None)
    if first is None:
        return
    name = "experiment" if source.path is None else source.path.name.partition(".")[0]
    file, kept = ("-" if source.path is None else source.label), f"{name}_{first}{EXPERIMENT_ENDING}"
    words = f"gradsim diagnose {shlex.quote(file)} --remedy {first} --save-experiment {shlex.quote(kept)}"
    terminal.write()
    terminal.write("To try a remedy and keep it:")
    terminal.write(f"  {words}")  # in one line however narrow the terminal is, so that it can be copied


def print_remedy(tried: TriedRemedy, terminal: Terminal) -> None:
    """Print how a network stands without and with a remedy.

    Parameters
    ----------
    tried : TriedRemedy
        A remedy.
    terminal : Terminal
        Where to print.
    """
    sides = (tried.before, tried.after)
    rows = [[Cell("iterations"), *(Cell(f"{one.iterations:,}") for one in sides)]]
    for place, name in enumerate(tried.before.scores._fields):
        told = _percent if name.endswith("accuracy") else scientific
        values = [one.scores[place] for one in sides]
        if any(value is not None for value in values):
            rows.append([Cell(name.replace("_", " ")), *(Cell(told(value)) for value in values)])
    factors = [
        "·" if math.isnan(one.backward) else terminal.text(f"×{scientific(one.backward)}") for one in sides
    ]
    rows.append([Cell(terminal.text("δ per layer, backwards")), *map(Cell, factors)])
    rows.append([Cell("problems"), *(Cell(str(len(one.problems))) for one in sides)])
    terminal.write()
    terminal.write(terminal.painted(terminal.text(f"Applied: {tried.remedy.title}"), "bold"))
    columns = [Column("", "left"), Column("without"), Column("with it")]
    for line in laid_out(columns, rows, terminal).lines:
        terminal.write(line)
    if tried.after.problems:
        terminal.write(terminal.text(f"Still found: {', '.join(tried.after.problems)}"))


def remedy_document(tried: TriedRemedy) -> dict[str, Any]:
    """Return how a network stands without and with a remedy, for ``--json``.

    Parameters
    ----------
    tried : TriedRemedy
        A remedy.

    Returns
    -------
    dict
        Plain values; under ``experiment`` the document with the remedy in it.
    """
    from gradsim.spec import experiment_document

    return {
        "id": tried.remedy.id,
        "title": tried.remedy.title,
        "experiment": experiment_document(tried.remedy.experiment),
        "before": _document(tried.before),
        "after": _document(tried.after),
    }


def _document(standing: Standing) -> dict[str, Any]:
    return {
        "iterations": standing.iterations,
        **standing.scores._asdict(),
        "backward_factor": standing.backward,
        "problems": list(standing.problems),
    }


def _proposed(diagnosis: Diagnosis) -> dict[str, Remedy]:
    """Remedies by name, each as the first finding that has it proposes it."""
    found: dict[str, Remedy] = {}
    for finding in diagnosis.findings:
        for remedy in finding.remedies:
            found.setdefault(remedy.id, remedy)
    return found


def _standing(simulator: Simulator, diagnosis: Diagnosis) -> Standing:
    from gradsim.analysis import profile
    from gradsim.cli.result import scores_of

    return Standing(
        simulator.iteration,
        scores_of(simulator),
        profile(simulator.record()).backward_fit.factor,
        tuple(finding.title for finding in diagnosis.findings if not finding.is_advice),
    )


def _percent(value: float | None) -> str:
    return "·" if value is None else f"{100 * value:.1f} %"
