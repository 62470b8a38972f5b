"""Attention weights of a reader's own model: any Hugging Face encoder, decoder or encoder–decoder.

Nothing here imports ``transformers``: a model and a tokenizer come from the reader, who has it. A model
returns weights only where it computes them: a fused kernel (``"sdpa"``, ``"flash_attention_2"``) goes from
queries, keys and values to the context without ever holding them, so the model has to be loaded with
``attn_implementation="eager"``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from attnbook.arguments import whole_number

KINDS = ("encoder", "decoder", "cross")
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # a word with its apostrophes, or one sign
MOST_BYTES = 2**30  # of all weights of a batch together
MOST_WRITTEN = 60  # tokens, where a model writes the target itself


@dataclass(frozen=True)
class Kind:
    """The weights of one kind of attention.

    Attributes
    ----------
    rows, columns : list of str
        The tokens or words that ask, and those that are attended to.
    weights : (n_layers, n_heads, rows, columns)
        float32 on the CPU; each row adds up to 1.
    """

    rows: list[str]
    columns: list[str]
    weights: Tensor

    def window(self, rows: slice, columns: slice, rest: str = "…") -> Kind:
        """A part of a long text; the weight on all columns outside stands in one more column, ``rest``."""
        shown = self.weights[:, :, rows, columns]
        names = self.columns[columns]
        if len(names) < len(self.columns):
            outside = self.weights[:, :, rows].sum(dim=-1, keepdim=True) - shown.sum(dim=-1, keepdim=True)
            shown = torch.cat([shown, outside.clamp(min=0)], dim=-1)
            names = [*names, rest]
        return Kind(self.rows[rows], names, shown)


@dataclass(frozen=True)
class Reading:
    """What a model attended to in one text: by kind ("encoder", "decoder", "cross").

    Attributes
    ----------
    kinds : dict of Kind
        Of a model with one stack of layers there is one, "encoder" or "decoder".
    """

    kinds: dict[str, Kind] = field(default_factory=dict)

    def __getitem__(self, kind: str) -> Kind:
        if kind not in self.kinds:
            raise ValueError(
                f"kind: expected one of {', '.join(self.kinds)}, as this model has them, got {kind!r}"
            )
        return self.kinds[kind]


@torch.no_grad()
def read_attention(
    model: Any,
    tokenizer: Any,
    text: str | Sequence[str] | Mapping[str, Tensor],
    *,
    tgt: str | Sequence[str] | None = None,
    row: int = 0,
    merge: bool = False,
) -> Reading:
    """Run a Hugging Face model on a text, and take its attention weights.

    Parameters
    ----------
    model : of transformers
        An encoder (BERT), a decoder (GPT-2, Llama) or both (T5). It runs in evaluation mode, and is left as
        it was.
    tokenizer : of transformers
        The model's own.
    text : str, list of str, or the tokenizer's output
        A list is padded to one batch, on the side that the tokenizer pads; so may be its output be.
    tgt : str or list of str, optional
        Of an encoder–decoder: what it reads in the decoder. Left out, the model writes it itself, greedily.
    row : int
        Which text of a batch.
    merge : bool
        One row and column a word instead of one a piece of it: the weight on a word is the sum over its
        pieces, the weight from a word the mean over its pieces (Clark et al. 2019,
        https://arxiv.org/abs/1906.04341, section 4.1).

    Returns
    -------
    Reading
        Without padding. Rows of the decoder of an encoder–decoder, and of its cross-attention, bear the
        tokens that are written from them, which stand one place further left at its input.

    Raises
    ------
    ValueError
        In one sentence: an empty text, token numbers that the model does not have, a text longer than the
        model reads, weights of more than 1 GiB, or a model that returns no weights.
    """
    texts = [text] if isinstance(text, str) else text
    batch, offsets = _encoded(model, tokenizer, texts, "text")
    whole_number("row", row, 0, len(batch["input_ids"]) - 1)
    both = bool(getattr(model.config, "is_encoder_decoder", False))
    tgts = [tgt] if isinstance(tgt, str) else tgt
    if tgt is not None and not both:
        raise ValueError("tgt: expected none, since this model has no encoder and decoder; put it into text")
    device = next(model.parameters()).device
    inputs = {name: value.to(device) for name, value in batch.items()}
    was_training = model.training
    model.eval()
    try:
        inputs = _with_positions(model, inputs)
        written, written_offsets = batch["input_ids"], None
        if both:
            if tgt is None:
                written = _written(model, inputs)
            else:
                labels, written_offsets = _encoded(model, tokenizer, tgts, "tgt")
                if len(labels["input_ids"]) != len(batch["input_ids"]):
                    raise ValueError(
                        f"tgt: expected {len(batch['input_ids'])} texts, one a text, got "
                        f"{len(labels['input_ids'])}"
                    )
                written = labels["input_ids"]
                inputs["decoder_attention_mask"] = labels["attention_mask"].to(device)
            inputs["decoder_input_ids"] = _shifted(model, written).to(device)
        _check_size(model, inputs)
        out = model(**inputs, output_attentions=True)
    finally:
        model.train(was_training)

    kept = batch["attention_mask"][row].bool().cpu()
    source = _Names(tokenizer, batch["input_ids"][row].cpu(), kept, offsets, texts, row, merge)
    kinds = {}
    if both:
        mask = inputs.get("decoder_attention_mask")
        kept = _until_end(model, written[row].cpu()) if mask is None else mask[row].bool().cpu()
        target = _Names(tokenizer, written[row].cpu(), kept, written_offsets, tgts, row, merge)
        found = (
            ("encoder", out.encoder_attentions, source, source),
            ("decoder", out.decoder_attentions, target, target),
            ("cross", out.cross_attentions, target, source),
        )
    else:
        found = (("encoder", getattr(out, "attentions", None), source, source),)
    for name, weights, rows, columns in found:
        taken = _stacked(model, weights, row)[:, :, rows.kept][:, :, :, columns.kept]
        if not both and not taken.triu(1).any():
            name = "decoder"  # no query attends to a later key
        taken = rows.averaged(columns.summed(taken))
        kinds[name] = Kind(rows.names, columns.names, taken)
    return Reading(kinds)


class _Names:
    """The names of one text's tokens or words, and how pieces of words become words."""

    def __init__(self, tokenizer, ids, kept, offsets, texts, row, merge):
        self.kept = kept
        self.names = [_name(tokenizer, number) for number in ids[kept].tolist()]
        self.word_of: list[int] | None = None
        if merge:
            if offsets is None or not isinstance(texts, Sequence):
                raise ValueError(
                    "merge: expected a text and a fast tokenizer, which tells where each piece stands in it; "
                    "pass the text itself, or merge=False"
                )
            spans = [span for span, keep in zip(offsets[row], kept.tolist(), strict=True) if keep]
            self._merge(texts[row], spans)

    def _merge(self, text, spans):
        places = [(found.start(), found.end()) for found in WORD.finditer(text)]
        names: list[str] = []
        self.word_of, last = [], None
        for name, (start, end) in zip(self.names, spans, strict=True):
            word = None
            if start < end:  # not a token that the tokenizer adds, such as [CLS]
                begin = start + len(text[start:]) - len(text[start:].lstrip())
                word = next((i for i, (low, high) in enumerate(places) if low <= begin < high), None)
            if word is None or word != last:
                names.append(name if word is None else text[slice(*places[word])])
            last = word
            self.word_of.append(len(names) - 1)
        self.names = names

    def _matrix(self, like: Tensor) -> Tensor:
        """(tokens, words), 1 where the token is a piece of the word."""
        return torch.nn.functional.one_hot(torch.tensor(self.word_of), len(self.names)).to(like)

    def summed(self, weights: Tensor) -> Tensor:
        return weights if self.word_of is None else weights @ self._matrix(weights)

    def averaged(self, weights: Tensor) -> Tensor:
        if self.word_of is None:
            return weights
        matrix = self._matrix(weights)
        return (matrix / matrix.sum(dim=0)).T @ weights


def _name(tokenizer, number: int) -> str:
    """A token as a reader knows it: without the signs that stand for a space before it."""
    name = tokenizer.decode([number], skip_special_tokens=False, clean_up_tokenization_spaces=False)
    name = "".join(name.split()) or str(tokenizer.convert_ids_to_tokens(number)).strip()
    return name or "␣"


def _encoded(model, tokenizer, texts, argument: str) -> tuple[dict[str, Tensor], list | None]:
    """Token numbers and mask of a batch, and where each token stands in its text, if the tokenizer tells."""
    offsets = None
    if isinstance(texts, Mapping):
        if "input_ids" not in texts:
            raise ValueError(
                f"{argument}: expected input_ids among what the tokenizer gave, got {list(texts)}"
            )
        batch = {name: torch.as_tensor(value) for name, value in texts.items() if name != "offset_mapping"}
    else:
        if not texts or not all(isinstance(each, str) for each in texts):
            raise ValueError(f"{argument}: expected a text or a list of texts, got {texts!r}")
        empty = [place for place, each in enumerate(texts) if not each.strip()]
        if empty:
            raise ValueError(f"{argument}: expected words, got an empty text; write at least one")
        if len(texts) > 1 and tokenizer.pad_token is None:
            raise ValueError(
                "tokenizer: has no padding token, which several texts in one batch need; "
                "set tokenizer.pad_token = tokenizer.eos_token"
            )
        fast = bool(getattr(tokenizer, "is_fast", False))
        said = tokenizer(list(texts), padding=len(texts) > 1, return_offsets_mapping=fast)
        offsets = said.pop("offset_mapping", None)
        if not all(said["input_ids"]):
            raise ValueError(f"{argument}: the tokenizer finds no token in it; is it of another language?")
        batch = {name: torch.tensor(value) for name, value in said.items()}
    ids = batch["input_ids"]
    if ids.dim() != 2 or not ids.numel():
        raise ValueError(f"{argument}: expected input_ids of shape (texts, tokens), got {tuple(ids.shape)}")
    vocab = model.get_input_embeddings().weight.shape[0]
    if int(ids.max()) >= vocab or int(ids.min()) < 0:
        raise ValueError(
            f"tokenizer: gives token number {int(ids.max()):,}, and the model has {vocab:,} tokens, from 0 "
            "on; take the tokenizer that the model was trained with"
        )
    longest = getattr(model.config, "max_position_embeddings", None)
    if isinstance(longest, int) and ids.shape[1] > longest:
        raise ValueError(
            f"{argument}: expected at most {longest:,} tokens, as the model reads, got {ids.shape[1]:,}; "
            "pass a part of it"
        )
    batch.setdefault("attention_mask", torch.ones_like(ids))
    takes = inspect.signature(model.forward).parameters
    free = any(each.kind is each.VAR_KEYWORD for each in takes.values())
    return {name: value for name, value in batch.items() if name in takes or free}, offsets


def _with_positions(model, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Where padding stands on the left, the first word shall still be at position 0."""
    mask = inputs["attention_mask"]
    takes = inspect.signature(model.forward).parameters
    if "position_ids" in takes and "position_ids" not in inputs and not bool(mask[:, 0].all()):
        inputs = {**inputs, "position_ids": (mask.cumsum(dim=1) - 1).clamp(min=0)}
    return inputs


def _written(model, inputs: dict[str, Tensor]) -> Tensor:
    """What the model writes greedily, (texts, tokens), without the token that it starts with."""
    if not getattr(model, "can_generate", lambda: False)():
        raise ValueError("tgt: expected a text, since this model has no head to write one with")
    written = model.generate(**inputs, max_new_tokens=MOST_WRITTEN, do_sample=False, num_beams=1)
    return written[:, 1:]


def _until_end(model, written: Tensor) -> Tensor:
    """(tokens,) of bool: those up to the first end token."""
    ends = getattr(model.generation_config, "eos_token_id", None)
    ends = torch.tensor([] if ends is None else ends, dtype=written.dtype).flatten()
    is_end = torch.isin(written, ends)
    return is_end.cumsum(dim=0) - is_end.long() == 0


def _shifted(model, written: Tensor) -> Tensor:
    """What the decoder reads while it writes: a start token, and each token one place later."""
    start = getattr(model.config, "decoder_start_token_id", None)
    if start is None:
        raise ValueError("model: its configuration names no decoder_start_token_id; set it")
    first = torch.full_like(written[:, :1], start)
    return torch.cat([first, written[:, :-1]], dim=1)


def _check_size(model, inputs: dict[str, Tensor]) -> None:
    """Refuse texts whose weights would fill the memory."""
    texts, tokens = inputs["input_ids"].shape
    config = model.config
    layers = getattr(config, "num_hidden_layers", None) or 1
    heads = getattr(config, "num_attention_heads", None) or 1
    needed = 4 * texts * layers * heads * tokens**2
    if needed > MOST_BYTES:
        raise ValueError(
            f"text: the weights of {tokens:,} tokens in {layers} layers of {heads} heads take "
            f"{needed / 2**30:.1f} GiB; pass a shorter part of it"
        )


def _stacked(model, weights, row: int) -> Tensor:
    """(n_layers, n_heads, queries, keys) of one text, or a sentence on why there are none."""
    found = [each for each in weights or () if isinstance(each, Tensor)]
    if not found:
        kernel = getattr(model.config, "_attn_implementation", None)
        if kernel not in (None, "eager"):
            raise ValueError(
                f'model: its fused kernel ("{kernel}") never holds the attention weights; load it with '
                'attn_implementation="eager", or call model.set_attn_implementation("eager")'
            )
        raise ValueError(
            f"model: {type(model).__name__} returns no attention weights; has it attention layers at all?"
        )
    if any(each.dim() != 4 or each.shape != found[0].shape for each in found):
        raise ValueError(
            "model: its layers return weights of different shapes, such as "
            f"{tuple(found[0].shape)} and {tuple(found[-1].shape)}, which cannot stand beside each other"
        )
    return torch.stack([each[row].float().cpu() for each in found])
