"""Views drawn without a display."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageSequence

from gradsim.cli import figures
from gradsim.cli.failure import Failure
from gradsim.spec.data import Digits, Moons
from tests.reference import reference_run, reference_samples, reference_trace

SIZE = (400, 240)


@pytest.fixture
def run(qapp):
    return reference_run(layers=4)


def test_the_profile_at_several_iterations_keeps_one_scale(run):
    traces = [reference_trace(layers=4, iteration=k) for k in (0, 5)]
    huge = replace(traces[1], layers=reference_trace(layers=4, fault="inf").layers)
    pictures = figures.profile_pictures(run, [*traces, huge], SIZE)
    assert [picture.size for picture in pictures] == [SIZE] * 3
    # The lower left of the axis, below the caption and the headline, is the same ink in the first two.
    axis = [np.asarray(picture)[80:, :40] for picture in pictures[:2]]
    np.testing.assert_array_equal(*axis)
    assert any(np.asarray(a).tobytes() != np.asarray(pictures[0]).tobytes() for a in pictures[1:])


def test_a_pass_is_told_from_its_first_step_to_its_last_in_no_more_pictures_than_asked(run):
    every = figures.pass_pictures(run, 1000, SIZE)
    assert len(every) == len(run.trace.steps)
    some = figures.pass_pictures(run, 5, SIZE)
    assert len(some) == 5
    assert some[0].tobytes() == every[0].tobytes()
    assert some[-1].tobytes() == every[-1].tobytes()


def test_a_gif_lasts_as_long_as_asked_and_its_white_is_white(tmp_path):
    pictures = [Image.new("RGB", (20, 10), colour) for colour in ("white", "#fdfdfd", "black", "#d55e00")]
    path = tmp_path / "short.gif"
    figures.write_gif(pictures, [0.1, 0.1, 0.1, 1.0], path)
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0
        shown = [
            (frame.convert("RGB").getpixel((5, 5)), frame.info["duration"])
            for frame in ImageSequence.Iterator(gif)
        ]
    assert sum(duration for _, duration in shown) == 1300
    assert shown[0][0] == (255, 255, 255)
    assert (0, 0, 0) in [colour for colour, _ in shown]
    assert shown[-1][0][0] > 200 > shown[-1][0][2]


def test_only_data_in_a_plane_have_a_decision_map():
    plane = reference_samples(replace_data(Moons(samples=50)))
    figures.check_drawable("decision", plane)
    with pytest.raises(Failure, match="expected data with 2 inputs, got 64"):
        figures.check_drawable("decision", reference_samples(replace_data(Digits())))


def replace_data(data):
    from tests.reference import reference_experiment

    return reference_experiment(data=data)
