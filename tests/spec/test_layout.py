"""Layers unrolled, each under its stable name."""

import pytest
from hypothesis import given

from gradsim.spec import Dense, Network, Repeat, SpecError, unrolled_layers
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
