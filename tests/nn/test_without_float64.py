"""Apple's GPUs have no float64: every mechanism is built, runs and learns on a device without it."""

import ast
import sys
from pathlib import Path

import pytest
import torch
from stand_in_device import DEVICE, StandIn, There
from torch.utils._pytree import tree_leaves

from attnbook import nn
from attnbook.nn import ring, saliency
from attnbook.nn.glimpses import multiply_adds
from attnbook.nn.masks import lengthened
from attnbook.nn.normalisation import normalisation_model
from attnbook.nn.positions import PositionsInAttention
from attnbook.nn.stacked import StackedGRUDecoder

ROOM = Path(nn.__file__).parent
D, VOCAB = 8, 11


def rows(*shape):
    return torch.randn(*shape, D, requires_grad=True)


def words(length=5):
    return torch.randint(VOCAB, (2, length))


def padding():
    return nn.padding_mask(torch.tensor([5, 3]), 5)


def look(attention, **options):
    query, memory = rows(2, 3), rows(2, 5)
    return attention(query, memory, memory, padding().unsqueeze(1), **options)


def scaled_dot_product():
    causal = nn.causal_mask(3, 5, 2, DEVICE)
    attend = nn.scaled_dot_product_attention
    fused = {"need_weights": False}
    return (
        *look(attend),
        *look(attend, softcap=2.0, causal=True),
        *look(attend, **fused),
        *look(attend, causal=True, **fused),
        attend(rows(3), rows(5), rows(5), causal, **fused),
        lengthened(nn.window_mask(3, 4, 1, DEVICE), 5),
    )


def local(kind, alignment):
    attention = kind(nn.GeneralScore(D, D), 1, alignment)
    return look(attention), look(attention, position=2)


def hard(estimator):
    attention = nn.HardAttention(nn.AdditiveScore(D, D, 4), estimator)
    drawn, baseline = look(attention), nn.MovingBaseline()
    losses = [
        nn.reinforce_loss(draw.log_prob, torch.rand(2, 3), baseline.update(torch.rand(2)))
        for draw in attention.take_draws()
    ]
    return drawn, losses, look(attention.eval())


def estimators():
    scores = rows(3)
    drawn = nn.draw_one(scores)
    through = nn.straight_through(drawn, scores.softmax(-1))
    return nn.expected_outcome(scores, torch.rand(3, D)), nn.gumbel_softmax(scores, 0.5), through


def captioner():
    encoder = nn.ConvAnnotations(D)
    model = nn.ShowAttendTell(encoder, VOCAB, D + 2, 5, D, nn.AdditiveScore(D, D + 2, 4))
    image, seen = torch.rand(2, 1, 6, 6), torch.ones(2, 9, dtype=torch.bool)
    logits, weights = model(image, words(3), seen)
    fixed = nn.ShowAttendTell(encoder, VOCAB, D + 2, 5, D, None, places=9, start="learned")
    penalty = nn.doubly_stochastic_penalty(weights, torch.ones(2, 3, dtype=torch.bool))
    written = model.caption(image, 1, 2, 4)[1]
    return logits, weights, fixed(image, words(3))[0], penalty, written


def seeing():
    x = torch.randn(2, D, 5, 5, requires_grad=True)
    squeezed, gates = nn.SqueezeExcitation(D, 2)(x)
    everywhere, _ = nn.NonLocalBlock(D)(x)
    alone = nn.StandAloneSelfAttention2d(D, D, window=3, n_heads=2)
    local_context, _ = alone(x)
    return squeezed, gates, everywhere, local_context, alone.offsets()


def vision_transformer():
    model = nn.ViT(8, 4, 3, d_model=D, n_heads=2, n_layers=2, n_registers=1)
    logits, weights = model(torch.rand(2, 1, 8, 8), need_weights=True)
    larger, _ = model.resized(12)(torch.rand(2, 1, 12, 12))
    return logits, weights, larger


def draw():
    model = nn.DRAW(6, 7, steps=2, hidden=D, latent=2, read_size=3, write_size=3)
    picture, noise = torch.rand(2, 6, 7), torch.randn(2, 2, 2)
    bank = nn.FilterBank(3, 6, 7)
    drawing, autoencoder = model(picture, noise), nn.VAE(6, 7, hidden=D, latent=2)
    return (
        bank.read(picture, bank.window(torch.randn(2, 5))),
        drawing.canvases,
        model.bound(picture),
        model.generate(noise).canvases,
        autoencoder.bound(picture),
        autoencoder.generate(noise[0]),
    )


