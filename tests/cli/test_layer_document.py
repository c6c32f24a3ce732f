"""What a run as JSON tells of its layers beyond the table: parameters, time steps, blocks, phases, loss scale."""

import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest

from gradsim.cli import figures, main
from gradsim.cli.layer_document import array_statistics, parameter_document, time_document
from gradsim.cli.length import ITERATIONS
from tests.kind_runs import NETWORKS, SEQUENCES, kind_run

pytestmark = pytest.mark.timeout(600)


def printed(*words):
    stream = io.StringIO()
    with redirect_stdout(stream):
        assert main([*words]) == 0
    return stream.getvalue()


def document(*words):
    return json.loads(printed(*words, "--json"))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_has_the_statistics_of_its_values_gradient_and_update(name):
    for layer in kind_run(name).trace.layers:
        told = parameter_document(layer)
        updates = {tensor.removesuffix("_update") for tensor in layer.tensors if tensor.endswith("_update")}
        running = {tensor for tensor in layer.tensors if tensor.startswith("running_")}
        assert set(told) == updates | running
        for parameter, parts in told.items():
            values = layer.tensors[parameter].astype(np.float64)
            assert parts["value"]["count"] == values.size
            assert parts["value"]["mean"] == pytest.approx(values.mean(), rel=1e-12, abs=1e-300)
            assert parts["value"]["max"] == values.max()
            if parameter in updates:
                assert {"value", "gradient", "update"} <= set(parts)
                gradient = layer.tensors[f"{parameter}_gradient"].astype(np.float64)
                assert parts["gradient"]["rms"] == pytest.approx(np.sqrt((gradient**2).mean()), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, -0.0, 1e-40, 2.0], {"zeros": 2, "subnormals": 1, "nans": 0, "infs": 0, "max": 2.0}),
        ([np.nan, 1.0], {"nans": 1, "mean": np.nan, "rms": np.nan, "min": np.nan}),
        ([np.inf, -np.inf], {"infs": 2, "mean": np.nan, "rms": np.inf, "max": np.inf}),
        ([1e-30, 1e-30], {"rms": pytest.approx(1e-30), "sd": 0.0}),
        ([], {"count": 0, "mean": np.nan}),
    ],
)
def test_statistics_of_an_array_are_those_of_ieee(values, expected):
    told = array_statistics(np.array(values, dtype=np.float32))
    for name, value in expected.items():
        assert getattr(told, name) == pytest.approx(value, nan_ok=True), name


@pytest.mark.parametrize("name", NETWORKS)
def test_only_recurrent_layers_tell_a_gradient_for_every_step(name):
    for layer in kind_run(name).trace.layers:
        told = time_document(layer)
        if layer.kind != "recurrent":
            assert told is None
            continue
        assert name in SEQUENCES
        for tensor in told:
            by_step = np.linalg.norm(layer[tensor].astype(np.float64), axis=(0, 2))
            np.testing.assert_allclose(told[tensor]["norm"], by_step, rtol=1e-12)
            assert told[tensor]["first_over_last"] == pytest.approx(by_step[0] / by_step[-1])
        assert ("cell_gradient" in told) == ("cell" in layer.tensors)


def test_a_run_of_residual_blocks_tells_both_ways_back():
    told = document("run", "residual_40", "--iterations", "0")
    blocks = [layer["block"] for layer in told["layers"] if layer["block"]]
    assert len(blocks) == 39
    assert all(0 < block["skip_share"] < 1 for block in blocks)
    assert [layer["kind"] for layer in told["layers"] if layer["block"]] == ["residual"] * 39


def test_a_run_tells_its_phases_and_its_loss_scale(small):
    told = document("run", small, "--iterations", "3")
    assert told["phases"] == [
        {
            "title": "backpropagation",
            "layer": None,
            "start": 0,
            "stop": 3,
            "loss": told["experiment"]["training"]["loss"],
            "first_loss": told["phases"][0]["first_loss"],
            "last_loss": told["phases"][0]["last_loss"],
        }
    ]
    assert told["loss_scale"] == {"iterations": [0], "values": [1.0]}
    assert told["batch"]["loss_scale"] == 1.0


def test_where_layers_stand_still_there_is_no_ratio(capsys):
    told = document("run", "pretraining", "--iterations", "3")
    assert all(layer["backward_ratio"] is None and layer["is_still"] for layer in told["layers"])
    assert main(["run", "pretraining", "--iterations", "3"]) == 0
    text = capsys.readouterr().out
    table = text[text.index("Layers in the pass") : text.index("From the output")]
    assert [line.split()[6] for line in table.splitlines()[3:10]] == ["–"] * 7
    assert "×" not in table
    assert "stand still: δ and updates 0, no ratio" in table
    assert not any(layer["is_still"] for layer in document("run", "welcome", "--iterations", "1")["layers"])


@pytest.mark.parametrize(
    "words", [["run"], ["cost"], ["diagnose"], ["check"], ["render", "--view", "loss"]], ids=lambda w: w[0]
)
def test_an_example_is_trained_as_long_as_it_asks_and_says_so(words, tmp_path):
    output = ["-o", str(tmp_path / "x.png")] if words[0] == "render" else []
    stream = io.StringIO()
    with redirect_stdout(stream):
        assert main([words[0], "exploding", *words[1:], *output]) in (0, 1)
    assert "5 iterations, as this example asks. Gradient profile:" in " ".join(stream.getvalue().split())


def test_a_number_given_is_taken_and_others_are_trained_the_usual_number(small):
    assert "as this example asks" not in printed("run", "exploding", "--iterations", "2")
    assert document("run", small)["iterations"] == ITERATIONS


def test_backpropagation_stands_beside_evolution_for_the_same_cost(capsys, tmp_path):
    told = document("run", "evolution", "--iterations", "3", "--beside", "backpropagation")["beside"]
    assert told["course"]["loss"][0] == told["course_beside"]["loss"][0]
    assert (
        0 <= told["operations_beside"] - told["operations"] < told["operations_beside"] / told["iterations"]
    )
    assert len(told["course_beside"]["loss"]) == told["iterations"]
    text = " ".join(printed("run", "evolution", "--iterations", "3", "--beside", "backpropagation").split())
    assert f"backpropagation {told['loss']:.3g}" in text
    path = tmp_path / "loss.csv"
    words = ("--view", "loss", "-o", str(path), "--beside", "backpropagation")
    printed("render", "evolution", "--iterations", "3", *words)
    columns = next(line for line in path.read_text().splitlines() if not line.startswith("#"))
    assert figures.over_cost("loss") == {"over": "operations"}
    assert figures.over_cost("profile") == {}
    assert {"batch_loss", "batch_loss_before", "operations", "operations_before"} <= set(columns.split(","))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "welcome"], "the experiment is trained by backpropagation itself"),
        (["render", "evolution", "--view", "window", "-o", "x.png"], "Compare with backpropagation"),
    ],
    ids=["itself", "window"],
)
def test_nothing_stands_beside_itself(words, reason, capsys):
    assert main([*words, "--beside", "backpropagation"]) == 2
    assert reason in capsys.readouterr().err
