"""gradsim cost."""

import json

import pytest

from gradsim.analysis import CONVENTION, operations
from gradsim.cli import main
from gradsim.engine import Simulator
from tests.cli.conftest import SMALL

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def test_the_report_counts_measures_and_compares_machines(small, capsys):
    assert main(["cost", small, "--iterations", "20"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("Small moons One iteration takes ")
    assert "Measured here: " in text
    for machine in ("this one", "10×", "1,000×", "10⁶×"):
        assert machine in text
    assert CONVENTION in text


def test_the_json_document_holds_the_counts_of_the_analysis(small, capsys):
    assert main(["cost", small, "--iterations", "0", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    counted = operations(Simulator(SMALL).record())
    assert document["operations"]["total"] == counted.total
    assert [layer["name"] for layer in document["operations"]["layers"]][-1] == "head"
    assert document["flops"] == pytest.approx(counted.total * document["iterations_per_second"])
    assert [machine["factor"] for machine in document["machines"]] == [1.0, 10.0, 1e3, 1e6]
    assert document["iteration"] == 0


def test_a_broken_run_is_told_all_the_same(broken, capsys):
    assert main(["cost", broken, "--iterations", "5"]) == 0
    assert "is not a number" in " ".join(capsys.readouterr().out.split())
