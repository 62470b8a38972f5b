"""Show, Attend and Tell against loops written from the paper, and what its masks and modes do."""

import pytest
import torch

from attnbook.nn import (
    AdditiveScore,
    ConvAnnotations,
    HardAttention,
    ShowAttendTell,
    doubly_stochastic_penalty,
)

VOCAB, D, EMBED, HIDDEN, PLACES = 11, 6, 5, 7, 9


def captioner(attention="soft", **options):
    torch.manual_seed(0)
    score = AdditiveScore(HIDDEN, D, 4)
    kind = {"soft": score, "hard": HardAttention(score), "none": None}[attention]
    options = {"places": PLACES, **options}
    return ShowAttendTell(torch.nn.Identity(), VOCAB, D, EMBED, HIDDEN, kind, **options).double()


def inputs(batch=3, tgt=4):
    torch.manual_seed(1)
    return torch.randn(batch, PLACES, D, dtype=torch.float64), torch.randint(VOCAB, (batch, tgt))


def by_loops(model, annotations, tgt):
    """Equations 1 to 7 and section 4.2.1, one image, one word and one place at a time."""
    logits, weights = [], []
    for a, words in zip(annotations, tgt, strict=True):
        mean = sum(a) / len(a)
        h, c = torch.tanh(model.first_hidden(mean)), torch.tanh(model.first_cell(mean))
        rows, shares = [], []
        for word in words:
            e = torch.stack(
                [
                    model.attention.score.v(
                        torch.tanh(model.attention.score.W(h) + model.attention.score.U(place))
                    )[0]
                    for place in a
                ]
            )
            alpha = e.exp() / e.exp().sum()
            beta = torch.sigmoid(model.gate(h))
            z = beta * sum(alpha[i] * a[i] for i in range(len(a)))
            x = torch.cat([model.embedding(word), z])
            lstm = model.lstm
            parts = lstm.weight_ih @ x + lstm.bias_ih + lstm.weight_hh @ h + lstm.bias_hh
            i, f, g, o = parts.chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            deep = model.embedding(word) + model.from_hidden(h) + model.from_context(z)
            rows.append(model.output(deep))
            shares.append(alpha)
        logits.append(torch.stack(rows))
        weights.append(torch.stack(shares))
    return torch.stack(logits), torch.stack(weights)


def test_soft_attention_is_the_paper_s():
    model, (annotations, tgt) = captioner(), inputs()
    torch.testing.assert_close(model(annotations, tgt), by_loops(model, annotations, tgt))


def test_steps_give_what_teacher_forcing_gives():
    for kind in ("soft", "none"):
        model, (annotations, tgt) = captioner(kind), inputs()
        logits, weights = model(annotations, tgt)
        state = model.start(annotations)
        for t, token in enumerate(tgt.unbind(dim=1)):
            scored, row, state = model.step(token, state)
            torch.testing.assert_close(scored, logits[:, t])
            if weights is not None:
                torch.testing.assert_close(row, weights[:, t])


def test_hard_attention_takes_one_place_and_scales_it_by_the_gate():
    model, (annotations, tgt) = captioner("hard"), inputs()
    _, weights = model(annotations, tgt)
    assert ((weights == 0) | (weights == 1)).all()
    assert (weights.sum(-1) == 1).all()
    draws = model.attention.take_draws()
    assert len(draws) == tgt.shape[1]
    assert draws[0].log_prob.shape == (3, 1)
    model.eval()
    assert torch.equal(model(annotations, tgt)[1], model(annotations, tgt)[1])


def test_without_attention_every_word_gets_the_same_vector_and_it_knows_what_is_where():
    model, (annotations, tgt) = captioner("none"), inputs()
    logits, weights = model(annotations, tgt)
    assert weights is None
    state = model.start(annotations)
    assert model.look(state)[0] is model.look(model.step(tgt[:, 0], state)[2])[0]
    moved, _ = model(annotations.flip(1), tgt)
    assert not torch.allclose(moved, logits)  # the mean of the annotations would not see the difference


def test_weights_follow_the_annotations_and_the_state():
    model, (annotations, tgt) = captioner(), inputs()
    _, weights = model(annotations, tgt)
    _, flipped = model(annotations.flip(1), tgt)
    torch.testing.assert_close(weights.flip(-1), flipped)
    assert not torch.allclose(weights[:, 0], weights[:, 1])


def test_the_gate_can_be_left_out():
    open_gate, plain = captioner(), captioner(gate=False)
    plain.load_state_dict({k: v for k, v in open_gate.state_dict().items() if not k.startswith("gate")})
    annotations, tgt = inputs()
    with torch.no_grad():
        open_gate.gate.weight.zero_()
        open_gate.gate.bias.fill_(40.0)  # σ(40) = 1
    torch.testing.assert_close(open_gate(annotations, tgt)[0], plain(annotations, tgt)[0])


def test_a_learned_start_is_the_same_for_every_image():
    model, (annotations, _) = captioner(start="learned"), inputs()
    state = model.start(annotations)
    assert torch.equal(state.hidden[0], state.hidden[1])
    assert not torch.equal(captioner().start(annotations).hidden[0], captioner().start(annotations).hidden[1])


@pytest.mark.parametrize("attention", ["soft", "hard"])
def test_masked_places_get_nothing_and_an_image_of_masked_places_alone_gives_zeros(attention):
    model, (annotations, tgt) = captioner(attention), inputs()
    mask = torch.ones(3, PLACES, dtype=torch.bool)
    mask[0, 4:] = False
    mask[1] = False
    annotations.requires_grad_()
    logits, weights = model(annotations, tgt, mask)
    assert not weights[0, :, 4:].any()
    assert not weights[1].any()
    assert logits.isfinite().all()
    logits.sum().backward()
    assert annotations.grad.isfinite().all()


