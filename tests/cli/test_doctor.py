"""gradsim doctor."""

import json
import math
from dataclasses import replace
from importlib import metadata

import pytest

from gradsim import __version__
from gradsim.cli import doctor, main
from gradsim.cli.doctor import Finding
from gradsim.cli.self_check import self_check

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine for both precisions


def test_this_installation_is_well_and_says_of_what_it_consists(capsys):
    assert main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == __version__
    assert document["healthy"] is True
    found = {finding["name"]: finding["detail"] for finding in document["findings"]}
    assert found["numba"] == metadata.version("numba")
    assert "welcome" in found["resources"]
    assert "float32 in" in found["compiled code"]
    assert "on 1 thread" in found["matrix library"]
    assert "float64" in found["gradients"]


def test_a_fault_is_counted_named_and_gives_code_1(capsys, monkeypatch):
    findings = [Finding("numpy", "ok", "2.4"), Finding("cache", "wrong", "not writable")]
    monkeypatch.setattr(doctor, "all_findings", lambda progress: iter(findings))
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "wrong  cache " in text
    assert text.endswith("1 wrong: cache\n")
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["healthy"] is False


def test_a_note_is_no_fault(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "all_findings", lambda progress: iter([Finding("display", "note", "none")]))
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("All is well.\n")


def test_a_missing_dependency_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", missing)
    finding = doctor._dependency("msgspec", "msgspec")
    assert (finding.verdict, finding.detail) == ("wrong", "missing: python -m pip install msgspec")


def test_a_dependency_that_cannot_be_imported_is_wrong():
    finding = doctor._dependency("numpy", "numpy.no_such_part")
    assert finding.verdict == "wrong"
    assert "cannot be imported" in finding.detail


@pytest.mark.parametrize(
    ("python", "pyside", "verdict"),
    [((3, 11), "6.12.0", "wrong"), ((3, 11), "6.11.3", "ok"), ((3, 12), "6.12.0", "ok")],
)
def test_the_pyside_that_aborts_under_old_pythons_is_named(python, pyside, verdict, monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", python)
    monkeypatch.setattr(doctor.metadata, "version", lambda name: pyside)
    assert doctor._dependency("PySide6-Essentials", "").verdict == verdict


def test_whatever_goes_wrong_while_looking_is_itself_a_finding():
    def look():
        raise ZeroDivisionError("by nothing")

    assert doctor._looked("cache", look) == Finding("cache", "wrong", "ZeroDivisionError: by nothing")


class Distorted:
    """A simulator whose weight gradients are wrong by a factor."""

    def __init__(self, simulator, factor):
        self._simulator, self._factor = simulator, factor

    def __getattr__(self, name):
        return getattr(self._simulator, name)

    def record(self):
        trace = self._simulator.record()
        first = trace.layers[0]
        wrong = dict(first.tensors) | {"weight_gradient": first.weight_gradient * self._factor}
        return replace(trace, layers=(replace(first, tensors=wrong), *trace.layers[1:]))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_self_check_passes_right_gradients(precision):
    from gradsim.engine import Simulator

    check = self_check(precision, Simulator)
    assert check.passed
    assert "off by" in check.words


@pytest.mark.parametrize("factor", [1.2, 0.0, -1.0, math.nan])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_self_check_finds_wrong_gradients(precision, factor):
    from gradsim.engine import Simulator

    assert not self_check(precision, lambda experiment: Distorted(Simulator(experiment), factor)).passed


@pytest.mark.parametrize("factor", [1.2, 0.0, math.nan])
def test_the_self_check_finds_gradients_that_only_float32_gets_wrong(factor):
    from gradsim.engine import Simulator

    def make(experiment):
        simulator = Simulator(experiment)
        return Distorted(simulator, factor) if experiment.precision == "float32" else simulator

    assert not self_check("float32", make).passed
