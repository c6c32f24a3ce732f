import msgspec
import numpy as np
import pytest

from gradsim.data import prepare_samples
from gradsim.data.preparation import SOURCES
from gradsim.spec import Experiment, SpecError, Training, kind_of
from gradsim.spec import data as kinds

OWN = kinds.Inline(inputs=((0.0, 1.0), (1.0, 0.0), (2.0, 2.0), (3.0, 1.0)), targets=(0, 1, 0, 1))
EVERY_KIND = [pytest.param(OWN if kind is kinds.Inline else kind(), id=kind.__name__) for kind in SOURCES]
REGRESSIONS = ("curve", "plane", "noise", "adding", "sunspots")
NOT_DRAWN = (kinds.Inline, kinds.Sunspots)


def experiment(data, loss=None, seed=0, precision="float32"):
    loss = loss or ("mse" if kind_of(data) in REGRESSIONS else "cross_entropy")
    return Experiment(data=data, seed=seed, precision=precision, training=Training(loss=loss))


def arrays(samples):
    names = [
        f"{part}_{what}" for part in ("training", "validation") for what in ("inputs", "targets", "classes")
    ]
    found = {name: getattr(samples, name) for name in (*names, "offset", "factor")}
    return {name: array for name, array in found.items() if array is not None}


def test_every_kind_of_data_that_can_be_asked_for_has_a_source():
    assert set(SOURCES) == set(kinds.Data.__args__)


@pytest.mark.parametrize("data", EVERY_KIND)
def test_arrays_are_owned_read_only_and_of_the_promised_types(data):
    for name, array in arrays(prepare_samples(experiment(data))).items():
        assert array.dtype == (np.int64 if name.endswith("classes") else np.float64), name
        assert not array.flags.writeable, name
        assert array.base is None, name
        assert array.flags.c_contiguous, name
        assert np.isfinite(array).all(), name


@pytest.mark.parametrize("data", EVERY_KIND)
def test_names_and_targets_match_the_shapes(data):
    samples = prepare_samples(experiment(data))
    assert len(samples.feature_names) == samples.features == samples.validation_inputs.shape[-1]
    assert len(samples.output_names) == samples.outputs == samples.validation_targets.shape[-1]
    assert len(samples.training_inputs) == len(samples.training_targets)
    assert len(samples.validation_inputs) == len(samples.validation_targets)
    assert samples.title
    assert samples.origin
    assert samples.task == ("regression" if kind_of(data) in REGRESSIONS else "classification")
    if samples.task == "classification":
        assert np.array_equal(samples.training_targets.argmax(axis=-1), samples.training_classes)
        assert np.array_equal(samples.validation_targets.argmax(axis=-1), samples.validation_classes)
        assert np.array_equal(samples.training_targets.sum(axis=-1), np.ones(samples.training_classes.shape))
    else:
        assert samples.training_classes is None
        assert samples.validation_classes is None


