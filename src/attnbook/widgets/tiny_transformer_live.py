"""TinyTransformerLive: the book's language model continues what the reader types, its attention in view."""

import math
import re
from typing import Any

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, PredictFirst, bundle, traitlets
from attnbook.widgets.content import HasContent
from attnbook.widgets.heads_shared import heads_figure
from attnbook.widgets.language_patching import MOST_TOKENS, PatchMap, patch_map
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.state import (
    Choice,
    Index,
    Integer,
    Listing,
    Number,
    Pair,
    State,
    Text,
    guess,
    hidden_outcome,
)
from attnbook.widgets.trained import RunsModels, loaded

VIEWS = ("head", "mean")
MOST_CHARACTERS = 600
MOST_WRITTEN = 256
CONTEXT = 64  # tokens that the model reads at once
FORGETS = 32  # tokens that drop out together when there are more, so that the cache can be kept between
N_OPTIONS = 5
GOLDEN = 0x6D2B79F5  # what mulberry32 adds at each draw


class TinyTransformerLive(RunsModels, HasContent, PredictFirst):
    """A trained language model on the reader's text: tokens, next-token probabilities, attention, sampling.

    The reader predicts which of five tokens the model finds likeliest after the text. Then every head's
    attention is in view; temperature, top-k and top-p change the distribution as they are moved, and the
    model writes on, token by token. It runs in the page; its file is fetched when the reader first touches
    the widget.

    Parameters
    ----------
    texts : list of str
        1 to 600 characters each; the first one is shown, all are offered.
    model : str
        A shipped model (``attnbook.models``) of the architecture "gpt".
    temperature : float, default 1
        0 to 2; what the logits are divided by. 0 takes the likeliest token each time.
    top_k : int, optional
        How many tokens are kept, the likeliest; all if absent.
    top_p : float, default 1
        Of those, the fewest that hold this share are kept (nucleus sampling).
    seed : int, default 0
        Fixes the random numbers that tokens are drawn with.
    head : (layer, head), from 0, optional
        Shown first; the first head of the last layer if absent.
    view : "head" or "mean"
        One head, or the mean over the heads of its layer.
    donor : str, optional
        Another text, 1 to 600 characters: a panel copies what a layer hands on at one position from it into
        the text (activation patching). No such panel if absent.
    challenge, predict, theme
        As in :class:`~attnbook.widgets.QKVPlayground`.

    Notes
    -----
    Of a text of more than 64 tokens the model reads the last 33 to 64. JavaScript's logits differ from
    torch's by less than 1e-3, and its probabilities and weights by less than 1e-4.

    Attributes
    ----------
    text : str
        What the reader typed.
    written : list of int
        The tokens that were appended to it; see :meth:`write`.
    continuation : str, read-only
        ``written`` as text.
    tokens : list of str, read-only
        What the model reads, spaces as ␣.
    likeliest : list of [token, number, probability], read-only
        The ten tokens with the largest probability of coming next, at temperature 1 and unfiltered.
    odds : list of float, read-only
        What the next token is drawn with, one number a token of the vocabulary.
    perplexity : float or None, read-only
        Of the tokens that are read, each but the first given those before it; None for a single token.
    weights : (tokens, tokens) lists, read-only
        Of the head or the mean that is shown.
    cell : [row, column] or None
        What is pointed at; beyond the tokens it counts as the last of them.
    patched : [layer, tokens before the last] or None
        Which vector of the donor is copied; what comes of it is :meth:`patching`.
    prediction : dict or None
        ``{"choice": index among the five likeliest tokens in the order of their numbers, "share": 0 to 1}``.
    score : float or None
        Half for the right token, half for how near its probability was.

    Raises
    ------
    ValueError
        From the constructor, naming the argument and what is wrong. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("TinyTransformerLive.js")
    _css = bundle("TinyTransformerLive.css")

    content = traitlets.Dict(help="The texts offered, and sizes; read-only.").tag(sync=True)
    text = Mirror("what the model continues")
    written = Mirror("tokens appended to the text, by number")
    temperature = Mirror("0 to 2")
    top_k = Mirror("how many tokens are kept")
    top_p = Mirror("the share that the kept tokens hold")
    seed = Mirror("of the random numbers")
    head = Mirror("[layer, head], from 0")
    view = Mirror("head or mean")
    cell = Mirror("row and column that is pointed at")
    donor = Mirror("the text that activations are copied from")
    patched = Mirror("layer and position, counted from the end, that is copied")
    continuation = Mirror("what was appended, as text; set written", derived=True)
    tokens = Mirror("what the model reads; set text or written", derived=True)
    likeliest = Mirror("ten tokens with their probabilities; set text or written", derived=True)
    odds = Mirror("what the next token is drawn with; set temperature, top_k or top_p", derived=True)
    perplexity = Mirror("of the tokens that are read; set text", derived=True)
    weights = Mirror("(tokens, tokens) of what is shown; set head or view", derived=True)

    def __init__(
        self,
        texts,
        *,
        model="11_language_model",
        temperature=1.0,
        top_k=None,
        top_p=1.0,
        seed=0,
        head=None,
        view="mean",
        donor=None,
        challenge="",
        predict=True,
        theme="auto",
    ):
        self._trained = loaded(model, "gpt")
        if not isinstance(texts, list | tuple) or not texts:
            raise ValueError(f"texts: expected a list of strings, got {texts!r}.")
        sizes = self._trained.configuration
        vocab = len(self._trained.tokenizer)
        given = [TEXT.check(f"texts[{i}]", one, _plain) for i, one in enumerate(texts)]
        self._read: tuple[Any, Any] = (None, None)
        first = self._numbers_of(tuple(self._trained.tokenizer.encode(given[0])))
        self._content = {
            "texts": given,
            "heads": [sizes["n_layers"], sizes["n_heads"]],
            "vocab": vocab,
            "first": {"tokens": first["tokens"], "options": first["options"]},
        }
        state = {
            "text": given[0],
            "written": [],
            "temperature": temperature,
            "top_k": vocab if top_k is None else top_k,
            "top_p": top_p,
            "seed": seed,
            "head": [sizes["n_layers"] - 1, 0] if head is None else head,
            "view": view,
            "cell": None,
            "donor": donor,
            "patched": None,
            **self._unpredicted(predict),
        }
        options = {"challenge": challenge, "theme": theme, "content": self._content}
        super().__init__(state, models=[model], **options)

    def _declare(self):
        layers, heads = self._content["heads"]
        vocab = self._content["vocab"]
        return State(
            text=TEXT,
            written=Listing(of=Index(of=vocab), most=MOST_WRITTEN),
            temperature=Number(low=0, high=2),
            top_k=Integer(low=1, high=vocab),
            top_p=Number(low=0.01, high=1),
            seed=Integer(low=0, high=2**31 - 1),
            head=Pair(rows=layers, columns=heads, first="layer", second="head"),
            view=Choice(options=VIEWS),
            cell=Pair(rows=CONTEXT, columns=CONTEXT, optional=True),
            donor=Text(most=MOST_CHARACTERS, optional=True),
            patched=Pair(
                rows=layers,
                columns=MOST_TOKENS,
                first="layer",
                second="tokens before the last",
                optional=True,
            ),
            **hidden_outcome(guess(N_OPTIONS)),
        )

    def _all_tokens(self, state) -> tuple[int, ...]:
        return (*self._trained.tokenizer.encode(state["text"]), *state["written"])

    def _numbers_of(self, tokens: tuple[int, ...]) -> dict:
        """What :func:`read` makes of these tokens, kept until it is asked for others."""
        if self._read[0] != tokens:
            self._read = tokens, read(self._trained, context_of(tokens))
        return self._read[1]

    def _compute(self, state):
        from attnbook.nn import sampling_probabilities

        numbers = self._numbers_of(self._all_tokens(state))
        settings = {name: state[name] for name in ("temperature", "top_k", "top_p")}
        return {**numbers, "odds": sampling_probabilities(numbers["logits"], **settings)}

    def _shown(self, state):
        """The weights of the view, (tokens, tokens)."""
        layer, head = state["head"]
        weights = self._numbers(state)["weights"][layer]
        return weights[head] if state["view"] == "head" else weights.mean(0)

    def _edited(self, name, value, state):
        if name == "text":
            # Another text is another question; what was in view stays in view.
            return {**state, "text": value, "written": [], "prediction": None, "cell": None}
        if name == "donor":
            return {**state, "donor": value, "patched": None}
        if name == "written":
            return {**state, "written": values.plain(value), "prediction": None, "cell": None}
        return super()._edited(name, value, state)

    def write(self, n_new: int = 1) -> str:
        """Draw ``n_new`` tokens and append them, as the page does; return what was written so far.

        Raises
        ------
        ValueError
            If n_new is no whole number of at least 1, or more than 256 tokens would be written.
        """
        if type(n_new) is not int or not 1 <= n_new <= MOST_WRITTEN - len(self.written):
            raise ValueError(
                f"n_new: expected a whole number from 1 to {MOST_WRITTEN - len(self.written)}, got {n_new!r}."
            )
        for _ in range(n_new):
            random = chance(self.seed, len(self.written))
            self.written = [*self.written, drawn(self._numbers(self.state)["odds"], random)]
        return self.continuation

    def patching(self) -> PatchMap:
        """What each vector of the donor does to the next token once it is copied into the text.

        Raises
        ------
        ValueError
            If there is no donor, or a text has more than 24 tokens.
        """
        if self.donor is None:
            raise ValueError("donor: expected a text that activations are copied from, got None.")
        text = context_of(self._all_tokens(self.state))
        return patch_map(self._trained.model, text, tuple(self._trained.tokenizer.encode(self.donor)))

    def _derived(self, state):
        numbers, tokenizer = self._numbers(state), self._trained.tokenizer
        top = numbers["probabilities"].topk(10)
        likeliest = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        return {
            "continuation": tokenizer.decode(state["written"]),
            "tokens": numbers["tokens"],
            "likeliest": [[visible(tokenizer.tokens[i]), i, round(share, 6)] for i, share in likeliest],
            "odds": [round(share, 6) for share in numbers["odds"].tolist()],
            "perplexity": numbers["perplexity"],
            "weights": [[round(x, 6) for x in row] for row in self._shown(state).tolist()],
        }

    def _options(self, state):
        return self._numbers(state)["options"]

    def _outcome(self, state):
        numbers = self._numbers(state)
        return numbers["best"], values.compact(float(numbers["probabilities"].max()))

    def _sentence(self, state):
        numbers = self._numbers(state)
        count = len(numbers["tokens"])
        tokens = values.count_of(count, "token")
        if not state["revealed"]:
            which = "these" if count > 1 else "this"
            return f"What comes after {which} {tokens} is hidden: predict it, or skip."
        best, share = self._outcome(state)
        text = (
            f"After {tokens} the model finds “{numbers['options'][best]}” likeliest, {values.percent(share)}."
        )
        if not state["written"]:
            return text
        return f"{text} Written so far: {self._trained.tokenizer.decode(state['written']).strip()}"

    def _figure(self):
        state = self.state
        numbers = self._numbers(state)
        return heads_figure(
            numbers["weights"].numpy(), numbers["tokens"], numbers["tokens"], hidden=not state["revealed"]
        )


TEXT = Text(most=MOST_CHARACTERS)


def _plain(size):
    """No size of a text stands elsewhere."""
    return size


def context_of(tokens: tuple[int, ...]) -> tuple[int, ...]:
    """The tokens that the model reads: the last ones, where there are more than ``CONTEXT``.

    So many drop out at once that the next tokens find a cache whose beginning is theirs.
    """
    too_many = max(0, len(tokens) - CONTEXT)
    return tokens[math.ceil(too_many / FORGETS) * FORGETS :]


def read(trained: Any, tokens: tuple[int, ...]) -> dict:
    """What the model makes of these tokens.

    Returns
    -------
    dict
        ``tokens``, each as a reader sees it; ``logits`` and ``probabilities`` (vocab,) of the next token;
        ``given`` (tokens − 1,), the probability of each token but the first, given those before it;
        ``perplexity``; ``weights`` (layers, heads, tokens, tokens); ``options``, the five likeliest tokens in
        the order of their numbers, and ``best``, which of them is likeliest.
    """
    import torch

    with torch.no_grad():
        logits, weights = trained.model(torch.tensor([tokens]), need_weights=True)
    log_shares = logits[0].log_softmax(-1)  # (tokens, vocab)
    given = log_shares[:-1].gather(1, torch.tensor(tokens)[1:, None])[:, 0]
    probabilities = log_shares[-1].exp()
    chosen = sorted(probabilities.topk(N_OPTIONS).indices.tolist())
    spelled = trained.tokenizer.tokens
    return {
        "tokens": [visible(spelled[token]) for token in tokens],
        "logits": logits[0, -1],
        "probabilities": probabilities,
        "given": given.exp(),
        "perplexity": round(math.exp(-float(given.mean())), 4) if len(given) else None,
        "weights": torch.cat(weights),
        "options": [visible(spelled[token]) for token in chosen],
        "best": chosen.index(int(probabilities.argmax())),
    }


def drawn(odds, random: float) -> int:
    """The token at which the odds, added up in the order of their numbers, pass ``random``, from 0 to 1."""
    possible = odds.nonzero()[:, 0]
    passed = (odds[possible].cumsum(-1) > random).nonzero()
    return int(possible[passed[0, 0] if len(passed) else -1])


def chance(seed: int, i: int) -> float:
    """The i-th random number of a seed, whatever was drawn before."""
    return next(generator((seed + i * GOLDEN) & 0xFFFFFFFF))


def visible(token: bytes) -> str:
    """A token as a reader sees it: spaces as ␣, line breaks as ↵, bytes of no whole character as \\x00."""
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02x}" for byte in token)
    text = text.replace(" ", "␣").replace("\n", "↵")
    return re.sub("[\x00-\x1f\x7f-\x9f\xad]", lambda sign: f"\\x{ord(sign[0]):02x}", text)
