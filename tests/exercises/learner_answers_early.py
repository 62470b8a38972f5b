"""Learners' wrong answers to the chapters before self-attention (0 to 5)."""

from __future__ import annotations

from learner_answer import Answer, function

ATTENTION = "scaled_lookup(query, key, value)"
EXIT = "lookup_or_nothing(context, weights, log_sum, exit_score)"
SOFTMAX = "attention_weights(scores)"
GRU = "gru_step(x, h, W, U, b)"
LOSS = "padded_loss(scores, target, stop)"
BEFORE = "e = (target == stop).int()\nmask = e.cumsum(1) - e == 0\n"
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
WINDOW = "predicted_window(query, scores, lengths, W_p, v_p, v_d)"
PLACE = (
    "S, h = lengths[:, None], torch.tanh(query @ W_p.T)\n"
    "c, d = S * torch.sigmoid(h @ v_p), S * torch.sigmoid(h @ v_d)\n"
    "real = (torch.arange(scores.shape[-1]) < S)[:, None]\n"
)
POOLING = "class QueryPooling(nn.Module):\n    def __init__(self, d_model, n_queries):\n        super().__init__()\n        self.query = nn.Parameter(torch.randn(n_queries, d_model))\n"

ANSWERS = [
    # Chapter 0
    function("shares", "maximum of all", "shares(scores, dim, temperature)",
         "z = scores / temperature\ne = (z - z.max()).exp()\nreturn e / e.sum(dim, keepdim=True)", r"whole"),
    function("shares", "mean taken away", "shares(scores, dim, temperature)",
         "z = scores / temperature\ne = (z - z.mean(dim, keepdim=True)).exp()\n"
         "return e / e.sum(dim, keepdim=True)", r"overflow|infinity divided"),
    function("shares", "minimum taken away", "shares(scores, dim, temperature)",
         "z = scores / temperature\ne = (z - z.amin(dim, keepdim=True)).exp()\n"
         "return e / e.sum(dim, keepdim=True)", r"overflow|infinity divided"),
    function("surprise", "the class with the largest part", "surprise(logits, right)",
         "return -torch.log_softmax(logits, -1)[range(len(right)), right.argmax(-1)].mean()",
         r"largest part|in part"),
    function("surprise", "mean of all products", "surprise(logits, right)",
         "return -(right * torch.log_softmax(logits, -1)).mean()", r"number of classes"),
    function("surprise", "all classes", "surprise(logits, right)", "return -torch.log_softmax(logits, -1).mean()",
         r"all classes|not used"),
    function("surprise", "likeliest class", "surprise(logits, right)",
         "return -torch.log_softmax(logits, -1).amax(-1).mean()", r"likeliest"),
    function("surprise", "log of softmax", "surprise(logits, right)",
         "return -(right * torch.log(torch.softmax(logits, -1))).sum(-1).mean()",
         r"infinity|rounds to 0|log of 0"),
    function("surprise", "a little inside the log", "surprise(logits, right)",
         "return -(right * torch.log(torch.softmax(logits, -1) + 1e-6)).sum(-1).mean()",
         r"small number|added to the share|1e-"),
    function("surprise", "the other way round", "surprise(logits, right)",
         "return F.kl_div(torch.log_softmax(logits, -1), right, reduction='batchmean')", r"Kullback"),
    function("surprise", "one loss each", "surprise(logits, right)",
         "return -(right * torch.log_softmax(logits, -1)).sum(-1)", r"one number.*(mean|sum)"),
    function("masked_max", "zeros for padding", "masked_max(vectors, mask)",
         "return (vectors * mask[..., None]).amax(1)", r"0 is larger"),
    function("masked_max", "forgot ~", "masked_max(vectors, mask)",
         "return vectors.masked_fill(mask[..., None], -math.inf).amax(1)", r"wrong way round"),
    function("masked_max", "-1e9 for padding", "masked_max(vectors, mask)",
         "return vectors.masked_fill(~mask[..., None], -1e9).amax(1)", r"large negative number"),
    function("masked_max", "values and indices", "masked_max(vectors, mask)",
         "return vectors.masked_fill(~mask[..., None], -math.inf).max(1)", r"tuple of 2"),
    function("table_gradient", "written over", "table_gradient(numbers, gradient, vocab)",
         "r = torch.zeros(vocab, gradient.shape[-1])\nr[numbers] += gradient\nreturn r", r"writes one over"),
    function("table_gradient", "size left to one_hot", "table_gradient(numbers, gradient, vocab)",
         "o = F.one_hot(numbers.flatten()).float()\nreturn o.T @ gradient.flatten(0, 1)", r"axis `vocab`"),
    # Chapter 2
    Answer("share_after_shift", "in per cent", "share_after_shift = 93.86", r"per cent"),
    function("attention_weights", "maximum of all", SOFTMAX,
         "e = (scores - scores.max()).exp()\nreturn e / e.sum(-1, keepdim=True)", r"whole"),
    function("attention_weights", "sum over queries", SOFTMAX,
         "e = (scores - scores.amax(-1, keepdim=True)).exp()\nreturn e / e.sum(-2, keepdim=True)",
         r"queries|adds up to 1"),
    function("attention_weights", "mean taken away", SOFTMAX,
         "e = (scores - scores.mean(-1, keepdim=True)).exp()\nreturn e / e.sum(-1, keepdim=True)",
         r"overflow|infinity divided"),
    function("attention_weights", "no keepdim", SOFTMAX, "e = scores.exp()\nreturn e / e.sum(-1)", r"raises RuntimeError"),
    function("scaled_lookup", "over the batch", ATTENTION,
         "w = (query @ key.mT / query.shape[-1] ** 0.5).softmax(0)\nreturn w @ value, w", r"batch"),
    function("scaled_lookup", "root of keys", ATTENTION,
         "w = (query @ key.mT / key.shape[1] ** 0.5).softmax(-1)\nreturn w @ value, w", r"number of keys"),
    function("scaled_lookup", "root of queries", ATTENTION,
         "w = (query @ key.mT / query.shape[1] ** 0.5).softmax(-1)\nreturn w @ value, w",
         r"number of queries"),
    function("scaled_lookup", "root of d_v", ATTENTION,
         "w = (query @ key.mT / value.shape[-1] ** 0.5).softmax(-1)\nreturn w @ value, w", r"√d_v"),
    function("scaled_lookup", "divided after", ATTENTION,
         "w = (query @ key.mT).softmax(-1) / query.shape[-1] ** 0.5\nreturn w @ value, w",
         r"after the softmax"),
    function("scaled_lookup", "key.T", ATTENTION,
         "w = (query @ key.T / query.shape[-1] ** 0.5).softmax(-1)\nreturn w @ value, w", r"\.mT|all axes"),
    function("scaled_lookup", "swapped results", ATTENTION,
         "w = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)\nreturn w, w @ value", r"swapped"),
    function("temperature_softmax", "over the batch", "temperature_softmax(scores, temperature)",
         "return (scores / temperature).softmax(0)", r"batch|adds up to 1"),
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
    Answer("QueryPooling", "root of words",
           POOLING + "    def forward(self, words, mask):\n"
           "        s = self.query @ words.mT / words.shape[1] ** 0.5\n"
           "        w = s.masked_fill(~mask[:, None, :], -math.inf).softmax(-1)\n"
           "        return w @ words, w\n", r"number of keys"),
    Answer("QueryPooling", "over the queries",
           POOLING + "    def forward(self, words, mask):\n"
           "        s = self.query @ words.mT / self.query.shape[-1] ** 0.5\n"
           "        w = s.masked_fill(~mask[:, None, :], -math.inf).softmax(1)\n"
           "        return w @ words, w\n", r"over the queries"),
    function("attention_weights", "minimum taken away", SOFTMAX,
         "e = (scores - scores.amin(-1, keepdim=True)).exp()\nreturn e / e.sum(-1, keepdim=True)",
         r"overflow|infinity divided"),
    function("attention_weights", "over the batch", SOFTMAX, "return scores.softmax(0)", r"batch"),
    function("scaled_lookup", "8 as in the example", ATTENTION,
         "w = (query @ key.mT / 8).softmax(-1)\nreturn w @ value, w", r"divided by 8"),
    function("lookup_or_nothing", "sum and score", EXIT,
         "k = (log_sum.exp() / (log_sum.exp() + exit_score))[..., None]\nreturn k * context, k * weights",
         r"e to its power"),
    function("lookup_or_nothing", "exponentials as they come", EXIT,
         "k = (log_sum.exp() / (log_sum.exp() + exit_score.exp()))[..., None]\n"
         "return k * context, k * weights", r"overflow"),
    function("lookup_or_nothing", "taken from all alike", EXIT,
         "k = torch.sigmoid(log_sum - exit_score)[..., None]\n"
         "return k * context, weights - (1 - k) / weights.shape[-1]", r"below 0"),
    function("lookup_or_nothing", "what the exit takes", EXIT,
         "k = 1 / (1 + (log_sum - exit_score).exp())[..., None]\nreturn k * context, k * weights",
         r"rest of it"),
    function("lookup_or_nothing", "old context", EXIT,
         "k = torch.sigmoid(log_sum - exit_score)[..., None]\nreturn context, k * weights", r"context stayed"),
    # Chapter 3
    function("gru_step", "bias inside the reset", GRU,
         "n = h.shape[1]\na, c = (x @ W.T).split(n, 1), (h @ U.T).split(n, 1)\nbr, bz, bn = b.split(n)\n"
         "r, z = (a[0] + c[0] + br).sigmoid(), (a[1] + c[1] + bz).sigmoid()\n"
         "new = (a[2] + r * (c[2] + bn)).tanh()\nreturn z * h + (1 - z) * new", r"bias"),
    function("gru_step", "torch's own", GRU,
         "n = h.shape[1]\na, c = (x @ W.T + b).split(n, 1), (h @ U.T).split(n, 1)\n"
         "r, z = (a[0] + c[0]).sigmoid(), (a[1] + c[1]).sigmoid()\n"
         "new = (a[2] + r * c[2]).tanh()\nreturn z * h + (1 - z) * new", r"before the product"),
    function("padded_loss", "divided by the batch", LOSS, BEFORE +
         "l = -torch.log_softmax(scores, -1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * mask).sum() / len(scores)", r"number of sentences"),
    function("padded_loss", "one loss a sentence", LOSS, BEFORE +
         "l = -torch.log_softmax(scores, -1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * mask).sum(1) / mask.sum(1)", r"one number.*(mean|sum)"),
    function("padded_loss", "softmax over the positions", LOSS, BEFORE +
         "l = -torch.log_softmax(scores, 1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * mask).sum() / mask.sum()", r"positions"),
    function("padded_loss", "not before the stop", LOSS,
         "return F.cross_entropy(scores.transpose(1, 2), target, reduction='none')"
         "[(target == stop).cumsum(1) == 0].mean()", r"stop word itself"),
    function("padded_loss", "stop as ignore_index", LOSS,
         "return F.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index=stop)",
         r"wherever they stand"),
    function("padded_loss", "argmax of no stop", LOSS,
         "last = (target == stop).int().argmax(1)\nmask = torch.arange(target.shape[1]) <= last[:, None]\n"
         "return F.cross_entropy(scores.transpose(1, 2), target, reduction='none')[mask].mean()",
         r"`argmax` of a row"),
    function("padded_loss", "index of the first, row by row", LOSS,
         "l = F.cross_entropy(scores.transpose(1, 2), target, reduction='none')\n"
         "t = [list(row).index(stop) + 1 for row in target.tolist()]\n"
         "return torch.cat([a[:n] for a, n in zip(l, t)]).mean()", r"raises ValueError"),
    function("greedy_decode", "columns", "greedy_decode(next_scores, start, stop, max_length)",
         "out, at = [], start\nfor _ in range(max_length):\n    at = int(next_scores[:, at].argmax())\n"
         "    if at == stop:\n        break\n    out.append(at)\nreturn out", r"column"),
    function("clipped_matches", "sets", MATCHES,
         "c = [tuple(candidate[i:i + n]) for i in range(len(candidate) - n + 1)]\n"
         "r = {tuple(one[i:i + n]) for one in references for i in range(len(one) - n + 1)}\n"
         "return len(set(c) & r), len(c)", r"`set`"),
    function("clipped_matches", "last n-gram missed", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(tuple(t[i:i + n]) for i in range(len(t) - n))\n"
         "c, limit = g(candidate), Counter()\nfor one in references:\n    limit |= g(one)\n"
         "return (c & limit).total(), c.total()", r"last"),
    function("clipped_matches", "order ignored", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(tuple(sorted(t[i:i + n])) for i in range(len(t) - n + 1))\n"
         "c, limit = g(candidate), Counter()\nfor one in references:\n    limit |= g(one)\n"
         "return (c & limit).total(), c.total()", r"order"),
    function("clipped_matches", "counts added up", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(zip(*(t[i:] for i in range(n))))\n"
         "c, limit = g(candidate), sum((g(one) for one in references), Counter())\n"
         "return (c & limit).total(), c.total()", r"added up"),
    function("clipped_matches", "the best reference", MATCHES,
         "from collections import Counter\n"
         "g = lambda t: Counter(zip(*(t[i:] for i in range(n))))\n"
         "return max((g(candidate) & g(one)).total() for one in references), g(candidate).total()",
         r"keep the best"),
    function("clipped_matches", "in, and no limit", MATCHES,
         "g = lambda t: [tuple(t[i:i + n]) for i in range(len(t) - n + 1)]\n"
         "c = g(candidate)\nreturn sum(any(x in g(one) for one in references) for x in c), len(c)",
         r"not clipped"),
    function("corpus_bleu", "mean of the sentences'", CORPUS, GRAMS +
         "def one(c, r):\n"
         "    p = [(g(c, n) & g(r, n)).total() / max(len(c) - n + 1, 1) for n in (1, 2, 3, 4)]\n"
         "    m = math.exp(sum(map(math.log, p)) / 4) if min(p) else 0.0\n"
         "    return m * min(1.0, math.exp(1 - len(r) / len(c)))\n"
         "return sum(map(one, candidates, references)) / len(candidates)", r"mean of the sentences' BLEU"),
    function("corpus_bleu", "n to 3", CORPUS, GRAMS + SUMS.format("(1, 2, 3)") +
         "if min(p) == 0: return 0.0\nm = math.exp(sum(map(math.log, p)) / 3)\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"up to three words|1 to 4"),
    function("corpus_bleu", "log of nothing", CORPUS, GRAMS + SUMS.format("(1, 2, 3, 4)") +
         "m = math.exp(sum(map(math.log, p)) / 4)\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"raises ValueError"),
    function("corpus_bleu", "precisions averaged", CORPUS, GRAMS +
         "p = [sum((g(c, n) & g(r, n)).total() / max(len(c) - n + 1, 1) for c, r in "
         "zip(candidates, references)) / len(candidates) for n in (1, 2, 3, 4)]\n"
         "C, R = sum(map(len, candidates)), sum(map(len, references))\n"
         "m = math.exp(sum(map(math.log, p)) / 4) if min(p) else 0.0\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"precision of its own"),
    Answer("share_read_back", "in per cent", "share_read_back = 26.0", r"per cent"),
    function("padded_loss", "behind the stop", LOSS, BEFORE +
         "l = -torch.log_softmax(scores, -1).gather(-1, target[..., None]).squeeze(-1)\n"
         "return (l * ~mask).sum() / (~mask).sum()", r"wrong way round"),
    function("padded_loss", "no mask", LOSS,
         "return F.cross_entropy(scores.flatten(0, 1), target.flatten())", r"`stop` is never used"),
    function("corpus_bleu", "sets", CORPUS, GRAMS +
         "p = [sum(len({*g(c, n)} & {*g(r, n)}) for c, r in zip(candidates, references))"
         " / sum(g(c, n).total() for c in candidates) for n in (1, 2, 3, 4)]\n"
         "C, R = sum(map(len, candidates)), sum(map(len, references))\n"
         "m = math.exp(sum(map(math.log, p)) / 4) if min(p) else 0.0\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"`set`"),
    function("corpus_bleu", "arguments exchanged", "corpus_bleu(references, candidates)", GRAMS +
         SUMS.format("(1, 2, 3, 4)") +
         "m = math.exp(sum(map(math.log, p)) / 4) if min(p) else 0.0\n"
         "return m * min(1.0, math.exp(1 - R / C))", r"exchanged"),
    # Chapter 4
    function("additive_scores", "bias after the tanh", ADDITIVE,
         "h = ((queries @ W.T)[:, :, None] + (annotations @ U.T)[:, None]).tanh() + b\n"
         "return h @ (g * v / v.norm())", r"after the tanh"),
    function("additive_scores", "tanh on the query alone", ADDITIVE,
         "u = g * v / v.norm()\n"
         "return ((queries @ W.T + b).tanh() @ u)[:, :, None] + (annotations @ U.T @ u)[:, None]",
         r"tanh stands around the query"),
    function("additive_scores", "v as it is", ADDITIVE,
         "return ((queries @ W.T)[:, :, None] + (annotations @ U.T)[:, None] + b).tanh() @ v * g",
         r"not divided by its length"),
    function("additive_scores", "W not turned", ADDITIVE,
         "return ((queries @ W)[:, :, None] + (annotations @ U)[:, None] + b).tanh() @ v",
         r"raises RuntimeError"),
    function("additive_scores", "axes exchanged", ADDITIVE,
         "h = ((queries @ W.T)[:, None] + (annotations @ U.T)[:, :, None] + b).tanh()\n"
         "return h @ (g * v / v.norm())", r"two axes are exchanged"),
    function("attend_packed", "one softmax", PACKED,
         "w = scores.softmax(0)\ncuts = lengths.tolist()\n"
         "pairs = zip(w.split(cuts), annotations.split(cuts))\n"
         "return torch.stack([a @ h for a, h in pairs]), w", r"words of all sentences"),
    function("attend_packed", "the largest of all", PACKED,
         "owner = torch.arange(len(lengths)).repeat_interleave(lengths)\n"
         "powers = (scores - scores.max()).exp()\n"
         "total = torch.zeros(len(lengths)).index_add(0, owner, powers)\nw = powers / total[owner]\n"
         "context = torch.zeros(len(lengths), annotations.shape[1])\n"
         "return context.index_add(0, owner, w[:, None] * annotations), w", r"largest score of the whole row"),
    function("attend_packed", "starts not added up", PACKED,
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
    function("join_directions", "forward turned round", "join_directions(forward, backward, lengths)",
         "turned = forward.clone()\nfor i, n in enumerate(lengths.tolist()):\n"
         "    turned[i, :n] = forward[i, :n].flip(0)\nreturn torch.cat([turned, backward], 2)",
         r"forward states are turned round"),
    function("alignment_error_rate", "precision", "alignment_error_rate(guess, sure, possible)",
         "p = sure | possible\nreturn 1 - float((guess & p).sum() / guess.sum())", r"precision"),
    function("alignment_error_rate", "booleans added", "alignment_error_rate(guess, sure, possible)",
         "p = sure | possible\nreturn 1 - float((guess & sure | guess & p).sum() / (guess.sum() + sure.sum()))",
         r"True \+ True|each .* counted once|counted once"),
    function("additive_scores", "no tanh", ADDITIVE,
         "return ((queries @ W.T)[:, :, None] + (annotations @ U.T)[:, None] + b) @ (g * v / v.norm())",
         r"no tanh"),
    Answer("BahdanauAttention", "foward",
           "class BahdanauAttention(nn.Module):\n    def __init__(self, q, a, d):\n        super().__init__()\n"
           "        self.W = nn.Parameter(torch.randn(d, q))\n        self.U = nn.Parameter(torch.randn(d, a))\n"
           "        self.v = nn.Parameter(torch.randn(d))\n"
           "    def foward(self, query, annotations, mask):\n        return query, mask\n",
           r"no method `forward`"),
    # Chapter 5
    function("biaffine_scores", "the general score alone", "biaffine_scores(query, keys, W, u)",
         "return query @ W @ keys.mT", r"own term is missing"),
    function("biaffine_scores", "divided by the root", "biaffine_scores(query, keys, W, u)",
         "return (query @ W @ keys.mT + (keys @ u)[:, None]) / math.sqrt(keys.shape[-1])", r"√d"),
    function("luong_step", "new and attentional", "luong_step(word, state, memory, mask, W, W_a, W_c)",
         "new = torch.tanh(torch.cat([word, state], -1) @ W.T)\n"
         "s = ((new @ W_a)[:, None] * memory).sum(-1)\nw = s.masked_fill(~mask, -math.inf).softmax(-1)\n"
         "c = (w[:, :, None] * memory).sum(1)\nreturn new, torch.tanh(torch.cat([c, new], -1) @ W_c.T), w",
         r"swapped"),
    function("predicted_window", "over the batch", WINDOW, PLACE +
         "g = -(torch.arange(scores.shape[-1]) - c[:, :, None])**2 / (2 * (d[:, :, None] / 2)**2)\n"
         "return c, d, (scores + g).masked_fill(~real, -math.inf).softmax(0).nan_to_num(0.0)", r"batch"),
    function("predicted_window", "precedence", WINDOW, PLACE +
         "g = -(torch.arange(scores.shape[-1]) - c[:, :, None])**2 / 2 * (d[:, :, None] / 2)**2\n"
         "return c, d, (scores + g).masked_fill(~real, -math.inf).softmax(-1)", r"multiplied|parenthes"),
    function("predicted_window", "as in the chapter", WINDOW, PLACE +
         "t = torch.arange(scores.shape[-1]) - c[:, :, None]\nw = d[:, :, None]\n"
         "a = scores.masked_fill(~real, -math.inf).softmax(-1)\n"
         "return c, d, a * torch.exp(-t**2 / (2 * (w / 2)**2))", r"before the softmax"),
    function("predicted_window", "the window cut out as well", WINDOW, PLACE +
         "t = torch.arange(scores.shape[-1]) - c[:, :, None]\nw = d[:, :, None]\n"
         "s = scores - t**2 / (2 * (w / 2)**2)\n"
         "return c, d, s.masked_fill(~real | (t.abs() > w), -math.inf).softmax(-1).nan_to_num(0.0)",
         r"cut off"),
]  # fmt: skip
