"""Parameters as .npz files."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradsim.data import parameter_files as parameters_module
from gradsim.formats import bring_parameters, load_parameters, save_parameters
from gradsim.spec import SpecError


def refused(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        load_parameters(path)
    assert caught.value.path == str(path)
    return caught.value.reason


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_are_loaded_with_the_bits_with_which_they_were_saved(tmp_path: Path, dtype: Any) -> None:
    weight = np.array([[1e-42, np.inf], [np.nan, -0.0]], dtype)
    save_parameters({"dense_1.weight": weight, "head.bias": np.zeros(3, dtype)}, tmp_path / "w.npz")
    loaded = load_parameters(tmp_path / "w.npz")
    assert list(loaded) == ["dense_1.weight", "head.bias"]
    assert loaded["dense_1.weight"].dtype == dtype
    assert loaded["dense_1.weight"].tobytes() == weight.tobytes()


def test_the_name_of_the_file_is_taken_as_it_is(tmp_path: Path) -> None:
    save_parameters({"a.weight": np.zeros(1)}, tmp_path / "weights.bin")
    assert os.listdir(tmp_path) == ["weights.bin"]


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, ">f8", np.longdouble])
def test_other_real_numbers_become_double_precision(tmp_path: Path, dtype: Any) -> None:
    np.savez(tmp_path / "w.npz", **{"a.weight": np.array([1, 2], dtype)})
    loaded = load_parameters(tmp_path / "w.npz")["a.weight"]
    assert loaded.dtype == np.float64
    assert loaded.dtype.isnative
    assert loaded.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "array", [np.array(["x"]), np.array([1j]), np.array([True]), np.array([{"a": 1}], dtype=object)]
)
def test_arrays_that_hold_no_real_numbers_are_refused(tmp_path: Path, array: Any) -> None:
    np.savez(tmp_path / "w.npz", **{"a.weight": array})
    assert refused(tmp_path / "w.npz") == "expected real numbers in a.weight, got something else"


def test_an_array_that_holds_no_real_numbers_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"a\.weight must hold real numbers"):
        save_parameters({"a.weight": np.array(["x"])}, tmp_path / "w.npz")
    assert os.listdir(tmp_path) == []


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    np.savez(tmp_path / "w.npz", **{"a.weight": np.array([Trap()], dtype=object)})
    refused(tmp_path / "w.npz")
    assert not (tmp_path / "sprung").exists()


def whole_file() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{"a.weight": np.arange(100.0)})
    return stream.getvalue()


def archive(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        b"PK\x03\x04",
        whole_file()[:-30],
        whole_file()[:100] + b"\0" * 200 + whole_file()[300:],
        archive("a.weight.npy", b""),
        archive("a.weight.npy", b"\x93NUMPY\x01\x00"),
        archive("a.weight.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': 'oops'"),
        archive("readme.txt", b"hello"),
    ],
)
def test_foreign_and_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    assert refused(tmp_path / "w.npz").startswith("expected ")


def test_a_single_damaged_byte_never_raises_anything_but_the_one_error(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez(stream, **{"a.weight": np.arange(2.0)})
    path = tmp_path / "w.npz"
    refusals = 0
    for index in range(len(stream.getvalue())):
        damaged = bytearray(stream.getvalue())
        damaged[index] ^= 0xFF
        path.write_bytes(damaged)
        try:
            load_parameters(path)
        except SpecError:
            refusals += 1
    assert refusals > 100


def test_an_archive_that_unpacks_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "w.npz", **{"a.weight": np.zeros(2**18)})
    monkeypatch.setattr(parameters_module, "MAX_BYTES", 2**20)
    assert refused(tmp_path / "w.npz") == "expected at most 1 MiB of arrays, got 3 MiB"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.npz") == "cannot be read: there is no such file or folder"


def test_a_failing_disk_leaves_the_old_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    save_parameters({"a.weight": np.ones(2)}, tmp_path / "w.npz")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SpecError, match="no space left on device; the old file is as it was"):
        save_parameters({"a.weight": np.zeros(2)}, tmp_path / "w.npz")
    assert load_parameters(tmp_path / "w.npz")["a.weight"].tolist() == [1.0, 1.0]


def test_initial_parameters_are_brought_beside_an_experiment_and_another_file_is_not_mixed_up(
    tmp_path: Path,
) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    save_parameters({"head.bias": np.zeros(3)}, source / "w.npz")
    assert bring_parameters("w.npz", source, folder) == folder / "w.npz"
    assert (folder / "w.npz").read_bytes() == (source / "w.npz").read_bytes()
    assert bring_parameters("w.npz", source, folder) is None
    assert bring_parameters(None, source, folder) is None
    assert bring_parameters("none.npz", source, folder) is None
    save_parameters({"head.bias": np.ones(3)}, folder / "w.npz")
    with pytest.raises(SpecError, match="another file of this name is here"):
        bring_parameters("w.npz", source, folder)
    assert load_parameters(folder / "w.npz")["head.bias"].tolist() == [1, 1, 1]