def test_a_forced_place_decides_the_context():
    model, (annotations, tgt) = captioner(), inputs()
    state, place = model.start(annotations), torch.tensor([2, 5, 0])
    logits, weights, _ = model.step(tgt[:, 0], state, place)
    only = torch.nn.functional.one_hot(place, PLACES).bool()
    masked, _, _ = model.step(tgt[:, 0], model.start(annotations, only))
    torch.testing.assert_close(logits, masked)
    torch.testing.assert_close(weights, model.step(tgt[:, 0], state)[1])


def test_captions_end_at_eos_and_are_greedy():
    model, (annotations, _) = captioner(), inputs(batch=6)
    captions, weights = model.caption(annotations, bos=1, eos=2, longest=5)
    steps = min(5, max(len(caption) for caption in captions) + 1)  # the last step of each may write eos
    assert weights.shape == (6, steps, PLACES)
    for image, caption in enumerate(captions):
        tokens = torch.tensor([[1, *caption]])
        logits, rows = model(annotations[image : image + 1], tokens)
        said = logits[0].argmax(-1).tolist()
        assert said[: len(caption)] == caption
        assert 2 not in caption
        assert len(caption) == 5 or said[-1] == 2
        torch.testing.assert_close(weights[image, : len(caption)], rows[0, : len(caption)])


def test_captions_in_training_are_greedy_too_and_leave_no_draws():
    model, (annotations, _) = captioner("hard"), inputs(batch=6)
    model.encoder.eval()  # frozen, say
    captions, weights = model.caption(annotations, bos=1, eos=2, longest=5)
    assert model.attention.take_draws() == []
    assert model.training
    assert model.attention.training
    assert not model.encoder.training
    model.eval()
    again, same = model.caption(annotations, bos=1, eos=2, longest=5)
    assert not model.training
    assert captions == again
    torch.testing.assert_close(weights, same)


def test_the_penalty_by_loops():
    torch.manual_seed(0)
    weights = torch.randn(2, 3, 4, dtype=torch.float64).softmax(-1)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    total = 0.0
    for image in range(2):
        for i in range(4):
            received = sum(weights[image, t, i] for t in range(3) if mask[image, t])
            total = total + (1 - received) ** 2
    torch.testing.assert_close(doubly_stochastic_penalty(weights, mask), total / 2)
    even = torch.eye(4, dtype=torch.float64)[None]  # four words, each at another of four places
    assert doubly_stochastic_penalty(even) == 0


@pytest.mark.parametrize(("deeper", "seen"), [(1, 10), (3, 18)])
def test_annotations_see_so_many_pixels(deeper, seen):
    torch.manual_seed(0)
    encoder = ConvAnnotations(8, deeper)
    image = torch.randn(1, 1, 48, 48, requires_grad=True)
    annotations = encoder(image)
    assert annotations.shape == (1, 24 * 24, 10)
    annotations[0, 12 * 24 + 12].sum().backward()
    touched = image.grad[0, 0].ne(0)
    rows, columns = touched.any(1).sum(), touched.any(0).sum()
    assert max(rows, columns) <= seen
    assert min(rows, columns) >= seen - 2  # ReLUs that are off hide a rim at most
    where = annotations[0, :, -2:].detach()
    torch.testing.assert_close(where[0], torch.tensor([-1.0, -1.0]))
    torch.testing.assert_close(where[23], torch.tensor([-1.0, 1.0]))  # row by row
    assert ConvAnnotations(8, deeper, coordinates=False)(image).shape[-1] == 8


def forced(attention, place):
    """A step of which the place is given."""
    model, (annotations, tgt) = captioner(attention), inputs()
    return model.step(tgt[:, 0], model.start(annotations), place)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: captioner(start="zero"), "start: expected 'mean' or 'learned'"),
        (lambda: captioner()(inputs()[0][..., :3], inputs()[1]), "annotations: expected last dimension"),
        (lambda: captioner()(inputs()[0], inputs()[1] + VOCAB), "tgt: expected"),
        (lambda: captioner()(inputs()[0], inputs(2)[1]), "tgt: expected"),
        (lambda: captioner()(*inputs(), torch.ones(3, 4, dtype=torch.bool)), "mask: expected bool of shape"),
        (lambda: captioner("none")(inputs()[0][:, :5], inputs()[1]), "annotations: expected 9 places"),
        (lambda: captioner()(inputs()[0][:, :0], inputs()[1]), "annotations: expected at least one place"),
        (
            lambda: forced("none", torch.tensor([0, 1, 2])),
            "place: expected None, since this captioner has no",
        ),
        (lambda: forced("soft", torch.tensor([0.0, 1.0, 2.0])), "place: expected whole numbers"),
        (lambda: forced("soft", torch.tensor([[0, 1, 2]])), "place: expected 1 dimension"),
        (lambda: forced("soft", torch.tensor([0, 1])), "place: expected 3 rows as in annotations, got 2"),
        (
            lambda: forced("soft", torch.tensor([0, 1, PLACES])),
            "place: expected places from 0 to 8, got 0 to 9",
        ),
        (lambda: forced("hard", torch.tensor([0, 1, -1])), "place: expected places from 0 to 8, got -1 to 1"),
        (lambda: ConvAnnotations()(torch.zeros(2, 24, 24)), "images: expected 4 dimensions"),
        (
            lambda: doubly_stochastic_penalty(torch.ones(1, 2, 3), torch.ones(1, 3, dtype=torch.bool)),
            "mask: expected bool of shape",
        ),
    ],
)
def test_bad_input_is_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_without_attention_the_places_must_be_known():
    with pytest.raises(TypeError, match="places: expected a whole number"):
        captioner("none", places=None)
