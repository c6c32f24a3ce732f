"""Experiments as files."""

import errno
import json
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.formats import dumps, load, load_parameters, loads, save
from gradsim.formats import experiment as experiment_module
from gradsim.resource_files import resource_path
from gradsim.spec import Dense, Experiment, Network, SpecError, experiment_document, unrolled_layers
from gradsim.spec.data import Inline
from gradsim.spec.training import Training
from tests.spec.strategies import experiments

EXAMPLES = sorted(resource_path("experiments").glob("*.gradsim.json"))


def refused(path: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load(path)
    return caught.value


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "mine.gradsim.json"
    save(Experiment(name="old"), path)
    return path


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    experiment = Experiment(name="Größe × δ", seed=3, network=Network(layers=(Dense(units=5), Dense())))
    save(experiment, tmp_path / "one.gradsim.json")
    assert load(tmp_path / "one.gradsim.json") == experiment
    assert load(str(tmp_path / "one.gradsim.json")) == experiment
    assert os.listdir(tmp_path) == ["one.gradsim.json"]


@given(experiments(max_depth=5, wide=True))
def test_every_experiment_survives_its_text_bit_for_bit(experiment: Experiment) -> None:
    text = dumps(experiment)
    assert repr(loads(text)) == repr(experiment)
    assert dumps(loads(text)) == text
    assert json.loads(text) == experiment_document(experiment)


def test_the_text_begins_with_the_version_and_keeps_short_things_on_one_line() -> None:
    lines = dumps(Experiment()).splitlines()
    assert lines[:3] == ["{", '  "gradsim": 1,', '  "name": "Untitled",']
    assert '  "data": {"kind": "digits", "scaling": "standard", "validation": 0.2},' in lines
    assert lines[-1] == "}"


def test_no_line_of_the_text_is_long() -> None:
    rows = tuple(tuple(float(j) / 7 for j in range(64)) for _ in range(3))
    data = Inline(inputs=rows, targets=tuple(range(3)))
    text = dumps(Experiment(data=data))
    assert max(map(len, text.splitlines())) <= 100
    assert len(text.splitlines()) < 110  # and not one number on each
    assert loads(text).data == data


def test_an_experiment_that_could_not_be_loaded_again_is_not_saved(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(SpecError, match=r"layers\[0\]\.units"):
        save(Experiment(network=Network(layers=(Dense(units=0),))), saved)
    assert saved.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected an experiment, got nothing"),
        (b" \n", "expected an experiment, got nothing"),
        (b"\xff\xfe{}", "expected text in UTF-8, got another byte at 0"),
        (b"name: deep\n", 'expected JSON, but "name:" stands in place of { at line 1, column 1'),
        (b'{"seed": 1,\n}', "expected JSON, but a comma is left over before the } at line 2, column 1"),
        (b'{"data": [1, ]}', "expected JSON, but a comma is left over before the ] at line 1, column 14"),
        (
            b'{"seed": 1, // mine\n "name": "x"}',
            "expected JSON, but a comment, which JSON does not have, begins at line 1, column 13",
        ),
        (
            b"{'seed': 1}",
            "expected JSON, but a single quote stands in place of a double one at line 1, column 2",
        ),
        (b'{"shuffle": True}', "expected JSON, but True stands in place of true at line 1, column 13"),
        (
            b'{"gradsim": 1,\n "name": oops}',
            "expected JSON, but a value is missing at line 2, column 10",
        ),
        (b'{"gradsim": 1} extra', "expected JSON, but extra data at line 1, column 16"),
        (b'{"gradsim": 1, "seed": NaN}', "expected JSON, which has no number NaN"),
        (b'{"gradsim": 1, "seed": -Infinity}', "expected JSON, which has no number -Infinity"),
        (
            b'{"gradsim": 1, "seed": 1, "seed": 2}',
            'expected each key once, but "seed" stands twice in one object',
        ),
        (b"[" * 100_000, "expected an experiment, got JSON nested too deeply"),
    ],
)
def test_a_file_that_is_no_json_is_refused_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(content)
    error = refused(path)
    assert (error.path, error.reason) == (str(path), reason)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1, 2]", "$: expected an experiment, which is an object, got a list of 2 values"),
        ('{"name": "x"}', '$.gradsim: missing; an experiment begins with its version, "gradsim": 1'),
        ('{"gradsim": 1, "seed": 1e999}', None),
        (
            '{"gradsim": 1, "seed": ' + "9" * 6000 + "}",
            "$.seed: expected an integer from 0 to 9007199254740991, got infinity",
        ),
        ('{"gradsim": 1, "name": "\\ud800"}', '$.name: expected text that UTF-8 can hold, got "\\ud800"'),
    ],
)
def test_json_that_is_no_experiment_is_refused_with_its_json_path(text: str, sentence: str | None) -> None:
    with pytest.raises(SpecError) as caught:
        loads(text)
    assert str(caught.value) == sentence or (sentence is None and caught.value.path == "$.seed")


def test_a_byte_order_mark_is_no_fault() -> None:
    assert loads(b"\xef\xbb\xbf" + dumps(Experiment()).encode()) == Experiment()


@given(st.text() | st.binary())
def test_any_text_or_bytes_are_refused_in_one_sentence(content: str | bytes) -> None:
    with pytest.raises(SpecError):
        loads(content)


@given(experiments(max_depth=2), st.data())
def test_a_damaged_file_loads_or_is_refused(experiment: Experiment, data: st.DataObject) -> None:
    content = bytearray(dumps(experiment).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=3))
    try:
        read = loads(bytes(content))
    except SpecError:
        return
    assert loads(dumps(read)) == read