def glimpses():
    sizes = {"size": 4, "growth": 2, "d_patch": 5, "d_glimpse": 6, "d_hidden": 7, "n_glimpses": 2}
    model = nn.RecurrentAttentionModel(3, **sizes)
    assert multiply_adds(model) > 0
    found = model(torch.rand(2, 9, 9))
    anywhere = nn.RecurrentAttentionModel(3, **sizes, policy="random")(torch.rand(2, 9, 9))
    return *nn.glimpse_loss(found, torch.tensor([0, 1])), nn.glimpse_loss(anywhere, torch.tensor([0, 1]))[0]


def soft_dictionary():
    held = nn.SoftDictionary(rows(5), rows(5), nn.padding_mask(torch.tensor([4]), 5)[0])
    return held[rows(2)], torch.ones(len(held))


def hopfield():
    patterns = torch.where(torch.randn(4, D) > 0, 1.0, -1.0)
    moved, weights = nn.hopfield_retrieval(rows(2, 3), rows(2, 5), padding().unsqueeze(1), 2.0, 2)
    learned = nn.hopfield_weights(patterns), nn.hopfield_weights(patterns, "pseudo-inverse")
    completed = nn.classical_retrieval(patterns, learned[0])
    return moved, weights, nn.hopfield_energy(rows(3), rows(5), 2.0), *learned, completed


def multi_head(positions=None, n_kv_heads=2):
    attention, cache, x = (
        nn.MultiHeadAttention(D, 4, n_kv_heads, positions=positions),
        nn.KVCache(),
        rows(2, 3),
    )
    causal = attention(x, causal=True, cache=cache)
    later = attention(rows(2, 2), causal=True, cache=cache.select(torch.tensor([1, 0])), need_weights=False)
    return causal, later, attention(x, mask=torch.zeros(3, 3))


def latent():
    attention, cache = nn.MultiHeadLatentAttention(D, 2, 5, 2, d_query_latent=3), nn.LatentCache()
    causal = attention(rows(2, 3), causal=True, cache=cache)
    later = attention(rows(2, 2), causal=True, cache=cache.select(torch.tensor([1, 0])), need_weights=False)
    assert cache.copy().n_bytes == 2 * 3 * (5 + 2) * 4
    return causal, later, attention(rows(2, 3), mask=padding()[:, :3].unsqueeze(1))


def linear(rule, **options):
    layers = [nn.LinearAttention(D, 4, 2, rule, form=form, chunk_size=2, **options)
              for form in ("recurrent", "chunked", "parallel")]  # fmt: skip
    outs = [layer(rows(2, 5), mask=padding()) for layer in layers]
    later = layers[1](rows(2, 1), outs[1][1])
    gates = -torch.rand(2, 1, 5, D), torch.rand(2, 1, 5)
    x = rows(2, 1, 5)
    return outs, later, nn.linear_attention(x, x, x, "gated_delta", decay=gates[0], beta=gates[1])


def tiled():
    return look(nn.tiled_attention, block_q=2, block_k=2), nn.tiled_attention(
        rows(3), rows(5), rows(5), None, True, 2, 2
    )


def sliding_window():
    attention = nn.SlidingWindowAttention(D, 4, 2, n_global=1, positions=nn.RotaryPositions(2))
    cache = nn.RollingCache(2, 1)
    x, masked = rows(2, 5), padding().unsqueeze(1)
    later = attention(rows(2, 3), causal=True, cache=cache)
    later_still = attention(rows(2, 1), causal=True, cache=cache.select(torch.tensor([1, 0])))
    assert cache.copy().n_bytes > 0
    return attention(x, masked)[0], attention(x, masked, need_weights=True), later[0], later_still[0]


def location_aware():
    attention = nn.LocationAwareAttention(nn.LocationAwareScore(D, D, 4, width=3))
    start = torch.zeros(2, 5)
    context, weights = attention(rows(2), rows(2, 5), rows(2, 5), start, padding())
    return context, attention(context, rows(2, 5), rows(2, 5), weights, padding())


