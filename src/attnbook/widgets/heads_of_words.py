"""The heads of a small model that guesses words, or of weights alone, and what is lost without some."""

import base64
import copy
import struct
from typing import Any

import numpy as np

from attnbook.widgets import values
from attnbook.widgets.heads_shared import (
    MOST_HEADS,
    MOST_LAYERS,
    MOST_WORDS,
    VIEWS,
    a_head,
    amount,
    as_numpy,
    checked_array,
    heads_figure,
    largest,
    pictures,
    sentence_words,
)
from attnbook.widgets.state import Absent, Choice, Index, Listing, Pair, State, Words, hidden_outcome

ABLATIONS = ("zero", "mean")
HIDDEN = "Match each head with its role, or skip."
MOST_NUMBERS = 50_000  # of a model: 200 kB as float32, 267 kB in a notebook


class WordHeads:
    """What :class:`~attnbook.widgets.HeadExplorer` shows of one sentence and its weights, or of a model.

    Parameters
    ----------
    content : dict
        Words and packed numbers, as they travel.
    sizes : (n_layers, n_heads)
    roles, other_roles
        As in :class:`~attnbook.widgets.HeadExplorer`.
    weights : (n_layers, n_heads, n_rows, n_columns), optional
        Without a model.
    model : torch.nn.Module, optional
        A WordModel or MaskedWordModel in float64; with it ``means`` (2, n_layers, n_heads, d_head), what
        heads hand on for visible words and for hidden ones.
    """

    what = "the heads of words"

    def __init__(self, content, sizes, roles, other_roles, *, weights=None, model=None, means=None):
        n_layers, n_heads = sizes
        if not (1 <= n_layers <= MOST_LAYERS and 1 <= n_heads <= MOST_HEADS):
            raise ValueError(
                f"weights: expected at most {MOST_LAYERS} layers and {MOST_HEADS} heads, got {n_layers} and "
                f"{n_heads}."
            )
        self.sizes = n_layers, n_heads
        asked, options = _roles(roles, other_roles, n_layers, n_heads)
        self.content = {**content, "sizes": [n_layers, n_heads], "roles": asked, "options": options}
        self._model: Any = model
        self._weights, self._means = weights, means

    @classmethod
    def of_weights(cls, tokens, weights, src, outputs, roles, other_roles):
        """Weights of one sentence; the arguments of :class:`~attnbook.widgets.HeadExplorer`."""
        words = sentence_words("tokens", tokens)
        columns = words if src is None else sentence_words("src", src)
        weights = _weights(weights, len(words), len(columns))
        content = {"sentences": [words], "src": None if src is None else columns, "verb": "look at "}
        content["weights"] = _pack(weights)
        if outputs is not None:
            shape = (*weights.shape[:2], len(words), None)
            content["outputs"] = _pack(checked_array("outputs", outputs, shape))
        return cls(content, weights.shape[:2], roles, other_roles, weights=weights)

    @classmethod
    def of_model(cls, model, sentences, vocabulary, mask_word, head_means, roles, other_roles):
        """A model and sentences; the arguments of :meth:`~attnbook.widgets.HeadExplorer.from_model`."""
        words = values.words("vocabulary", list(vocabulary))
        sizes, parameters, means = _taken_apart(model)
        if head_means is not None:
            means = head_means
        if len(words) != sizes["vocab"] or len(set(words)) != len(words):
            raise ValueError(
                f"vocabulary: expected {sizes['vocab']} different words, one a token number of the model, "
                f"got {len(set(words))} different of {len(words)}."
            )
        several = isinstance(sentences, list | tuple) and sentences and not isinstance(sentences[0], str)
        given = [
            sentence_words(f"sentences[{i}]", one)
            for i, one in enumerate(sentences if several else [sentences])
        ]
        longest = max(map(len, given))
        if longest > sizes["max_length"]:
            raise ValueError(
                f"sentences: expected at most {sizes['max_length']} words, as the model reads, got {longest}."
            )
        if sizes["causal"] and mask_word is not None:
            raise ValueError("mask_word: expected none, since a causal model guesses the next word.")
        if not sizes["causal"] and mask_word not in words:
            raise ValueError(
                "mask_word: expected the word of the vocabulary that stands for a hidden one, got "
                f"{mask_word!r}."
            )
        sizes["max_length"] = longest  # positions beyond it stay behind
        parameters[1] = parameters[1][:longest]
        sizes["hidden"] = -1 if mask_word is None else words.index(mask_word)
        by_kind = _head_means(means, sizes)
        numbers = np.concatenate([as_numpy(part).ravel() for part in parameters])
        count = len(numbers) + by_kind.size
        if count > MOST_NUMBERS:
            raise ValueError(
                f"model: expected at most {MOST_NUMBERS:,} parameters, since they travel in the notebook, "
                f"got {count:,}; make d_model, d_ff or the vocabulary smaller."
            )
        packed = {**sizes, "vocabulary": words, "mask": mask_word, "half": _is_half(numbers)}
        packed["numbers"] = _pack(numbers, packed["half"])
        packed["means"] = None if means is None else _pack(by_kind)
        content = {"sentences": given, "src": None, "model": packed}
        content["verb"] = "guess after " if sizes["causal"] else "hide "
        double = copy.deepcopy(model).double().requires_grad_(False)
        shape = sizes["n_layers"], sizes["n_heads"]
        return cls(content, shape, roles, other_roles, model=double, means=by_kind)

    def declare(self) -> State:
        """The parts of the state."""
        model, src, asked = (self.content.get(part) for part in ("model", "src", "roles"))
        role = Choice(options=tuple(self.content["options"]))
        return State(
            tokens=Words(
                most=model["max_length"] if model else MOST_WORDS,
                why=", as the longest sentence that this widget was made with" if model else "",
            ),
            head=a_head(self.sizes),
            other=a_head(self.sizes),
            view=Choice(options=VIEWS),
            ablated=Listing(
                of=a_head(self.sizes), most=2 * self.sizes[0] * self.sizes[1], why=" [layer, head]"
            ),
            ablation=Choice(options=ABLATIONS),
            ask=Index(of="tokens", optional=model is not None, why=", the index of a word"),
            cell=Pair(rows="tokens", columns=len(src) if src else "tokens", optional=True),
            **hidden_outcome(
                Listing(of=role, length=len(asked), optional=True, why=", one role a head")
                if asked
                else Absent(why=", since there are no roles")
            ),
        )

    def measured(self, state) -> dict:
        """The sizes that the declaration names: all are parts of the state."""
        return {}

    def agree(self, state) -> None:
        """Raise ValueError where parts that are right by themselves do not fit."""
        model, tokens = self.content.get("model"), state["tokens"]
        if model is None and tokens != self.content["sentences"][0]:
            raise ValueError(
                "tokens: expected those of the weights; only a widget with a model can edit them."
            )
        unknown = [word for word in tokens if model and word not in model["vocabulary"]]
        if unknown:
            raise ValueError(f"tokens: expected words of the model's vocabulary, got {unknown[0]!r}.")
        state["ablated"] = [list(pair) for pair in sorted(set(map(tuple, state["ablated"])))]
        if state["ablated"] and model is None and "outputs" not in self.content:
            raise ValueError("ablated: expected none, since there is no model and no outputs= to change.")
        if state["ablation"] == "mean" and not (model and model["means"]):
            raise ValueError("ablation: expected 'zero', since this widget has no head_means.")

    def edited(self, name, value, state) -> dict:
        """``state`` after ``name`` was assigned ``value``."""
        if name == "tokens":
            value = sentence_words("tokens", value)
            if len(value) != len(state["tokens"]):
                ask = state["ask"]
                state = {**state, "cell": None, "ask": ask and min(ask, len(value) - 1)}
        return {**state, name: value}

    def graded(self, prediction) -> float:
        """The share of roles that were named rightly."""
        asked = self.content["roles"]
        right = sum(one == role for one, (_, _, role, _) in zip(prediction, asked, strict=True))
        return np.floor(100 * right / len(asked) + 0.5) / 100

    def compute(self, state) -> dict:
        """Words as the model reads them, weights, and the model's shares before and after the ablation.

        Returns
        -------
        dict
            ``words columns`` (lists of str), ``weights`` (n_layers, n_heads, n_rows, n_columns), ``shares``
            (before, after), each (vocab,), or None, ``truth``, the word that is right, or None.
        """
        tokens, ask = state["tokens"], state["ask"]
        out = {"words": tokens, "columns": self.content["src"] or tokens, "shares": None, "truth": None}
        if self._model is None:
            return {**out, "weights": self._weights}
        model = self.content["model"]
        if model["mask"] is not None and ask is not None:
            out["words"] = out["columns"] = [model["mask"] if i == ask else w for i, w in enumerate(tokens)]
        numbers = [model["vocabulary"].index(word) for word in out["words"]]
        before = after = self._read(numbers, {})
        if state["ablated"]:
            after = self._read(numbers, self._instead(numbers, state["ablated"], state["ablation"]))
        out["weights"] = after[1]
        if ask is not None:
            import torch

            out["shares"] = [torch.softmax(logits[ask], -1).numpy() for logits, _ in (before, after)]
            true = ask if model["mask"] is not None else ask + 1
            out["truth"] = tokens[true] if true < len(tokens) else None
        return out

    def _instead(self, numbers, ablated, ablation) -> dict:
        """By (layer, head): what it hands on instead at each place, (length, d_head)."""
        import torch

        is_hidden = [int(number == self.content["model"]["hidden"]) for number in numbers]
        means = torch.from_numpy(self._means) * (ablation == "mean")
        return {(layer, head): means[is_hidden, layer, head] for layer, head in ablated}

    def _read(self, numbers, instead):
        """Logits (length, vocab) and weights (n_layers, n_heads, length, length) of the model in float64."""
        import torch

        from attnbook.nn.attention import scaled_dot_product_attention
        from attnbook.nn.multi_head import merge_heads, split_heads

        model, sizes = self._model, self.content["model"]
        x = model.positions(model.embedding(torch.tensor(numbers)))  # (length, d_model)
        all_weights = []
        for i, layer in enumerate(model.layers):
            attention = getattr(layer, "attention", layer)
            inside = layer.norm_1(x) if sizes["norms"] else x
            query, key, value = (
                split_heads(project(inside), sizes["n_heads"])
                for project in (attention.W_q, attention.W_k, attention.W_v)
            )
            context, weights = scaled_dot_product_attention(query, key, value, causal=sizes["causal"])
            for (at, head), constant in instead.items():
                if at == i:
                    context[head] = constant
            x = x + attention.W_o(merge_heads(context))
            if sizes["d_ff"]:
                x = x + layer.feed_forward(layer.norm_2(x))
            all_weights.append(weights)
        logits = model.output(model.norm(x) if sizes["norms"] else x)
        return logits, torch.stack(all_weights).numpy()

    def derived(self, state, numbers) -> dict:
        """The mirrors that are no part of the state."""
        probabilities = loss = None
        if numbers["shares"]:
            vocabulary = self.content["model"]["vocabulary"]
            probabilities = {
                name: {word: values.compact(p) for word, p in zip(vocabulary, row.tolist(), strict=True)}
                for name, row in zip(("before", "after"), numbers["shares"], strict=True)
            }
            if numbers["truth"] is not None:
                true = vocabulary.index(numbers["truth"])
                loss = [values.compact(float(-np.log(row[true]))) for row in numbers["shares"]]
        return {
            "weights": np.round(numbers["weights"], 6).tolist(),
            "probabilities": probabilities,
            "loss": loss,
        }

    def sentence(self, state, numbers) -> str:
        """What is in view, in one sentence."""
        row = state["cell"][0] if state["cell"] else state["ask"] or 0
        text = [] if state["revealed"] else [HIDDEN]
        for name, rows, signed in pictures(state, numbers["weights"]):
            best, weight = largest(rows[row])
            word, other = numbers["words"][row], numbers["columns"][best]
            verb = "differs" if signed else "looks"
            text.append(f"{name}: “{word}” {verb} most at “{other}”, {amount(weight, signed)}.")
        off, of = len(state["ablated"]), self.sizes[0] * self.sizes[1]
        start = f"Without {off} of {values.count_of(of, 'head')}" if off else "With all heads"
        if numbers["shares"]:
            vocabulary = self.content["model"]["vocabulary"]
            before, after = numbers["shares"]
            truth = numbers["truth"]
            word = int(np.argmax(after)) if truth is None else vocabulary.index(truth)

            def tell(say):
                now = say(float(after[word]))
                return f"{now} instead of {say(float(before[word]))}" if off else now

            loss = "" if truth is None else f", a loss of {tell(lambda p: values.fixed(-np.log(p)))}"
            text.append(f"{start} the model gives “{vocabulary[word]}” {tell(values.percent)}{loss}.")
        elif off:
            text.append(f"{start}.")
        return " ".join(text)

    def figure(self, state, numbers):
        """Every head as a small picture, with its role once roles are in view."""
        named = {(layer, head): role for layer, head, role, _ in self.content["roles"]}
        return heads_figure(
            numbers["weights"],
            numbers["words"],
            numbers["columns"],
            named=named if state["revealed"] else None,
        )


