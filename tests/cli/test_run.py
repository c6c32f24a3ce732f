"""gradsim run."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from gradsim import formats
from gradsim.analysis import profile, sentence
from gradsim.cli import main
from gradsim.cli.progress import Progress
from gradsim.engine import Simulator
from tests.cli.conftest import BROKEN, SMALL

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def answer(words, capsys):
    assert main(words) == 0
    return capsys.readouterr().out


def rows_of(path):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def test_the_report_tells_data_scores_every_layer_and_the_profile_in_the_words_of_the_analysis(small, capsys):
    text = answer(["run", small, "--iterations", "20"], capsys)
    simulator = Simulator(SMALL)
    simulator.advance(20)
    assert text.startswith("Small moons\n")
    assert "after 20 iterations" in text
    for name in ("dense_1", "dense_2", "dense_3", "head"):
        assert any(line.split()[1:2] == [name] for line in text.splitlines())
    assert sentence(profile(simulator.record())) in " ".join(text.split())


def test_the_chief_cause_stands_behind_the_total_that_it_explains(small, capsys):
    told = " ".join(answer(["run", small, "--iterations", "3"], capsys).split())
    assert re.search(r"Over all layers δ changes ×[\d.e-]+\. [A-Z]", told)


def test_the_report_of_sequences_tells_their_time_steps(capsys):
    text = answer(["run", "sunspots", "--iterations", "2"], capsys)
    assert "Sunspots since 1700: 231 training and 58 validation samples, 20 steps of 1 → 1" in text
    assert any(line.split()[1:2] == ["recurrent_1"] for line in text.splitlines())


def test_the_json_document_holds_the_numbers_of_the_python_interface(small, capsys):
    document = json.loads(answer(["run", small, "--iterations", "20", "--json"], capsys))
    simulator = Simulator(SMALL)
    before = simulator.evaluate("training")
    simulator.advance(20)
    trace, after = simulator.record(), simulator.evaluate("validation")
    told = profile(trace)
    assert formats.loads(json.dumps(document["experiment"])) == SMALL
    assert document["iterations"] == 20
    assert document["before"]["training_loss"] == before.loss
    assert document["after"]["validation_accuracy"] == after.accuracy
    assert document["batch"]["loss"] == trace.loss
    assert [layer["name"] for layer in document["layers"]] == list(told.layer_names)
    assert [layer["delta_rms"] for layer in document["layers"]] == told.delta_rms.tolist()
    assert [layer["backward_ratio"] for layer in document["layers"]] == [*told.backward_ratio.tolist(), None]
    assert document["layers"][0]["statistics"]["weight"]["max"] == trace.layers[0].statistics["weight"].max
    assert document["profile"]["backward"]["words"] == told.backward_fit.words


def test_without_a_number_200_iterations_are_trained(small, capsys):
    assert json.loads(answer(["run", small, "--json"], capsys))["iterations"] == 200


def test_0_iterations_only_look_at_the_first_pass(small, capsys):
    text = answer(["run", small, "--iterations", "0"], capsys)
    assert "after" not in text
    assert "Layers in the pass of iteration 0, batch of 12" in text


def test_what_is_not_finite_is_a_string_in_json_and_named_in_words(broken, capsys):
    def refuse(name):
        raise AssertionError(name)

    text = answer(["run", broken, "--iterations", "3", "--json"], capsys)
    document = json.loads(text, parse_constant=refuse)
    assert document["batch"]["loss"] == "NaN"
    first = Simulator(BROKEN).record()
    layer = next(layer for layer in first.layers if layer.statistics["pre_activation"].infs)
    assert document["first_non_finite"] == {
        "iteration": 0,
        "layer": layer.name,
        "tensor": "pre_activation",
        "nans": layer.statistics["pre_activation"].nans,
        "infs": layer.statistics["pre_activation"].infs,
    }
    report = answer(["run", broken, "--iterations", "3"], capsys)
    assert f"First broken: the pre-activation z of {layer.name} at iteration 0 (" in report
    assert "NaN" in report


def test_a_seed_and_values_can_be_set(small, capsys):
    words = ["run", small, "--iterations", "0", "--json", "--seed", "9"]
    words += ["--set", "network.layers[0].units=7", "--set", "name=Other"]
    document = json.loads(answer(words, capsys))
    assert document["experiment"]["seed"] == 9
    assert document["experiment"]["name"] == "Other"
    assert document["layers"][0]["units"] == 7


def test_tables_parameters_and_the_changed_experiment_are_written(small, tmp_path, capsys):
    files = {name: tmp_path / name for name in ("layers.csv", "history.csv", "weights.npz", "mine.json")}
    words = ["run", small, "--iterations", "20", "--set", "seed=11", "--csv", str(files["layers.csv"])]
    words += ["--history-csv", str(files["history.csv"]), "--parameters-out", str(files["weights.npz"])]
    text = answer([*words, "--save-experiment", str(files["mine.json"])], capsys)
    assert all(str(path) in text for path in files.values())

    experiment = formats.load(files["mine.json"])
    assert experiment.seed == 11
    simulator = Simulator(experiment)
    simulator.advance(20)
    told = profile(simulator.record())
    assert [float(row["delta_rms"]) for row in rows_of(files["layers.csv"])] == told.delta_rms.tolist()
    history = rows_of(files["history.csv"])
    assert [int(row["iteration"]) for row in history] == list(range(20))
    assert [float(row["loss"]) for row in history] == simulator.history().loss.tolist()
    assert [float(row["dense_2.delta_rms"]) for row in history] == simulator.history().series(
        "delta", "rms", 1
    ).tolist()
    parameters = formats.load_parameters(files["weights.npz"])
    for name, array in simulator.parameters().items():
        np.testing.assert_array_equal(parameters[name], array)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_into_and_stays_a_pipe(small, tmp_path, capsys):
    pipe = tmp_path / "layers.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        answer(["run", small, "--iterations", "0", "--csv", str(pipe)], capsys)
        assert os.read(reader, 100_000).startswith(b"# GradSim ")
        assert pipe.is_fifo()
    finally:
        os.close(reader)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_one_sentence(small):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gradsim", "run", small, "--iterations", "0"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "gradsim: No space left on device\n")


def test_written_parameters_are_where_another_run_can_start(small, tmp_path, capsys):
    answer(["run", small, "--iterations", "20", "--parameters-out", str(tmp_path / "weights.npz")], capsys)
    went_on = ["run", small, "--iterations", "0", "--set", "parameters=weights.npz", "--json"]
    start = json.loads(answer(went_on, capsys))["before"]
    end = json.loads(answer(["run", small, "--iterations", "20", "--json"], capsys))["after"]
    assert start == end


def test_brief_shows_the_ends_of_a_deep_network(small, capsys):
    deep = ["run", small, "--iterations", "0", "--set"]
    deep.append('network.layers=[{"kind": "repeat", "times": 30, "layers": [{"kind": "dense", "units": 4}]}]')
    everything, brief = answer(deep, capsys), answer([*deep, "--brief"], capsys)
    assert sum("dense_" in line.split(" ×")[0] for line in everything.splitlines()) == 30
    assert "dense_4 " in brief
    assert "dense_5 " not in brief
    assert "23 more" in brief
    assert "dense_28" in brief


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width, small, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    text = answer(["run", small, "--iterations", "5"], capsys)
    table = [line for line in text.splitlines() if "dense_" in line]
    assert len(table) >= 3
    assert max(map(len, table)) <= width


@pytest.mark.parametrize(
    ("words", "sentence_part"),
    [
        (
            ["--set", "network.layers[0].units=0"],
            "$.network.layers[0].units: expected an integer from 1 to 4096",
        ),
        (["--set", "parameters=missing.npz"], "missing.npz"),
        (["--csv", "no/such/folder/x.csv"], "no/such/folder/x.csv: there is no folder no/such/folder"),
        (["--csv", "."], "expected a file to write, this is a folder"),
        (["--seed", str(2**53)], "$.seed: expected "),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(words, sentence_part, small, capsys):
    assert main(["run", small, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("gradsim: ")
    assert sentence_part in err
    assert err.count("\n") == 1


def test_a_network_that_would_not_fit_is_refused_before_anything_is_allocated(small, capsys):
    layers = '[{"kind": "repeat", "times": 1000, "layers": [{"kind": "dense", "units": 4096}]}]'
    assert main(["run", small, "--set", f"network.layers={layers}"]) == 2
    err = capsys.readouterr().err
    assert "bytes" in err or "GiB" in err
    assert err.count("\n") == 1


def test_ctrl_c_tells_what_was_done_so_far(small, capsys, monkeypatch):
    def press(self, label, share, note=""):
        if label == "Training":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "show", press)
    handler = signal.getsignal(signal.SIGINT)
    assert main(["run", small, "--iterations", "1000000000"]) == 130
    text = capsys.readouterr().out
    assert "of 1,000,000,000 iterations" in text
    assert "dense_1" in text
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_before_training_is_one_sentence(small, capsys, monkeypatch):
    def press(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(formats, "load", press)
    assert main(["run", small]) == 130
    assert capsys.readouterr().err == "gradsim: ended by Ctrl+C\n"


def test_an_experiment_comes_through_a_pipe_and_ascii_goes_out(small):
    done = subprocess.run(
        [sys.executable, "-m", "gradsim", "run", "-", "--iterations", "5"],
        input=formats.dumps(SMALL).encode(),
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode("ascii")
    assert "rms delta" in text
    assert " x" in text
    assert done.stderr == b""


def test_a_reader_that_has_seen_enough_is_no_error(small):
    process = subprocess.Popen(
        [sys.executable, "-m", "gradsim", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"{\n"
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert error == b""
    assert process.wait() == 0


def test_a_reader_that_has_seen_enough_does_not_keep_files_from_being_written(small, tmp_path):
    layers = tmp_path / "layers.csv"
    process = subprocess.Popen(
        [sys.executable, "-m", "gradsim", "run", small, "--iterations", "1", "--csv", str(layers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0
    assert [row["name"] for row in rows_of(layers)] == ["dense_1", "dense_2", "dense_3", "head"]


def test_a_saved_experiment_takes_its_initial_parameters_along(tmp_path, capsys, compiled):
    path = tmp_path / "mine.gradsim.json"
    told = answer(["run", "chain", "--iterations", "0", "--save-experiment", str(path)], capsys)
    assert f"Written: {path}, {tmp_path / 'chain.npz'}" in told
    assert answer(["run", str(path), "--iterations", "0"], capsys).startswith("Chain of three sigmoids")


@pytest.mark.parametrize(
    ("asked", "words"),
    [(48, "batch 48\n"), (12, "batch 12\n"), (1000, "batch 48 of 1,000 asked for: all samples\n")],
)
def test_a_batch_larger_than_the_data_is_told_as_all_samples(small, capsys, asked, words):
    text = answer(["run", small, "--iterations", "0", "--set", f"training.batch_size={asked}"], capsys)
    assert f"learning rate 0.5, {words}" in text


def test_the_schema_is_json_that_knows_the_layers(capsys):
    schema = json.loads(answer(["schema"], capsys))
    assert "Dense" in json.dumps(schema)


def test_colours_are_for_people_only(small, capsys, monkeypatch):
    class Screen(io.StringIO):
        def isatty(self):
            return True

    assert "\x1b" not in answer(["run", small, "--iterations", "0"], capsys)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["run", small, "--iterations", "0"]) == 0
    assert "\x1b[1m" in screen.getvalue()
