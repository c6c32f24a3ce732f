"""What the network view shows and where: arithmetic, without a window."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.analysis.magnitude import rms
from gradsim.views.network.content import Column, NetworkContent, rounded_up
from gradsim.views.network.distribution import distribution, distributions, quantiles
from gradsim.views.network.layout import (
    Frame,
    NetworkLayout,
    fitted,
    panned,
    revealing,
    zoomed,
)
from gradsim.views.network.links import BROKEN, SHADES, magnitude_shades, signed_shades, strongest_links
from gradsim.views.network.pulse import pulse_at
from gradsim.views.network.scales import KeptScales, Scale, measured_scale
from tests.reference import reference_trace

sizes = st.tuples(st.integers(300, 2000), st.integers(190, 1000))


def columns_of(*units):
    return tuple(
        Column("input" if i == 0 else f"dense_{i}", i - 1 if i else None, i or None, n, "tanh")
        for i, n in enumerate(units)
    )


# Places


@given(sizes, st.integers(2, 300))
def test_fitting_shows_every_column_whole(size, count):
    frame = Frame(*size)
    viewport = fitted(frame, count)
    assert viewport.first - viewport.pitch / 2 >= frame.left - 1e-6
    assert viewport.first + viewport.pitch * (count - 0.5) <= frame.right + 1e-6


@given(sizes, st.integers(2, 200), st.lists(st.tuples(st.floats(0.2, 5), st.floats(0, 1)), max_size=6))
def test_zooming_never_leaves_the_network(size, count, wheel):
    frame = Frame(*size)
    viewport = fitted(frame, count)
    for factor, share in wheel:
        viewport = zoomed(viewport, frame, count, factor, frame.left + share * (frame.right - frame.left))
    layout = NetworkLayout(frame, viewport, columns_of(*[4] * count))
    assert len(layout.visible) >= 1
    assert viewport.pitch >= fitted(frame, count).pitch - 1e-9


def test_zooming_keeps_what_is_below_the_mouse():
    frame, count = Frame(1000, 400), 100
    before = fitted(frame, count)
    after = zoomed(before, frame, count, 4.0, 500.0)
    assert (500.0 - before.first) / before.pitch == pytest.approx((500.0 - after.first) / after.pitch)
    assert zoomed(after, frame, count, 1e-3, 500.0).pitch == pytest.approx(before.pitch)


def test_dragging_stops_at_the_ends():
    frame, count = Frame(1000, 400), 100
    near = zoomed(fitted(frame, count), frame, count, 4.0, 500.0)
    left = panned(near, frame, count, 1e9)
    assert left.first == pytest.approx(frame.left + left.pitch / 2)
    right = panned(near, frame, count, -1e9)
    assert right.first + right.pitch * (count - 0.5) == pytest.approx(frame.right)


@pytest.mark.parametrize("column", [0, 37, 99])
def test_revealing_moves_a_column_into_sight_and_then_no_more(column):
    frame, count = Frame(1000, 400), 100
    near = zoomed(fitted(frame, count), frame, count, 8.0, 500.0)
    seen = revealing(near, frame, count, column)
    x = seen.first + column * seen.pitch
    assert frame.left - 1e-6 <= x - seen.pitch / 2
    assert x + seen.pitch / 2 <= frame.right + 1e-6
    assert revealing(seen, frame, count, column) == seen


@given(sizes, st.lists(st.integers(1, 40), min_size=2, max_size=60))
def test_the_place_of_each_column_and_unit_leads_back_to_it(size, units):
    columns = columns_of(*units)
    frame = Frame(*size)
    layout = NetworkLayout(frame, fitted(frame, len(columns)), columns)
    for index, column in enumerate(columns):
        assert layout.column_at(layout.centre(index)) == index
        if column.has_circles:
            heights = layout.unit_heights(index)
            assert heights.min() >= frame.top - 1e-6
            assert heights.max() <= frame.bottom + 1e-6
            assert [layout.unit_at(index, float(y)) for y in heights] == list(range(column.units))
        else:
            assert layout.unit_at(index, layout.middle) is None


def test_beside_the_network_there_is_no_column():
    frame = Frame(1400, 300)
    layout = NetworkLayout(frame, fitted(frame, 3), columns_of(2, 3, 1))
    assert layout.column_at(frame.left + 1) is None
    assert layout.column_at(frame.right + 5) is None


@given(st.integers(300, 2000), st.integers(1, 300), st.floats(1, 20))
def test_numbers_below_columns_never_touch(width, layers, zoom):
    frame = Frame(width, 300)
    columns = columns_of(*[8] * (layers + 1))
    viewport = zoomed(fitted(frame, len(columns)), frame, len(columns), zoom, 0.5 * width)
    layout = NetworkLayout(frame, viewport, columns)
    if not layout.shows_names:
        places = [layout.centre(c) for c in layout.numbered]
        assert all(b - a >= 25.9 for a, b in pairwise(places)) or len(columns) == 2


def test_equal_neighbours_share_a_label_but_never_with_the_head():
    frame = Frame(900, 300)
    columns = (*columns_of(2, 64, 64, 64, 8, 8), Column("head", 5, 6, 8, "tanh"))
    layout = NetworkLayout(frame, fitted(frame, len(columns)), columns)
    assert [(s.first, s.last, s.text) for s in layout.shared_labels] == [
        (1, 3, "64 tanh"),
        (4, 5, "8 tanh"),
        (6, 6, "8 tanh"),
    ]


# Numbers


def test_a_distribution_counts_every_value_once():
    values = np.array([0.0, -0.0, 1.0, -2.0, np.nan, np.inf, -np.inf, 1e-40, 1e-45, 3e38], np.float32)
    told = distribution(values)
    assert (told.zeros, told.nans, told.infs, told.usable, told.count) == (2, 1, 2, 5, 10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("exponent", [-30, -5, 0, 20])
def test_quantiles_agree_with_numpy_to_a_bin(dtype, exponent):
    values = (np.random.default_rng(3).normal(size=4000) * 10.0**exponent).astype(dtype)
    told = distribution(values)
    for share in (0.02, 0.5, 0.98):
        exact = math.log10(float(np.quantile(np.abs(values), share)))
        assert told.quantile(share) == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize("rest", [(), (0.0, 1e-42, np.nan, np.inf)], ids=["ordinary", "with 0, NaN and ∞"])
def test_many_tensors_are_counted_together_as_each_alone(rest):
    random = np.random.default_rng(5)
    shapes = [(40,), (8, 5), (3, 4, 5)] * 9  # some of one size, in any order
    tensors = [
        random.lognormal(-k, 3.0, shape).astype((np.float32, np.float64)[k % 2])
        for k, shape in enumerate(shapes)
    ]
    for tensor in tensors[::4]:
        tensor.flat[: len(rest)] = rest
    together, alone = distributions(tensors), [distribution(tensor) for tensor in tensors]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.below, other.below)
        assert np.array_equal(one.edges, other.edges)
        assert (one.zeros, one.nans, one.infs, one.count) == (
            other.zeros,
            other.nans,
            other.infs,
            other.count,
        )
        assert one.usable + one.zeros + one.nans + one.infs == one.count
    for share in (0.0, 0.02, 0.5, 1.0):
        for some in (slice(None), slice(0, None, 2)):  # of both precisions, and of one
            expected = [one.quantile(share) for one in alone[some]]
            assert np.array_equal(quantiles(together[some], share), expected)
    assert len(quantiles((), 0.5)) == 0


def test_columns_that_share_a_tensor_each_get_its_distribution():
    trace = reference_trace(layers=3, units=20)
    content = NetworkContent(trace)
    told = content.distributions([(1, "delta"), (2, "delta"), (1, "delta")])
    assert told[0] is told[2]
    assert [one.count for one in told] == [trace.layers[k].delta.size for k in (0, 1, 0)]
    assert np.array_equal(told[1].below, distribution(trace.layers[1].delta).below)


def test_a_density_lumps_what_leaves_the_axis_into_its_ends_and_keeps_all_of_it():
    told = distribution(np.array([1e-9, 1e-9, 1.0, 1e9], np.float64))
    shares = told.density(-2, 2, 8)
    assert shares.sum() == pytest.approx(1.0)
    assert (shares[0], shares[-1]) == (pytest.approx(0.5), pytest.approx(0.25))


def test_a_tensor_of_zeros_has_no_quantiles_and_no_density():
    told = distribution(np.zeros((3, 4), np.float32))
    assert math.isnan(told.quantile(0.5))
    assert not told.density(-2, 2, 8).any()
    assert told.zeros == 12


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 4.0], math.sqrt(12.5)),
        ([1e300, 1e300], 1e300),
        ([1e-300, 1e-300], 1e-300),
        ([0.0, 0.0], 0.0),
        ([1.0, np.inf], np.inf),
        ([1.0, np.nan, np.inf], np.nan),
    ],
)
def test_rms_survives_the_range_it_measures(values, expected):
    assert float(rms(np.array(values))) == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, 1), (0.3, 0.3), (1.0, 1), (1.1, 1.5), (5.1, 6), (9.0, 10), (1e-310, 1e-310)]
)
def test_scales_end_at_round_numbers(value, expected):
    assert rounded_up(value) == pytest.approx(expected)


@pytest.mark.parametrize("units", [4, 32])
@pytest.mark.parametrize("fault", ["zero", "nan", "inf"])
def test_a_broken_network_still_has_scales(units, fault):
    content = NetworkContent(reference_trace(3, units, fault=fault))
    assert all(
        measured_scale(content, name) == Scale(-1, 1) for name in ("forward", "backward", "parameters")
    )


@pytest.mark.parametrize("units", [4, 32])
def test_the_scale_holds_the_rms_of_every_layer(units):
    content = NetworkContent(reference_trace(12, units, "sigmoid"))
    scale = measured_scale(content, "backward")
    for column in range(1, len(content.columns)):
        assert scale.low <= math.log10(content.column_rms(column, "delta")) <= scale.high


def test_scales_only_widen_from_trace_to_trace():
    small, large = (NetworkContent(reference_trace(n, 8, "sigmoid")) for n in (2, 20))
    first = KeptScales(large)["backward"]
    assert KeptScales(small)["backward"].low > first.low
    before = KeptScales(large)
    assert before["backward"] == first
    assert KeptScales(small, before)["backward"].low == first.low


# Links


def test_few_links_are_all_drawn_weakest_first():
    matrix = np.array([[0.1, -3.0], [0.5, 0.0]])
    (links,) = strongest_links([matrix])
    assert np.abs(links.values).tolist() == [0.0, 0.1, 0.5, 3.0]
    assert matrix[links.source, links.target].tolist() == links.values.tolist()


def test_of_many_links_each_pair_of_layers_keeps_its_strongest():
    random = np.random.default_rng(0)
    matrices = [random.normal(size=(16, 16)) * 10.0**-i for i in range(20)]
    chosen = strongest_links(matrices, most=400)
    assert sum(len(links.values) for links in chosen) <= 400
    for matrix, links in zip(matrices, chosen, strict=True):
        assert len(links.values) == 20
        assert np.abs(links.values).min() >= np.sort(np.abs(matrix), axis=None)[-20]


def test_a_link_of_nan_is_never_hidden_and_has_a_look_of_its_own():
    matrix = np.full((50, 50), 5.0)
    matrix[7, 9] = np.nan
    (links,) = strongest_links([matrix], most=10)
    assert np.isnan(links.values).sum() == 1
    assert (signed_shades(links.values, 5.0) == BROKEN).sum() == 1
    assert magnitude_shades(np.array([np.inf]), -3, 3).tolist() == [BROKEN]


def test_shades_run_from_the_most_negative_to_the_most_positive():
    assert signed_shades(np.array([-2.0, 0.0, 2.0, 9.0]), 2.0).tolist() == [
        0,
        (SHADES - 1) // 2,
        SHADES - 1,
        SHADES - 1,
    ]
    assert magnitude_shades(np.array([0.0, 1e-3, 1.0]), -3.0, 0.0).tolist() == [0, 0, SHADES - 1]


# Pulse


def test_the_forward_pass_fills_from_the_left_and_the_backward_pass_from_the_right():
    trace = reference_trace(4, 8)
    computed = {"forward": [], "backward": []}
    for index, step in enumerate(trace.steps):
        if step.phase in computed:
            computed[step.phase].append(pulse_at(trace, index).computed)
    assert computed["forward"][0] == (False,) * 4
    assert computed["forward"][3] == (True, True, False, False)
    assert computed["backward"][1] == (False, False, False, True)
    assert all(computed["forward"][-1])
    assert all(computed["backward"][-1])


def test_the_layer_in_work_shows_what_exists_so_far():
    trace = reference_trace(3, 8)
    told = {(s.operation, s.layer): pulse_at(trace, i) for i, s in enumerate(trace.steps)}
    assert told["linear", 1].active_tensor == "pre_activation"
    assert told["activation", 1].active_tensor == "activation"
    assert told["activation_gradient", 1].active_tensor == "activation_gradient"
    assert told["weight_gradient", 1].active_tensor == "delta"
    assert told["weight_gradient", 1].into_weights
    assert told["activation_gradient", 1].from_above


@pytest.mark.parametrize("step", [-5, 10**6])
def test_a_step_beyond_the_iteration_is_its_nearest(step):
    trace = reference_trace(3, 8)
    nearest = trace.steps[0] if step < 0 else trace.steps[-1]
    assert pulse_at(trace, step).step == nearest


def test_after_clipping_and_at_the_loss_all_layers_are_computed():
    from gradsim.spec.training import GlobalNormClipping

    trace = reference_trace(3, 8, clipping=GlobalNormClipping(threshold=0.1))
    for index, step in enumerate(trace.steps):
        if step.phase in ("loss", "clip"):
            assert all(pulse_at(trace, index).computed)
