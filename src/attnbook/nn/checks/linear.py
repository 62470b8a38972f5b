"""What linear attention is given."""

from torch import Tensor

from attnbook.nn.checks.masks import padding_mask
from attnbook.nn.checks.numbers import one_of
from attnbook.nn.checks.tensors import dimensions, floating, same_kind

RULES = ("linear", "gated", "delta", "gated_delta")


def linear_inputs(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> None:
    """Query (batch, n_heads, length, d_k), key and value (batch, n_kv_heads,
    length, d_k or d_v), mask (batch, length).
    """
    for name, given, heads, size in (
        ("query", query, "n_heads", "d_k"),
        ("key", key, "n_kv_heads", "d_k"),
        ("value", value, "n_kv_heads", "d_v"),
    ):
        floating(name, given)
        dimensions(name, given, ("batch", heads, "length", size))
        same_kind("query", query, name, given)
    batch, n_heads, length, d_k = query.shape
    if length == 0:
        raise ValueError(
            f"query: expected at least one token, got shape {tuple(query.shape)}; "
            "leave out the call for an empty text"
        )
    wanted = (batch, key.shape[1], length, d_k)
    if key.shape != wanted:
        raise ValueError(
            f"key: expected shape {wanted}, (batch, n_kv_heads, length, d_k) as in "
            f"query, got {tuple(key.shape)}; both come from the same tokens"
        )
    if value.shape[:3] != key.shape[:3]:
        raise ValueError(
            f"value: expected shape {tuple(key.shape[:3])} and d_v, as in key, got "
            f"{tuple(value.shape)}; key and value come from the same tokens"
        )
    if key.shape[1] == 0 or n_heads % key.shape[1]:
        raise ValueError(
            f"key: expected a number of heads that divides the query's {n_heads}, "
            f"got {key.shape[1]}; heads of the queries share one in equal groups"
        )
    padding_mask("mask", mask, query.transpose(1, 2), "query")


def linear_rule(
    rule: str, key: Tensor, decay: Tensor | None, beta: Tensor | None
) -> None:
    """The rule exists, and is given what it uses and nothing else."""
    one_of("rule", rule, RULES)
    shape = tuple(key.shape)
    for name, given, part, shapes in (
        ("decay", decay, "gated", (shape[:3], shape)),
        ("beta", beta, "delta", (shape[:3],)),
    ):
        used = part in rule
        if given is None and used:
            raise ValueError(
                f"{name}: expected shape {shapes[0]}, got None; rule {rule!r} "
                "needs it"
            )
        if given is None:
            continue
        if not used:
            raise ValueError(
                f"{name}: expected None, since rule {rule!r} does not use it; "
                f"leave it out, or choose a rule with {part!r} in its name"
            )
        floating(name, given)
        same_kind("key", key, name, given)
        if tuple(given.shape) not in shapes:
            named = " or ".join(map(str, shapes))
            raise ValueError(
                f"{name}: expected shape {named}, numbers for each head and "
                f"token of key, got {tuple(given.shape)}; transpose or unsqueeze it"
            )


def linear_state(state: Tensor | None, key: Tensor, value: Tensor) -> None:
    """None, or (batch, n_kv_heads, d_k, d_v) of any floating dtype."""
    if state is None:
        return
    floating("state", state)
    wanted = (*key.shape[:2], key.shape[-1], value.shape[-1])
    if state.shape != wanted:
        raise ValueError(
            f"state: expected (batch, n_kv_heads, d_k, d_v) = {tuple(wanted)}, got "
            f"{tuple(state.shape)}; pass what the last call returned, or None"
        )
    if state.device != key.device:
        raise ValueError(
            f"state: expected device {key.device} as in key, got {state.device}; "
            "move it with state.to(key.device)"
        )


def normalised_rule(name: str, given: object, rule: str) -> None:
    """``given`` is True or False, and False for a rule that takes back."""
    if not isinstance(given, bool):
        raise TypeError(
            f"{name}: expected True or False, got {given!r}; pass a bool"
        )
    if given and "delta" in rule:
        raise ValueError(
            f"{name}: expected False for rule {rule!r}, whose weights may be "
            "negative, got True; leave it out, or choose 'linear' or 'gated'"
        )
