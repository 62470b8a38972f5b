"""How many operations a transformer costs, by formula: one pass, a training step, a whole run, on paper.

A product of a (p, q) and a (q, r) matrix is counted as 2·p·q·r operations: a multiplication and an addition
for each term. Sums, softmax, normalisation and look-ups are left out, as in
``torch.utils.flop_counter.FlopCounterMode``, with whose count the formulas agree. Going back costs two such
products for each one going forward: for the gradient of its input and for that of its weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from attnbook import plots
from attnbook.nn import checks

# Operations a second that the makers state for dense matrix products, and for which numbers.
PEAKS = {
    # Vaswani et al. 2017, footnote 5: what they reckoned with for one P100.
    "P100, float32": 9.5e12,
    # https://www.nvidia.com/en-us/data-center/a100/ says 624 with sparsity, 312 without
    "A100, bfloat16": 312e12,
    # https://www.nvidia.com/en-us/data-center/h100/ says 1,979 with sparsity, which is half without
    "H100 SXM, bfloat16": 989e12,
}


@dataclass(frozen=True)
class Operations:
    """Operations by what they are for.

    Attributes
    ----------
    projections : int
        W_q, W_k, W_v and W_o: they grow with length · d².
    mixing : int
        Scores and weighted sums: they grow with length² · d.
    feed_forward : int
        They grow with length · d · d_ff.
    output : int
        Logits of the next word.
    """

    projections: int
    mixing: int
    feed_forward: int
    output: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.projections + self.mixing + self.feed_forward + self.output

    def times(self, factor: int) -> Operations:
        """Each of them that many times."""
        parts = (self.projections, self.mixing, self.feed_forward, self.output)
        return Operations(*(part * factor for part in parts))


def forward(
    src: int, tgt: int, *, d_model: int = 512, d_ff: int = 2048, n_layers: int = 6, tgt_vocab: int = 37_000
) -> Operations:
    """One sentence through ``attnbook.nn.Transformer``; the defaults are the paper's base model.

    The number of heads does not appear: h heads of d/h numbers cost what one of d costs. A causal mask does
    not either: the scores that it hides are computed and thrown away.

    Parameters
    ----------
    src, tgt : int
        Words that the encoder and the decoder read.
    d_model, d_ff, n_layers, tgt_vocab : int
        As in ``attnbook.nn.Transformer``.
    """
    checks.sizes(src=src, tgt=tgt, d_model=d_model, d_ff=d_ff, n_layers=n_layers, tgt_vocab=tgt_vocab)
    square = 2 * d_model * d_model  # one word times one d × d matrix
    pair = 4 * d_model  # one query and one key: a score, and a share of the value
    encoder = Operations(4 * square * src, pair * src * src, 4 * d_model * d_ff * src, 0)
    decoder = Operations(
        4 * square * tgt
        + (2 * tgt + 2 * src) * square,  # its own four; then W_q, W_o on tgt, W_k, W_v on src
        pair * tgt * tgt + pair * tgt * src,
        4 * d_model * d_ff * tgt,
        0,
    )
    return Operations(
        n_layers * (encoder.projections + decoder.projections),
        n_layers * (encoder.mixing + decoder.mixing),
        n_layers * (encoder.feed_forward + decoder.feed_forward),
        2 * d_model * tgt_vocab * tgt,
    )


def training_step(src: int, tgt: int, sentences: int = 1, **sizes: int) -> Operations:
    """Forward and backward for that many sentences: three times :func:`forward`."""
    checks.sizes(sentences=sentences)
    return forward(src, tgt, **sizes).times(3 * sentences)


def parameters(
    *,
    src_vocab: int = 37_000,
    tgt_vocab: int = 37_000,
    d_model: int = 512,
    d_ff: int = 2048,
    n_layers: int = 6,
    shared: bool = True,
) -> int:
    """Parameters of a post-norm, tied ``Transformer``; the defaults are the paper's base model."""
    attention = 4 * (d_model * d_model + d_model)
    inner = 2 * d_model * d_ff + d_ff + d_model
    norm = 2 * d_model
    layers = n_layers * (attention + inner + 2 * norm) + n_layers * (2 * attention + inner + 3 * norm)
    return layers + d_model * (tgt_vocab if shared else src_vocab + tgt_vocab)


