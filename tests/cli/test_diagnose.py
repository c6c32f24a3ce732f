"""gradsim diagnose."""

import json
import re
import shlex

import pytest

from gradsim import formats
from gradsim.analysis import profile
from gradsim.analysis.diagnosis import RULES
from gradsim.analysis.rule_packs import PUBLISHED_RULES
from gradsim.cli import main
from gradsim.cli.table import scientific
from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Network, Training
from gradsim.spec.activation import Sigmoid
from gradsim.spec.data import Moons
from gradsim.spec.initializer import GlorotNormal
from gradsim.spec.reading import read_experiment
from gradsim.spec.training import Sgd

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine

SICK = Experiment(
    name="Sick",
    data=Moons(samples=120),
    network=Network(layers=(Dense(units=8, activation=Sigmoid(), initializer=GlorotNormal()),) * 8),
    training=Training(optimizer=Sgd(learning_rate=0.1), batch_size=32),
)


@pytest.fixture
def sick(tmp_path, compiled):
    path = tmp_path / "sick.gradsim.json"
    formats.save(SICK, path)
    return str(path)


def diagnosed(*words):
    return main(["diagnose", *words])


def test_a_healthy_network_exits_with_0(small, capsys):
    assert diagnosed(small, "--iterations", "30") == 0
    told = capsys.readouterr().out
    assert told.startswith("Small moons, iteration 30\nHealthy")
    assert "Problem" not in told
    assert f"All {len(RULES)} checks" in told
    assert "Published rules" not in told


def test_a_network_that_was_not_trained_is_not_called_healthy_but_exits_with_0(small, capsys):
    assert diagnosed(small, "--iterations", "0") == 0
    assert capsys.readouterr().out.startswith(
        "Small moons, iteration 0\nNothing found yet. The batch loss is "
    )


def test_a_sick_network_exits_with_1_and_says_why_and_what_helps(sick, capsys):
    assert diagnosed(sick, "--iterations", "20", "--rules") == 1
    told = capsys.readouterr().out
    assert "Problem: Vanishing gradient\n" in told
    for word in ("Number: ", "Layers: dense_1", "Why: ", "Seen with ", "Remedies (", "1. "):
        assert word in told
    table = told.partition("Published rules\n")[2]
    for rule in PUBLISHED_RULES:
        assert any(line.startswith(rule.pack) and rule.name in line for line in table.splitlines())