def pointer_generator():
    layer, weights = nn.PointerGenerator(VOCAB, D, D, D), rows(2)[:, :5].softmax(-1)
    return layer(rows(2), rows(2), rows(2), weights, words() + 2, VOCAB + 2)


def pooled_reader(mixer):
    model = nn.PooledReader(VOCAB, mixer, D, "additive", start=1.0)
    return model(words(), padding())


def translate(model):
    state = model.start(words(), padding())
    logits, weights, state = model.step(torch.ones(2, dtype=torch.long), state)
    state = state.select(torch.tensor([1, 0, 0]))
    later, _, _ = model.step(torch.ones(3, dtype=torch.long), state)
    return model(words(), words(4), padding()), logits, weights, later


def recurrent(encoder, decoder, **options):
    reader = encoder(VOCAB, D, D, bidirectional=True)
    return translate(nn.Seq2Seq(reader, decoder(VOCAB, D, D, reader.d_memory, **options)))


def additive():
    return nn.AdditiveScore(D, 2 * D, 4)


def transformer(positions, norm):
    model = nn.Transformer(VOCAB, VOCAB, D, 2, 2, 16, positions=positions, norm=norm)
    return translate(model), tuple(model(words(), words(4), padding(), need_weights=True)[1])


def gpt(positions):
    model = nn.GPT(VOCAB, D, 2, 2, positions=positions)
    logits, state = model.step(words(), model.start())
    state = state.select(torch.tensor([1, 0]))
    written = model.generate(words(), 2, top_k=3), model.generate(words(), 2, temperature=0)
    return model(words(), padding(), need_weights=True), logits, model.step(words(1), state)[0], written


def word_model():
    model = nn.WordModel(VOCAB, D, 2, 1, d_ff=16)
    means = model.measure_head_means(words(), padding())
    return model(words(), padding(), ablate=[(0, 1)], ablation="mean"), model(words()), means


def step(gates, run):
    parameters = [
        torch.randn(gates * D, D),
        torch.randn(gates * D, D),
        torch.randn(gates * D),
        torch.randn(gates * D),
    ]
    return run(*parameters)


def picture():
    image, before = torch.rand(32, 32, 3), torch.rand(32, 32, 3)
    scales = {"centres": (0, 1), "deltas": (1, 2)}
    target = saliency.colour_match(image, (0.8, 0.1, 0.1))
    alone = saliency.itti_koch(image, **scales, top_down=target)
    moving = saliency.itti_koch(image, **scales, previous=before, gains=(1.0, 1.0, 1.0, 0.5, 2.0))
    competed = saliency.compete(alone.coarse, rounds=2)
    return alone.saliency, moving.saliency, competed, saliency.winner_take_all(alone.saliency, 3)


def flexible():
    query, key, value = (torch.randn(2, heads, 5, D, requires_grad=True) for heads in (4, 2, 2))
    kinds = nn.block_kinds(lambda b, h, q, k: q >= k, 5, 5, 2)
    found = nn.flex_attention(
        query, key, value,
        lambda s, b, h, q, k: s - (q - k).abs() / (h + 1),
        lambda b, h, q, k: q >= k,
        prob_mod=lambda p, b, h, q, k: p * 0.5,
    )  # fmt: skip
    return *found, kinds