def _taken_apart(model):
    """Sizes of a model, its parameters as js/mechanisms/word_model.js takes them, its head_means or None."""
    try:
        layers, embedding = list(model.layers), model.embedding.weight
        attentions = [getattr(layer, "attention", layer) for layer in layers]
        linears = [[layer.W_q, layer.W_k, layer.W_v, layer.W_o] for layer in attentions]
        table, output = model.positions.table, model.output
        n_heads = attentions[0].n_heads
    except (AttributeError, IndexError, TypeError):
        raise ValueError(
            f"model: expected an attnbook.nn.WordModel or MaskedWordModel, got {type(model).__name__}."
        ) from None
    norm, d_ff = getattr(model, "norm", None), getattr(model, "d_ff", None)
    sizes = {
        "vocab": embedding.shape[0],
        "d_model": embedding.shape[1],
        "n_heads": n_heads,
        "n_layers": len(layers),
        "max_length": table.shape[0],
        "d_ff": d_ff or 0,
        "causal": getattr(model, "causal", False),
        "tied": output.weight is embedding,
        "norms": norm is not None,
        "bias": 0 if output.bias is None else len(output.bias),
    }
    parameters = [embedding, table]
    for layer, four in zip(layers, linears, strict=True):
        parts = [layer.norm_1] if sizes["norms"] else []
        parts += four
        if d_ff:
            parts += [layer.norm_2, layer.feed_forward.W_1, layer.feed_forward.W_2]
        parameters += [number for part in parts for number in (part.weight, part.bias)]
    if sizes["norms"]:
        parameters += [norm.weight, norm.bias]
    if not sizes["tied"]:
        parameters.append(output.weight)
    if sizes["bias"]:
        parameters.append(output.bias)
    means = getattr(model, "head_means", None)  # zeros until they were measured
    return sizes, parameters, means if means is not None and as_numpy(means).any() else None


