"""Learners' wrong answers to the chapters of self-attention and transformers (7 to 10)."""

from __future__ import annotations

from learner_answer import Answer, function

CAUSAL = "causal_self_attention(x, W_q, W_k, W_v)"
MASKED = "masked_attention(query, key, value, mask)"
READ = "read_word(x, hidden_tape, memory_tape, weights, W, b)"
HEADS = "multi_head(query, memory, W_q, W_k, W_v, W_o, n_heads, mask)"
SMOOTHED = "smoothed_loss(logits, wanted, mask, epsilon)"


def _heads(scale="(d ** 0.5)", mask="s.masked_fill(~m, -math.inf)", dim="-1", out="c @ W_o.T", turn=".T",
           after="", split="x.view(b, -1, n_heads, d).transpose(1, 2)",
           merge="(w @ v).transpose(1, 2).reshape(b, -1, D)"):  # fmt: skip
    return (
        "b, _, D = query.shape\nd = D // n_heads\n"
        f"cut = lambda x: {split}\n"
        f"q, k, v = cut(query @ W_q{turn}), cut(memory @ W_k{turn}), cut(memory @ W_v{turn})\n"
        "m = mask[:, None, None, :]\n"
        f"s = q @ k.mT / {scale}\nw = {mask}.softmax({dim}){after}\n"
        f"w = w.nan_to_num(0.0)\nc = {merge}\nreturn {out}, w"
    )


def _causal(scores="q @ k.mT / q.shape[-1] ** 0.5", mask="torch.ones(n, n).triu(1).bool()", fill="-math.inf",
            after="", project=".T"):  # fmt: skip
    return (
        f"q, k, v = x @ W_q{project}, x @ W_k{project}, x @ W_v{project}\nn = x.shape[1]\n"
        f"s = {scores}\nw = s.masked_fill({mask}, {fill}).softmax(-1){after}\nreturn w @ v"
    )


def _norm(gain: str) -> str:
    return f"(t - t.mean(-1, keepdim=True)) / (t.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt(){gain}"


def _attend(out: str, merge: str, turn: str, mask: str, p: str = "self.") -> str:
    """Lines that make ``out`` and ``w`` from ``q_in`` and ``m_in``."""
    return (
        "b, _, D = q_in.shape\nd = D // n\ncut = lambda t: t.view(b, -1, n, d).transpose(1, 2)\n"
        f"q, k, v = cut(q_in @ {p}W_q{turn}), cut(m_in @ {p}W_k{turn}), cut(m_in @ {p}W_v{turn})\n"
        f"m = mask[:, None, None, :]\ns = (q @ k.mT / d ** 0.5).masked_fill({mask}, -math.inf)\n"
        f"w = s.softmax(-1)\nc = {merge}\nout = {out}"
    )


MERGED = "(w @ v).transpose(1, 2).reshape(b, -1, D)"


def _cross(what, says, out="c @ self.W_o.T", merge=MERGED, turn=".T", gain=" * self.gamma + self.beta",
           norm="N(x)", memory="memory", mask="~m", end="x + out, w"):  # fmt: skip
    names = ("W_q", "W_k", "W_v", "W_o")
    lines = [
        "class CrossAttention(nn.Module):",
        "    def __init__(self, D, n):",
        "        super().__init__()",
        "        self.n = n",
        *(f"        self.{name} = nn.Parameter(torch.randn(D, D))" for name in names),
        "        self.gamma, self.beta = nn.Parameter(torch.ones(D)), nn.Parameter(torch.zeros(D))",
        "    def forward(self, x, memory, mask):",
        f"        n, N = self.n, lambda t: {_norm(gain)}",
        f"        q_in, m_in = {norm}, {memory}",
        *(f"        {line}" for line in _attend(out, merge, turn, mask).split("\n")),
        f"        return {end}",
    ]
    return Answer("CrossAttention", what, "\n".join(lines), says)


