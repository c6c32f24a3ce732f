"""Where experiments come from."""

import io
import sys

import pytest

from gradsim import formats
from gradsim.cli.failure import Failure
from gradsim.cli.source import example_names, located, opened
from gradsim.spec import Dense, Experiment, Network

EXPERIMENT = Experiment(name="Mine", network=Network(layers=(Dense(units=8),)))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.gradsim.json"
    formats.save(EXPERIMENT, path)
    return path


def test_a_file_is_read_and_its_folder_remembered(file):
    source = opened(str(file))
    assert source.experiment == EXPERIMENT
    assert source.directory == file.parent
    assert source.label == str(file)


def test_a_dash_reads_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(formats.dumps(EXPERIMENT)))
    source = opened("-", ["network.layers[0].units=9"], seed=5)
    assert source.experiment.network.layers[0].units == 9
    assert source.experiment.seed == 5


@pytest.mark.parametrize("name", example_names())
def test_every_example_is_found_by_its_name_and_is_valid(name):
    assert opened(name).experiment.name


def test_the_welcome_experiment_is_shipped():
    assert "welcome" in example_names()


def test_a_file_goes_before_an_example_of_the_same_name(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    file.rename("welcome")
    assert opened("welcome").experiment == EXPERIMENT


@pytest.mark.parametrize("name", ["welcom", "Welcome", "welcom.gradsim.json"])
def test_a_name_that_is_nearly_an_example_is_answered_with_that_example_alone(name):
    with pytest.raises(Failure) as caught:
        located(name)
    assert str(caught.value) == f'{name}: no such file, and no example; did you mean "welcome"?'


def test_a_name_like_no_example_is_answered_with_all_of_them():
    with pytest.raises(Failure) as caught:
        located("zzzzzz")
    assert str(caught.value).endswith(f"; known are {', '.join(example_names())}")


def broken(file, text):
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_wrong_value_names_file_place_and_reason(file):
    text = formats.dumps(EXPERIMENT).replace('"units": 8', '"units": 0')
    with pytest.raises(Failure) as caught:
        opened(broken(file, text))
    assert str(caught.value).startswith(f"{file}: $.network.layers[0].units: expected ")
    assert caught.value.code == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"gradsim": 999}', "\0", '{"gradsim": 1, "nmae": "x"}'])
def test_whatever_is_in_a_file_the_answer_is_one_sentence_with_its_name_once(file, text):
    with pytest.raises(Failure) as caught:
        opened(broken(file, text))
    sentence = str(caught.value)
    assert sentence.startswith(f"{file}: ")
    assert sentence.count(str(file)) == 1
    assert "\n" not in sentence


def test_bytes_that_are_no_text_are_refused(file):
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(Failure, match="UTF-8"):
        opened(str(file))


def test_a_missing_file_names_the_examples(tmp_path):
    with pytest.raises(Failure, match=r"nothing\.json: no such file, and no example; known are .*welcome"):
        located("nothing.json")


@pytest.mark.parametrize("name", ["", "a" * 5000, "a\0b"])
def test_a_name_that_no_file_can_have_is_a_sentence(name):
    with pytest.raises(Failure):
        located(name)


def test_a_folder_is_no_experiment(tmp_path):
    with pytest.raises(Failure, match="expected a file, this is a folder"):
        located(str(tmp_path))
