"""From a raw English sentence to a raw French one, with any of the book's translators.

>>> translator = Translator(model, src_vocabulary, tgt_vocabulary)
>>> translator("The animal didn't cross the street because it was too tired.")
"L'animal n'a pas traversé la rue parce qu'il était trop fatigué."

:meth:`Translator.explain` gives every attention weight of one translation.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.arguments import whole_number
from attnbook.data.pairs import join_words, split_words
from attnbook.data.vocabulary import SPECIAL, Vocabulary
from attnbook.data.word_pairs import WordPairs
from attnbook.nn.transformer import Transformer
from attnbook.training.checkpoint import save_tensors
from attnbook.training.evaluating import evaluating
from attnbook.translation.search import beam, greedy

LONGEST = 500  # words of a sentence: attention holds a number for each pair of them, in every head
ENDS = (".", "!", "?", "…")
QUOTES = frozenset("\"“”„«»‹›‘’'")
MOST_LETTERS = 40  # of a word that a message repeats
# What people contract and a small vocabulary may hold apart: "I'm" → "I am", "can't" stays.
EXPANDED = {"n't": "not", "'m": "am", "'re": "are", "'s": "is", "'ll": "will"}
PRONOUNS = frozenset(("i", "you", "he", "she", "it", "we", "they"))


@dataclass(frozen=True)
class Translation:
    """A sentence, its translation, and where the model looked.

    Attributes
    ----------
    src : tuple of str
        English words as the model read them.
    tgt : tuple of str
        French words, then ``<eos>``.
    text : str
        The translation as a sentence.
    encoder : (n_layers, n_heads, src, src), or None
        Row i: where the encoder looked to describe src[i].
    decoder : (n_layers, n_heads, tgt, tgt), or None
        Row i: where the decoder looked, among ``<bos>`` and tgt[:-1], to write tgt[i].
    cross : (n_layers, n_heads, tgt, src), or None
        Row i: where the decoder looked, among src, to write tgt[i].
    shares : tuple of float
        The probability of each word of tgt.
    """

    src: tuple[str, ...]
    tgt: tuple[str, ...]
    text: str
    encoder: Tensor | None
    decoder: Tensor | None
    cross: Tensor | None
    shares: tuple[float, ...] = ()


class Translator:
    """Translates English sentences with a trained model.

    The sentence is split into words (:func:`attnbook.data.pairs.split_words`). A word is looked up as it is
    typed, then in small letters, then with a capital ("european" is read as "European"); the first word in
    small letters first; "I'm" and "aren't" are taken apart where the vocabulary has their parts alone. A mark
    at the end of the sentence that the vocabulary does not hold is set aside and put back behind the
    translation; quotation marks are left out.

    Parameters
    ----------
    model
        ``nn.Transformer``, or another model that ``translation.search`` can use, such as ``nn.Seq2Seq``.
    src_vocabulary, tgt_vocabulary : Vocabulary
        English and French words, as in training.
    width : int
        Beam width; 1 takes the likeliest word at each step.
    alpha : float
        Length normalisation of beam search, see ``attnbook.translation.search.length_penalty``.
    unknown : "error" or "warn"
        What to do about a word that the vocabulary lacks: refuse the sentence, or warn and read ``<unk>``.
    familiar : WordPairs, optional
        What stood side by side in training, such as ``models.load("10_transformer").familiar``: a sentence
        that is unlike it is translated with a warning.

    Raises
    ------
    TypeError, ValueError
        If a vocabulary is not as long as the model's, or another argument is of no use.
    """

    def __init__(
        self,
        model: nn.Module,
        src_vocabulary: Vocabulary,
        tgt_vocabulary: Vocabulary,
        *,
        width: int = 1,
        alpha: float = 0.6,
        unknown: str = "error",
        familiar: WordPairs | None = None,
    ) -> None:
        whole_number("width", width)
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not alpha >= 0:
            raise ValueError(f"alpha: expected a number from 0 up, got {alpha!r}")
        if unknown not in ("error", "warn"):
            raise ValueError(f"unknown: expected error or warn, got {unknown!r}")
        for name, vocabulary, size in (
            ("src_vocabulary", src_vocabulary, _vocabulary_size(model, "src")),
            ("tgt_vocabulary", tgt_vocabulary, _vocabulary_size(model, "tgt")),
        ):
            if size is not None and len(vocabulary) != size:
                raise ValueError(
                    f"{name}: the model was built for {size} words, and this vocabulary has "
                    f"{len(vocabulary)}; give the one that it was trained with"
                )
        self.model = model
        self.src_vocabulary, self.tgt_vocabulary = src_vocabulary, tgt_vocabulary
        self.width, self.alpha, self.unknown = width, alpha, unknown
        self.familiar = familiar

    def __repr__(self) -> str:
        sizes = f"{len(self.src_vocabulary)} English and {len(self.tgt_vocabulary)} French words"
        return f"Translator({type(self.model).__name__}, {sizes}, width={self.width})"

    def __call__(self, text: str) -> str:
        """One English sentence → one French sentence.

        Parameters
        ----------
        text : str
            At most 500 words.

        Returns
        -------
        str
            With a capital, and with the mark at the end of ``text``, if it has one.

        Raises
        ------
        TypeError
            If ``text`` is no string.
        ValueError
            If it has no words or too many, or (with ``unknown="error"``) words that the model does not know.

        Warns
        -----
        UserWarning
            If words are read as ``<unk>``, the sentence is unlike those of training (``familiar``), or the
            model did not come to an end.
        """
        words, mark = self.read(text)
        self._warn_of_what_is_unlike(words)
        return self.write(self._search(words), mark)

    def read(self, text: str) -> tuple[list[str], str]:
        """The words of a sentence as the vocabulary spells them, and the mark at its end that it lacks, or
        "".
        """
        if not isinstance(text, str):
            raise TypeError(f"text: expected a string, one English sentence, got {type(text).__name__}")
        typed = [word for word in split_words(text, "en", lower=False) if self._is_read(word)]
        mark = ""
        while typed and typed[-1] in ENDS and typed[-1] not in self.src_vocabulary:
            mark = typed.pop() + mark
        if not any(word[0].isalnum() for word in typed):
            raise ValueError("text: there are no words in it; give an English sentence")
        if len(typed) > LONGEST:
            raise ValueError(
                f"text: expected at most {LONGEST} words, got {len(typed)}; give one sentence at a time"
            )
        apart = [part for word in typed for part in self._parts(word)]
        words = [self._spelling(word, first=i == 0) for i, word in enumerate(apart)]
        self._check_known(text, words)
        return words, mark

    def write(self, words: Sequence[str], mark: str = "") -> str:
        """French words as a sentence: joined, with a capital, and with the mark at its end."""
        text = join_words([*words, *mark])
        return text[:1].upper() + text[1:]

    def explain(self, text: str, translation: str | None = None) -> Translation:
        """Translate, and keep every attention weight.

        Parameters
        ----------
        text : str
            An English sentence.
        translation : str, optional
            A French sentence that the model is made to write in place of its own: what would it have looked
            at?

        Returns
        -------
        Translation
            With all three attentions of an ``nn.Transformer``; with the cross-attention alone, as one layer
            of one head, of a recurrent model; without any, if it has none.

        Raises
        ------
        TypeError, ValueError
            As when calling the translator; and if ``translation`` has no words, or words that the model
            cannot write.
        """
        words, mark = self.read(text)
        self._warn_of_what_is_unlike(words)
        if translation is None:
            written = self._search(words)
        else:
            written = self._given(translation)
            mark = ""
        src = torch.tensor([self.src_vocabulary.encode(words)], device=self.device)
        tgt = torch.tensor([self.tgt_vocabulary.encode(written, bos=True)], device=self.device)
        logits, encoder, decoder, cross = _run(self.model, src, tgt)
        wanted = torch.tensor([*self.tgt_vocabulary.encode(written, eos=True)])
        shares = logits[0].softmax(dim=-1)[torch.arange(len(wanted)), wanted].tolist()
        text = self.write(written, mark) if translation is None else translation
        return Translation(tuple(words), (*written, SPECIAL[2]), text, encoder, decoder, cross, tuple(shares))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    # ---- words -------------------------------------------------------------------------------------

    def _is_read(self, word: str) -> bool:
        """Everything but quotation marks, unless the vocabulary has them."""
        return word not in QUOTES or word in self.src_vocabulary

    def _parts(self, word: str) -> list[str]:
        """A contraction that the vocabulary lacks as its two words, where it has these; else the word."""
        if any(form in self.src_vocabulary for form in (word, word.lower(), word.capitalize())):
            return [word]
        for ending, full in EXPANDED.items():
            first = word[: -len(ending)]
            if not word.lower().endswith(ending) or (ending != "n't" and first.lower() not in PRONOUNS):
                continue
            forms = (first, first.lower(), first.capitalize())
            if full in self.src_vocabulary and any(form in self.src_vocabulary for form in forms):
                return [first, full]
        return [word]

    def _warn_of_what_is_unlike(self, words: list[str]) -> None:
        familiar = self.familiar
        if familiar is None:
            return
        if not familiar.shortest <= len(words) <= familiar.longest:
            warnings.warn(
                f"text: it has {len(words)} words, and the model was trained on sentences of "
                f"{familiar.shortest} to {familiar.longest}; its translation is not to be trusted",
                stacklevel=3,
            )
        unseen = familiar.unseen(words)
        if unseen:
            pairs = _named([f"{first} {second}" for first, second in unseen], 3)
            warnings.warn(
                f"text: in training {pairs} never stood side by side (<bos> and <eos> are the ends); its "
                "translation is not to be trusted",
                stacklevel=3,
            )

    def _spelling(self, word: str, first: bool) -> str:
        """The way in which the vocabulary writes this word; as typed if it has none."""
        spellings = [word, word.lower(), word.capitalize()]
        if first:
            spellings.insert(0, word.lower())
        return next((spelling for spelling in spellings if spelling in self.src_vocabulary), word)

    def _check_known(self, text: str, words: list[str]) -> None:
        strangers = list(dict.fromkeys(word for word in words if word not in self.src_vocabulary))
        if not strangers:
            return
        if self.unknown == "warn":
            warnings.warn(
                f"text: the model does not know {_named(strangers)}, and reads <unk> in place of each",
                stacklevel=4,
            )
            return
        french = split_words(text, "fr")
        if sum(word in self.tgt_vocabulary for word in french) > len(words) - len(strangers):
            remedy = "this looks like French; give an English sentence"
        elif any(word in ENDS for word in strangers):
            remedy = "give one sentence at a time"
        else:
            remedy = (
                "use words of translator.src_vocabulary.words, or make the translator with unknown='warn', "
                "which reads <unk> in their place"
            )
        raise ValueError(f"text: the model does not know {_named(strangers)}; {remedy}")

    def _given(self, translation: str) -> list[str]:
        if not isinstance(translation, str):
            raise TypeError(f"translation: expected a string, got {type(translation).__name__}")
        words = split_words(translation, "fr")
        while words and words[-1] in ENDS and words[-1] not in self.tgt_vocabulary:
            words.pop()
        if not words:
            raise ValueError("translation: there are no words in it; give a French sentence")
        strangers = [word for word in dict.fromkeys(words) if word not in self.tgt_vocabulary]
        if strangers:
            raise ValueError(
                f"translation: the model cannot write {_named(strangers)}; use words of "
                "translator.tgt_vocabulary.words"
            )
        return words

    def _search(self, words: list[str]) -> list[str]:
        src = torch.tensor([self.src_vocabulary.encode(words)], device=self.device)
        most = 2 * len(words) + 20
        if self.width == 1:
            found = greedy(self.model, src, most=most)[0]
        else:
            found = beam(self.model, src, width=self.width, alpha=self.alpha, most=most)[0][0]
        if not found.finished:
            warnings.warn(
                f"text: the model wrote {most} words without coming to an end, and was stopped; its "
                "translation is not to be trusted",
                stacklevel=3,
            )
        return [self.tgt_vocabulary.words[number] for number in found.tokens]

    # ---- files -------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> None:
        """Keep the trained model and its words in one file.

        Raises
        ------
        TypeError
            If the model is no ``nn.Transformer``.
        """
        arguments = _arguments(self.model)
        content = {
            "format": FORMAT,
            "model": arguments,
            "weights": self.model.state_dict(),
            "src": self.src_vocabulary.words[len(SPECIAL) :],
            "tgt": self.tgt_vocabulary.words[len(SPECIAL) :],
        }
        save_tensors(path, content)

    @classmethod
    def load(
        cls, path: str | os.PathLike, device: torch.device | str | None = None, **options: Any
    ) -> Translator:
        """The translator that :meth:`save` kept; ``options`` (width, alpha, unknown) are those of a new one.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file does not hold a translator.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"path: {path} is no file; save a translator there first")
        try:
            stored = torch.load(path, map_location=device or "cpu", weights_only=True)
            model = Transformer(**stored["model"])
            model.load_state_dict(stored["weights"])
            vocabularies = Vocabulary(stored["src"]), Vocabulary(stored["tgt"])
            known = stored["format"] == FORMAT
        except Exception as error:
            raise ValueError(
                f"path: {path} does not hold a translator ({type(error).__name__}); save one there again"
            ) from None
        if not known:
            raise ValueError(f"path: {path} was saved by another version of attnbook; train and save again")
        return cls(model.to(device).eval(), *vocabularies, **options)