@pytest.mark.parametrize("data", EVERY_KIND)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(data):
    first, again, other = (arrays(prepare_samples(experiment(data, seed=s))) for s in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    if not isinstance(data, NOT_DRAWN):
        assert not np.array_equal(first["training_inputs"], other["training_inputs"])


@pytest.mark.parametrize("data", EVERY_KIND)
def test_the_asked_share_is_held_back(data):
    samples = prepare_samples(experiment(msgspec.structs.replace(data, validation=0.25)))
    held, trained = len(samples.validation_inputs), len(samples.training_inputs)
    assert held == pytest.approx(0.25 * (held + trained), abs=1)


def test_two_classes_under_binary_cross_entropy_are_one_column_of_zeros_and_ones():
    samples = prepare_samples(experiment(kinds.Moons(), "binary_cross_entropy"))
    assert samples.outputs == 1
    assert np.array_equal(samples.training_targets[:, 0], samples.training_classes)
    assert samples.output_names == ("class 0", "class 1")


def test_three_classes_under_binary_cross_entropy_are_one_column_each():
    assert prepare_samples(experiment(kinds.Iris(), "binary_cross_entropy")).outputs == 3


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("data", [kinds.Curve(), kinds.Inline(inputs=((1.0,),), targets=((0.5,),))])
def test_a_loss_for_classes_is_refused_for_numbers(data, loss):
    with pytest.raises(SpecError, match=rf"^\$\.training\.loss: expected mse.*got {loss}$"):
        prepare_samples(experiment(data, loss))


def test_numbers_beyond_float32_are_refused_there_and_kept_in_float64():
    data = kinds.Inline(inputs=((1.0,), (1e300,)), targets=((0.0,), (1.0,)))
    with pytest.raises(SpecError, match=r"^\$\.data\.inputs\[1\]\[0\]: .*float32.*1e\+300"):
        prepare_samples(experiment(data, "mse"))
    assert prepare_samples(experiment(data, "mse", precision="float64")).training_inputs[1, 0] == 1e300


def test_targets_beyond_float32_are_refused():
    data = kinds.Inline(inputs=((1.0,), (2.0,)), targets=((0.0,), (-1e39,)))
    with pytest.raises(SpecError, match=r"^\$\.data\.targets\[1\]\[0\]"):
        prepare_samples(experiment(data, "mse"))


def test_scaling_is_fitted_on_the_training_part_only_and_can_be_undone():
    raw = prepare_samples(experiment(kinds.Wine(scaling="none")))
    scaled = prepare_samples(experiment(kinds.Wine(scaling="standard")))
    np.testing.assert_allclose(scaled.training_inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.training_inputs.std(axis=0), 1, rtol=1e-12)
    assert np.abs(scaled.validation_inputs.mean(axis=0)).max() > 1e-3
    for part in ("training_inputs", "validation_inputs"):
        np.testing.assert_allclose(
            (getattr(raw, part) - scaled.offset) * scaled.factor, getattr(scaled, part), rtol=1e-12
        )


def test_a_single_sample_can_be_trained_on():
    samples = prepare_samples(
        experiment(kinds.Inline(inputs=((1.0,),), targets=((0.8,),), scaling="standard"), "half_mse")
    )
    assert samples.training_inputs.tolist() == [[0.0]]
    assert samples.validation_inputs.shape == (0, 1)
    assert samples.validation_targets.shape == (0, 1)


SEQUENCES = {
    # samples, steps, features; steps with a target, outputs
    kinds.Adding(samples=20, steps=7): (20, 7, 2, 1, 1),
    kinds.CopyMemory(samples=20, symbols=3, length=2, delay=4): (20, 8, 5, 8, 4),
    kinds.DelayedParity(samples=20, bits=3, delay=4): (20, 7, 2, 1, 2),
    kinds.Sunspots(steps=9): (300, 9, 1, 1, 1),
}


@pytest.mark.parametrize("data", SEQUENCES, ids=kind_of)
def test_sequences_have_a_time_axis_and_targets_at_the_end_or_at_every_step(data):
    samples = prepare_samples(experiment(data))
    count, steps, features, target_steps, outputs = SEQUENCES[data]
    assert (samples.steps, samples.features) == (steps, features)
    assert (samples.target_steps, samples.outputs) == (target_steps, outputs)
    held = len(samples.validation_inputs)
    assert samples.validation_inputs.shape == (held, steps, features)
    assert samples.training_inputs.shape == (count - held, steps, features)
    answers = (target_steps,) if data.answers_every_step else ()
    assert samples.training_targets.shape == (count - held, *answers, outputs)
    if samples.training_classes is not None:
        assert samples.training_classes.shape == (count - held, *answers)
        assert samples.validation_classes.shape == (held, *answers)
    assert (samples.steps > 0) == data.is_sequence


def test_samples_without_time_have_no_steps():
    samples = prepare_samples(experiment(kinds.Moons()))
    assert (samples.steps, samples.target_steps) == (0, 1)


def test_a_time_series_holds_back_its_last_part_and_is_trained_on_in_the_order_of_time():
    samples = prepare_samples(experiment(kinds.Sunspots(steps=10, scaling="none", validation=0.25)))
    inputs = np.concatenate([samples.training_inputs, samples.validation_inputs])
    targets = np.concatenate([samples.training_targets, samples.validation_targets])
    assert len(samples.validation_inputs) == round(0.25 * 299)
    assert np.array_equal(inputs[1:, -1], targets[:-1])  # each year is the last of the next window
    assert targets[-1, 0] == 2.9  # 2008


def test_the_targets_of_a_time_series_are_scaled_as_its_values_by_the_training_part():
    scaled = prepare_samples(experiment(kinds.Sunspots(steps=10)))
    raw = prepare_samples(experiment(kinds.Sunspots(steps=10, scaling="none")))
    np.testing.assert_allclose(scaled.training_inputs.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.training_inputs.std(), 1, rtol=1e-12)
    assert scaled.offset.shape == scaled.factor.shape == (1,)
    for part in ("training_targets", "validation_targets"):
        np.testing.assert_allclose(
            getattr(scaled, part) / scaled.factor + scaled.offset, getattr(raw, part), rtol=1e-9, atol=1e-9
        )


def test_a_sequence_is_scaled_by_feature_over_all_steps():
    samples = prepare_samples(experiment(kinds.Adding(steps=6, scaling="standard")))
    np.testing.assert_allclose(samples.training_inputs.mean(axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(samples.training_inputs.std(axis=(0, 1)), 1, rtol=1e-12)
    plain = prepare_samples(experiment(kinds.Adding(steps=6)))
    assert np.array_equal(samples.training_targets, plain.training_targets)  # sums stay sums


def test_parity_under_binary_cross_entropy_is_one_column():
    samples = prepare_samples(experiment(kinds.DelayedParity(), "binary_cross_entropy"))
    assert np.array_equal(samples.training_targets[:, 0], samples.training_classes)


def test_both_parities_are_held_back_in_proportion():
    samples = prepare_samples(experiment(kinds.DelayedParity(samples=100)))
    assert np.bincount(samples.validation_classes).tolist() == [10, 10]