@dataclass(frozen=True)
class Run:
    """A training run on paper.

    Attributes
    ----------
    steps : int
    src_tokens, tgt_tokens : int
        Words a batch on each side.
    length : int
        Words a sentence: attention's share depends on it.
    """

    steps: int = 100_000
    src_tokens: int = 25_000
    tgt_tokens: int = 25_000
    length: int = 25

    def operations(self, **sizes: int) -> float:
        """All training steps by :func:`training_step`; sizes as there."""
        sentences = (self.src_tokens + self.tgt_tokens) / (2 * self.length)
        return self.steps * sentences * training_step(self.length, self.length, **sizes).total

    def rule_of_thumb(self, n_parameters: int) -> float:
        """6 · parameters · tokens, a token being one word of the translation with its share of the source.

        Kaplan et al. 2020, https://arxiv.org/abs/2001.08361, section 2.1: two operations a parameter and
        token forward, four back.
        """
        return 6.0 * n_parameters * self.tgt_tokens * self.steps


def hours(operations: float, peak: float, utilisation: float = 1.0, processors: int = 1) -> float:
    """How long so many operations take.

    Parameters
    ----------
    operations : float
    peak : float
        Operations a second of one processor, as in :data:`PEAKS`.
    utilisation : float
        The share of the peak that is reached, above 0 and at most 1.
    processors : int

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    if not operations > 0 or not peak > 0:
        raise ValueError(f"operations, peak: expected numbers above 0, got {operations!r} and {peak!r}")
    if not 0 < utilisation <= 1:
        raise ValueError(f"utilisation: expected a share above 0 and at most 1, got {utilisation!r}")
    checks.sizes(processors=processors)
    return operations / (peak * utilisation * processors) / 3600


def mixing_share(length: int, d_model: int = 512, d_ff: int = 2048) -> float:
    """The share of an encoder layer's operations that goes to scores and weighted sums.

    ``4n²d / (8nd² + 4nd·d_ff + 4n²d) = n / (2d + d_ff + n)``: a half when n is 2d + d_ff.
    """
    checks.sizes(length=length, d_model=d_model, d_ff=d_ff)
    return length / (2 * d_model + d_ff + length)


def draw_share(sizes=((96, 192), (512, 2048)), longest: int = 16_384):
    """Draw :func:`mixing_share` against length, one line a model.

    Parameters
    ----------
    sizes : sequence of (d_model, d_ff)
    longest : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    lengths = [2**power for power in range(2, longest.bit_length())]
    figure, axes = plots.new_figure(6.4, 3.2)
    for (d_model, d_ff), style in zip(sizes, ("-", "--", ":", "-."), strict=False):
        half = 2 * d_model + d_ff
        line = axes.plot(
            lengths,
            [mixing_share(n, d_model, d_ff) for n in lengths],
            style,
            label=f"d = {d_model}, d_ff = {d_ff}",
        )[0]
        axes.plot([half], [0.5], "o", color=line.get_color())
        axes.annotate(f"n = {half:,}", (half, 0.5), xytext=(8, -14), textcoords="offset points", fontsize=9)
    axes.axhline(0.5, color="0.7", linewidth=0.8, zorder=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks([2**power for power in range(2, longest.bit_length(), 2)],
                    [f"{2**power:,}" for power in range(2, longest.bit_length(), 2)])  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_xlabel("sentence length n (words)")
    axes.set_ylabel("share of operations")
    axes.set_title("Scores and weighted sums in an encoder layer")
    axes.legend(frameon=False)
    return figure
