"""The badges beside the network keep clear of each other, of the formula above and of the legend below."""

import itertools
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gradsim.spec import Training
from gradsim.spec.training import GlobalNormClipping
from gradsim.views.network.layout import Frame
from gradsim.views.network.overlay import _LEGEND_ABOVE, badge_boxes


def scene(height: float, clips: bool, links: bool) -> Any:
    frame = Frame(700.0, height)
    training = Training(clipping=GlobalNormClipping()) if clips else Training()
    content = SimpleNamespace(trace=SimpleNamespace(experiment=SimpleNamespace(training=training)))
    layout = SimpleNamespace(frame=frame, middle=0.5 * (frame.top + frame.bottom))
    return cast(Any, SimpleNamespace(content=content, layout=layout, link_columns=(1,) if links else ()))


@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("clips", [False, True])
@pytest.mark.parametrize("height", [150.0, 165.0, 180.0, 200.0, 260.0, 400.0])
def test_badges_stand_one_below_the_other_inside_the_picture_and_above_the_legend(
    height: float, clips: bool, links: bool
) -> None:
    shown = scene(height, clips, links)
    boxes = badge_boxes(shown)
    assert len(boxes) == 2 + clips
    assert boxes[0].top() >= 4.0
    assert all(above.bottom() + 3.0 <= below.top() for above, below in itertools.pairwise(boxes))
    assert boxes[-1].bottom() <= (shown.layout.frame.bottom + _LEGEND_ABOVE if links else height - 4.0) + 1e-9
    assert len({box.height() for box in boxes}) == 1
    assert boxes[0].height() >= 26.0


def test_badges_with_room_are_as_high_as_ever_and_level_with_the_units() -> None:
    shown = scene(400.0, clips=True, links=True)
    boxes = badge_boxes(shown)
    assert boxes[0].height() == 38.0
    assert boxes[1].center().y() == pytest.approx(shown.layout.middle)
