"""Words that other libraries and books use, and what an experiment calls the same.

Only words that no likeness leads to belong here: ``rleu`` is near enough to ``relu``, ``swish`` is nearest to the wrong
word. A row counts only where its target may stand, so that ``linear`` is a dense layer among layers and nothing among
activations.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class OtherNames(NamedTuple):
    """Words for the same thing.

    Attributes
    ----------
    words : str
        What others call it, apart by blanks, in lower case with ``_``.
    targets : tuple of str
        What it is called here; all of them have to be known at the place.
    hint : str
        What to write instead, where a single word does not say it; ``{word}`` is what was written.
    """

    words: str
    targets: tuple[str, ...]
    hint: str = ""


_HOW_LONG = "how long it is trained is said when it is run: --iterations, or Train in the window"
_CELL = 'that is a cell: {{"kind": "recurrent", "cell": "{word}"}}'
_INSIDE = (
    "the layers inside have it: a path goes on with .layers[0].{word}, or .layers[*].{word} for all of them"
)
_NO_CONVOLUTION = "there are no convolutions here: inputs are rows of numbers, for dense or recurrent layers"
_METHOD = 'that is {{"kind": "normalization", "method": "%s"}}, or in a dense layer "normalization": "%s"'
_ACTIVATION = (
    'that is an activation: "activation": "{word}" in a dense layer, or {{"kind": "activation", "activation": '
    '"{word}"}} for a layer of its own'
)

ROWS: tuple[OtherNames, ...] = (
    # Layers
    OtherNames("linear fc fully_connected full affine perceptron mlp hidden", ("dense", "residual")),
    OtherNames("lstm gru", ("recurrent",), _CELL),
    OtherNames("rnn simple_rnn simplernn elman", ("recurrent",), _CELL.replace("{word}", "simple")),
    OtherNames("rnn simple_rnn simplernn elman vanilla", ("simple", "lstm")),
    OtherNames(
        "batch_norm batchnorm bn batchnorm1d batch_normalization",
        ("normalization", "dense"),
        _METHOD % ("batch", "batch"),
    ),
    OtherNames(
        "layer_norm layernorm ln layer_normalization",
        ("normalization", "dense"),
        _METHOD % ("layer", "layer"),
    ),
    OtherNames("rms_norm rmsnorm rms_normalization", ("normalization", "dense"), _METHOD % ("rms", "rms")),
    OtherNames("batch_norm batchnorm bn batchnorm1d batch_normalization", ("batch", "layer")),
    OtherNames("layer_norm layernorm ln layer_normalization", ("layer", "batch")),
    OtherNames("skip skip_connection shortcut resnet resblock residual_block block", ("residual",)),
    OtherNames(
        "conv conv1d conv2d convolution pool maxpool2d max_pooling flatten",
        ("dense", "residual"),
        _NO_CONVOLUTION,
    ),
    OtherNames(
        "relu sigmoid tanh softmax elu selu gelu silu mish leaky_relu prelu softplus",
        ("dense", "residual"),
        _ACTIVATION,
    ),
    OtherNames(
        "neurons size width hidden hidden_size out_features output_size nodes dim n_units", ("units",)
    ),
    OtherNames("act nonlinearity activation_function transfer", ("activation",)),
    OtherNames("init weights weight_init kernel_initializer initialization", ("initializer",)),
    OtherNames("use_bias", ("bias",)),
    OtherNames("p prob probability drop", ("rate",)),
    OtherNames("n count depth repeats repetitions", ("times",)),
    OtherNames("units activation initializer normalization bias rate neurons", ("times",), _INSIDE),
    OtherNames("units activation initializer normalization bias rate neurons", ("projection",), _INSIDE),
    # Activations and initial weights
    OtherNames("swish", ("silu",)),
    OtherNames("identity none", ("linear", "relu")),
    OtherNames("logistic", ("sigmoid",)),
    OtherNames("heaviside threshold binary", ("step", "relu")),
    OtherNames("he", ("he_normal", "he_uniform")),
    OtherNames("kaiming", ("kaiming_normal", "kaiming_uniform")),
    OtherNames("glorot", ("glorot_normal", "glorot_uniform")),
    OtherNames("xavier", ("xavier_normal", "xavier_uniform")),
    OtherNames("lecun", ("lecun_normal", "lecun_uniform")),
    OtherNames("gaussian random randn truncated_normal", ("normal", "uniform")),
    # Training
    OtherNames("lr eta alpha step_size rate", ("learning_rate",)),
    OtherNames("l2 wd decay regularization", ("weight_decay",)),
    OtherNames(
        "lr learning_rate",
        ("optimizer",),
        'it stands in the optimizer: "optimizer": {{"kind": "sgd", "learning_rate": 0.1}}',
    ),
    OtherNames("epochs iterations max_iter num_epochs n_epochs max_steps", ("optimizer",), _HOW_LONG),
    OtherNames("batch batchsize minibatch bs mini_batch", ("batch_size",)),
    OtherNames("criterion objective cost loss_function", ("loss",)),
    OtherNames("scheduler lr_scheduler lr_schedule", ("schedule",)),
    OtherNames("clip grad_clip gradient_clip gradient_clipping clipnorm", ("clipping",)),
    OtherNames("gd gradient_descent", ("sgd",)),
    OtherNames("nag", ("nesterov",)),
    OtherNames(
        "crossentropy ce nll nll_loss log_loss categorical_crossentropy sparse_categorical_crossentropy "
        "softmax_cross_entropy crossentropyloss",
        ("cross_entropy",),
    ),
    OtherNames("bce bceloss binary_crossentropy bcewithlogits", ("binary_cross_entropy",)),
    OtherNames("mean_squared_error l2 l2_loss mseloss squared_error", ("mse",)),
    # What the terminal calls the views that a lesson looks at
    OtherNames("profile gradient gradients", ("gradient_profile",)),
    OtherNames("history heatmap", ("history_map",)),
    OtherNames("updates", ("update_ratio",)),
    OtherNames("decision decisions", ("decision_map",)),
    OtherNames("time", ("time_map",)),
    # Data and the whole
    OtherNames("mnist", ("digits",)),
    OtherNames("two_moons make_moons", ("moons",)),
    OtherNames("blobs make_blobs", ("gaussians",)),
    OtherNames("sine sin sinus", ("curve",)),
    OtherNames(
        "csv file table own custom numpy data.csv",
        ("inline",),
        'own samples are written into the experiment: {{"kind": "inline", "inputs": [[…], …], "targets": […]}}',
    ),
    OtherNames("n_samples num_samples size n count", ("samples",)),
    OtherNames("normalize normalization standardize scale", ("scaling",)),
    OtherNames("val validation_split test test_size split", ("validation",)),
    OtherNames("x features", ("inputs", "targets")),
    OtherNames("y labels classes", ("inputs", "targets"), 'did you mean "targets"?'),
    OtherNames("fp16 half f16", ("float16",)),
    OtherNames("fp32 single float f32", ("float32",)),
    OtherNames("fp64 double f64", ("float64",)),
    OtherNames("bf16", ("bfloat16",)),
    OtherNames("model net architecture", ("network",)),
    OtherNames("layers", ("network",), 'they stand in the network: "network": {{"layers": […]}}'),
    OtherNames(
        "optimizer loss batch_size", ("training",), 'it stands in the training: "training": {{"{word}": …}}'
    ),
    OtherNames("dataset", ("data",)),
    OtherNames("title", ("name", "seed")),
    OtherNames("type", ("kind",)),
)


def other_name(word: str, known: Collection[str]) -> str | None:
    """Return what a word from elsewhere is called here.

    Parameters
    ----------
    word : str
        What was written.
    known : collection of str
        What may be written at the place.

    Returns
    -------
    str or None
        A clause such as ``did you mean "silu"?``; None for a word that no row has.
    """
    plain = word.lower().replace("-", "_").replace(" ", "_")
    for row in ROWS:
        if plain in row.words.split() and all(target in known for target in row.targets):
            if row.hint:
                return row.hint.format(word=plain)
            both = len(row.targets) > 1 and all(target.startswith(plain) for target in row.targets)
            meant = [f'"{target}"' for target in (row.targets if both else row.targets[:1])]
            return f"did you mean {' or '.join(meant)}?"
    return None
