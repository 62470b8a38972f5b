"""The mechanisms that the book teaches, one file each. Nothing here imports the
rest of attnbook, but for its checks of plain numbers.
"""

from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.bert import BERT
from attnbook.nn.block_selection import BlockSelectionAttention, selected_keys
from attnbook.nn.captioner import (
    CaptionState,
    ConvAnnotations,
    ShowAttendTell,
    doubly_stochastic_penalty,
)
from attnbook.nn.draw import DRAW, VAE, Drawing
from attnbook.nn.filter_bank import FilterBank
from attnbook.nn.flex import block_kinds, flex_attention
from attnbook.nn.glimpses import (
    GlimpseSensor,
    RecurrentAttentionModel,
    glimpse_loss,
)
from attnbook.nn.global_attention import Attention
from attnbook.nn.gpt import GPT, GPTState
from attnbook.nn.gradient_estimators import (
    MovingBaseline,
    draw_one,
    expected_outcome,
    gumbel_softmax,
    reinforce_loss,
    straight_through,
)
from attnbook.nn.hard import HardAttention
from attnbook.nn.hopfield import (
    classical_retrieval,
    hopfield_energy,
    hopfield_retrieval,
    hopfield_weights,
)
from attnbook.nn.latent import LatentCache, MultiHeadLatentAttention
from attnbook.nn.linear import LinearAttention, linear_attention
from attnbook.nn.linear_features import elu_plus_one, unit_length
from attnbook.nn.local import GatheredLocalAttention, LocalAttention
from attnbook.nn.location_aware import (
    LocationAwareAttention,
    LocationAwareScore,
)
from attnbook.nn.lookup import (
    AttentionPooling,
    KernelRegression,
    SoftDictionary,
    hard_lookup,
    masked_softmax,
    soft_lookup,
)
from attnbook.nn.lstmn import LSTMN
from attnbook.nn.masked_words import MaskedWordModel
from attnbook.nn.masks import causal_mask, padding_mask, window_mask
from attnbook.nn.memory_network import MemoryNetwork
from attnbook.nn.multi_head import (
    KVCache,
    MultiHeadAttention,
    PlainMultiHeadAttention,
)
from attnbook.nn.non_local import NonLocalBlock
from attnbook.nn.perceiver import Perceiver
from attnbook.nn.pointer_generator import PointerGenerator, final_distribution
from attnbook.nn.pooled_reader import PooledReader
from attnbook.nn.positions import (
    ALiBi,
    LearnedPositions,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
    T5Bias,
    base_for_longer,
    interpolated,
    interpolated_by_parts,
    rotary_frequencies,
)
from attnbook.nn.quiet_attention import QuietAttention
from attnbook.nn.recurrent_step import gru_step, lstm_step
from attnbook.nn.ring import ring_attention
from attnbook.nn.sampling import sampling_probabilities
from attnbook.nn.scores import (
    AdditiveScore,
    ConcatScore,
    DotScore,
    GeneralScore,
    LocationScore,
)
from attnbook.nn.self_attention import SelfAttention
from attnbook.nn.seq2seq import (
    DecoderState,
    GRUDecoder,
    GRUEncoder,
    LSTMDecoder,
    LSTMEncoder,
    Seq2Seq,
)
from attnbook.nn.sink_cache import SinkCache
from attnbook.nn.sliding_window import (
    RollingCache,
    SlidingWindowAttention,
    in_window,
    windowed_attention,
)
from attnbook.nn.small_reader import WordModel
from attnbook.nn.squeeze_excitation import SqueezeExcitation
from attnbook.nn.stand_alone import StandAloneSelfAttention2d
from attnbook.nn.tiled import tiled_attention
from attnbook.nn.transformer import (
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    Transformer,
    TransformerState,
    TransformerWeights,
)
from attnbook.nn.tutorial_attention import TutorialAttention
from attnbook.nn.vit import ViT, interpolate_positions, patches
from attnbook.nn.word_vectors import SkipGram, positive_pmi

__all__ = [
    "BERT",
    "DRAW",
    "GPT",
    "LSTMN",
    "VAE",
    "ALiBi",
    "AdditiveScore",
    "Attention",
    "AttentionPooling",
    "BlockSelectionAttention",
    "CaptionState",
    "ConcatScore",
    "ConvAnnotations",
    "DecoderLayer",
    "DecoderState",
    "DotScore",
    "Drawing",
    "EncoderLayer",
    "FeedForward",
    "FilterBank",
    "GPTState",
    "GRUDecoder",
    "GRUEncoder",
    "GatheredLocalAttention",
    "GeneralScore",
    "GlimpseSensor",
    "HardAttention",
    "KVCache",
    "KernelRegression",
    "LSTMDecoder",
    "LSTMEncoder",
    "LatentCache",
    "LearnedPositions",
    "LinearAttention",
    "LocalAttention",
    "LocationAwareAttention",
    "LocationAwareScore",
    "LocationScore",
    "MaskedWordModel",
    "MemoryNetwork",
    "MovingBaseline",
    "MultiHeadAttention",
    "MultiHeadLatentAttention",
    "NonLocalBlock",
    "Perceiver",
    "PlainMultiHeadAttention",
    "PointerGenerator",
    "PooledReader",
    "QuietAttention",
    "RecurrentAttentionModel",
    "RelativePositions",
    "RollingCache",
    "RotaryPositions",
    "SelfAttention",
    "Seq2Seq",
    "ShowAttendTell",
    "SinkCache",
    "SinusoidalPositions",
    "SkipGram",
    "SlidingWindowAttention",
    "SoftDictionary",
    "SqueezeExcitation",
    "StandAloneSelfAttention2d",
    "T5Bias",
    "Transformer",
    "TransformerState",
    "TransformerWeights",
    "TutorialAttention",
    "ViT",
    "WordModel",
    "base_for_longer",
    "block_kinds",
    "causal_mask",
    "classical_retrieval",
    "doubly_stochastic_penalty",
    "draw_one",
    "elu_plus_one",
    "expected_outcome",
    "final_distribution",
    "flex_attention",
    "glimpse_loss",
    "gru_step",
    "gumbel_softmax",
    "hard_lookup",
    "hopfield_energy",
    "hopfield_retrieval",
    "hopfield_weights",
    "in_window",
    "interpolate_positions",
    "interpolated",
    "interpolated_by_parts",
    "linear_attention",
    "lstm_step",
    "masked_softmax",
    "padding_mask",
    "patches",
    "positive_pmi",
    "reinforce_loss",
    "ring_attention",
    "rotary_frequencies",
    "sampling_probabilities",
    "scaled_dot_product_attention",
    "selected_keys",
    "soft_lookup",
    "straight_through",
    "tiled_attention",
    "unit_length",
    "window_mask",
    "windowed_attention",
]
