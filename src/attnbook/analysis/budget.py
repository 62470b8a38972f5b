"""What the attention of a language model costs while it writes: bytes kept, bytes moved, operations, reach.

A model is described by its :class:`Shape`: how many layers, of which kind, and how many numbers a layer keeps
of a token. Everything here follows from that by a formula, for one text of ``length`` tokens, the newest of
which is being read: nothing runs, and no torch is needed.

Counted is what grows with the length or with the kind of the layer: scores, weighted sums, and what the cache
holds. Projections and feed-forward layers cost the same whatever the pattern; ``analysis.operations`` counts
them. A product of a (p, q) and a (q, r) matrix is 2·p·q·r operations, as there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from attnbook.arguments import whole_number

KINDS = {
    "F": "full attention",
    "W": "sliding window",
    "C": "chosen tokens",
    "L": "linear attention",
}

# Windows replace more and more layers of full attention: from the largest cache to the smallest.
THINNER = {
    "all full": "F",
    "1 window, 1 full": "WF",
    "3 windows, 1 full": "WWWF",
    "5 windows, 1 full": "WWWWWF",
    "all windows": "W",
}


@dataclass(frozen=True)
class Shape:
    """The sizes of a model on which the cost of its attention depends.

    Attributes
    ----------
    n_layers : int
    n_heads : int
        Heads of queries.
    n_kv_heads : int
        Heads of keys and values; divides ``n_heads``.
    head_size : int
        Numbers in a key, and in a value, of one head.
    latent, rotary : int
        With latent attention, what is kept of a token instead of keys and values: numbers of the latent
        vector, and of the rotary key that all heads share (DeepSeek-V2, https://arxiv.org/abs/2405.04434,
        section 2.1). 0 without it. Scores and sums are counted in the absorbed form, which forms no keys and
        values.
    pattern : str
        One letter a layer, repeated until all layers have one: "F" full attention, "W" a sliding window,
        "C" tokens chosen by an indexer, "L" linear attention with a state of fixed size.
    window : int
        Tokens that a layer "W" reads, the newest among them.
    chosen : int
        Tokens that a layer "C" reads.
    index_heads, index_size : int
        Of a layer "C": heads of the indexer, and numbers of the one key a token that it keeps beside the rest
        (DeepSeek-V3.2, https://github.com/deepseek-ai/DeepSeek-V3.2-Exp).
    state : int
        Of a layer "L": numbers in its state, heads · key size · value size.
    full_kv_heads, full_head_size : int
        Of the layers "F", where they differ from the others; 0 where they do not.
    bits : int
        Of one number in the cache, and in a state.

    Raises
    ------
    ValueError
        If a number is out of range or two of them do not fit together.
    """

    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_size: int
    latent: int = 0
    rotary: int = 0
    pattern: str = "F"
    window: int = 1024
    chosen: int = 2048
    index_heads: int = 0
    index_size: int = 0
    state: int = 0
    full_kv_heads: int = 0
    full_head_size: int = 0
    bits: int = 16

    def __post_init__(self):
        for name in ("n_layers", "n_heads", "n_kv_heads", "head_size", "window", "chosen", "bits"):
            whole_number(name, getattr(self, name))
        for name in ("latent", "rotary", "index_heads", "index_size", "state"):
            whole_number(name, getattr(self, name), 0)
        for name in ("n_kv_heads", "full_kv_heads"):
            if getattr(self, name) and self.n_heads % getattr(self, name):
                raise ValueError(
                    f"{name}: expected a divisor of n_heads, {self.n_heads}, got {getattr(self, name)}"
                )
        if not self.pattern or set(self.pattern) - set(KINDS):
            raise ValueError(f"pattern: expected letters out of {', '.join(KINDS)}, got {self.pattern!r}")
        if "L" in self.layers and not self.state:
            raise ValueError("state: expected at least 1 number, since the pattern has linear layers, got 0")

    @property
    def layers(self) -> str:
        """The kind of every layer, one letter each."""
        return (self.pattern * self.n_layers)[: self.n_layers]


def kept_per_token(shape: Shape, kind: str) -> int:
    """Numbers that one layer keeps of one token.

    ``2 · n_kv_heads · head_size``, a key and a value a head; ``latent + rotary`` with latent attention;
    ``index_size`` more where tokens are chosen; 0 for linear attention, whose state does not grow.
    """
    if kind == "L":
        return 0
    kv_heads, head_size = shape.n_kv_heads, shape.head_size
    if kind == "F":
        kv_heads, head_size = shape.full_kv_heads or kv_heads, shape.full_head_size or head_size
    kept = shape.latent + shape.rotary if shape.latent else 2 * kv_heads * head_size
    return kept + (shape.index_size if kind == "C" else 0)


def tokens_kept(shape: Shape, kind: str, length: int) -> int:
    """Tokens of which one layer still holds something: all, or those in its window, or none ("L")."""
    return {"F": length, "W": min(length, shape.window), "C": length, "L": 0}[kind]


def tokens_read(shape: Shape, kind: str, length: int) -> int:
    """Tokens that the newest query attends to: all, those in the window, those chosen, or none ("L")."""
    return {"F": length, "W": min(length, shape.window), "C": min(length, shape.chosen), "L": 0}[kind]


def layer_cache(shape: Shape, kind: str, length: int) -> float:
    """Bytes that one layer of this kind keeps of ``length`` tokens."""
    whole_number("length", length)
    numbers = shape.state if kind == "L" else tokens_kept(shape, kind, length) * kept_per_token(shape, kind)
    return numbers * shape.bits / 8


def layer_operations(shape: Shape, kind: str, length: int) -> int:
    """Operations of one layer for the newest of ``length`` tokens: scores and weighted sums.

    ``2 · n_heads · (key size + value size)`` for each token that is read: both are ``head_size``, or
    ``latent + rotary`` and ``latent``. An indexer adds ``2 · index_heads · index_size`` for every token.
    A linear layer reads its state before it writes (the delta rule), writes, and reads it for the query:
    three products with the state, ``6 · state``, whatever the length.
    """
    whole_number("length", length)
    if kind == "L":
        return 6 * shape.state
    head_size = (shape.full_head_size if kind == "F" else 0) or shape.head_size
    both = 2 * shape.latent + shape.rotary if shape.latent else 2 * head_size
    scored = 2 * shape.n_heads * both * tokens_read(shape, kind, length)
    return scored + (2 * shape.index_heads * shape.index_size * length if kind == "C" else 0)


def layer_traffic(shape: Shape, kind: str, length: int) -> float:
    """Bytes that one layer moves between memory and processor for the newest of ``length`` tokens.

    What is kept of each token that is read, once, the newest one's being written; all keys of the indexer; a
    state twice, since it is read and written.
    """
    whole_number("length", length)
    if kind == "L":
        return 2 * shape.state * shape.bits / 8
    index = shape.index_size if kind == "C" else 0
    of_token = kept_per_token(shape, kind) - index
    return (tokens_read(shape, kind, length) * of_token + length * index) * shape.bits / 8


def cache_bytes(shape: Shape, length: int) -> float:
    """Bytes that all layers keep of ``length`` tokens: the sum of :func:`layer_cache`."""
    return sum(layer_cache(shape, kind, length) for kind in shape.layers)


def operations(shape: Shape, length: int) -> int:
    """Operations of all layers for the newest of ``length`` tokens: the sum of :func:`layer_operations`."""
    return sum(layer_operations(shape, kind, length) for kind in shape.layers)


def prompt_operations(shape: Shape, length: int) -> int:
    """Operations to read a prompt of ``length`` tokens: :func:`operations` of 1, 2, … ``length``, added up.

    A causal mask leaves n (n + 1) / 2 pairs to full attention, of which each counts; a window of w leaves
    w (w + 1) / 2 + (n − w) · w of them.
    """
    whole_number("length", length)
    pairs = length * (length + 1) // 2

    def within(most: int) -> int:
        most = min(most, length)
        return most * (most + 1) // 2 + (length - most) * most

    counted = 0
    for kind in shape.layers:
        one = layer_operations(shape, kind, 1)
        if kind == "L":
            counted += one * length
            continue
        index = 2 * shape.index_heads * shape.index_size if kind == "C" else 0
        read = {"F": length, "W": shape.window, "C": shape.chosen}[kind]
        counted += (one - index) * within(read) + index * pairs
    return counted


def traffic_bytes(shape: Shape, length: int) -> float:
    """Bytes that all layers move for the newest of ``length`` tokens: the sum of :func:`layer_traffic`."""
    return sum(layer_traffic(shape, kind, length) for kind in shape.layers)


def receptive_field(shape: Shape, length: int) -> int:
    """Tokens that can change what the last layer says of the newest one, itself among them.

    One layer of full attention, of chosen tokens or of linear attention suffices for all ``length`` of them.
    Through windows alone a token reaches w − 1 tokens further with each layer: ``1 + Σ (w − 1)``.
    """
    whole_number("length", length)
    if set(shape.layers) - {"W"}:
        return length
    return min(length, 1 + len(shape.layers) * (shape.window - 1))


def fullest_that_fits(shape: Shape, length: int, capacity: float) -> str | None:
    """The name in :data:`THINNER` of the first pattern whose cache needs at most ``capacity`` bytes.

    Parameters
    ----------
    shape : Shape
        Of which everything but the pattern is kept.
    length : int
    capacity : float
        Bytes.

    Returns
    -------
    str or None
        None if windows in all layers need more than that.
    """
    for name, size in pattern_sizes(shape, length).items():
        if size <= capacity:
            return name
    return None


def pattern_sizes(shape: Shape, length: int) -> dict[str, float]:
    """Bytes that the shape would keep with each of the patterns of :data:`THINNER`."""
    return {name: cache_bytes(replace(shape, pattern=pattern), length) for name, pattern in THINNER.items()}


def longest_that_fits(shape: Shape, capacity: float, most: int = 2**24) -> int:
    """The largest number of tokens, up to ``most``, whose cache needs at most ``capacity`` bytes; 0 if none.

    Parameters
    ----------
    shape : Shape
    capacity : float
        Bytes.
    most : int
    """
    whole_number("most", most)
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if cache_bytes(shape, middle) <= capacity:
            low = middle
        else:
            high = middle - 1
    return low


def in_words(shape: Shape) -> str:
    """How many layers of each kind a shape has: ``"10 × full attention, 52 × sliding window"``."""
    counts = {kind: shape.layers.count(kind) for kind in KINDS}
    return ", ".join(f"{count} × {KINDS[kind]}" for kind, count in counts.items() if count)
