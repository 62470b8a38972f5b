"""The page of troubleshooting quotes what is really said, and its remedies run."""

import re
import warnings
from importlib.metadata import version

import pytest
import torch
from torch import nn
from torch.nn import functional
from troubleshooting_messages import PRODUCED

from attnbook.exercises import check
from attnbook.nn import causal_mask, padding_mask, scaled_dot_product_attention
from support import ROOT

PAGE = (ROOT / "book" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^```text\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE)
PINNED = re.search(r"^torch==([\d.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)


def said(code, capsys) -> str:
    """What a piece of code raises, warns of or prints, as one line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            code()
            found = capsys.readouterr().out
        except (Exception, SystemExit) as error:
            found = str(error)
    return " ".join(" ".join([found, *(str(warning.message) for warning in caught)]).split())


def test_every_quotation_is_produced_and_everything_produced_is_quoted():
    matches = {quotation: [key for key in PRODUCED if key in quotation] for quotation in QUOTED}
    assert all(len(keys) == 1 for keys in matches.values()), matches
    assert {key for keys in matches.values() for key in keys} == set(PRODUCED)
    assert len(QUOTED) == len(PRODUCED)


@pytest.mark.parametrize("quotation", QUOTED)
def test_a_quotation_is_what_is_said(quotation, capsys, monkeypatch):
    if version("torch").partition("+")[0] != PINNED[1]:
        pytest.skip("torch is not the pinned version")
    if "CUDA" in quotation and torch.cuda.is_available():
        pytest.skip("this torch has CUDA")
    monkeypatch.setenv("ATTNBOOK_PROGRESS", "off")
    torch.manual_seed(0)
    key = next(key for key in PRODUCED if key in quotation)
    pattern = ".*".join(re.escape(part) for part in " ".join(quotation.split()).split("…"))
    assert re.search(pattern, said(PRODUCED[key], capsys)), said(PRODUCED[key], capsys)


def test_the_remedies_run(capsys):
    blocks = re.findall(r"^```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})
    assert capsys.readouterr().out.strip()


def test_an_answer_that_raises_is_led_to_the_page(capsys, monkeypatch):
    monkeypatch.setenv("ATTNBOOK_PROGRESS", "off")

    def scaled_lookup(*given):
        raise RuntimeError("a message of torch's")

    check("2.4", scaled_lookup)
    assert PAGE.startswith("# Troubleshooting")
    assert capsys.readouterr().out.rstrip().endswith("“Troubleshooting”")
    check("2.4", None)
    assert "Troubleshooting" not in capsys.readouterr().out


def test_the_conversions_of_masks_hide_the_same():
    """Ours, torch's two functions and ones of a tokenizer, on one batch with padding."""
    torch.manual_seed(0)
    lengths, x = torch.tensor([5, 3]), torch.randn(2, 5, 8)
    ours = padding_mask(lengths, 5)
    both = ours[:, None, :] & causal_mask(5)
    context, weights = scaled_dot_product_attention(x, x, x, mask=both)
    torch.testing.assert_close(context, functional.scaled_dot_product_attention(x, x, x, attn_mask=both))
    module = nn.MultiheadAttention(8, 1, batch_first=True)
    _, theirs = module(x, x, x, key_padding_mask=~ours, attn_mask=~causal_mask(5))
    assert ((theirs > 0) == (weights > 0)).all()
    _, repeated = module(x, x, x, attn_mask=~both.repeat_interleave(1, dim=0))
    torch.testing.assert_close(repeated, theirs)


def test_what_the_page_says_without_a_message():
    """Wrong results that no message reports, and the riddles of NaN."""
    torch.manual_seed(0)
    x = torch.randn(2, 5, 8)
    one = functional.scaled_dot_product_attention(x[:, 4:], x, x, is_causal=True)
    torch.testing.assert_close(one, x[:, :1])
    late, _ = scaled_dot_product_attention(x[:, 3:], x, x, mask=causal_mask(2, past=3))
    whole, _ = scaled_dot_product_attention(x, x, x, causal=True)
    torch.testing.assert_close(late, whole[:, 3:])
    assert nn.MultiheadAttention(8, 2)(x, x, x)[1].shape == (5, 2, 2)
    hidden = {"key_padding_mask": torch.ones(2, 5, dtype=torch.bool)}
    module = nn.MultiheadAttention(8, 2, batch_first=True)
    assert module(x, x, x, need_weights=True, **hidden)[0].isnan().all()
    assert not module(x, x, x, need_weights=False, **hidden)[0].isnan().any()
    assert torch.finfo(torch.float16).max == 65504
    taken = torch.zeros(1, requires_grad=True)
    torch.where(taken > 0, taken.sqrt(), taken).sum().backward()
    assert taken.grad.isnan().all()