def _layer(what, says, out="c @ p.W_o.T", merge=MERGED, turn=".T", mask="~m",
           gain=" * g + o"):  # fmt: skip
    body = (
        "import types\np, n = types.SimpleNamespace(**parameters), n_heads\n"
        f"N = lambda t, g, o: {_norm(gain)}\n"
        "def A(q_in):\n    m_in = q_in\n"
        + "\n".join(f"    {line}" for line in _attend(out, merge, turn, mask, "p.").split("\n"))
        + "\n    return out\nF_ = lambda t: torch.relu(t @ p.W_1.T + p.b_1) @ p.W_2.T + p.b_2\n"
        "if norm == 'pre':\n    x = x + A(N(x, p.gamma_1, p.beta_1))\n"
        "    return x + F_(N(x, p.gamma_2, p.beta_2))\n"
        "x = N(x + A(x), p.gamma_1, p.beta_1)\nreturn N(x + F_(x), p.gamma_2, p.beta_2)"
    )
    return function("encoder_layer", what, "encoder_layer(x, mask, parameters, n_heads, norm)", body, says)


def _masked(weights, after="", size="query.shape[-1]", out="w @ value, w"):
    return f"s = query @ key.mT / {size} ** 0.5\nw = {weights}.softmax(-1){after}\nreturn {out}"


def _read(quarters="i, f, o, new", joined="h, x", bias=" + b", out="o.sigmoid() * c.tanh(), c"):
    return (
        "h, m = ((weights[..., None] * tape).sum(1) for tape in (hidden_tape, memory_tape))\n"
        f"{quarters} = (torch.cat([{joined}], -1) @ W.T{bias}).chunk(4, -1)\n"
        f"c = f.sigmoid() * m + i.sigmoid() * new.tanh()\nreturn {out}"
    )


def _move(exponent):
    return (
        f"d = encoding.shape[-1]\nb = k * 10000.0 ** ({exponent})\n"
        "s, c = encoding[:, 0::2], encoding[:, 1::2]\n"
        "return torch.stack([s * b.cos() + c * b.sin(), c * b.cos() - s * b.sin()], -1).flatten(-2)"
    )


def _rotate(exponent="-torch.arange(0, d, 2) / d", place="positions"):
    return (
        f"d = x.shape[-1]\na = ({place})[:, None, :, None] * 10000.0 ** ({exponent})\n"
        "c, s = a.cos(), a.sin()\ne, o = x[..., 0::2], x[..., 1::2]\n"
        "return torch.stack([e * c - o * s, e * s + o * c], -1).flatten(-2)"
    )


