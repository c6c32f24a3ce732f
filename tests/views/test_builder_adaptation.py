"""What follows an edit by itself."""

import msgspec
import pytest

from gradsim.spec import Experiment, Head, Network, Training, kind_of
from gradsim.spec.activation import Linear, Relu, Sigmoid, Softmax
from gradsim.spec.checks import check_experiment
from gradsim.spec.data import Adding, CopyMemory, Curve, Data, Digits, Inline, Moons
from gradsim.spec.network import Dense, Recurrent, Repeat, Residual
from gradsim.spec.training import Adam, Momentum, Sgd
from gradsim.views.builder.adaptation import REQUIRED, adapted, of_kind

BASE = Experiment(network=Network(layers=(Dense(),)))


def with_(experiment, data=None, loss=None, head=None):
    if data is not None:
        experiment = msgspec.structs.replace(experiment, data=data)
    if loss is not None:
        experiment = msgspec.structs.replace(
            experiment, training=msgspec.structs.replace(experiment.training, loss=loss)
        )
    if head is not None:
        network = msgspec.structs.replace(experiment.network, head=Head(activation=head))
        experiment = msgspec.structs.replace(experiment, network=network)
    return experiment


@pytest.mark.parametrize(
    ("before", "edit", "loss", "head"),
    [
        (BASE, {"data": Curve()}, "mse", Linear),
        (with_(BASE, Curve(), "mse", Linear()), {"data": Moons()}, "cross_entropy", Softmax),
        (BASE, {"data": Moons()}, "cross_entropy", Softmax),
        (BASE, {"loss": "binary_cross_entropy"}, "binary_cross_entropy", Sigmoid),
        (BASE, {"head": Sigmoid()}, "binary_cross_entropy", Sigmoid),
        (BASE, {"head": Relu()}, "mse", Relu),
        (with_(BASE, loss="mse", head=Relu()), {"loss": "cross_entropy"}, "cross_entropy", Softmax),
        (with_(BASE, loss="mse", head=Relu()), {"head": Linear()}, "mse", Linear),
    ],
)
def test_loss_and_head_follow_so_that_one_edit_is_enough(before, edit, loss, head):
    after = adapted(before, with_(before, **edit))
    check_experiment(after)
    assert (after.training.loss, type(after.network.head.activation)) == (loss, head)


def test_an_edit_that_fits_is_left_alone():
    edited = with_(BASE, data=Digits(validation=0.5))
    assert adapted(BASE, edited) is edited


def test_a_rate_that_nobody_chose_is_not_carried_to_another_optimizer():
    assert of_kind(Adam, Sgd()) == Adam()
    assert of_kind(Momentum, Sgd(learning_rate=0.7)) == Momentum(learning_rate=0.7)


def test_every_kind_of_data_can_be_chosen():
    for kind in Data.__args__:
        data = of_kind(kind, Moons(samples=77))
        assert type(data) is kind
        check_experiment(adapted(BASE, with_(BASE, data=data)))
    assert set(REQUIRED) == {kind_of(of_kind(Inline, Moons()))}


def test_training_is_untouched_where_only_data_of_the_same_task_change():
    before = with_(BASE, loss="mse", head=Relu())
    assert adapted(before, with_(before, data=Moons())).training == Training(loss="mse")


@pytest.mark.parametrize("data", [Adding(), CopyMemory()], ids=kind_of)
@pytest.mark.parametrize(
    "layers",
    [
        (Dense(),),
        (Recurrent(), Dense()),
        (Recurrent(), Recurrent(), Dense()),
        (Repeat(layers=(Recurrent(return_sequences=True),)), Dense()),
        (Residual(layers=(Recurrent(), Dense())),),
    ],
)
def test_sequences_bring_what_their_steps_need(data, layers):
    before = with_(BASE, data=Moons())
    before = msgspec.structs.replace(before, network=Network(layers=layers))
    after = adapted(before, msgspec.structs.replace(before, data=data))
    check_experiment(after)
    back = adapted(after, with_(after, data=Moons()))
    check_experiment(back)
    assert len(back.network.layers) == len(after.network.layers)


def test_another_recurrent_layer_hands_on_to_the_one_behind():
    before = adapted(BASE, with_(BASE, data=Adding()))
    more = Network(layers=(Recurrent(), *before.network.layers))
    after = adapted(before, msgspec.structs.replace(before, network=more))
    check_experiment(after)
    assert [layer.return_sequences for layer in after.network.layers[:2]] == [True, False]
