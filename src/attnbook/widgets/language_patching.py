"""Activation patching between two texts of any length, as TinyTransformerLive's panel shows it."""

from dataclasses import dataclass
from typing import Any

MOST_TOKENS = 24  # of each text, so that the whole map is there at once


@dataclass(frozen=True)
class PatchMap:
    """What copying one vector from a donor into a text does to the next token.

    Attributes
    ----------
    own, other : int
        The likeliest next token of the text and of the donor.
    before, donor : Tensor (vocab,)
        Probabilities of the next token after each.
    after : Tensor (layers, positions, vocab)
        After the text with one vector of the donor: what each layer hands on, at each position. Positions
        are counted from the end of both texts, and the last one stands last.
    """

    own: int
    other: int
    before: Any
    donor: Any
    after: Any

    @property
    def moved(self) -> Any:
        """(layers, positions): how far the log-odds of ``other`` against ``own`` went.

        0 where they stayed the text's, 1 where they became the donor's.

        Raises
        ------
        ValueError
            If both texts have the same likeliest token, so that nothing could move.
        """
        if self.own == self.other:
            raise ValueError(
                "donor: expected a text with another likeliest next token, got the same for both."
            )
        gaps = [
            each[..., self.other].log() - each[..., self.own].log()
            for each in (self.before, self.donor, self.after)
        ]
        return (gaps[2] - gaps[0]) / (gaps[1] - gaps[0])


def patch_map(model: Any, text: tuple[int, ...], donor: tuple[int, ...]) -> PatchMap:
    """Copy what each layer hands on at each position of ``donor`` into ``text``, one vector at a time.

    ``attnbook.analysis.patch`` does it for any model and texts of equal length; here the texts end together.

    Parameters
    ----------
    model : attnbook.nn.GPT
        In evaluation mode.
    text, donor : tuple of int
        Tokens, 1 to 24 of each.

    Raises
    ------
    ValueError
        If a text has no or more than 24 tokens.
    """
    import torch

    for name, tokens in (("text", text), ("donor", donor)):
        if not 1 <= len(tokens) <= MOST_TOKENS:
            raise ValueError(f"{name}: expected 1 to {MOST_TOKENS} tokens, got {len(tokens)}.")
    count = min(len(text), len(donor))
    with torch.no_grad():
        states, before = _states(model, text)
        theirs, given = _states(model, donor)
        after = []
        for layer, state in enumerate(states):
            x = state.expand(count, -1, -1).clone()  # (positions, tokens, d_model): one patch a row
            for i in range(count):
                x[i, len(text) - count + i] = theirs[layer][0, len(donor) - count + i]
            for later in model.layers[layer + 1 :]:
                x, _ = later(x, causal=True, need_weights=False)
            after.append(_next(model, x))
    return PatchMap(int(before.argmax()), int(given.argmax()), before[0], given[0], torch.stack(after))


def _states(model: Any, tokens: tuple[int, ...]) -> tuple[list, Any]:
    """What each layer hands on, (1, tokens, d_model) each, and the next token's probabilities, (1, vocab)."""
    import torch

    x = model.embed(torch.tensor([tokens]))
    states = []
    for layer in model.layers:
        x, _ = layer(x, causal=True, need_weights=False)
        states.append(x)
    return states, _next(model, x)


def _next(model: Any, x: Any) -> Any:
    """(batch, tokens, d_model) -> probabilities of the next token, (batch, vocab)."""
    return model.output(model.norm(x[:, -1])).softmax(-1)
