"""The recurrent translator, against loops written from the papers' equations."""

import numpy as np
import pytest
import torch

from attnbook.nn import (
    AdditiveScore,
    Attention,
    ConcatScore,
    DotScore,
    GeneralScore,
    GRUDecoder,
    GRUEncoder,
    LocalAttention,
    LocationScore,
    LSTMDecoder,
    LSTMEncoder,
    Seq2Seq,
)

VOCAB, EMBED, HIDDEN, ATTENTION = 11, 5, 6, 7
LENGTHS = (4, 2, 5)


def sentences(seed=0, tgt=6):
    generator = torch.Generator().manual_seed(seed)
    size = max(LENGTHS)
    src = torch.randint(1, VOCAB, (len(LENGTHS), size), generator=generator)
    mask = torch.arange(size) < torch.tensor(LENGTHS).unsqueeze(1)
    return src, torch.randint(VOCAB, (len(LENGTHS), tgt), generator=generator), mask


def translator(score="additive", encoder=GRUEncoder, decoder=GRUDecoder, bidirectional=True, **options):
    torch.manual_seed(1)
    made = encoder(VOCAB, EMBED, HIDDEN, bidirectional=bidirectional)
    scores = {
        "additive": lambda: AdditiveScore(HIDDEN, made.d_memory, ATTENTION),
        "general": lambda: GeneralScore(HIDDEN, made.d_memory),
        "concat": lambda: ConcatScore(HIDDEN, made.d_memory, ATTENTION),
        "location": lambda: LocationScore(HIDDEN, 8),
        "dot": DotScore,
        "local-m": lambda: LocalAttention(GeneralScore(HIDDEN, made.d_memory), 1),
        "local-p": lambda: LocalAttention(GeneralScore(HIDDEN, made.d_memory), 2, "predictive"),
        None: lambda: None,
    }
    model = Seq2Seq(made, decoder(VOCAB, EMBED, HIDDEN, made.d_memory, scores[score](), **options))
    return model.double().eval()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(cell, x, h, suffix=""):
    """Reset gate r, update gate z, candidate n: in torch's GRU, r multiplies after the matrix product."""
    w_i, w_h = cell[f"weight_ih{suffix}"], cell[f"weight_hh{suffix}"]
    r_i, z_i, n_i = np.split(w_i @ x + cell[f"bias_ih{suffix}"], 3)
    r_h, z_h, n_h = np.split(w_h @ h + cell[f"bias_hh{suffix}"], 3)
    z = sigmoid(z_i + z_h)
    return (1 - z) * np.tanh(n_i + sigmoid(r_i + r_h) * n_h) + z * h


