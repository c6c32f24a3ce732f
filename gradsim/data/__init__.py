"""The samples: drawn from a seed, read from bundled files, or written in the experiment; split and scaled."""

from gradsim.data.description import describe
from gradsim.data.preparation import prepare_samples
from gradsim.data.random_streams import generator, stream_key

__all__ = ["describe", "generator", "prepare_samples", "stream_key"]