def choosing():
    layer = nn.BlockSelectionAttention(D, 2, 2, 2, compressed=True, positions=nn.RotaryPositions(D // 2))
    layer.chooses = "random"
    return layer(rows(2, 5)), nn.BlockSelectionAttention(D, 2, 2, 2)(rows(2, 5))


def forgetting():
    rotary = nn.RotaryPositions(2)
    attention, cache = nn.MultiHeadAttention(D, 4, positions=rotary), nn.SinkCache(1, 2, rotary)
    contexts = [attention(rows(2, 2), causal=True, cache=cache)[0] for _ in range(3)]
    twin = cache.select(torch.tensor([1, 0]))
    return contexts, twin.held()


def round_the_ring():
    parts = [ring.partial_attention(rows(2, 3), rows(2, 4), rows(2, 4)) for _ in range(2)]
    assert ring.bytes_sent(rows(2, 3), rows(2, 3), 2) > 0
    return nn.ring_attention(rows(2, 3), rows(2, 3), rows(2, 3), causal=True), ring.merged(*parts)


CASES = {
    "flex": flexible,
    "block selection": choosing,
    "sink cache": forgetting,
    "ring": round_the_ring,
    "scaled dot product": scaled_dot_product,
    "global": lambda: look(nn.Attention(nn.ConcatScore(D, D, 4))),
    "dot": lambda: look(nn.Attention(nn.DotScore())),
    "location": lambda: look(nn.Attention(nn.LocationScore(D, 4))),
    "scores": lambda: [score(rows(3), rows(5)) for score in (
        nn.AdditiveScore(D, D, 4), nn.DotScore(), nn.GeneralScore(D, D), nn.ConcatScore(D, D, 4),
        nn.LocationScore(D, 9))],
    "local-m": lambda: local(nn.LocalAttention, "monotonic"),
    "local-p": lambda: local(nn.LocalAttention, "predictive"),
    "gathered": lambda: local(nn.GatheredLocalAttention, "predictive"),
    "hard, REINFORCE": lambda: hard("reinforce"),
    "hard, Gumbel": lambda: hard("gumbel-softmax"),
    "hard, straight-through": lambda: hard("straight-through"),
    "estimators": estimators,
    "captioner": captioner,
    "seeing": seeing,
    "Vision Transformer": vision_transformer,
    "DRAW": draw,
    "glimpses": glimpses,
    "soft lookup": lambda: look(nn.soft_lookup),
    "hard lookup": lambda: look(nn.hard_lookup),
    "soft dictionary": soft_dictionary,
    "kernel regression": lambda: nn.KernelRegression(D)(rows(3), rows(5), rows(5)),
    "pooling": lambda: nn.AttentionPooling(D)(rows(2, 5), rows(2, 5), padding()),
    "Hopfield": hopfield,
    "memory network": lambda: nn.MemoryNetwork(VOCAB, D)(torch.randint(VOCAB, (2, 5, 3)), words()),
    "LSTMN": lambda: nn.LSTMN(D, D)(rows(2, 5)),
    "self-attention": lambda: nn.SelfAttention(D, 4)(rows(2, 5), padding().unsqueeze(1), causal=True),
    "plain multi-head": lambda: nn.PlainMultiHeadAttention(D, 2)(rows(2, 5), mask=padding().unsqueeze(1)),
    "multi-head": multi_head,
    "positions that change nothing": lambda: (
        PositionsInAttention().context(torch.rand(2, 3)),
        *multi_head(PositionsInAttention()),
    ),
    "latent": latent,
    "tiles": tiled,
    "sliding window": sliding_window,
    **{f"linear attention, {rule}": lambda rule=rule: linear(rule)
       for rule in ("linear", "gated", "delta", "gated_delta")},
    "linear attention, normalised": lambda: linear(
        "linear", feature_map=nn.elu_plus_one, normalised=True),
    "multi-head, rotary": lambda: multi_head(nn.RotaryPositions(2)),
    "multi-head, ALiBi": lambda: multi_head(nn.ALiBi(4)),
    "multi-head, relative": lambda: multi_head(nn.RelativePositions(2, 3)),
    "multi-head, T5's bias": lambda: multi_head(nn.T5Bias(4)),
    "multi-head, interpolated evenly": lambda: multi_head(
        nn.RotaryPositions(2, frequencies=nn.interpolated(nn.rotary_frequencies(2), 4.0))
    ),
    "rotary, another base": lambda: nn.RotaryPositions(D, nn.base_for_longer(D, 4.0))(rows(2, 3)),
    "multi-head, interpolated": lambda: multi_head(
        nn.RotaryPositions(2, frequencies=nn.interpolated_by_parts(nn.rotary_frequencies(2), 4.0, 8))
    ),
    "GRU, additive": lambda: recurrent(nn.GRUEncoder, nn.GRUDecoder, attention=additive()),
    "LSTM, additive, input feeding": lambda: recurrent(
        nn.LSTMEncoder, nn.LSTMDecoder, attention=additive(), query="current", input_feeding=True),
    "GRU, fixed vector": lambda: recurrent(nn.GRUEncoder, nn.GRUDecoder),
    "GRU, stacked": lambda: recurrent(nn.GRUEncoder, StackedGRUDecoder, layers=2),
    "GRU step": lambda: step(3, lambda *p: nn.gru_step(rows(2), rows(2), *p)),
    "LSTM step": lambda: step(4, lambda *p: nn.lstm_step(rows(2), rows(2), rows(2), *p)),
    "Transformer, sinusoidal": lambda: transformer("sinusoidal", "post"),
    "Transformer, learned": lambda: transformer("learned", "pre"),
    **{f"GPT, {positions}": lambda positions=positions: gpt(positions)
       for positions in ("learned", "sinusoidal", "rotary", "alibi", "relative", "none")},
    "BERT": lambda: nn.BERT(VOCAB, D, 2, 2, 9)(words(), padding()),
    **{f"reader, {mixer}": lambda mixer=mixer: pooled_reader(mixer)
       for mixer in ("none", "recurrent", "attention")},
    **{f"quiet, {way}": lambda way=way: nn.QuietAttention(D, 2, way)(rows(2, 5))
       for way in ("softmax", "sink", "gate")},
    "a tutorial's layer": lambda: nn.TutorialAttention()(rows(2, 5), padding()),
    "masked word model": lambda: nn.MaskedWordModel(VOCAB, D, 2, 2, 9)(words(), padding()),
    "word model": word_model,
    "location-aware": location_aware,
    "pointer-generator": pointer_generator,
    "Perceiver": lambda: nn.Perceiver(D, D, 2, 2)(rows(2, 5), padding()),
    "skip-gram": lambda: (nn.SkipGram(VOCAB, D)(words()[:, 0], words()[:, 1], words(3)),),
    "positive PMI": lambda: (nn.positive_pmi(torch.rand(4, 4)),),
    "saliency": picture,
    "normalisation model": lambda: normalisation_model(torch.rand(5), torch.ones(5), 0.1, torch.ones(5, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_runs_without_float64(name):
    torch.manual_seed(0)
    with StandIn():
        tensors = [leaf for leaf in tree_leaves(CASES[name]()) if isinstance(leaf, torch.Tensor)]
        assert tensors
        assert all(isinstance(tensor, There) for tensor in tensors)
        learned = [tensor.sum() for tensor in tensors if tensor.requires_grad]
        if learned:
            sum(learned).backward()


# Numbers alone, or weights of another library's model where they lie: nothing is made on a device.
NO_DEVICE = {
    ("tutorial_attention.py", "largest_weight"),
    ("tutorial_attention.py", "TutorialAttention.compute_output_shape"),
    ("tutorial_attention.py", "TutorialAttention.get_config"),
    ("gpt.py", "GPT.from_transformers"),
    ("bert.py", "BERT.from_transformers"),
    ("bert.py", "_renamed"),
    ("ring.py", "passed_on"),  # goes from process to process: tests/experiments/test_ring_processes.py
}


def test_all_of_nn_was_run():
    """Each function and method of the room, but for those that only check, count, print or copy."""
    called = set()

    def trace(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOM)):
            called.add((Path(frame.f_code.co_filename).name, frame.f_code.co_qualname))

    sys.setprofile(trace)
    try:
        for name in CASES:
            test_it_runs_without_float64(name)
    finally:
        sys.setprofile(None)
    written = set()
    for path in {*ROOM.glob("*.py")} - {
        ROOM / "protocols.py",
        ROOM / "gpt2_weights.py",
    }:  # nothing to run there
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                written.add((path.name, node.name))
            elif isinstance(node, ast.ClassDef):
                methods = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name != "__repr__"]
                written |= {(path.name, f"{node.name}.{method.name}") for method in methods}
    assert written - NO_DEVICE <= called, written - NO_DEVICE - called


def test_the_stand_in_is_like_the_device():
    with StandIn():
        with pytest.raises(TypeError, match="no float64"):
            torch.arange(3, dtype=torch.float64)
        with pytest.raises(TypeError, match="no float64"):
            torch.ones(3).double()
        with pytest.raises(TypeError, match="no float64"):
            torch.ones(3, dtype=torch.float64, device="cpu").to(DEVICE)
        with pytest.raises(RuntimeError, match="one device"):
            torch.ones(3) + torch.ones(3, device="cpu")
        table = torch.arange(3, dtype=torch.float64, device="cpu")
        assert table.device.type == "cpu"
        assert table.to(torch.float32).to(DEVICE).device == DEVICE
        assert not torch.ones(3).is_cpu