def lstm(cell, x, state, suffix=""):
    h, c = state
    gates = cell[f"weight_ih{suffix}"] @ x + cell[f"bias_ih{suffix}"]
    i, f, g, o = np.split(gates + cell[f"weight_hh{suffix}"] @ h + cell[f"bias_hh{suffix}"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def parameters(module):
    return {name: value.detach().numpy() for name, value in module.named_parameters()}


def numpy_annotations(encoder, sentence):
    """h_j = [→h_j; ←h_j] for one unpadded sentence, and the last state of each direction."""
    p, long = parameters(encoder.rnn), isinstance(encoder, LSTMEncoder)
    vectors = encoder.embedding.weight.detach().numpy()[sentence]
    columns, ends = [], []
    for suffix, order in (("_l0", range(len(sentence))), ("_l0_reverse", reversed(range(len(sentence))))):
        if f"weight_ih{suffix}" not in p:
            continue
        h, c, column = np.zeros(HIDDEN), np.zeros(HIDDEN), {}
        for j in order:
            if long:
                h, c = lstm(p, vectors[j], (h, c), suffix)
            else:
                h = gru(p, vectors[j], h, suffix)
            column[j] = h
        columns.append([column[j] for j in range(len(sentence))])
        ends.append(h)
    return np.concatenate(columns, axis=-1), ends


def numpy_score(score, s, h):
    """One score of one query s and one annotation h at position j, from the papers' equations."""
    p = parameters(score)
    if isinstance(score, AdditiveScore):
        return p["v.weight"][0] @ np.tanh(p["W.weight"] @ s + p["U.weight"] @ h)
    if isinstance(score, ConcatScore):
        return p["v.weight"][0] @ np.tanh(p["W.weight"] @ np.concatenate([s, h]))
    if isinstance(score, GeneralScore):
        return s @ p["W.weight"] @ h
    return s @ h


def numpy_attend_locally(local, s, annotations, t):
    """Luong et al. 2015, equations 7, 9 and 10, for the target word at position t."""
    p, length = parameters(local), len(annotations)
    centre = t
    if local.alignment == "predictive":
        centre = length * sigmoid(p["v_p.weight"][0] @ np.tanh(p["W_p.weight"] @ s))
    weights = np.zeros(length)
    inside = [j for j in range(length) if abs(j - centre) <= local.window]
    if inside:
        e = np.exp([numpy_score(local.score, s, annotations[j]) for j in inside])
        weights[inside] = e / e.sum()
    if local.alignment == "predictive":
        weights *= np.exp(-((np.arange(length) - centre) ** 2) / (2 * (local.window / 2) ** 2))
    return weights @ annotations, weights


def numpy_attend(attention, s, annotations, t):
    score = attention.score
    if isinstance(attention, LocalAttention):
        return numpy_attend_locally(attention, s, annotations, t)
    if isinstance(score, LocationScore):
        e = (parameters(score)["W.weight"] @ s)[: len(annotations)]
    else:
        e = np.array([numpy_score(score, s, h) for h in annotations])
    weights = np.exp(e) / np.exp(e).sum()
    return weights @ annotations, weights


def numpy_translate(model, sentence, words):
    """Logits and weights of one sentence pair, word by word."""
    decoder, long = model.decoder, isinstance(model.decoder, LSTMDecoder)
    annotations, ends = numpy_annotations(model.encoder, sentence)
    bridge, cell, deep, output = (
        parameters(part) for part in (model.bridge, decoder.rnn, decoder.deep, decoder.output)
    )
    s, cell_state = np.tanh(bridge["weight"] @ ends[-1] + bridge["bias"]), np.zeros(HIDDEN)
    fixed, h_tilde = np.concatenate(ends), np.zeros(HIDDEN)
    logits, looked = [], []

    def look(state, t):
        return (
            (fixed, None)
            if decoder.attention is None
            else numpy_attend(decoder.attention, state, annotations, t)
        )

    def update(x, state, memory_cell):
        return lstm(cell, x, (state, memory_cell)) if long else (gru(cell, x, state), memory_cell)

    for t, word in enumerate(words):
        y = decoder.embedding.weight.detach().numpy()[word]
        if decoder.query == "previous":
            c, weights = look(s, t)
            s, cell_state = update(np.concatenate([y, c]), s, cell_state)
            pairs = deep["weight"] @ np.concatenate([s, y, c]) + deep["bias"]
            features = np.array([max(pairs[2 * k], pairs[2 * k + 1]) for k in range(HIDDEN)])
        else:
            s, cell_state = update(
                np.concatenate([y, h_tilde]) if decoder.input_feeding else y, s, cell_state
            )
            c, weights = look(s, t)
            features = h_tilde = np.tanh(deep["weight"] @ np.concatenate([c, s]))
        logits.append(output["weight"] @ features + output["bias"])
        looked.append(weights)
    return np.array(logits), looked


CASES = [
    *(("previous", score, False) for score in ("additive", "concat", "general", None)),
    *(
        ("current", score, feeding)
        for score in ("general", "concat", "location", "local-m", "local-p", None)
        for feeding in (False, True)
    ),
]


@pytest.mark.parametrize(("query", "score", "feeding"), CASES)
@pytest.mark.parametrize("long", [False, True], ids=["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
def test_translator_is_the_papers_loop(query, score, feeding, long, bidirectional, conforms):
    units = {"encoder": LSTMEncoder, "decoder": LSTMDecoder} if long else {}
    model = translator(score, bidirectional=bidirectional, query=query, input_feeding=feeding, **units)
    src, tgt, mask = sentences()
    logits, weights = model(src, tgt, mask)
    assert (weights is None) == (score is None)
    for row, length in enumerate(LENGTHS):
        expected, looked = numpy_translate(model, src[row, :length].numpy(), tgt[row].numpy())
        table = "NumPy loops from the papers: translators"
        conforms(table, logits[row], torch.from_numpy(expected), 1e-12, "logits")
        if score is not None:
            conforms(table, weights[row, :, :length], torch.from_numpy(np.array(looked)), 1e-12, "weights")
            assert not weights[row, :, length:].any()


def test_dot_score_in_a_translator_of_equal_sizes():
    model = translator("dot", bidirectional=False, query="current")
    src, tgt, mask = sentences()
    expected, _ = numpy_translate(model, src[2].numpy(), tgt[2].numpy())
    np.testing.assert_allclose(model(src, tgt, mask)[0][2].detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("score", ["additive", "general", "concat"])
def test_weights_change_when_encoder_outputs_change(score):
    """A widely copied "Bahdanau attention" never looked at the encoder. This one does."""
    attention = translator(score).decoder.attention
    query, memory = torch.randn(3, 1, HIDDEN).double(), torch.randn(3, 5, 2 * HIDDEN).double()
    _, before = attention(query, memory, memory)
    _, after = attention(query, memory.flip(0), memory)
    assert (before - after).abs().max() > 1e-3
    other = memory.clone()
    other[:, 2] += 1.0
    _, moved = attention(query, other, other)
    assert (before - moved).abs().amax(dim=(1, 2)).min() > 1e-4


@pytest.mark.parametrize(("query", "score", "feeding"), CASES)
def test_steps_are_teacher_forcing(query, score, feeding):
    model = translator(score, query=query, input_feeding=feeding)
    src, tgt, mask = sentences()
    logits, weights = model(src, tgt, mask)
    state = model.start(src, mask)
    for i, word in enumerate(tgt.unbind(1)):
        step_logits, step_weights, state = model.step(word, state)
        torch.testing.assert_close(step_logits, logits[:, i])
        if weights is not None:
            torch.testing.assert_close(step_weights, weights[:, i])
    assert state.position == tgt.shape[1]


@pytest.mark.parametrize("decoder", [GRUDecoder, LSTMDecoder])
def test_selected_rows_go_on_as_they_would_have(decoder):
    model = translator("general", decoder=decoder, query="current", input_feeding=True)
    src, tgt, mask = sentences()
    _, _, state = model.step(tgt[:, 0], model.start(src, mask))
    rows = torch.tensor([2, 0, 0])
    expected, expected_weights, _ = model.step(tgt[:, 1], state)
    logits, weights, _ = model.step(tgt[rows, 1], state.select(rows))
    torch.testing.assert_close(logits, expected[rows])
    torch.testing.assert_close(weights, expected_weights[rows])


@pytest.mark.parametrize("score", ["additive", None])
def test_padding_changes_nothing(score):
    model = translator(score)
    src, tgt, mask = sentences()
    logits, _ = model(src, tgt, mask)
    garbage = torch.where(mask, src, torch.randint(VOCAB, src.shape))
    torch.testing.assert_close(model(garbage, tgt, mask)[0], logits)
    wide = torch.nn.functional.pad(src, (0, 3), value=9), torch.nn.functional.pad(mask, (0, 3))
    torch.testing.assert_close(model(wide[0], tgt, wide[1])[0], logits)
    torch.testing.assert_close(model(src[1:2, :2], tgt[1:2])[0], logits[1:2])


def test_a_score_is_wrapped_and_an_attention_is_kept():
    score = GeneralScore(HIDDEN, HIDDEN)
    assert GRUDecoder(VOCAB, EMBED, HIDDEN, HIDDEN, score).attention.score is score
    attention = Attention(score)
    assert GRUDecoder(VOCAB, EMBED, HIDDEN, HIDDEN, attention).attention is attention


def test_gradients_reach_every_parameter():
    for options in ({"query": "previous"}, {"query": "current", "input_feeding": True}):
        model = translator("additive", **options)
        src, tgt, mask = sentences()
        model(src, tgt, mask)[0].logsumexp(-1).sum().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_dropout_is_for_training_only():
    model = translator("additive", dropout=0.5)
    src, tgt, mask = sentences()
    torch.testing.assert_close(model(src, tgt, mask)[0], model(src, tgt, mask)[0])
    model.train()
    assert not torch.equal(model(src, tgt, mask)[0], model(src, tgt, mask)[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, s, t, k: m(s.float(), t, k), "src: expected token numbers"),
        (lambda m, s, t, k: m(s.to("meta"), t), "src: expected device cpu, where GRUEncoder's parameters"),
        (lambda m, s, t, k: m(s + VOCAB, t, k), "src: expected token numbers from 0 to 10"),
        (lambda m, s, t, k: m(s[0], t, k), r"src: expected 2 dimensions \(batch, src\)"),
        (lambda m, s, t, k: m(s, t, k[:, :3]), r"src_mask: expected shape \(3, 5\)"),
        (lambda m, s, t, k: m(s, t, k.float()), "src_mask: expected bool"),
        (lambda m, s, t, k: m(s, t, k.flip(1)), "src_mask: expected at least one real token first"),
        (lambda m, s, t, k: m(s, t, torch.eye(5).bool()[:3] | (torch.arange(5) == 0)), "after padding"),
        (lambda m, s, t, k: m(s, t[:2], k), "tgt: expected 3 rows"),
        (lambda m, s, t, k: m(s, t - 20, k), "tgt: expected token numbers from 0"),
        (lambda m, s, t, k: m.step(t, m.start(s, k)), r"token: expected 1 dimensions \(batch\)"),
        (lambda m, s, t, k: GRUDecoder(9, 2, 3, 4, "additive"), "attention: expected None, a score"),
        (lambda m, s, t, k: GRUDecoder(9, 2, 3, 4, query="next"), "query: expected 'previous' or 'current'"),
        (lambda m, s, t, k: GRUDecoder(9, 2, 3, 4, input_feeding=True), 'query="current"'),
        (lambda m, s, t, k: GRUDecoder(9, 2, 3, 4, dropout=1.0), "dropout: expected a number from 0"),
        (lambda m, s, t, k: GRUEncoder(0, 2, 3), "vocab: expected a whole number of at least 1"),
        (lambda m, s, t, k: GRUEncoder(9, 2.5, 3), "d_embed: expected a whole number"),
        (lambda m, s, t, k: Seq2Seq(m.encoder, GRUDecoder(9, 2, 3, 4)), "d_memory=encoder.d_memory"),
        (lambda m, s, t, k: Attention(DotScore), "score: expected a score"),
    ],
)
def test_bad_input_is_named(call, message):
    model = translator("additive")
    with pytest.raises((TypeError, ValueError), match=message):
        call(model, *sentences())