def _head_means(means, sizes) -> np.ndarray:
    """(2, n_layers, n_heads, d_head): what heads hand on for visible words, then for hidden ones."""
    shape = sizes["n_layers"], sizes["n_heads"], sizes["d_model"] // sizes["n_heads"]
    if means is None:
        return np.zeros((2, *shape))
    if np.ndim(as_numpy(means)) == 4:
        return checked_array("head_means", means, (*shape[:2], 2, shape[2])).transpose(2, 0, 1, 3)
    return np.stack([checked_array("head_means", means, shape)] * 2)


def _weights(value, n_rows, n_columns) -> np.ndarray:
    weights = checked_array("weights", value, (None, None, n_rows, n_columns))
    sums = weights.sum(-1)
    wrong = (weights < 0).any(-1) | ((np.abs(sums - 1) > 1e-3) & (sums != 0))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"weights{list(at)}: expected shares that add up to 1 (or are all 0), got a sum of "
            f"{sums[at]:.4g}."
        )
    return weights


def _roles(roles, others, n_layers, n_heads):
    """Roles as [[layer, head, role, why], …] in order, and the names to choose from."""
    if roles is not None and not isinstance(roles, dict):
        raise ValueError(f"roles: expected a dict from (layer, head) to (role, why), got {roles!r}.")
    asked = []
    for pair, told in (roles or {}).items():
        layer, head = a_head((n_layers, n_heads)).check("roles", pair, lambda size: size)
        if not isinstance(told, list | tuple) or len(told) != 2:
            raise ValueError(f"roles[{pair!r}]: expected (role, why), got {told!r}.")
        asked.append([layer, head, *values.words(f"roles[{pair!r}]", list(told))])
    names = [role for _, _, role, _ in sorted(asked)] + values.words("other_roles", list(others))
    return sorted(asked), sorted(set(names))


def _is_half(numbers) -> bool:
    """Whether half precision holds each of these numbers as it is: so do the models that ship."""
    with np.errstate(over="ignore"):
        return bool((numbers.astype("f2") == numbers).all())


def _pack(numbers, half=False) -> str:
    """Numbers as float32, or in half precision, in base64."""
    flat = np.asarray(numbers).ravel().tolist()
    return base64.b64encode(struct.pack(f"<{len(flat)}{'e' if half else 'f'}", *flat)).decode()
