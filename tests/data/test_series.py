import hashlib

import numpy as np
import pytest

from gradsim.data.series import sunspots
from gradsim.resource_files import resource_path
from gradsim.spec.data import Sunspots

RANDOM = np.random.default_rng(0)


def numbers():
    raw = sunspots(Sunspots(steps=1), RANDOM)
    return np.concatenate([raw.inputs[:, 0, 0], raw.numbers[-1]])


def test_the_series_has_every_year_and_not_one_number_has_changed():
    assert len(numbers()) == 309
    assert hashlib.sha256(numbers().astype("<f8").tobytes()).hexdigest()[:16] == "66c86ecdcd5950f6"


def test_years_hold_the_published_values():
    found = dict(zip(range(1700, 2009), numbers().tolist(), strict=True))
    assert [found[year] for year in (1700, 1712, 1957, 2007, 2008)] == [5.0, 0.0, 190.2, 7.5, 2.9]
    assert max(found, key=found.get) == 1957


@pytest.mark.parametrize("steps", [1, 20, 200])
def test_every_window_is_followed_by_the_next_year(steps):
    raw = sunspots(Sunspots(steps=steps), RANDOM)
    series = numbers()
    assert raw.inputs.shape == (309 - steps, steps, 1)
    for start in (0, 50, 308 - steps):
        assert raw.inputs[start, :, 0].tolist() == series[start : start + steps].tolist()
        assert raw.numbers[start, 0] == series[start + steps]
    assert raw.is_series


def test_origin_and_licence_stand_with_the_data_and_beside_the_file():
    assert "public domain" in sunspots(Sunspots(), RANDOM).origin
    assert "sunspots.csv.gz" in resource_path("data", "README.md").read_text(encoding="utf-8")
