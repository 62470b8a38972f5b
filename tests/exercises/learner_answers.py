"""Wrong answers as learners write them, and what each should be told.

Each is a mistake that was seen in public threads and repositories, or that somebody made who had not read the
list of known ones. ``says`` is a regular expression: words without which the sentence would not be about
*this* mistake, whether it is a known mistake's text or one on the shape, the line of an error, the rows of NaN.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass

from attnbook.exercises import exercises

HEAD = "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n"


@dataclass(frozen=True)
class Answer:
    """One wrong answer.

    Attributes
    ----------
    exercise : str
        The name that it asks for; numbers change.
    what : str
        What the learner did, in a word or two; unique for an exercise.
    code : str
        Defines the name that the exercise asks for.
    says : str
        What has to stand in what the learner reads.
    """

    exercise: str
    what: str
    code: str
    says: str

    def made(self):
        """The object that the code defines."""
        namespace: dict = {}
        source, file = HEAD + self.code, f"<{self.exercise} {self.what}>"
        linecache.cache[file] = (
            len(source),
            None,
            source.splitlines(keepends=True),
            file,
        )  # as in a notebook
        exec(compile(source, file, "exec"), namespace)
        return namespace.get(self.exercise)


def _def(exercise: str, what: str, signature: str, body: str, says: str) -> Answer:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return Answer(exercise, what, f"def {signature}:\n{lines}\n", says)


ATTENTION = "scaled_lookup(query, key, value)"
MASKED = "masked_lookup(query, key, value, mask)"
SOFTMAX = "attention_weights(scores)"
CAUSAL = "causal_self_attention(x, W_q, W_k, W_v)"
HEADS = "multi_head(query, memory, W_q, W_k, W_v, W_o, n_heads, mask)"
LSTM = "lstm_step(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh)"
GRU = "gru_step(x, h, W, U, b)"
LOSS = "padded_loss(scores, target, mask)"
MATCHES = "clipped_matches(candidate, references, n)"
CORPUS = "corpus_bleu(candidates, references)"
GRAMS = "from collections import Counter\ng = lambda t, n: Counter(tuple(t[i:i + n]) for i in range(len(t) - n + 1))\n"
# the four precisions of a corpus, and its lengths
SUMS = (
    "pairs = list(zip(candidates, references))\n"
    "p = [sum((g(c, n) & g(r, n)).total() for c, r in pairs) / sum(g(c, n).total() for c, r in pairs)"
    " for n in {}]\n"
    "C, R = sum(map(len, candidates)), sum(map(len, references))\n"
)
ADDITIVE = "additive_scores(queries, annotations, W, U, b, v, g)"
PACKED = "attend_packed(scores, annotations, lengths)"
SMOOTHED = "smoothed_loss(logits, wanted, mask, epsilon)"
POOLING = "class QueryPooling(nn.Module):\n    def __init__(self, d_model, n_queries):\n        super().__init__()\n        self.query = nn.Parameter(torch.randn(n_queries, d_model))\n"


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
           norm="N(x)", mask="~m", end="x + out, w"):  # fmt: skip
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
        f"        q_in, m_in = {norm}, memory",
        *(f"        {line}" for line in _attend(out, merge, turn, mask).split("\n")),
        f"        return {end}",
    ]
    return Answer("CrossAttention", what, "\n".join(lines), says)


def _layer(what, says, out="c @ p.W_o.T", merge=MERGED, turn=".T", mask="~m"):
    body = (
        "import types\np, n = types.SimpleNamespace(**parameters), n_heads\n"
        f"N = lambda t, g, o: {_norm(' * g + o')}\n"
        "def A(q_in):\n    m_in = q_in\n"
        + "\n".join(f"    {line}" for line in _attend(out, merge, turn, mask, "p.").split("\n"))
        + "\n    return out\nF_ = lambda t: torch.relu(t @ p.W_1.T + p.b_1) @ p.W_2.T + p.b_2\n"
        "if norm == 'pre':\n    x = x + A(N(x, p.gamma_1, p.beta_1))\n"
        "    return x + F_(N(x, p.gamma_2, p.beta_2))\n"
        "x = N(x + A(x), p.gamma_1, p.beta_1)\nreturn N(x + F_(x), p.gamma_2, p.beta_2)"
    )
    return _def("encoder_layer", what, "encoder_layer(x, mask, parameters, n_heads, norm)", body, says)


EVERY_ANSWER = [
    # Chapter 0
    _def("look_up", "size left to one_hot", "look_up(numbers, table)",
         "o = F.one_hot(numbers).float()\nreturn o, o @ table", r"raises RuntimeError|vocab"),
    _def("look_up", "index alone", "look_up(numbers, table)", "return table[numbers]", r"2 values"),
    _def("look_up", "long one-hot", "look_up(numbers, table)",
         "o = F.one_hot(numbers, len(table))\nreturn o, o.float() @ table", r"dtype int64"),
    _def("shares", "maximum of all", "shares(scores, dim, temperature)",
         "z = scores / temperature\ne = (z - z.max()).exp()\nreturn e / e.sum(dim, keepdim=True)", r"whole"),
    _def("shares", "mean taken away", "shares(scores, dim, temperature)",
         "z = scores / temperature\ne = (z - z.mean(dim, keepdim=True)).exp()\n"
         "return e / e.sum(dim, keepdim=True)", r"overflow|infinity divided"),
    _def("shares", "minimum taken away", "shares(scores, dim, temperature)",
         "z = scores / temperature\ne = (z - z.amin(dim, keepdim=True)).exp()\n"
         "return e / e.sum(dim, keepdim=True)", r"overflow|infinity divided"),
    _def("descend", "zeroed before the step", "descend(x, y, steps, learning_rate)",
         "line = torch.zeros(2, requires_grad=True)\nlosses = []\nfor _ in range(steps):\n"
         "    loss = ((line[0] * x + line[1] - y) ** 2).mean()\n    loss.backward()\n"
         "    losses.append(loss.detach())\n    with torch.no_grad():\n        line.grad.zero_()\n"
         "        line -= learning_rate * line.grad\nreturn line.detach(), torch.stack(losses)",
         r"before the step|never moves|stays where"),
    _def("descend", "losses after the step", "descend(x, y, steps, learning_rate)",
         "line = torch.zeros(2, requires_grad=True)\nlosses = []\nfor _ in range(steps):\n"
         "    loss = ((line[0] * x + line[1] - y) ** 2).mean()\n    loss.backward()\n"
         "    with torch.no_grad():\n        line -= learning_rate * line.grad\n    line.grad = None\n"
         "    losses.append(((line[0] * x + line[1] - y) ** 2).mean().detach())\n"
         "return line.detach(), torch.stack(losses)", r"\*after\* the step"),
    _def("masked_mean", "mean of zeros", "masked_mean(vectors, mask)",
         "return (vectors * mask[..., None]).mean(1)", r"divided by the number of \*places\*"),
    _def("surprise", "column of the right classes", "surprise(logits, right)",
         "return -torch.log_softmax(logits, -1)[:, right].mean()", r"`?\[:, right\]`?|every pair|all .*pairs"),
    _def("surprise", "all classes", "surprise(logits, right)", "return -torch.log_softmax(logits, -1).mean()",
         r"all classes|not used"),
    _def("surprise", "likeliest class", "surprise(logits, right)",
         "return -torch.log_softmax(logits, -1).amax(-1).mean()", r"likeliest"),
    _def("surprise", "log of softmax", "surprise(logits, right)",
         "return -torch.log(torch.softmax(logits, -1)[range(len(right)), right]).mean()",
         r"infinity|rounds to 0|log of 0"),
    _def("surprise", "a little inside the log", "surprise(logits, right)",
         "p = torch.softmax(logits, -1)[range(len(right)), right]\nreturn -torch.log(p + 1e-6).mean()",
         r"small number|added to the share|1e-"),
    _def("surprise", "one loss each", "surprise(logits, right)",
         "return -torch.log_softmax(logits, -1)[range(len(right)), right]", r"one number.*(mean|sum)"),
    _def("lstm_step", "returns c, h", LSTM,
         "g = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh\ni, f, g, o = g.chunk(4, -1)\n"
         "c = f.sigmoid() * c + i.sigmoid() * g.tanh()\nreturn c, o.sigmoid() * c.tanh()", r"swapped"),
    _def("lstm_step", "forget first", LSTM,
         "g = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh\nf, i, g, o = g.chunk(4, -1)\n"
         "c = f.sigmoid() * c + i.sigmoid() * g.tanh()\nreturn o.sigmoid() * c.tanh(), c", r"changed places"),
    _def("lstm_step", "order i f o g", LSTM,
         "g = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh\ni, f, o, g = g.chunk(4, -1)\n"
         "c = f.sigmoid() * c + i.sigmoid() * g.tanh()\nreturn o.sigmoid() * c.tanh(), c", r"changed places"),
    _def("lstm_step", "no bias", LSTM,
         "g = x @ weight_ih.T + h @ weight_hh.T\ni, f, g, o = g.chunk(4, -1)\n"
         "c = f.sigmoid() * c + i.sigmoid() * g.tanh()\nreturn o.sigmoid() * c.tanh(), c", r"bias"),
    # Chapter 2
    Answer("share_after_shift", "in per cent", "share_after_shift = 93.86", r"per cent"),
    _def("attention_weights", "maximum of all", SOFTMAX,
         "e = (scores - scores.max()).exp()\nreturn e / e.sum(-1, keepdim=True)", r"whole"),
    _def("attention_weights", "sum over queries", SOFTMAX,
         "e = (scores - scores.amax(-1, keepdim=True)).exp()\nreturn e / e.sum(-2, keepdim=True)",
         r"queries|adds up to 1"),
    _def("attention_weights", "mean taken away", SOFTMAX,
         "e = (scores - scores.mean(-1, keepdim=True)).exp()\nreturn e / e.sum(-1, keepdim=True)",
         r"overflow|infinity divided"),
    _def("attention_weights", "no keepdim", SOFTMAX, "e = scores.exp()\nreturn e / e.sum(-1)", r"raises RuntimeError"),
    _def("scaled_lookup", "over the batch", ATTENTION,
         "w = (query @ key.mT / query.shape[-1] ** 0.5).softmax(0)\nreturn w @ value, w", r"batch"),
    _def("scaled_lookup", "root of keys", ATTENTION,
         "w = (query @ key.mT / key.shape[1] ** 0.5).softmax(-1)\nreturn w @ value, w", r"number of keys"),
    _def("scaled_lookup", "root of queries", ATTENTION,
         "w = (query @ key.mT / query.shape[1] ** 0.5).softmax(-1)\nreturn w @ value, w",
         r"number of queries"),
    _def("scaled_lookup", "root of d_v", ATTENTION,
         "w = (query @ key.mT / value.shape[-1] ** 0.5).softmax(-1)\nreturn w @ value, w", r"√d_v"),
    _def("scaled_lookup", "divided after", ATTENTION,
         "w = (query @ key.mT).softmax(-1) / query.shape[-1] ** 0.5\nreturn w @ value, w",
         r"after the softmax"),
    _def("scaled_lookup", "key.T", ATTENTION,
         "w = (query @ key.T / query.shape[-1] ** 0.5).softmax(-1)\nreturn w @ value, w", r"\.mT|all axes"),
    _def("scaled_lookup", "swapped results", ATTENTION,
         "w = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)\nreturn w, w @ value", r"swapped"),
    _def("temperature_softmax", "over the batch", "temperature_softmax(scores, temperature)",
         "return (scores / temperature).softmax(0)", r"batch|adds up to 1"),
    _def("masked_lookup", "zero times infinity", MASKED,
         "s = query @ key.mT / query.shape[-1] ** 0.5\nw = (s + (1 - mask.float()) * -math.inf).softmax(-1)\n"
         "return w @ value, w", r"0 · ∞|0 times"),
    _def("masked_lookup", "forgot ~", MASKED,
         "s = query @ key.mT / query.shape[-1] ** 0.5\nw = s.masked_fill(mask, -math.inf).softmax(-1)\n"
         "w = w.nan_to_num(0.0)\nreturn w @ value, w", r"wrong way round"),
    _def("masked_lookup", "forgot ~, NaN left", MASKED,
         "s = query @ key.mT / query.shape[-1] ** 0.5\nw = s.masked_fill(mask, -math.inf).softmax(-1)\n"
         "return w @ value, w", r"wrong way round"),
    _def("masked_lookup", "forgot ~, -1e9", MASKED,
         "s = query @ key.mT / query.shape[-1] ** 0.5\nw = s.masked_fill(mask, -1e9).softmax(-1)\n"
         "return w @ value, w", r"wrong way round"),
    _def("masked_lookup", "mask on the values", MASKED,
         "w = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)\n"
         "return (w * mask) @ value, w", r"(context|values).*weights|weights you return"),
    _def("masked_lookup", "nan_to_num on the context alone", MASKED,
         "s = query @ key.mT / query.shape[-1] ** 0.5\nw = s.masked_fill(~mask, -math.inf).softmax(-1)\n"
         "return (w @ value).nan_to_num(0.0), w", r"row"),
    _def("masked_lookup", "-1e9 for an empty row", MASKED,
         "s = query @ key.mT / query.shape[-1] ** 0.5\nw = s.masked_fill(~mask, -1e9).softmax(-1)\n"
         "return w @ value, w", r"equal weights"),
    _def("masked_lookup", "root of keys", MASKED,
         "s = query @ key.mT / key.shape[1] ** 0.5\n"
         "w = s.masked_fill(~mask, -math.inf).softmax(-1).nan_to_num(0.0)\nreturn w @ value, w",
         r"number of keys"),
    _def("kernel_regression", "precedence", "kernel_regression(x_new, x, y, width)",
         "s = -((x_new[:, None] - x) ** 2) / 2 * width**2\nreturn s.softmax(-1) @ y", r"multiplied|parenthes"),
    _def("kernel_regression", "no softmax", "kernel_regression(x_new, x, y, width)",
         "k = (-((x_new[:, None] - x) ** 2) / (2 * width**2)).exp()\nreturn k @ y / k.sum(-1)",
         r"far from all"),
    Answer("QueryPooling", "foward",
           POOLING + "    def foward(self, words, mask):\n        return words, mask\n", r"no method `forward`"),
    Answer("QueryPooling", "no forward", POOLING, r"no method `forward`"),
    Answer("QueryPooling", "an object",
           POOLING + "    def forward(self, words, mask):\n        return words, mask\n"
           "QueryPooling = QueryPooling(4, 2)\n", r"class itself"),
    Answer("QueryPooling", "forgot ~",
           POOLING + "    def forward(self, words, mask):\n"
           "        s = self.query @ words.mT / self.query.shape[-1] ** 0.5\n"
           "        w = s.masked_fill(mask[:, None, :], -math.inf).softmax(-1)\n"
           "        return w @ words, w\n", r"wrong way round"),
    Answer("QueryPooling", "forgot ~, -1e9",
           POOLING + "    def forward(self, words, mask):\n"
           "        s = self.query @ words.mT / self.query.shape[-1] ** 0.5\n"
           "        w = s.masked_fill(mask[:, None, :], -1e9).softmax(-1)\n"
           "        return w @ words, w\n", r"wrong way round"),
    # Chapter 3
    _def("gru_step", "bias inside the reset", GRU,
         "n = h.shape[1]\na, c = (x @ W.T).split(n, 1), (h @ U.T).split(n, 1)\nbr, bz, bn = b.split(n)\n"
         "r, z = (a[0] + c[0] + br).sigmoid(), (a[1] + c[1] + bz).sigmoid()\n"
         "new = (a[2] + r * (c[2] + bn)).tanh()\nreturn z * h + (1 - z) * new", r"bias"),
    _def("gru_step", "torch's own", GRU,
         "n = h.shape[1]\na, c = (x @ W.T + b).split(n, 1), (h @ U.T).split(n, 1)\n"
         "r, z = (a[0] + c[0]).sigmoid(), (a[1] + c[1]).sigmoid()\n"
         "new = (a[2] + r * c[2]).tanh()\nreturn z * h + (1 - z) * new", r"before the product"),
    _def("padded_loss", "divided by the batch", LOSS,
         "l = -torch.log_softmax(scores, -1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * mask).sum() / len(scores)", r"number of sentences"),
    _def("padded_loss", "one loss a sentence", LOSS,
         "l = -torch.log_softmax(scores, -1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * mask).sum(1) / mask.sum(1)", r"one number.*(mean|sum)"),
    _def("padded_loss", "softmax over the positions", LOSS,
         "l = -torch.log_softmax(scores, 1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * mask).sum() / mask.sum()", r"positions"),
    _def("greedy_decode", "columns", "greedy_decode(next_scores, start, stop, max_length)",
         "out, at = [], start\nfor _ in range(max_length):\n    at = int(next_scores[:, at].argmax())\n"
         "    if at == stop:\n        break\n    out.append(at)\nreturn out", r"column"),
    _def("clipped_matches", "sets", MATCHES,
         "c = [tuple(candidate[i:i + n]) for i in range(len(candidate) - n + 1)]\n"
         "r = {tuple(one[i:i + n]) for one in references for i in range(len(one) - n + 1)}\n"
         "return len(set(c) & r), len(c)", r"`set`"),
    _def("clipped_matches", "last n-gram missed", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(tuple(t[i:i + n]) for i in range(len(t) - n))\n"
         "c, limit = g(candidate), Counter()\nfor one in references:\n    limit |= g(one)\n"
         "return (c & limit).total(), c.total()", r"last"),
    _def("clipped_matches", "order ignored", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(tuple(sorted(t[i:i + n])) for i in range(len(t) - n + 1))\n"
         "c, limit = g(candidate), Counter()\nfor one in references:\n    limit |= g(one)\n"
         "return (c & limit).total(), c.total()", r"order"),
    _def("clipped_matches", "counts added up", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(zip(*(t[i:] for i in range(n))))\n"
         "c, limit = g(candidate), sum((g(one) for one in references), Counter())\n"
         "return (c & limit).total(), c.total()", r"added up"),
    _def("clipped_matches", "the best reference", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(zip(*(t[i:] for i in range(n))))\n"
         "return max((g(candidate) & g(one)).total() for one in references), g(candidate).total()",
         r"keep the best"),
    _def("clipped_matches", "in, and no limit", MATCHES,
         "g = lambda t: [tuple(t[i:i + n]) for i in range(len(t) - n + 1)]\n"
         "c = g(candidate)\nreturn sum(any(x in g(one) for one in references) for x in c), len(c)",
         r"not clipped"),
    _def("corpus_bleu", "mean of the sentences'", CORPUS, GRAMS +
         "def one(c, r):\n"
         "    p = [(g(c, n) & g(r, n)).total() / max(len(c) - n + 1, 1) for n in (1, 2, 3, 4)]\n"
         "    m = math.exp(sum(map(math.log, p)) / 4) if min(p) else 0.0\n"
         "    return m * min(1.0, math.exp(1 - len(r) / len(c)))\n"
         "return sum(map(one, candidates, references)) / len(candidates)", r"mean of the sentences' BLEU"),
    _def("corpus_bleu", "n to 3", CORPUS, GRAMS + SUMS.format("(1, 2, 3)") +
         "if min(p) == 0: return 0.0\nm = math.exp(sum(map(math.log, p)) / 3)\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"up to three words|1 to 4"),
    _def("corpus_bleu", "log of nothing", CORPUS, GRAMS + SUMS.format("(1, 2, 3, 4)") +
         "m = math.exp(sum(map(math.log, p)) / 4)\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"raises ValueError"),
    _def("corpus_bleu", "precisions averaged", CORPUS, GRAMS +
         "p = [sum((g(c, n) & g(r, n)).total() / max(len(c) - n + 1, 1) for c, r in "
         "zip(candidates, references)) / len(candidates) for n in (1, 2, 3, 4)]\n"
         "C, R = sum(map(len, candidates)), sum(map(len, references))\n"
         "m = math.exp(sum(map(math.log, p)) / 4) if min(p) else 0.0\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"precision of its own"),
    Answer("share_read_back", "in per cent", "share_read_back = 26.0", r"per cent"),
    # Chapter 4
    _def("additive_scores", "bias after the tanh", ADDITIVE,
         "h = ((queries @ W.T)[:, :, None] + (annotations @ U.T)[:, None]).tanh() + b\n"
         "return h @ (g * v / v.norm())", r"after the tanh"),
    _def("additive_scores", "tanh on the query alone", ADDITIVE,
         "u = g * v / v.norm()\n"
         "return ((queries @ W.T + b).tanh() @ u)[:, :, None] + (annotations @ U.T @ u)[:, None]",
         r"tanh stands around the query"),
    _def("additive_scores", "v as it is", ADDITIVE,
         "return ((queries @ W.T)[:, :, None] + (annotations @ U.T)[:, None] + b).tanh() @ v * g",
         r"not divided by its length"),
    _def("additive_scores", "W not turned", ADDITIVE,
         "return ((queries @ W)[:, :, None] + (annotations @ U)[:, None] + b).tanh() @ v",
         r"raises RuntimeError"),
    _def("additive_scores", "axes exchanged", ADDITIVE,
         "h = ((queries @ W.T)[:, None] + (annotations @ U.T)[:, :, None] + b).tanh()\n"
         "return h @ (g * v / v.norm())", r"two axes are exchanged"),
    _def("attend_packed", "one softmax", PACKED,
         "w = scores.softmax(0)\ncuts = lengths.tolist()\n"
         "pairs = zip(w.split(cuts), annotations.split(cuts))\n"
         "return torch.stack([a @ h for a, h in pairs]), w", r"words of all sentences"),
    _def("attend_packed", "the largest of all", PACKED,
         "owner = torch.arange(len(lengths)).repeat_interleave(lengths)\n"
         "powers = (scores - scores.max()).exp()\n"
         "total = torch.zeros(len(lengths)).index_add(0, owner, powers)\nw = powers / total[owner]\n"
         "context = torch.zeros(len(lengths), annotations.shape[1])\n"
         "return context.index_add(0, owner, w[:, None] * annotations), w", r"largest score of the whole row"),
    _def("attend_packed", "starts not added up", PACKED,
         "w, c, at = torch.zeros_like(scores), [], 0\nfor n in lengths.tolist():\n"
         "    w[at:at + n] = scores[at:at + n].softmax(0)\n"
         "    c.append(w[at:at + n] @ annotations[at:at + n])\n    at = n\n"
         "return torch.stack(c), w", r"length of the one before"),
    Answer("BahdanauAttention", "tanh around the query alone",
           "class BahdanauAttention(nn.Module):\n    def __init__(self, q, a, d):\n        super().__init__()\n"
           "        self.W = nn.Parameter(torch.randn(d, q))\n        self.U = nn.Parameter(torch.randn(d, a))\n"
           "        self.v = nn.Parameter(torch.randn(d))\n"
           "    def forward(self, query, annotations, mask):\n"
           "        s = ((query @ self.W.T).tanh() @ self.v)[:, None] + annotations @ self.U.T @ self.v\n"
           "        w = s.masked_fill(~mask, -math.inf).softmax(-1)\n"
           "        return (w[:, None] @ annotations).squeeze(1), w\n", r"no longer stands around|words' part"),
    Answer("BahdanauAttention", "mean annotation",
           "class BahdanauAttention(nn.Module):\n    def __init__(self, q, a, d):\n        super().__init__()\n"
           "        self.W = nn.Parameter(torch.randn(d, q))\n        self.U = nn.Parameter(torch.randn(d, a))\n"
           "        self.v = nn.Parameter(torch.randn(d))\n"
           "    def forward(self, query, annotations, mask):\n"
           "        k = (annotations.mean(1, keepdim=True) @ self.U.T).expand(-1, mask.shape[1], -1)\n"
           "        s = ((query @ self.W.T)[:, None] + k).tanh() @ self.v\n"
           "        w = s.masked_fill(~mask, -math.inf).softmax(-1)\n"
           "        return (w[:, None] @ annotations).squeeze(1), w\n", r"of its own|its own"),
    _def("join_directions", "forward turned round", "join_directions(forward, backward, lengths)",
         "turned = forward.clone()\nfor i, n in enumerate(lengths.tolist()):\n"
         "    turned[i, :n] = forward[i, :n].flip(0)\nreturn torch.cat([turned, backward], 2)",
         r"forward states are turned round"),
    _def("alignment_error_rate", "precision", "alignment_error_rate(guess, sure, possible)",
         "p = sure | possible\nreturn 1 - float((guess & p).sum() / guess.sum())", r"precision"),
    _def("alignment_error_rate", "booleans added", "alignment_error_rate(guess, sure, possible)",
         "p = sure | possible\nreturn 1 - float((guess & sure | guess & p).sum() / (guess.sum() + sure.sum()))",
         r"True \+ True|each .* counted once|counted once"),
    # Chapter 5
    _def("biaffine_scores", "the general score alone", "biaffine_scores(query, keys, W, u)",
         "return query @ W @ keys.mT", r"own term is missing"),
    _def("biaffine_scores", "divided by the root", "biaffine_scores(query, keys, W, u)",
         "return (query @ W @ keys.mT + (keys @ u)[:, None]) / math.sqrt(keys.shape[-1])", r"√d"),
    _def("luong_step", "new and attentional", "luong_step(word, state, memory, mask, W, W_a, W_c)",
         "new = torch.tanh(torch.cat([word, state], -1) @ W.T)\n"
         "s = ((new @ W_a)[:, None] * memory).sum(-1)\nw = s.masked_fill(~mask, -math.inf).softmax(-1)\n"
         "c = (w[:, :, None] * memory).sum(1)\nreturn new, torch.tanh(torch.cat([c, new], -1) @ W_c.T), w",
         r"swapped"),
    _def("local_p_weights", "over the batch", "local_p_weights(query, scores, lengths, W_p, v_p, window)",
         "S = lengths[:, None]\nc = S * torch.sigmoid(torch.tanh(query @ W_p.T) @ v_p)\n"
         "j = torch.arange(scores.shape[-1])\nd = j - c[:, :, None]\n"
         "may = (j < S)[:, None] & (d.abs() <= window)\n"
         "w = scores.masked_fill(~may, -math.inf).softmax(0).nan_to_num(0.0)\n"
         "return c, w * torch.exp(-d**2 / (2 * (window / 2) ** 2))", r"batch"),
    _def("local_p_weights", "precedence", "local_p_weights(query, scores, lengths, W_p, v_p, window)",
         "S = lengths[:, None]\nc = S * torch.sigmoid(torch.tanh(query @ W_p.T) @ v_p)\n"
         "j = torch.arange(scores.shape[-1])\nd = j - c[:, :, None]\n"
         "may = (j < S)[:, None] & (d.abs() <= window)\n"
         "w = scores.masked_fill(~may, -math.inf).softmax(-1).nan_to_num(0.0)\n"
         "return c, w * torch.exp(-d**2 / 2 * (window / 2) ** 2)", r"multiplied|parenthes"),
    # Chapter 7
    _def("causal_self_attention", "forgot ~", CAUSAL, _causal(mask="torch.ones(n, n).tril().bool()"), r"wrong way|inverted|upside|ahead|future"),
    _def("causal_self_attention", "forgot ~, -1e9", CAUSAL, _causal(mask="torch.ones(n, n).tril().bool()", fill="-1e9"),
         r"wrong way|inverted|upside|ahead|future"),
    _def("causal_self_attention", "self excluded", CAUSAL, _causal(mask="torch.ones(n, n).triu(0).bool()"), r"itself"),
    _def("causal_self_attention", "self excluded, -1e9", CAUSAL, _causal(mask="torch.ones(n, n).triu(0).bool()", fill="-1e9"),
         r"itself"),
    _def("causal_self_attention", "over the batch", CAUSAL,
         _causal().replace("softmax(-1)", "softmax(0)"), r"batch|sentences"),
    _def("causal_self_attention", "divided after", CAUSAL, _causal("q @ k.mT", after=" / q.shape[-1] ** 0.5"), r"after the softmax"),
    _def("causal_self_attention", "multiplied", CAUSAL, _causal("q @ k.mT * q.shape[-1] ** 0.5"), r"multiplied"),
    _def("causal_self_attention", "root of d_v", CAUSAL, _causal("q @ k.mT / v.shape[-1] ** 0.5"), r"√d_v"),
    _def("causal_self_attention", "root of n", CAUSAL, _causal("q @ k.mT / n ** 0.5"), r"number of keys"),
    _def("masked_attention", "root of keys", "masked_attention(query, key, value, mask)",
         "s = query @ key.mT / key.shape[-2] ** 0.5\n"
         "w = s.masked_fill(~mask, -math.inf).softmax(-1).nan_to_num(0.0)\nreturn w @ value, w",
         r"number of keys"),
    Answer("multiplications", "copied from the chapter",
           "def multiplications(n, d_model, d_k, d_v):\n    d = d_model\n    return 3*n*d*d + 2*n*n*d\n", r"d_k|d_model"),
    Answer("multiplications", "operations",
           "def multiplications(n, d_model, d_k, d_v):\n"
           "    return 2 * (n*d_model*(2*d_k + d_v) + n*n*d_k + n*n*d_v)\n", r"twice|addition|doubl"),
    Answer("layers_needed", "logarithm", "def layers_needed(n, reach):\n    return math.ceil(math.log(n, reach + 1))\n",
           r"logarithm|multipl|adds"),
    Answer("layers_needed", "not rounded", "def layers_needed(n, reach):\n    return (n - 1) / reach\n", r"whole|round"),
    # Chapter 8
    Answer("parameters", "with biases", "parameters = 263168", r"bias"),
    _def("multi_head", "W not turned", HEADS, _heads(turn=""), r"W\.T"),
    _def("multi_head", "over the heads", HEADS, _heads(dim="1"), r"heads"),
    _def("multi_head", "slices of x", HEADS,
         "b, _, D = query.shape\nd = D // n_heads\nout, ws = [], []\nfor h in range(n_heads):\n"
         "    a = slice(h * d, (h + 1) * d)\n"
         "    q, k, v = (t[..., a] @ W[a, a].T for t, W in ((query, W_q), (memory, W_k), (memory, W_v)))\n"
         "    s = (q @ k.mT / d ** 0.5).masked_fill(~mask[:, None], -math.inf)\n"
         "    ws.append(s.softmax(-1).nan_to_num(0.0))\n    out.append(ws[-1] @ v)\n"
         "return torch.cat(out, -1) @ W_o.T, torch.stack(ws, 1)", r"its own piece"),
    _def("multi_head", "keys and values exchanged", HEADS,
         _heads().replace("cut(memory @ W_k.T), cut(memory @ W_v.T)", "cut(memory @ W_v.T), cut(memory @ W_k.T)"),
         r"exchanged"),
    _def("multi_head", "root of heads", HEADS, _heads(scale="(n_heads ** 0.5)"), r"heads"),
    _def("multi_head", "three at once", HEADS,
         _heads(scale="(D ** 0.5)", out="c", merge="(w @ v).reshape(b, -1, D)"),
         r"√d_model"),
    _def("multi_head", "forgot ~", HEADS, _heads(mask="s.masked_fill(m, -math.inf)"), r"wrong way round"),
    _def("multi_head", "zero times infinity", HEADS, _heads(mask="(s + ~m * -math.inf)").replace(
        "w = w.nan_to_num(0.0)\n", ""), r"0 · ∞|0 times"),
    # Chapter 9
    _def("alibi", "slopes from 2^0", "alibi(n_heads, queries, keys, start)",
         "p = 2 ** int(math.log2(n_heads))\nof = lambda n: [2 ** (-8 * h / n) for h in range(n)]\n"
         "s = torch.tensor(of(p) + of(2 * p)[0::2][:n_heads - p])\n"
         "i, j = torch.arange(queries)[:, None] + start, torch.arange(keys)\n"
         "return s[:, None, None] * -(i - j).abs()", r"counted from 0"),
    _def("alibi", "key position", "alibi(n_heads, queries, keys, start)",
         "p = 2 ** int(math.log2(n_heads))\nof = lambda n: [2 ** (-8 * (h + 1) / n) for h in range(n)]\n"
         "s = torch.tensor(of(p) + of(2 * p)[0::2][:n_heads - p])\n"
         "return s[:, None, None] * torch.arange(keys).expand(queries, keys)", r"position|distance"),
    _def("alibi", "start on the keys", "alibi(n_heads, queries, keys, start)",
         "p = 2 ** int(math.log2(n_heads))\nof = lambda n: [2 ** (-8 * (h + 1) / n) for h in range(n)]\n"
         "s = torch.tensor(of(p) + of(2 * p)[0::2][:n_heads - p])\n"
         "i, j = torch.arange(queries)[:, None], torch.arange(keys) + start\n"
         "return s[:, None, None] * -(i - j).abs()", r"added to the keys"),
    _def("rotate", "exponent doubled", "rotate(x, positions)",
         "d = x.shape[-1]\nf = 10000 ** (-2 * torch.arange(0, d, 2) / d)\n"
         "a = positions[..., None] * f\nwhile a.dim() < x.dim(): a = a.unsqueeze(1)\n"
         "c, s = a.cos(), a.sin()\ne, o = x[..., 0::2], x[..., 1::2]\n"
         "return torch.stack([e * c - o * s, e * s + o * c], -1).flatten(-2)", r"exponent|twice|doubled"),
    # Chapter 10
    _def("learning_rate", "steps from 0", "learning_rate(step, d_model, warmup)",
         "s = step - 1\nreturn d_model ** -0.5 * min(s ** -0.5, s * warmup ** -1.5)", r"from 0|step 1"),
    _def("learning_rate", "steps from 1 too many", "learning_rate(step, d_model, warmup)",
         "s = step + 1\nreturn d_model ** -0.5 * min(s ** -0.5, s * warmup ** -1.5)", r"one step early"),
    _def("smoothed_loss", "divided by the sentences", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = F.one_hot(wanted, V) * (1 - epsilon) + epsilon / V\n"
         "return (-(t * l).sum(-1) * mask).sum() / len(mask)", r"number of sentences"),
    _def("smoothed_loss", "epsilon over V - 2", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = torch.full_like(l, epsilon / (V - 2)).scatter(-1, wanted[..., None], 1 - epsilon)\n"
         "return (-(t * l).sum(-1) * mask).sum() / mask.sum()", r"V − 2|vocab − 2|two words"),
    _def("smoothed_loss", "scatter instead of adding", SMOOTHED,
         "l = torch.log_softmax(logits, -1)\nV = logits.shape[-1]\n"
         "t = torch.full_like(l, epsilon / V).scatter(-1, wanted[..., None], 1 - epsilon)\n"
         "return (-(t * l).sum(-1) * mask).sum() / mask.sum()", r"adds up to less|overwrit"),
    _def("smoothed_loss", "one loss a sentence", SMOOTHED,
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
]  # fmt: skip

EXERCISES = {item.name: item for item in exercises()}
ANSWERS = [answer for answer in EVERY_ANSWER if answer.exercise in EXERCISES]
GONE = sorted(
    {answer.exercise for answer in EVERY_ANSWER} - set(EXERCISES)
)  # replaced by other exercises since
