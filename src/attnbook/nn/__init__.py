"""The mechanisms that the book teaches, one file each. Nothing here imports the rest of attnbook."""

from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.global_attention import Attention
from attnbook.nn.masks import causal_mask, padding_mask, window_mask
from attnbook.nn.scores import AdditiveScore, ConcatScore, DotScore, GeneralScore, LocationScore
from attnbook.nn.seq2seq import DecoderState, GRUDecoder, GRUEncoder, LSTMDecoder, LSTMEncoder, Seq2Seq

__all__ = [
    "AdditiveScore",
    "Attention",
    "ConcatScore",
    "DecoderState",
    "DotScore",
    "GRUDecoder",
    "GRUEncoder",
    "GeneralScore",
    "LSTMDecoder",
    "LSTMEncoder",
    "LocationScore",
    "Seq2Seq",
    "causal_mask",
    "padding_mask",
    "scaled_dot_product_attention",
    "window_mask",
]
