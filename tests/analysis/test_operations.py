"""Operations by formula are those that torch counts; the paper's run in operations, hours and cost."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from attnbook import nn
from attnbook.analysis import operations

SIZES = [
    {"src": 7, "tgt": 9, "d_model": 32, "d_ff": 64, "n_layers": 2, "tgt_vocab": 60},
    {"src": 11, "tgt": 3, "d_model": 24, "d_ff": 50, "n_layers": 1, "tgt_vocab": 37},
    {"src": 2, "tgt": 20, "d_model": 16, "d_ff": 8, "n_layers": 3, "tgt_vocab": 13},
]


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_formula_is_what_torch_counts(sizes, heads, norm):
    model = nn.Transformer(
        50, sizes["tgt_vocab"], sizes["d_model"], heads, sizes["n_layers"], sizes["d_ff"], norm=norm
    )
    src = torch.randint(50, (5, sizes["src"]))
    tgt = torch.randint(sizes["tgt_vocab"], (5, sizes["tgt"]))
    # The fused kernel that runs without weights is one product in torch's eyes, which it does not count.
    with FlopCounterMode(display=False) as counter:
        logits, _ = model(src, tgt, need_weights=True)
    assert counter.get_total_flops() == 5 * operations.forward(**sizes).total
    with FlopCounterMode(display=False) as counter:
        model(src, tgt, need_weights=True)[0].sum().backward()
    step = operations.training_step(sentences=5, **sizes)
    assert counter.get_total_flops() == step.total
    assert step == operations.forward(**sizes).times(15)
    assert logits.shape == (5, sizes["tgt"], sizes["tgt_vocab"])


def test_the_parts_grow_as_they_are_said_to():
    short, long = (operations.forward(n, n, d_model=32, d_ff=64, n_layers=1, tgt_vocab=9) for n in (10, 20))
    assert long.mixing == 4 * short.mixing
    for part in ("projections", "feed_forward", "output"):
        assert getattr(long, part) == 2 * getattr(short, part)
    assert short.total == short.projections + short.mixing + short.feed_forward + short.output


@pytest.mark.parametrize("shared", [True, False])
def test_parameters_are_those_of_the_model(shared):
    model = nn.Transformer(70, 70, 16, 2, 3, 40, shared=shared)
    counted = sum(parameter.numel() for parameter in model.parameters())
    assert counted == operations.parameters(
        src_vocab=70, tgt_vocab=70, d_model=16, d_ff=40, n_layers=3, shared=shared
    )


def test_the_papers_run():
    """Table 3 has 65 million parameters, Table 2 has 3.3e18: hours times what the GPUs could do."""
    with torch.device("meta"):
        base = nn.Transformer(37_000, 37_000, shared=True)
    counted = sum(parameter.numel() for parameter in base.parameters())
    assert counted == operations.parameters()
    assert 62e6 < counted < 66e6
    claimed = 12 * 3600 * 8 * operations.PEAKS["P100, float32"]
    assert claimed == pytest.approx(3.3e18, rel=0.01)
    run = operations.Run()
    ours = run.operations()
    assert run.rule_of_thumb(counted) == pytest.approx(ours, rel=0.02)
    assert 3 < claimed / ours < 4
    assert operations.hours(claimed, operations.PEAKS["P100, float32"], processors=8) == pytest.approx(12)
    assert operations.hours(ours, 1e12, 0.5) == pytest.approx(ours / 0.5e12 / 3600)


def test_the_share_of_scores_is_a_half_where_it_is_said_to_be():
    for d_model, d_ff in ((96, 192), (512, 2048)):
        assert operations.mixing_share(2 * d_model + d_ff, d_model, d_ff) == pytest.approx(0.5)
    layer = {"d_model": 32, "d_ff": 64, "n_layers": 1, "tgt_vocab": 1}
    # An encoder layer alone: what a second layer adds, less the decoder's part.
    both, more = (operations.forward(40, tgt, **layer) for tgt in (1, 2))
    grown = [2 * a - b for a, b in zip(vars(both).values(), vars(more).values(), strict=True)]
    mixing = 4 * 40 * 40 * 32
    assert operations.mixing_share(40, 32, 64) == pytest.approx(
        mixing / (mixing + 8 * 40 * 32 * 32 + 4 * 40 * 32 * 64)
    )
    assert grown[2] == 4 * 40 * 32 * 64  # the feed-forward network of the encoder


def test_the_picture_names_its_axes_and_sizes():
    figure = operations.draw_share()
    axes = figure.axes[0]
    assert "words" in axes.get_xlabel()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "d = 96, d_ff = 192",
        "d = 512, d_ff = 2048",
    ]


def test_bad_numbers_are_named():
    with pytest.raises(ValueError, match="utilisation: expected a share above 0"):
        operations.hours(1e18, 1e12, 1.5)
    with pytest.raises(ValueError, match="operations, peak: expected numbers above 0"):
        operations.hours(0, 1e12)
    with pytest.raises(ValueError, match="src"):
        operations.forward(0, 3)
    with pytest.raises(ValueError, match="sentences"):
        operations.training_step(3, 3, 0)