FORMAT = 1


# What follows asks a model what it has, not of which class it is: chapter 10 builds the classes again.


@torch.no_grad()
def _run(
    model: nn.Module, src: Tensor, tgt: Tensor
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """Logits of one sentence pair (1, tgt, vocab); its encoder, decoder and cross weights, each (n_layers,
    n_heads, queries, keys).
    """
    with evaluating(model):
        if "need_weights" in inspect.signature(model.forward).parameters:
            logits, weights = model(src, tgt, need_weights=True)
            # the place of the batch, which is one sentence, becomes that of the layers
            kinds = (weights.encoder, weights.decoder, weights.cross)
            return logits.cpu(), *(torch.cat(layers).cpu() for layers in kinds)
        logits, cross = model(src, tgt)
        return logits.cpu(), None, None, None if cross is None else cross.unsqueeze(1).cpu()


def _vocabulary_size(model: nn.Module, side: str) -> int | None:
    """How many words the model was built for; None for a model that does not say."""
    part = getattr(model, {"src": "encoder", "tgt": "decoder"}[side], None)
    return getattr(model, f"{side}_vocab", getattr(part, "vocab", None))


def _arguments(model: nn.Module) -> dict[str, Any]:
    """What ``nn.Transformer`` has to be called with to be like this model."""
    try:
        layer = model.encoder[0]
        return {
            "src_vocab": model.src_vocab,
            "tgt_vocab": model.tgt_vocab,
            "d_model": model.d_model,
            "n_heads": layer.attention.n_heads,
            "n_layers": len(model.encoder),
            "d_ff": layer.feed_forward.W_1.out_features,
            "dropout": model.dropout.p,
            "norm": layer.norm,
            "activation": layer.feed_forward.activation.__name__,
            "tied": model.output.weight is model.tgt_embedding.weight,
            "shared": model.src_embedding is model.tgt_embedding,
            "positions": model.scheme,
            "max_length": getattr(model.positions, "max_length", 512),
            "max_distance": getattr(layer.attention.positions, "max_distance", 16),
        }
    except (AttributeError, TypeError):
        raise TypeError(
            f"save: only an nn.Transformer can be kept, and this model is a {type(model).__name__}"
        ) from None


def _named(words: list[str], most: int = 5) -> str:
    """'a', 'b' and 'c'; of a very long word the beginning."""
    short = [word if len(word) <= MOST_LETTERS else f"{word[:MOST_LETTERS]}…" for word in words[:most]]
    quoted = [repr(word) for word in short]
    if len(words) > most:
        return f"{', '.join(quoted)} and {len(words) - most} more"
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
