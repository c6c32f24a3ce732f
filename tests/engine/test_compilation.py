import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config
from numba.core.errors import NumbaError

from gradsim.engine import compilation
from gradsim.engine.compilation import (
    allocates,
    by_dtype,
    cache_folder,
    cache_name,
    elementary,
    exact_kernel,
    kernel,
)


@pytest.fixture
def no_folder_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(compilation, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.setattr(compilation.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path


def test_compiled_code_is_kept_in_the_cache_folder_of_the_person(no_folder_asked_for: Path) -> None:
    assert cache_folder() == no_folder_asked_for / "cache" / cache_name()
    assert cache_folder().is_dir()


def test_a_folder_asked_for_is_used_and_not_nested_by_a_child_process(
    no_folder_asked_for: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = no_folder_asked_for / "elsewhere"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(asked_for))
    assert cache_folder() == asked_for / cache_name()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache_folder()))
    assert cache_folder() == asked_for / cache_name()


def test_where_nothing_can_be_written_the_code_goes_to_a_temporary_folder(no_folder_asked_for: Path) -> None:
    (no_folder_asked_for / "cache").write_text("a file where the folder should be")
    folder = cache_folder()
    assert folder.name == cache_name()
    assert folder.is_relative_to(no_folder_asked_for / "temporary")


def test_a_change_of_any_source_of_the_engine_changes_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "__file__", str(tmp_path / "compilation.py"))
    names = [cache_name()]
    for text in ("a = 1", "a = 2"):
        (tmp_path / "machine.py").write_text(text)
        names.append(cache_name())
    assert len(set(names)) == 3
    assert cache_name() == names[-1]


def test_numba_keeps_its_code_there_even_if_somebody_imported_it_before() -> None:
    program = (
        "import numba\n"
        "from gradsim.engine import compilation\n"
        "assert numba.config.CACHE_DIR.endswith(compilation.cache_name()), numba.config.CACHE_DIR\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=100)


@exact_kernel
def lost_part(a: Any, b: Any) -> Any:
    total = a + b
    return b - (total - a)


@elementary
def lost_part_inlined(a: Any, b: Any) -> Any:
    total = a + b
    return b - (total - a)


@kernel
def lost_parts(a: Any, b: Any, out: Any) -> None:
    for i in range(a.size):
        out[0, i] = lost_part(a[i], b[i])
        out[1, i] = lost_part_inlined(a[i], b[i])


@pytest.mark.jitless
def test_compensation_survives_in_a_kernel_that_reorders_its_own_sums() -> None:
    a, b = np.full(40, 1e16), np.full(40, 0.5)
    out = np.empty((2, 40))
    lost_parts(a, b, out)
    np.testing.assert_array_equal(out, 0.5)


@elementary
def _size32(_x: Any) -> Any:
    return 32


@elementary
def _size64(_x: Any) -> Any:
    return 64


size_of = by_dtype(_size32, _size64)


@kernel
def size_in_a_kernel(x: Any) -> Any:
    return size_of(x), size_of(x[0])


@pytest.mark.jitless
@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 32), (np.float64, 64)])
def test_the_dtype_chooses_the_function_for_arrays_and_for_numbers(dtype: Any, size: int) -> None:
    x = np.zeros(2, dtype)
    assert size_in_a_kernel(x) == (size, size)
    assert (size_of(x), size_of(x[0])) == (size, size)


@kernel
def makes_an_array(x: Any) -> Any:
    return np.empty(x.size)[0] * 0


@kernel
@allocates
def may_make_an_array(x: Any) -> Any:
    return np.zeros(x.size)[0]


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
def test_only_a_kernel_marked_for_it_makes_arrays() -> None:
    assert may_make_an_array(np.ones(3)) == 0
    with pytest.raises(NumbaError, match=r"NRT required|Only accept returning of array passed"):
        makes_an_array(np.ones(3))


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled with NUMBA_DISABLE_JIT=1")
def test_every_kind_of_function_releases_the_lock_and_divides_as_ieee_says() -> None:
    for function in (lost_part, lost_part_inlined, lost_parts):
        options: Any = function.targetoptions  # type: ignore[attr-defined]
        assert options["nogil"]
        assert options["error_model"] == "numpy"
