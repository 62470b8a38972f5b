"""What a memory network is given."""

from torch import Tensor

from attnbook.nn.checks.tensors import same_batch, tokens


def stories(name: str, given: Tensor, vocab: int, max_facts: int) -> None:
    """``given`` is (batch, facts, words) of token numbers, with at most
    ``max_facts`` facts.
    """
    tokens(name, given, vocab, ("batch", "facts", "words"))
    if not 1 <= given.shape[1] <= max_facts:
        raise ValueError(
            f"{name}: expected 1 to max_facts = {max_facts} facts, got shape "
            f"{tuple(given.shape)}; pad with zeros, or leave the oldest out"
        )


def asked(name: str, given: Tensor, vocab: int, story: Tensor) -> None:
    """``given`` is (batch, words) of token numbers, a question for each story."""
    tokens(name, given, vocab, ("batch", "words"))
    same_batch("story", story, name, given)
