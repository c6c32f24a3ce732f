"""Moving pictures."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageSequence

from gradsim.cli import animation
from gradsim.cli.figures import view_of
from gradsim.trace import Step
from tests.reference import reference_run, reference_trace

SIZE = (400, 240)


@pytest.fixture
def run(qapp):
    return reference_run(layers=4)


def test_the_profile_at_several_iterations_keeps_one_scale(run):
    traces = [reference_trace(layers=4, iteration=k) for k in (0, 5)]
    huge = replace(traces[1], layers=reference_trace(layers=4, fault="inf").layers)
    shown = [replace(run, trace=trace) for trace in (*traces, huge)]
    pictures = animation.training_pictures(view_of("profile", run), lambda: shown, SIZE)
    assert [picture.size for picture in pictures] == [SIZE] * 3
    # The lower left of the axis, below the caption and the headline, is the same ink in the first two.
    axis = [np.asarray(picture)[80:, :40] for picture in pictures[:2]]
    np.testing.assert_array_equal(*axis)
    assert any(np.asarray(a).tobytes() != np.asarray(pictures[0]).tobytes() for a in pictures[1:])


def test_a_pass_is_told_from_its_first_step_to_its_last_in_no_more_pictures_than_asked(run):
    every = animation.pass_pictures(run, 1000, SIZE)
    assert len(every) == len(run.trace.steps)
    some = animation.pass_pictures(run, 5, SIZE)
    assert len(some) == 5
    assert some[0].tobytes() == every[0].tobytes()
    assert some[-1].tobytes() == every[-1].tobytes()


@pytest.mark.parametrize("length", [3, 150])
@pytest.mark.parametrize("most", [2, 7, 40, 1000])
def test_a_long_sequence_takes_no_more_pictures_than_a_few_layers(length, most):
    steps = [
        *(Step("forward", 0, "recurrent", "hidden", time) for time in range(length)),
        Step("forward", 0, "activation", "activation"),
        *(Step("forward", layer, "linear", "pre_activation") for layer in range(1, 12)),
    ]
    told = animation.told_steps(steps, most)
    assert told == sorted(set(told))
    assert len(told) <= most
    assert (told[0], told[-1]) == (0, len(steps) - 1)
    if most >= 40:
        assert set(range(length, len(steps))) <= set(told)
    if most == 1000:
        assert told == list(range(len(steps)))


def test_a_gif_lasts_as_long_as_asked_and_its_white_is_white(tmp_path):
    pictures = [Image.new("RGB", (20, 10), colour) for colour in ("white", "#fdfdfd", "black", "#d55e00")]
    path = tmp_path / "short.gif"
    animation.write_gif(pictures, [0.1, 0.1, 0.1, 1.0], path)
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
