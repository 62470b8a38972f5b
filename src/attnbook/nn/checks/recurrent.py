"""What recurrent encoders, decoders and word vectors are given."""

from torch import Tensor

from attnbook.nn.checks.masks import padding_mask
from attnbook.nn.checks.tensors import (
    dimensions,
    floating,
    last_size,
    same_batch,
    same_kind,
    tokens,
)
from attnbook.nn.protocols import HasMemory


def feeding_needs_current(name: str, given: bool, query: str) -> None:
    """Input feeding goes with the current state as query."""
    if given and query != "current":
        raise ValueError(
            f'{name}: expected False with query="{query}", got True; '
            'there the context is fed into the unit already: use query="current"'
        )


def decoder_start(
    memory: Tensor,
    summary: Tensor,
    hidden: Tensor,
    given_mask: Tensor | None,
    d_memory: int,
    d_hidden: int,
) -> None:
    """Memory (batch, src, d_memory), summary (batch, d_memory), hidden (batch,
    d_hidden), mask.
    """
    floating("memory", memory)
    dimensions("memory", memory, ("batch", "src", "d_memory"))
    last_size("memory", memory, d_memory, "d_memory")
    for name, given, size, meaning in (
        ("summary", summary, d_memory, "d_memory"),
        ("hidden", hidden, d_hidden, "d_hidden"),
    ):
        same_kind("memory", memory, name, given)
        dimensions(name, given, ("batch", meaning))
        last_size(name, given, size, meaning)
        same_batch("memory", memory, name, given)
    padding_mask("mask", given_mask, memory, "memory")


def same_memory(encoder: HasMemory, decoder: HasMemory) -> None:
    """The decoder was built for the annotations that the encoder makes."""
    if not hasattr(encoder, "d_memory") or not hasattr(decoder, "d_memory"):
        raise TypeError(
            "encoder, decoder: expected a GRUEncoder or LSTMEncoder, then a "
            "GRUDecoder or LSTMDecoder"
        )
    if encoder.d_memory != decoder.d_memory:
        raise ValueError(
            f"decoder: expected d_memory = {encoder.d_memory} as the encoder "
            f"makes, got {decoder.d_memory}; pass d_memory=encoder.d_memory"
        )


def recurrent_step(
    x: Tensor,
    states: dict[str, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    gates: int,
) -> None:
    """Input, states and parameters of one step of a GRU (3 blocks) or LSTM (4
    blocks) fit each other.
    """
    floating("x", x)
    dimensions("x", x, ("batch", "d_input"))
    for name, state in states.items():
        floating(name, state)
        dimensions(name, state, ("batch", "d_hidden"))
        same_kind("x", x, name, state)
        same_batch("x", x, name, state)
    first_name, first = next(iter(states.items()))
    d_input, d_hidden = x.shape[1], first.shape[1]
    for name, state in states.items():
        last_size(name, state, d_hidden, f"d_hidden of {first_name}")
    wanted = {
        "weight_ih": (weight_ih, (gates * d_hidden, d_input)),
        "weight_hh": (weight_hh, (gates * d_hidden, d_hidden)),
        "bias_ih": (bias_ih, (gates * d_hidden,)),
        "bias_hh": (bias_hh, (gates * d_hidden,)),
    }
    for name, (given, shape) in wanted.items():
        floating(name, given)
        same_kind("x", x, name, given)
        if given.shape != shape:
            raise ValueError(
                f"{name}: expected shape {shape} for {gates} blocks of d_hidden = "
                f"{d_hidden} and d_input = {d_input}, got {tuple(given.shape)}; "
                "pass the parameters of a torch cell of these sizes"
            )


def skip_gram_inputs(word: Tensor, near: Tensor, drawn: Tensor, vocab: int) -> None:
    """Word numbers (batch,), (batch,) and (batch, negatives)."""
    tokens("word", word, vocab, ("batch",))
    tokens("near", near, vocab, ("batch",))
    tokens("drawn", drawn, vocab, ("batch", "negatives"))
    same_batch("word", word, "near", near)
    same_batch("word", word, "drawn", drawn)
