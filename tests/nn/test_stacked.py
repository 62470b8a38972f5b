"""The stacked decoder: held to torch's own stacked GRU, and blind to everything but the fixed vector."""

import pytest
import torch

from attnbook.nn import GRUEncoder, Seq2Seq
from attnbook.nn.stacked import StackedGRUDecoder


def made(layers: int):
    torch.manual_seed(0)
    decoder = StackedGRUDecoder(vocab=9, d_embed=4, d_hidden=5, d_memory=6, layers=layers)
    state = decoder.start(torch.randn(2, 7, 6), torch.randn(2, 6), torch.randn(2, 5))
    return decoder, state


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_it_equals_torchs_stacked_gru(layers):
    decoder, state = made(layers)
    own = torch.nn.GRU(4 + 6, 5, num_layers=layers, batch_first=True)
    for layer, cell in enumerate(decoder.cells):
        for name, parameter in cell.named_parameters():
            getattr(own, f"{name}_l{layer}").data.copy_(parameter.data)
    tgt = torch.randint(9, (2, 3))
    words = decoder.embedding(tgt)
    fixed = state.summary.unsqueeze(1).expand(2, 3, 6)
    top, _ = own(torch.cat([words, fixed], -1), torch.stack(state.hidden))
    logits, weights = decoder(tgt, state)
    assert weights is None
    torch.testing.assert_close(logits, decoder.output(top))


def test_steps_equal_teacher_forcing_and_leave_the_state():
    decoder, state = made(2)
    tgt = torch.randint(9, (2, 4))
    together, _ = decoder(tgt, state)
    before = [part.clone() for part in state.hidden]
    later = state
    for i in range(4):
        logits, _, later = decoder.step(tgt[:, i], later)
        torch.testing.assert_close(logits, together[:, i])
    assert later.position == 4
    assert state.position == 0
    assert all(torch.equal(a, b) for a, b in zip(before, state.hidden, strict=True))


def test_only_the_fixed_vector_and_the_first_state_reach_it():
    decoder, state = made(2)
    other = decoder.start(torch.randn(2, 7, 6), state.summary, state.hidden[0])
    moved = decoder.start(state.memory, state.summary + 1, state.hidden[0])
    token = torch.tensor([1, 2])
    assert torch.equal(decoder.step(token, state)[0], decoder.step(token, other)[0])
    assert not torch.allclose(decoder.step(token, state)[0], decoder.step(token, moved)[0])


def test_it_fits_seq2seq_and_search():
    encoder = GRUEncoder(11, 4, 6)
    model = Seq2Seq(encoder, StackedGRUDecoder(9, 4, 5, encoder.d_memory, layers=2))
    src = torch.randint(1, 11, (2, 3))
    logits, _ = model(src, torch.randint(9, (2, 4)))
    assert logits.shape == (2, 4, 9)
    state = model.start(src)
    swapped = state.select(torch.tensor([1, 0]))
    assert torch.equal(swapped.hidden[1][0], state.hidden[1][1])


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="layers"):
        StackedGRUDecoder(9, 4, 5, 6, layers=0)
    decoder, state = made(1)
    with pytest.raises(ValueError, match="token"):
        decoder.step(torch.tensor([9, 1]), state)
    with pytest.raises(ValueError, match="summary"):
        decoder.start(torch.randn(2, 7, 6), torch.randn(2, 5), torch.randn(2, 5))