ANSWERS = [
    # Chapter 7
    function("causal_self_attention", "forgot ~", CAUSAL, _causal(mask="torch.ones(n, n).tril().bool()"), r"wrong way|inverted|upside|ahead|future"),
    function("causal_self_attention", "forgot ~, -1e9", CAUSAL, _causal(mask="torch.ones(n, n).tril().bool()", fill="-1e9"),
         r"wrong way|inverted|upside|ahead|future"),
    function("causal_self_attention", "self excluded", CAUSAL, _causal(mask="torch.ones(n, n).triu(0).bool()"), r"itself"),
    function("causal_self_attention", "self excluded, -1e9", CAUSAL, _causal(mask="torch.ones(n, n).triu(0).bool()", fill="-1e9"),
         r"itself"),
    function("causal_self_attention", "over the batch", CAUSAL,
         _causal().replace("softmax(-1)", "softmax(0)"), r"batch|sentences"),
    function("causal_self_attention", "divided after", CAUSAL, _causal("q @ k.mT", after=" / q.shape[-1] ** 0.5"), r"after the softmax"),
    function("causal_self_attention", "multiplied", CAUSAL, _causal("q @ k.mT * q.shape[-1] ** 0.5"), r"multiplied"),
    function("causal_self_attention", "root of d_v", CAUSAL, _causal("q @ k.mT / v.shape[-1] ** 0.5"), r"√d_v"),
    function("causal_self_attention", "root of n", CAUSAL, _causal("q @ k.mT / n ** 0.5"), r"number of keys"),
    function("masked_attention", "root of keys", "masked_attention(query, key, value, mask)",
         "s = query @ key.mT / key.shape[-2] ** 0.5\n"
         "w = s.masked_fill(~mask, -math.inf).softmax(-1).nan_to_num(0.0)\nreturn w @ value, w",
         r"number of keys"),
    Answer("multiplications", "copied from the chapter",
           "def multiplications(n, d_model, d_k, d_v):\n    d = d_model\n    return 3*n*d*d + 2*n*n*d\n", r"d_k|d_model"),
    Answer("multiplications", "operations",
           "def multiplications(n, d_model, d_k, d_v):\n"
           "    return 2 * (n*d_model*(2*d_k + d_v) + n*n*d_k + n*n*d_v)\n", r"twice|addition|doubl"),
    Answer("layers_needed", "logarithm", "def layers_needed(n, reach):\n    return math.ceil(math.log(n, reach + 1))\n",
           r"logarithm|layers · reach"),
    Answer("layers_needed", "not rounded", "def layers_needed(n, reach):\n    return (n - 1) / reach\n", r"whole|round"),
    function("causal_self_attention", "root of d_model", CAUSAL, _causal("q @ k.mT / x.shape[-1] ** 0.5"), r"√d_model"),
    function("causal_self_attention", "keys ask", CAUSAL, _causal("k @ q.mT / q.shape[-1] ** 0.5"), r"exchanged"),
    function("causal_self_attention", "W not turned", CAUSAL, _causal(project=""), r"raises RuntimeError"),
    function("causal_self_attention", "k.T", CAUSAL, _causal("q @ k.T / q.shape[-1] ** 0.5"), r"\.mT"),
    function("masked_attention", "zero times infinity", MASKED, _masked("(s + (1 - mask.float()) * -math.inf)"),
         r"0 · ∞"),
    function("masked_attention", "forgot ~", MASKED, _masked("s.masked_fill(mask, -math.inf)", ".nan_to_num(0.0)"),
         r"wrong way round"),
    function("masked_attention", "forgot ~, NaN left", MASKED, _masked("s.masked_fill(mask, -math.inf)"),
         r"wrong way round"),
    function("masked_attention", "forgot ~, -1e9", MASKED, _masked("s.masked_fill(mask, -1e9)"), r"wrong way round"),
    function("masked_attention", "mask on the values", MASKED, _masked("s", out="(w * mask) @ value, w"),
         r"(context|values).*weights|weights you return"),
    function("masked_attention", "nan_to_num on the context alone", MASKED,
         _masked("s.masked_fill(~mask, -math.inf)", out="(w @ value).nan_to_num(0.0), w"), r"row"),
    function("masked_attention", "-1e9 for an empty row", MASKED, _masked("s.masked_fill(~mask, -1e9)"),
         r"equal weights"),
    function("masked_attention", "the boolean mask added", MASKED, _masked("(s + mask)"), r"where the mask is False"),
    function("masked_attention", "over the batch", MASKED,
         _masked("s.masked_fill(~mask, -math.inf)", ".nan_to_num(0.0)").replace("softmax(-1)", "softmax(0)"),
         r"batch"),
    function("masked_attention", "root of queries", MASKED,
         _masked("s.masked_fill(~mask, -math.inf)", ".nan_to_num(0.0)", "query.shape[1]"), r"number of queries"),
    function("masked_attention", "root of d_v", MASKED,
         _masked("s.masked_fill(~mask, -math.inf)", ".nan_to_num(0.0)", "value.shape[-1]"), r"√d_v"),
    function("masked_attention", "8 as in the example", MASKED,
         _masked("s.masked_fill(~mask, -math.inf)", ".nan_to_num(0.0)", "64"), r"divided by 8"),
    function("read_word", "returns c, h", READ, _read(out="c, o.sigmoid() * c.tanh()"), r"swapped"),
    function("read_word", "torch's order of gates", READ, _read(quarters="i, f, new, o"), r"torch\.nn\.LSTM"),
    function("read_word", "forget first", READ, _read(quarters="f, i, o, new"), r"exchanged"),
    function("read_word", "forget first, output last", READ, _read(quarters="f, i, new, o"),
         r"forget, output, new content"),
    function("read_word", "no bias", READ, _read(bias=""), r"constant b"),
    function("read_word", "word first", READ, _read(joined="x, h"), r"\[x; h̃\]"),
    Answer("variance_of_scores", "after dividing", "variance_of_scores = 0.11", r"after dividing"),
    Answer("multiplications", "with W_O",
           "def multiplications(n, d_model, d_k, d_v):\n"
           "    return n*d_model*(2*d_k + d_v) + n*n*d_k + n*n*d_v + n*d_v*d_model\n", r"fourth matrix"),
    Answer("multiplications", "d_k for d_v",
           "def multiplications(n, d_model, d_k, d_v):\n    return 3*n*d_model*d_k + 2*n*n*d_k\n", r"d_v"),
    Answer("layers_needed", "n // reach", "def layers_needed(n, reach):\n    return n // reach\n", r"round down"),
    Answer("layers_needed", "ceil(n / reach)",
           "def layers_needed(n, reach):\n    return math.ceil(n / reach)\n", r"n − 1"),
    Answer("layers_needed", "both sides",
           "def layers_needed(n, reach):\n    return math.ceil((n - 1) / (2 * reach))\n", r"one side|whole window"),
    # Chapter 8
    Answer("parameters", "with biases", "parameters = 263168", r"bias"),
    function("multi_head", "W not turned", HEADS, _heads(turn=""), r"W\.T"),
    function("multi_head", "over the heads", HEADS, _heads(dim="1"), r"heads"),
    function("multi_head", "slices of x", HEADS,
         "b, _, D = query.shape\nd = D // n_heads\nout, ws = [], []\nfor h in range(n_heads):\n"
         "    a = slice(h * d, (h + 1) * d)\n"
         "    q, k, v = (t[..., a] @ W[a, a].T for t, W in ((query, W_q), (memory, W_k), (memory, W_v)))\n"
         "    s = (q @ k.mT / d ** 0.5).masked_fill(~mask[:, None], -math.inf)\n"
         "    ws.append(s.softmax(-1).nan_to_num(0.0))\n    out.append(ws[-1] @ v)\n"
         "return torch.cat(out, -1) @ W_o.T, torch.stack(ws, 1)", r"its own piece"),
    function("multi_head", "keys and values exchanged", HEADS,
         _heads().replace("cut(memory @ W_k.T), cut(memory @ W_v.T)", "cut(memory @ W_v.T), cut(memory @ W_k.T)"),
         r"exchanged"),
    function("multi_head", "root of heads", HEADS, _heads(scale="(n_heads ** 0.5)"), r"heads"),
    function("multi_head", "three at once", HEADS,
         _heads(scale="(D ** 0.5)", out="c", merge="(w @ v).reshape(b, -1, D)"),
         r"√d_model"),
    function("multi_head", "forgot ~", HEADS, _heads(mask="s.masked_fill(m, -math.inf)"), r"wrong way round"),
    function("multi_head", "zero times infinity", HEADS, _heads(mask="(s + ~m * -math.inf)").replace(
        "w = w.nan_to_num(0.0)\n", ""), r"0 · ∞|0 times"),
    Answer("parameters", "eight layers", "parameters = 2097152", r"eight whole layers"),
    function("split_heads", "heads into the batch", "split_heads(x, n_heads)",
         "return x.reshape(x.shape[0] * n_heads, -1, x.shape[-1] // n_heads)", r"3 axes instead of 4"),
    function("split_heads", "heads before the batch", "split_heads(x, n_heads)",
         "return torch.stack(x.chunk(n_heads, -1), 0)", r"two axes are exchanged"),
    function("merge_heads", "view", "merge_heads(heads)",
         "b, h, n, d = heads.shape\nreturn heads.transpose(1, 2).view(b, n, h * d)", r"\.reshape"),
    function("multi_head", "one big head", HEADS,
         "q, k, v = query @ W_q.T, memory @ W_k.T, memory @ W_v.T\n"
         "s = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask[:, None], -math.inf)\n"
         "w = s.softmax(-1).nan_to_num(0.0)\nreturn w @ v @ W_o.T, w", r"axis `n_heads` is gone"),
    function("multi_head", "weights averaged", HEADS, _heads().replace("W_o.T, w", "W_o.T, w.mean(1)"), r"averaged"),
    function("multi_head", "over the batch", HEADS, _heads(dim="0"), r"over the batch"),
    function("multi_head", "divided after", HEADS, _heads(scale="1", after=" / d ** 0.5"), r"after the softmax"),
    function("multi_head", "root of keys", HEADS, _heads(scale="(k.shape[-2] ** 0.5)"), r"number of keys"),
    function("multi_head", "root of d_model", HEADS, _heads(scale="(D ** 0.5)"), r"√d_model"),
    function("multi_head", "W_o not turned", HEADS, _heads(out="c @ W_o"), r"W_o the wrong way round"),
    function("multi_head", "split at once", HEADS, _heads(split="x.reshape(b, n_heads, -1, d)"), r"at once"),
    function("multi_head", "no scale, no W_o", HEADS, _heads(scale="1", out="c"), r"√d_head.*W_o"),
    # Chapter 9
    function("alibi", "slopes from 2^0", "alibi(n_heads, queries, keys, start)",
         "p = 2 ** int(math.log2(n_heads))\nof = lambda n: [2 ** (-8 * h / n) for h in range(n)]\n"
         "s = torch.tensor(of(p) + of(2 * p)[0::2][:n_heads - p])\n"
         "i, j = torch.arange(queries)[:, None] + start, torch.arange(keys)\n"
         "return s[:, None, None] * -(i - j).abs()", r"counted from 0"),
    function("alibi", "key position", "alibi(n_heads, queries, keys, start)",
         "p = 2 ** int(math.log2(n_heads))\nof = lambda n: [2 ** (-8 * (h + 1) / n) for h in range(n)]\n"
         "s = torch.tensor(of(p) + of(2 * p)[0::2][:n_heads - p])\n"
         "return s[:, None, None] * torch.arange(keys).expand(queries, keys)", r"position|distance"),
    function("alibi", "start on the keys", "alibi(n_heads, queries, keys, start)",
         "p = 2 ** int(math.log2(n_heads))\nof = lambda n: [2 ** (-8 * (h + 1) / n) for h in range(n)]\n"
         "s = torch.tensor(of(p) + of(2 * p)[0::2][:n_heads - p])\n"
         "i, j = torch.arange(queries)[:, None], torch.arange(keys) + start\n"
         "return s[:, None, None] * -(i - j).abs()", r"added to the keys"),
    function("rotate", "exponent doubled", "rotate(x, positions)",
         "d = x.shape[-1]\nf = 10000 ** (-2 * torch.arange(0, d, 2) / d)\n"
         "a = positions[..., None] * f\nwhile a.dim() < x.dim(): a = a.unsqueeze(1)\n"
         "c, s = a.cos(), a.sin()\ne, o = x[..., 0::2], x[..., 1::2]\n"
         "return torch.stack([e * c - o * s, e * s + o * c], -1).flatten(-2)", r"exponent|twice|doubled"),
    Answer("unfinished", "exponent doubled", "unfinished = 58", r"doubled"),
    function("move_on", "exponent doubled", "move_on(encoding, k)", _move("-2 * torch.arange(0, d, 2) / d"), r"doubled"),
    function("move_on", "exponent halved", "move_on(encoding, k)", _move("-torch.arange(d // 2) / d"), r"2i/d"),
    function("rotate", "pairs from 1", "rotate(x, positions)",
         _rotate("-2 * torch.arange(1, d // 2 + 1) / d"), r"pairs are counted from 1"),
    function("rotate", "positions from 1", "rotate(x, positions)",
         _rotate(place="positions + 1"), r"one position too far"),
    function("slow_ones", "exponent doubled", "slow_ones(d_head, base, trained_length, factor)",
         "f = base ** (-2 * torch.arange(0, d_head, 2) / d_head)\n"
         "return torch.where(trained_length * f < 2 * math.pi, f / factor, f)", r"doubled"),
    function("cached_attention", "nothing turned", "cached_attention(query, key, value)",
         "n, d = query.shape[1:]\n"
         "s = (query @ key.mT / d ** 0.5).masked_fill(torch.ones(n, n).triu(1).bool(), -math.inf)\n"
         "return s.softmax(-1) @ value", r"not turned at all"),
    # Chapter 10
    function("learning_rate", "steps from 0", "learning_rate(step, d_model, warmup)",
         "s = step - 1\nreturn d_model ** -0.5 * min(s ** -0.5, s * warmup ** -1.5)", r"from 0|step 1"),
    function("learning_rate", "steps from 1 too many", "learning_rate(step, d_model, warmup)",
         "s = step + 1\nreturn d_model ** -0.5 * min(s ** -0.5, s * warmup ** -1.5)", r"one step early"),
    function("smoothed_loss", "divided by the sentences", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = F.one_hot(wanted, V) * (1 - epsilon) + epsilon / V\n"
         "return (-(t * l).sum(-1) * mask).sum() / len(mask)", r"number of sentences"),
    function("smoothed_loss", "epsilon over V - 2", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = torch.full_like(l, epsilon / (V - 2)).scatter(-1, wanted[..., None], 1 - epsilon)\n"
         "return (-(t * l).sum(-1) * mask).sum() / mask.sum()", r"V − 2|vocab − 2|two words"),
    function("smoothed_loss", "scatter instead of adding", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = torch.full_like(l, epsilon / V).scatter(-1, wanted[..., None], 1 - epsilon)\n"
         "return (-(t * l).sum(-1) * mask).sum() / mask.sum()", r"adds up to less|overwrit"),
    function("smoothed_loss", "one loss a sentence", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = F.one_hot(wanted, V) * (1 - epsilon) + epsilon / V\n"
         "return (-(t * l).sum(-1) * mask).sum(-1)", r"one number.*(mean|sum)"),
    _cross("W_o left out", r"W_o", out="c"),
    _cross("merged at once", r"without exchanging", merge="(w @ v).reshape(b, -1, D)"),
    _cross("W not turned", r"W\.T|`W`", turn=""),
    _cross("no gamma, no beta", r"gamma|beta", gain=""),
    _cross("post-norm", r"after the sum", norm="x", end="N(x + out), w"),
    _cross("forgot ~", r"wrong way round", mask="m"),
    _layer("W_o left out", r"W_o", out="c"),
    _layer("merged at once", r"without exchanging", merge="(w @ v).reshape(b, -1, D)"),
    _layer("forgot ~", r"wrong way round", mask="m"),
    Answer("padding_sorted", "in per cent", "padding_sorted = 8.098", r"per cent"),
    Answer("share_attention", "in per cent", "share_attention = 50", r"per cent"),
    function("learning_rate", "the larger of the two", "learning_rate(step, d_model, warmup)",
         "return d_model ** -0.5 * max(step ** -0.5, step * warmup ** -1.5)", r"larger of the two"),
    Answer("NextWord", "foward",
           "class NextWord(nn.Module):\n    def __init__(self, V, D):\n        super().__init__()\n"
           "        self.E = nn.Parameter(torch.randn(V, D))\n"
           "        for name in ('W_q', 'W_k', 'W_v'):\n"
           "            setattr(self, name, nn.Parameter(torch.randn(D, D)))\n"
           "    def foward(self, tgt):\n        return tgt\n", r"no method `forward`"),
    function("smoothed_loss", "forgot ~", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = F.one_hot(wanted, V) * (1 - epsilon) + epsilon / V\n"
         "return (-(t * l).sum(-1) * ~mask).sum() / (~mask).sum()", r"wrong way round"),
    _cross("memory normalised too", r"memory is normalised", memory="N(memory)"),
    _cross("x not normalised", r"x is not normalised", norm="x"),
    _cross("no shortcut", r"shortcut is missing", end="out, w"),
    _layer("W not turned", r"W\.T", turn=""),
    _layer("no gamma, no beta", r"gamma|beta", gain=""),
]  # fmt: skip
