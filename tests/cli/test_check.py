"""gradsim check."""

import json

import pytest

from gradsim.cli import main

pytestmark = pytest.mark.timeout(600)  # the first test ever compiles the machine


def test_sound_gradients_are_proven_for_every_parameter(small, capsys):
    assert main(["check", small, "--iterations", "3"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for name in ("dense_1.weight", "dense_3.bias", "head.weight"):
        assert name in text
    assert "Backpropagation agrees with differences of the loss in 8 of 8 parameter tensors" in text
    assert "The network runs in float32" in text
    assert "Every value of the run is finite." in text


def test_the_document_holds_every_direction(small, capsys):
    assert main(["check", small, "--iterations", "0", "--directions", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is True
    assert [len(tensor["directions"]) for tensor in document["tensors"]] == [3] * 8
    assert all(tensor["error"] < 1e-6 and tensor["verdict"] == "agrees" for tensor in document["tensors"])
    assert document["forensics"]["broken"] is None


def test_what_is_not_finite_proves_nothing_and_is_traced_back(broken, capsys):
    assert main(["check", broken, "--iterations", "1"]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "Nothing can be proven" in text
    assert "First broken value: iteration 0, dense_7 pre_activation[" in text
    assert "the term that counts most" in text


def test_run_tells_how_the_first_value_broke(broken, capsys):
    assert main(["run", broken, "--iterations", "2"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "It came about so: iteration 0, dense_7 pre_activation[" in text
    assert main(["run", broken, "--iterations", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["forensics"]["broken"]["layer_name"] == "dense_7"
