"""Edits of the tree of layers, as functions."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Experiment,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    checked,
)
from gradsim.spec.activation import Relu
from gradsim.spec.layout import unrolled_layers
from gradsim.views.builder import edits, whole_network

A, B, C = Dense(units=1), Dense(units=2), Dense(units=3)


def network(*layers):
    return Network(layers=layers)


NESTED = network(A, Repeat(times=3, layers=(B, C)), C)


def widths(net):
    return [placed.layer.units for placed in unrolled_layers(net)[:-1]]


def test_a_new_layer_follows_the_selected_one_and_takes_after_it():
    edited, place = edits.added(NESTED, (1, 0))
    assert edited.layers[1].layers == (B, B, C)
    assert place == (1, 1)


def test_a_new_layer_without_a_selection_comes_last():
    edited, place = edits.added(NESTED, None)
    assert edited.layers[-1] == C
    assert place == (3,)


def test_a_copy_has_no_name_because_names_are_unique():
    named = msgspec.structs.replace(A, name="first")
    edited, place = edits.duplicated(network(named, B), [(0,)])
    assert edited.layers == (named, A, B)
    assert place == (1,)


def test_removing_the_last_layer_of_a_repeat_removes_the_repeat():
    edited, place = edits.removed(network(A, Repeat(layers=(B,))), [(1, 0)])
    assert edited.layers == (A,)
    assert place == (0,)


def test_removing_selects_the_neighbour():
    assert edits.removed(network(A, B, C), [(1,)]) == (network(A, C), (1,))


@pytest.mark.parametrize(
    ("places", "parent", "row", "expected", "selected"),
    [
        ([(0,)], (), 3, network(Repeat(times=3, layers=(B, C)), C, A), (2,)),
        ([(0,)], (1,), 1, network(Repeat(times=3, layers=(B, A, C)), C), (0, 1)),
        ([(1, 1)], (), 0, network(C, A, Repeat(times=3, layers=(B,)), C), (0,)),
        ([(2,)], (1,), -1, network(A, Repeat(times=3, layers=(B, C, C))), (1, 2)),
        ([(1, 0), (1, 1)], (), -1, network(A, C, B, C), (2,)),
        ([(1,)], (1,), 0, NESTED, (1,)),
    ],
)
def test_layers_are_moved_by_drag(places, parent, row, expected, selected):
    assert edits.moved(NESTED, places, parent, row) == (expected, selected)


@pytest.mark.parametrize(
    ("place", "by", "expected", "selected"),
    [
        ((0,), 1, network(Repeat(times=3, layers=(A, B, C)), C), (0, 0)),
        ((2,), -1, network(A, Repeat(times=3, layers=(B, C, C))), (1, 2)),
        ((1, 0), -1, network(A, B, Repeat(times=3, layers=(C,)), C), (1,)),
        ((1, 1), 1, network(A, Repeat(times=3, layers=(B,)), C, C), (2,)),
        ((1, 0), 1, network(A, Repeat(times=3, layers=(C, B)), C), (1, 1)),
        ((1,), 1, network(A, C, Repeat(times=3, layers=(B, C))), (2,)),
        ((0,), -1, NESTED, (0,)),
        ((2,), 1, NESTED, (2,)),
    ],
)
def test_keys_move_a_layer_into_and_out_of_repeats(place, by, expected, selected):
    assert edits.shifted(NESTED, place, by) == (expected, selected)


def test_equal_neighbours_become_one_repeated_layer_and_the_network_stays_the_same():
    before = network(A, B, B, B)
    edited, place = edits.wrapped(before, [(1,), (2,), (3,)])
    assert edited.layers == (A, Repeat(times=3, layers=(B,)))
    assert widths(edited) == widths(before)
    assert place == (1,)


def test_different_layers_are_repeated_twice_together():
    assert edits.wrapped(network(A, B), [(0,), (1,)])[0].layers == (Repeat(times=2, layers=(A, B)),)


def test_writing_a_repeat_out_leaves_the_network_as_it_is():
    edited, place = edits.unwrapped(NESTED, (1,))
    assert widths(edited) == widths(NESTED) == [1, 2, 3, 2, 3, 2, 3, 3]
    assert place == (1,)


def test_all_layers_change_at_once_inside_repeats_too():
    edited = whole_network.with_all(NESTED, units=9)
    assert set(widths(edited)) == {9}
    assert edited.layers[1].times == 3


@pytest.mark.parametrize("number", [1, 2, 12, 13, 100, 2000])
def test_a_number_of_equal_layers_can_be_asked_for(number):
    edited = whole_network.with_depth(network(B), number)
    assert widths(edited) == [2] * number
    checked(Experiment(network=edited))
    assert len(edited.layers) == (-(-number // 1000) if number > whole_network.MOST_WRITTEN_OUT else number)


def test_fewer_layers_keeps_those_at_the_input_and_more_repeats_the_last():
    assert widths(whole_network.with_depth(NESTED, 3)) == [1, 2, 3]
    assert widths(whole_network.with_depth(NESTED, 10)) == [1, 2, 3, 2, 3, 2, 3, 3, 3, 3]


LAYERS = st.deferred(
    lambda: (
        st.builds(Dense, units=st.integers(1, 9))
        | st.builds(Repeat, times=st.integers(1, 3), layers=st.tuples(LAYERS) | st.tuples(LAYERS, LAYERS))
    )
)


@given(st.lists(LAYERS, min_size=1, max_size=4), st.data())
def test_no_edit_loses_or_invents_a_layer_by_moving(layers, data):
    net = network(*layers)
    places = whole_network.unrolled_places(net)
    place = data.draw(st.sampled_from(places))
    before = sorted(layer.units for layer in whole_network.layers_with(net, "units"))
    for edited, at in (edits.shifted(net, place, -1), edits.shifted(net, place, 1)):
        assert sorted(layer.units for layer in whole_network.layers_with(edited, "units")) == before
        assert edits.layer_at(edited, at) == edits.layer_at(net, place)


BLOCK = Residual(layers=(A, Dropout()))


@pytest.mark.parametrize(
    ("before", "number", "after"),
    [
        ((BLOCK, BLOCK), 4, (BLOCK,) * 4),
        ((A, BLOCK, BLOCK), 4, (A, BLOCK, BLOCK, BLOCK)),
        ((A, BLOCK, ActivationLayer()), 3, (A, BLOCK, BLOCK, ActivationLayer())),
        ((A, BLOCK, BLOCK), 2, (A, BLOCK)),
        ((A, Residual(layers=(A, A))), 4, (A, Residual(layers=(A, A)))),
        ((A, Residual(layers=(A, A))), 2, (A,)),
        ((Normalization(), A), 20, (Normalization(), A, Repeat(times=19, layers=(A,)))),
        ((Dropout(),), 3, (Dropout(),)),
    ],
)
def test_depth_keeps_blocks_whole(before, number, after):
    assert whole_network.with_depth(network(*before), number).layers == after


def test_values_for_all_layers_go_where_they_make_sense():
    net = network(A, BLOCK, ActivationLayer(), Recurrent())
    edited = whole_network.with_all(net, units=7)
    assert edited.layers == (
        Dense(units=7),
        Residual(layers=(Dense(units=7), Dropout())),
        ActivationLayer(),
        Recurrent(units=7),
    )
    assert whole_network.with_all(net, activation=Relu()).layers[2] == ActivationLayer(activation=Relu())


def test_a_new_layer_of_another_kind_starts_from_its_defaults_or_from_the_selected_one():
    assert edits.added(network(A, BLOCK), (0,), Dropout)[0].layers == (A, Dropout(), BLOCK)
    assert edits.added(network(Dropout(rate=0.1)), (0,), Dropout)[0].layers[1] == Dropout(rate=0.1)
    assert edits.added(network(B, C), (0,), Residual)[0].layers == (B, Residual(layers=(B,)), C)
    assert edits.added(network(A, BLOCK), (1, 1), Normalization) == (
        network(A, Residual(layers=(A, Dropout(), Normalization()))),
        (1, 2),
    )


def test_wrapping_in_a_block_keeps_what_is_inside():
    assert edits.wrapped(network(A, A, B), [(0,), (1,)], Residual) == (
        network(Residual(layers=(A, A)), B),
        (0,),
    )


def test_the_last_layer_of_a_block_takes_it_along():
    assert edits.removed(network(A, Residual(layers=(B,))), [(1, 0)])[0] == network(A)
