"""Tables of numbers."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradsim import __version__
from gradsim.formats import write_table
from gradsim.spec import Experiment, SpecError

EXPERIMENT = Experiment(name="Deep\nsigmoid", seed=7)


def table(columns: dict[str, object], units: dict[str, str] | None = None) -> str:
    stream = io.StringIO()
    write_table(stream, columns, units or {}, EXPERIMENT)
    return stream.getvalue()


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))


def test_the_header_names_the_program_the_experiment_its_seed_and_the_units() -> None:
    text = table({"layer": ["dense_1"], "delta_rms": np.array([0.5])}, {"delta_rms": "log10"})
    assert text == (
        f"# GradSim {__version__}\n"
        "# experiment: Deep sigmoid\n"
        "# seed: 7\n"
        "# precision: float32\n"
        "# unit of delta_rms: log10\n"
        "layer,delta_rms\n"
        "dense_1,0.5\n"
    )


def test_numbers_that_are_not_finite_are_written_as_such() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
    assert [row[0] for row in rows(table({"x": values}))[1:]] == ["NaN", "inf", "-inf", "0.0", "-0.0"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_every_number_is_read_back_to_the_same_bits(dtype: type[np.floating], data: st.DataObject) -> None:
    values = data.draw(
        arrays(dtype, st.integers(0, 5), elements=st.floats(width=np.dtype(dtype).itemsize * 8))
    )
    read = np.array([row[0] for row in rows(table({"x": values}))[1:]], dtype=dtype)
    np.testing.assert_array_equal(read, values)
    np.testing.assert_array_equal(np.signbit(read[~np.isnan(read)]), np.signbit(values[~np.isnan(values)]))


def test_single_precision_is_written_in_its_own_digits() -> None:
    assert rows(table({"x": np.array([0.1], np.float32)}))[1] == ["0.1"]


def test_integers_truth_values_and_texts_are_written_plainly() -> None:
    text = table({"n": np.array([1, 2]), "is": np.array([True, False]), "name": ["a,b", 'say "x"']})
    assert rows(text) == [["n", "is", "name"], ["1", "true", "a,b"], ["2", "false", 'say "x"']]


def test_columns_of_different_lengths_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="one length"):
        table({"x": np.zeros(2), "y": np.zeros(3)})
    with pytest.raises(ValueError, match="one length"):
        table({"x": np.zeros((2, 2))})


def test_a_unit_without_a_column_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no column for the unit of delta"):
        table({"x": np.zeros(2)}, {"delta": "1"})


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(ValueError, match="one length"):
        write_table(path, {"x": np.zeros(2), "y": np.zeros(3)}, {}, EXPERIMENT)
    assert path.read_text() == "old"
    write_table(path, {"x": np.zeros(2)}, {}, EXPERIMENT)
    assert path.read_bytes().decode() == table({"x": np.zeros(2)})
    with pytest.raises(SpecError, match="cannot be written"):
        write_table(tmp_path / "none" / "table.csv", {"x": np.zeros(2)}, {}, EXPERIMENT)