def test_the_json_document_holds_the_evidence_and_remedies_that_can_be_run(sick, capsys):
    assert diagnosed(sick, "--iterations", "0", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    finding = document["diagnosis"]["findings"][0]
    assert finding["id"] == "vanishing_gradient"
    assert finding["value"] < finding["cut"]
    assert len(document["diagnosis"]["checks"]) == len(RULES)
    assert [rule["name"] for rule in document["published_rules"]] == [rule.name for rule in PUBLISHED_RULES]
    remedy = read_experiment(finding["remedies"][0]["experiment"])
    assert Simulator(remedy).record().loss > 0
    assert read_experiment(document["experiment"]) == SICK


def test_a_broken_network_is_told_and_its_json_is_sound(broken, capsys):
    assert diagnosed(broken, "--iterations", "5", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["diagnosis"]["findings"][0]["id"] == "not_finite"
    assert diagnosed(broken, "--iterations", "5", "--rules") == 1
    assert "NaN" in capsys.readouterr().out


def test_thorough_measures_what_the_remedies_do(sick, capsys):
    assert diagnosed(sick, "--iterations", "5", "--thorough") == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "measured: δ per layer ×" in told
    assert "Remedies (measured on this network):" in told


def test_without_trainings_the_order_of_the_remedies_is_called_usual(sick, capsys):
    diagnosed(sick, "--iterations", "5")
    told = " ".join(capsys.readouterr().out.split())
    assert "Remedies (usual order; --thorough measures it here):" in told


@pytest.mark.parametrize(("words", "seeds"), [((), 4), (("--seeds", "1"), 2), (("--seeds", "5"), 6)])
def test_other_seeds_are_trained_as_far(sick, capsys, words, seeds):
    diagnosed(sick, "--iterations", "40", *words)
    assert f"Seen with {seeds} of {seeds} seeds at iteration 40\n" in capsys.readouterr().out


def test_no_other_seed_is_looked_at_where_none_is_asked_for(sick, capsys):
    diagnosed(sick, "--iterations", "40", "--seeds", "0")
    assert "Seen with this seed only\n" in capsys.readouterr().out


def test_a_remedy_is_explained_once(sick, capsys):
    diagnosed(sick, "--iterations", "60")
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("Skip connections (skips): ") == 1
    assert told.count("Skip connections") > 1


def test_a_remedy_is_applied_compared_and_saved(sick, capsys, tmp_path):
    cured = tmp_path / "cured.gradsim.json"
    words = ["--iterations", "30", "--seeds", "0", "--remedy", "relu_he"]
    assert diagnosed(sick, *words, "--save-experiment", str(cured)) == 1
    told = capsys.readouterr().out
    assert f"Written: {cured}\n" in told
    cells = [re.split(r"  +", line) for line in told.partition("Applied: ")[2].splitlines()]
    rows = {row[0]: row[1:] for row in cells}
    for column, experiment in enumerate((SICK, formats.load(cured))):
        simulator = Simulator(experiment)
        simulator.advance(30)
        assert rows["training loss"][column] == scientific(simulator.evaluate("training").loss)
        factor = profile(simulator.record()).backward_fit.factor
        assert rows["δ per layer, backwards"][column] == f"×{scientific(factor)}"
    assert rows["iterations"] == ["30", "30"]
    assert int(rows["problems"][1]) < int(rows["problems"][0])

    assert diagnosed(sick, *words, "--json") == 1
    document = json.loads(capsys.readouterr().out)["remedy"]
    assert read_experiment(document["experiment"]) == formats.load(cured)
    assert document["after"]["backward_factor"] > document["before"]["backward_factor"]


def test_the_printed_command_tries_the_first_remedy(sick, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    diagnosed(sick, "--iterations", "30", "--seeds", "0")
    told = capsys.readouterr().out
    command = told.splitlines()[-1].removeprefix("  gradsim diagnose ")
    assert diagnosed(*shlex.split(command), "--iterations", "30", "--seeds", "0") == 1
    assert "Applied: ReLU with He weights\n" in capsys.readouterr().out
    assert formats.load(tmp_path / "sick_relu_he.gradsim.json") != SICK


def test_a_remedy_that_is_not_proposed_is_told_after_the_diagnosis(sick, capsys, tmp_path):
    path = tmp_path / "cured.gradsim.json"
    words = ["--iterations", "30", "--seeds", "0", "--remedy", "clip", "--save-experiment", str(path)]
    assert diagnosed(sick, *words) == 2
    told = capsys.readouterr()
    assert "Problem: Vanishing gradient\n" in told.out
    assert "--remedy clip: no finding proposes it here; proposed: relu_he, " in told.err
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["welcome", "--remedy", "relu_hee"], 'no remedy has this name; did you mean "relu_he"?'),
        (["welcome", "--save-experiment", "/nowhere/x.json"], "there is no folder"),
        (["nowhere.gradsim.json"], "nowhere.gradsim.json"),
        (["welcome", "--set", "network.layers[0].units=0"], "units"),
        (["welcome", "--iterations", "-1"], "expected a whole number"),
        ([], "expected FILE"),
        (["welcome", "--measure-remedies"], "takes no FILE"),
    ],
)
def test_bad_input_exits_with_2(words, complaint, capsys):
    assert diagnosed(*words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert complaint in told.err


def test_narrow_terminals_lose_columns_and_not_numbers(sick, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    diagnosed(sick, "--iterations", "0", "--rules")
    lines = capsys.readouterr().out.splitlines()
    assert "no room for layer, what was measured: widen the window, or --json" in lines
    assert "no room for fires, layer, what is measured: widen the window, or --json" in lines
    assert lines[-1].startswith("  gradsim diagnose ")  # to be copied in one piece
    assert max(len(line) for line in lines[:-1]) <= 72


def test_remedies_are_measured_on_networks_of_their_own(capsys, monkeypatch, compiled):
    tried = []

    def few(simulate, progress):
        progress("Vanishing", 0.0)
        tried.append(simulate)
        yield from ()

    monkeypatch.setattr("gradsim.analysis.diagnosis.measuring.measured_remedies", few)
    monkeypatch.setattr("gradsim.analysis.diagnosis.measuring.remedy_table", lambda rows: f"| {len(rows)} |")
    assert diagnosed("--measure-remedies") == 0
    assert capsys.readouterr().out == "| 0 |\n"
    assert tried == [Simulator]