def test_a_missing_file_a_folder_and_a_strange_name_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.json").reason == "cannot be read: there is no such file or folder"
    assert refused(tmp_path).reason == "cannot be read: it is a folder"
    assert refused(tmp_path / "nu\0ll").reason.startswith("cannot be read: ")
    assert refused(tmp_path / ("x" * 5000)).reason == "cannot be read: file name too long"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").reason == "cannot be read: it is no ordinary file"


def test_a_file_without_permission_is_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert str(refused(saved)) == f"{saved}: cannot be read: permission denied"


def test_a_file_beyond_the_limit_is_refused_unread(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment_module, "MAX_BYTES", 100)
    assert refused(saved).reason.startswith("cannot be read: it is larger than")


class TestAFailingDisk:
    @pytest.fixture(params=["open", "fsync", "chmod", "replace"])
    def _full(
        self, saved: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        def fail(*_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        owner = Path if request.param in ("open", "chmod") else os
        with monkeypatch.context() as patch:
            patch.setattr(owner, request.param, fail)
            yield

    @pytest.mark.usefixtures("_full")
    def test_the_old_file_stays_as_it_was(self, saved: Path) -> None:
        before = os.stat(saved)
        with pytest.raises(SpecError) as caught:
            save(Experiment(name="new"), saved)
        assert caught.value.path == str(saved)
        assert caught.value.reason == (
            "cannot be written: no space left on device; the old file is as it was"
        )
        assert os.stat(saved) == before
        assert os.listdir(saved.parent) == [saved.name]

    def test_a_disk_that_fills_up_half_way_leaves_nothing_behind(
        self, saved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = Path.open

        def half(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
            stream = genuine(self, mode, *rest, **options)
            return _HalfWritten(stream) if "x" in mode else stream

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", half)
            with pytest.raises(SpecError, match="no space left"):
                save(Experiment(name="new"), saved)
        assert load(saved).name == "old"
        assert os.listdir(saved.parent) == [saved.name]

    def test_an_interruption_leaves_the_old_file(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            save(Experiment(name="new"), saved)
        assert load(saved).name == "old"
        assert os.listdir(saved.parent) == [saved.name]


class _HalfWritten:
    """A stream on a disk that has room for ten bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __enter__(self) -> "_HalfWritten":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, content: bytes) -> None:
        self._stream.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_that_is_missing_or_in_the_way_is_named(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "none" / "one.json", "cannot be written: there is no such file or folder"),
        (tmp_path, "cannot be written: it is a folder"),
    ]:
        with pytest.raises(SpecError) as caught:
            save(Experiment(), path)
        assert (caught.value.path, caught.value.reason) == (str(path), reason)


def test_a_file_that_forbids_writing_is_not_replaced(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Replacing needs only the folder's permission, and the administrator has every one: ask as the system would.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != saved.resolve())
    with pytest.raises(SpecError, match="permission denied; the old file is as it was"):
        save(Experiment(name="new"), saved)
    assert load(saved).name == "old"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_saving_keeps_the_permissions_and_follows_a_link(saved: Path, tmp_path: Path) -> None:
    saved.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(saved)
    save(Experiment(name="new"), link)
    assert link.is_symlink()
    assert load(saved).name == "new"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_new_file_has_the_permissions_that_the_person_gives_new_files(tmp_path: Path) -> None:
    (tmp_path / "ordinary").touch()
    save(Experiment(), tmp_path / "one.json")
    assert (tmp_path / "one.json").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_there_are_examples_and_the_welcome_is_one_of_them() -> None:
    assert len(EXAMPLES) >= 5
    assert "welcome.gradsim.json" in [path.name for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads_and_begins_with_its_version(path: Path) -> None:
    experiment = load(path)
    assert loads(dumps(experiment)) == experiment
    assert next(iter(json.loads(path.read_text()))) == "gradsim"
    assert experiment.name != "Untitled"


def test_given_parameters_of_the_chain_lie_beside_it_and_fit_its_layers() -> None:
    chain = load(resource_path("experiments", "chain.gradsim.json"))
    assert chain.parameters is not None
    parameters = load_parameters(resource_path("experiments", chain.parameters))
    names = [layer.name for layer in unrolled_layers(chain.network)]
    assert sorted(parameters) == sorted(f"{name}.weight" for name in names)
    assert all(array.shape == (1, 1) and array == 0.5 for array in parameters.values())
    assert chain.training == Training(
        loss="half_mse", optimizer=chain.training.optimizer, batch_size=1, shuffle=False
    )


def test_an_example_is_loaded_by_its_name_unless_a_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load("moons").name == "Two moons in the plane"
    save(Experiment(name="mine"), tmp_path / "moons")
    assert load("moons").name == "mine"
    for missing in ("mooons", "folder/welcome", "welcome.json"):
        with pytest.raises(SpecError, match="no such file"):
            load(missing)


def blocks_of_the_readme(language: str) -> list[str]:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    return [part.partition("```")[0] for part in text.split(f"```{language}\n")[1:]]


def test_the_experiment_in_the_readme_is_one() -> None:
    (text,) = (block for block in blocks_of_the_readme("json") if '"gradsim":' in block)
    assert len(list(unrolled_layers(loads(text).network))) == 31


def test_the_readme_makes_an_experiment_of_a_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (block for block in blocks_of_the_readme("python") if "csv" in block)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("1.5,2,0\n-1,0.5,1\n2,2,0\n3,1e-3,1\n0,0,2\n")
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    data = load("mine.gradsim.json").data
    assert isinstance(data, Inline)
    assert data.targets == (0, 1, 0, 1, 2)
    assert data.inputs[3] == (3.0, 1e-3)
