"""The memory network, against a loop written from the paper."""

import math

import pytest
import torch

from attnbook.nn import MemoryNetwork

VOCAB, D = 9, 4


def network(hops=2, **options):
    torch.manual_seed(0)
    return MemoryNetwork(VOCAB, D, hops, max_facts=6, **options).double()


def loop(model, story, question):
    """One story (facts, words), one question (words,): logits and the weights of each hop."""
    matrix = {name: getattr(model, name).weight for name in ("A", "B", "C", "T_A", "T_C", "H", "W")}
    facts = [[word for word in fact if word] for fact in story.tolist()]
    count = sum(bool(fact) for fact in facts)
    key, value = [], []
    for i, fact in enumerate(fact for fact in facts if fact):
        age = count - 1 - i if model.temporal else None
        for rows, words, time in ((key, "A", "T_A"), (value, "C", "T_C")):
            row = sum(matrix[words][word] for word in fact)
            rows.append(row if age is None else row + matrix[time][age])
    u = sum(matrix["B"][word] for word in question.tolist() if word)
    found = []
    for _ in range(model.hops):
        scores = [math.exp((u @ m).item()) for m in key]
        p = [score / sum(scores) for score in scores]
        u = matrix["H"] @ u + sum(share * c for share, c in zip(p, value, strict=True))
        found.append(p)
    return matrix["W"] @ u, found


@pytest.mark.parametrize("temporal", [True, False])
@pytest.mark.parametrize("hops", [1, 3])
def test_it_equals_a_loop(hops, temporal):
    model = network(hops, temporal=temporal)
    for matrix in model.parameters():
        torch.nn.init.normal_(matrix)
    with torch.no_grad():
        for words in (model.A, model.B, model.C):
            words.weight[0] = 0
    story = torch.tensor(
        [[[1, 2, 3], [4, 5, 0], [6, 7, 8], [2, 2, 0]], [[3, 1, 0], [8, 2, 5], [0] * 3, [0] * 3]]
    )
    question = torch.tensor([[1, 4, 7], [2, 8, 0]])
    logits, weights = model(story, question)
    for b, count in enumerate((4, 2)):
        expected, found = loop(model, story[b], question[b])
        torch.testing.assert_close(logits[b], expected)
        torch.testing.assert_close(weights[b, :, :count], torch.tensor(found).double())
        assert (weights[b, :, count:] == 0).all()


def test_age_counts_from_the_newest_fact_wherever_padding_stands():
    model = network()
    story = torch.tensor([[[1, 2], [3, 4]]])
    padded = torch.tensor([[[1, 2], [3, 4], [0, 0], [0, 0]]])
    question = torch.tensor([[5, 6]])
    torch.testing.assert_close(model(story, question)[0], model(padded, question)[0])
    swapped = model(story.flip(1), question)[0]
    assert not torch.allclose(model(story, question)[0], swapped)
    still = network(temporal=False)
    torch.testing.assert_close(still(story, question)[0], still(story.flip(1), question)[0])


def test_more_hops_need_no_more_parameters():
    counts = {hops: sum(p.numel() for p in network(hops).parameters()) for hops in (1, 2, 3)}
    assert len(set(counts.values())) == 1
    for hops in (1, 3):
        model = network(hops)
        model(torch.ones(1, 2, 2).long(), torch.ones(1, 2).long())[0].square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_story_without_facts_gives_zeros_not_nan():
    model = network()
    story, question = torch.zeros(1, 3, 2).long(), torch.tensor([[1, 2]])
    logits, weights = model(story, question)
    assert (weights == 0).all()
    logits.sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    logits, weights = network().to(dtype)(torch.tensor([[[1, 2], [3, 0]]]), torch.tensor([[4, 5]]))
    assert logits.dtype == weights.dtype == dtype
    assert logits.isfinite().all()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^hops: expected a whole number of at least 1"):
        MemoryNetwork(VOCAB, D, hops=0)
    model, story, question = network(), torch.ones(2, 3, 4).long(), torch.ones(2, 4).long()
    for given, message in (
        ((story[0], question), r"^story: expected 3 dimensions \(batch, facts, words\)"),
        ((story + VOCAB, question), r"^story: "),
        ((story.float(), question), r"^story: "),
        ((story.repeat(1, 3, 1), question), r"^story: expected 1 to max_facts = 6 facts"),
        ((story[:, :0], question), r"^story: expected 1 to max_facts = 6 facts"),
        ((story, question[:1]), r"^question: expected 2 rows as in story"),
        ((story, question[0]), r"^question: expected 2 dimensions \(batch, words\)"),
    ):
        with pytest.raises(ValueError, match=message):
            model(*given)
