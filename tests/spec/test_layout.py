"""Layers unrolled, each under its stable name."""

import pytest
from hypothesis import given

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Network,
    Normalization,
    PlacedLayer,
    Recurrent,
    Repeat,
    Residual,
    SpecError,
    placed_layers,
    unrolled_layers,
)
from tests.spec.nested_networks import nested_networks
from tests.spec.strategies import networks


def names(*layers: Dense | Repeat) -> list[str]:
    return [placed.name for placed in unrolled_layers(Network(layers=layers))]


def test_layers_are_named_by_their_kind_and_number_and_the_head_is_last() -> None:
    assert names(Dense(), Dense(name="middle"), Dense()) == ["dense_1", "middle", "dense_2", "head"]


def test_copies_made_by_repeat_are_numbered_on() -> None:
    inner = Repeat(times=2, layers=(Dense(), Dense(name="b")))
    assert names(Dense(), inner, Dense()) == [
        "dense_1",
        "dense_2",
        "b_1",
        "dense_3",
        "b_2",
        "dense_4",
        "head",
    ]


def test_a_layer_says_where_it_stands_in_the_document() -> None:
    network = Network(layers=(Dense(), Repeat(times=2, layers=(Dense(), Dense(name="b")))))
    assert [placed.path for placed in unrolled_layers(network)] == [
        "$.network.layers[0]",
        "$.network.layers[1].layers[0]",
        "$.network.layers[1].layers[1]",
        "$.network.layers[1].layers[0]",
        "$.network.layers[1].layers[1]",
        "$.network.head",
    ]


@pytest.mark.parametrize(
    ("layers", "path"),
    [
        ((Dense(name="head"),), "$.network.layers[0].name"),
        ((Dense(name="a"), Dense(name="a")), "$.network.layers[1].name"),
        ((Dense(name="dense_1"), Dense()), "$.network.layers[1].name"),
        ((Dense(name="a_2"), Repeat(layers=(Dense(name="a"),))), "$.network.layers[1].layers[0].name"),
    ],
)
def test_a_name_that_another_layer_has_is_refused(layers: tuple[Dense, ...], path: str) -> None:
    with pytest.raises(SpecError, match="a name of its own") as caught:
        names(*layers)
    assert caught.value.path == path


@given(networks(max_depth=12))
def test_names_are_unique_and_depth_is_bounded(network: Network) -> None:
    found = [placed.name for placed in unrolled_layers(network)]
    assert len(set(found)) == len(found)
    assert 2 <= len(found) <= 13


def test_a_residual_stands_after_the_layers_of_its_branch_and_is_named_before_them() -> None:
    inner = Residual(layers=(Dropout(), Residual(layers=(Dense(), ActivationLayer()))))
    network = Network(layers=(Normalization(), inner, Recurrent()))
    assert [placed.name for placed in unrolled_layers(network)] == [
        "normalization_1",
        "dropout_1",
        "dense_1",
        "activation_1",
        "residual_2",
        "residual_1",
        "recurrent_1",
        "head",
    ]
    outermost = placed_layers(network)
    assert [placed.name for placed in outermost] == ["normalization_1", "residual_1", "recurrent_1", "head"]
    assert [placed.name for placed in outermost[1].branch] == ["dropout_1", "residual_2"]
    assert outermost[1].branch[1].branch[0].path == "$.network.layers[1].layers[1].layers[0]"


@given(nested_networks(max_depth=12, steps=True))
def test_nested_layers_have_names_of_their_own_and_places_that_exist(network: Network) -> None:
    found = unrolled_layers(network)
    assert len({placed.name for placed in found}) == len(found)
    assert found[-1].name == "head"
    assert checked_names(placed_layers(network)) == [placed.name for placed in found]


def checked_names(placed: tuple[PlacedLayer, ...]) -> list[str]:
    return [name for place in placed for name in (*checked_names(place.branch), place.name)]
