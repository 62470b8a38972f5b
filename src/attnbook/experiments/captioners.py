"""How captioners are trained and measured: the same for scenes of digits and for pictures of your own.

Every captioner gets the same examples, batches and steps; the learning rate is the one of a small grid with
the lowest validation loss on seed 0. Training ends when the validation loss has not fallen for some
validations in a row, or at the cap; the best weights are kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from attnbook.data.captioned import captioned_images
from attnbook.data.scenes import CANVAS, DIGITS, Scene, as_tensors, scenes, single_digits, vocabulary
from attnbook.data.vocabulary import Vocabulary, pad
from attnbook.devices import seed as set_seed
from attnbook.experiments.training_rule import best_rate, checkpoint_path
from attnbook.models.families.captioners import captioner
from attnbook.nn import ConvAnnotations, HardAttention, MovingBaseline, ShowAttendTell
from attnbook.nn.captioner import doubly_stochastic_penalty
from attnbook.nn.gradient_estimators import reinforce_loss
from attnbook.training.checkpoint import save_tensors
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import Diverged, fit

SEARCH_SEED = 0  # on which the learning rate is chosen
ORDER_SEED = 0  # of the batches
BATCH = 64


@dataclass(frozen=True)
class Examples:
    """Captioned images as tensors.

    Attributes
    ----------
    images : (examples, colours, side, side)
    captions : (examples, longest + 2) of int
        <bos>, words, <eos>, padding.
    mask : the shape of captions, of bool
    boxes : (examples, 2, L) or None
        Which share of a place's pixels lies in each of the two boxes.
    objects : (examples, longest + 1) of int, or None
        Which box the word that is *written* at a step names; −1 for other words.
    """

    images: Tensor
    captions: Tensor
    mask: Tensor
    boxes: Tensor | None = None
    objects: Tensor | None = None

    def __len__(self) -> int:
        return len(self.captions)

    @property
    def outside(self) -> Tensor:
        """(examples, L) of bool: True for places of which no pixel lies in a box."""
        if self.boxes is None:
            raise ValueError("boxes: expected examples with boxes")
        return self.boxes.sum(dim=1) == 0


@dataclass(frozen=True)
class Corpus:
    """Examples to train on, to choose with and to test on, and the words of their captions."""

    train: Examples
    validation: Examples
    test: Examples
    words: Vocabulary
    configuration: dict[str, Any]  # what ``captioner`` has to know of the images


# ---- examples ----------------------------------------------------------------------------------------


def scene_examples(given: list[Scene], words: Vocabulary) -> Examples:
    """Scenes of two digits with their boxes."""
    images, captions, mask = as_tensors(given, words)
    boxes = torch.stack([torch.stack([box.mask() for box in scene.boxes]) for scene in given])
    objects = torch.full((len(given), captions.shape[1] - 1), -1)
    for row, scene in enumerate(given):
        for step, which in enumerate(scene.objects):
            if which is not None:
                objects[row, step] = which
    return Examples(images, captions, mask, avg_pool2d(boxes.float(), 2).flatten(2), objects)


def scene_corpus(options: argparse.Namespace) -> Corpus:
    """Scenes; no digit image of the training scenes is in the others."""
    words = vocabulary()
    parts = {"train": options.scenes, "validation": options.validation, "test": options.test}
    made = {part: scene_examples(scenes(n, 0, part), words) for part, n in parts.items()}
    return Corpus(**made, words=words, configuration={"canvas": CANVAS})


def folder_corpus(options: argparse.Namespace) -> Corpus:
    """Pictures of a folder: eight of ten to train on, one to choose with, one to test on.

    Raises
    ------
    ValueError
        If the folder cannot be read, or holds fewer than ten pictures.
    """
    images = captioned_images(options.data, options.side)
    if len(images) < 10:
        raise ValueError(f"--data: expected at least 10 pictures with captions, got {len(images)}")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(ORDER_SEED)).tolist()
    tenth = len(images) // 10
    parts = {"test": order[:tenth], "validation": order[tenth : 2 * tenth], "train": order[2 * tenth :]}
    words = Vocabulary.of(
        [caption for place in parts["train"] for caption in images[place].captions], at_least=options.at_least
    )
    made = {}
    for part, places in parts.items():
        pairs = [(images[place].image, caption) for place in places for caption in images[place].captions]
        captions, mask = pad([words.encode(caption, bos=True, eos=True) for _, caption in pairs])
        made[part] = Examples(torch.stack([image for image, _ in pairs]), captions, mask)
    return Corpus(**made, words=words, configuration={"canvas": options.side, "colours": 3})


# ---- the convolutional network -----------------------------------------------------------------------


def pretrained(
    deeper: int, coordinates: bool, steps: int, seed: int, device: torch.device
) -> tuple[ConvAnnotations, float]:
    """A network that tells single digits anywhere on the canvas apart, and its accuracy on new ones.

    The largest of each annotation's numbers over all places goes into one linear layer of ten digits.
    """
    set_seed(seed)
    encoder = ConvAnnotations(deeper=deeper, coordinates=coordinates).to(device)
    classifier = torch.nn.ModuleDict({"encoder": encoder, "head": torch.nn.Linear(encoder.channels, 10)})
    classifier.to(device)
    images, labels = single_digits(BATCH * steps, seed)

    def answers(batch: Tensor) -> Tensor:
        maps = classifier["encoder"](batch.unsqueeze(1))[..., : encoder.channels]
        return classifier["head"](maps.amax(dim=1))

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = slice(BATCH * step, BATCH * (step + 1))
        return images[rows].to(device), labels[rows].to(device)

    fit(
        classifier, batch, steps=steps, learning_rate=3e-3, schedule=lambda step: 1 - step / steps, seed=seed,
        loss=lambda _, pair: cross_entropy(answers(pair[0]), pair[1]), description="digits", progress=False,
    )  # fmt: skip
    unseen, right = single_digits(1000, 1, "test")
    with torch.no_grad():
        said = torch.cat([answers(part.to(device)).argmax(dim=-1) for part in unseen.split(200)])
    return encoder.requires_grad_(False).eval(), (said.cpu() == right).float().mean().item()


@torch.no_grad()
def annotated(encoder: ConvAnnotations, images: Tensor) -> Tensor:
    """Annotations (examples, L, d_annotation) of a network that is trained no further."""
    device = next(encoder.parameters()).device
    return torch.cat([encoder(part.to(device)).cpu() for part in images.split(200)])


# ---- training ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """One training run.

    Attributes
    ----------
    loss : float or None
        Validation loss, in nats a caption, of the weights; None if the run diverged.
    steps, best_step : int
    capped : bool
        Whether the cap ended the run before its loss was flat.
    seconds : float
        Of processor time.
    curve : list of [step, loss]
    weights : dict
    """

    loss: float | None
    steps: int
    best_step: int
    capped: bool
    seconds: float
    curve: list[list[float]]
    weights: dict[str, Tensor]


class Loss:
    """Nats a caption; for hard attention with REINFORCE's part, with ``penalty`` the paper's.

    Xu et al. 2015, section 4.1: the reward of an image's draws is the log-probability of its caption, the
    baseline a moving mean of it, and the entropy of the odds is rewarded a little.

    Parameters
    ----------
    options : argparse.Namespace
        ``reinforce`` (λ_r), ``entropy`` (λ_e), and ``penalty``, λ of the doubly stochastic penalty.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.baseline = MovingBaseline()

    def __call__(self, model: Any, batch: tuple[Tensor, Tensor, Tensor, Tensor | None]) -> Tensor:
        """``batch``: images or annotations, captions, mask, and where attention may look."""
        seen, captions, mask, may = batch
        logits, weights = read(model, seen, captions, may)
        counts = mask[:, 1:]
        log_prob = _log_prob(logits, captions, counts).sum(dim=1)  # (batch,)
        loss = -log_prob.mean()
        if self.options.penalty and weights is not None:
            loss = loss + self.options.penalty * doubly_stochastic_penalty(weights, counts)
        attention = model.attention
        if isinstance(attention, HardAttention) and attention.draws:
            draws = attention.take_draws()
            drawn = torch.cat([draw.log_prob for draw in draws], dim=1)  # (batch, tgt)
            entropy = torch.cat([draw.entropy for draw in draws], dim=1)
            reward = log_prob.detach()
            # the mean of the past: a batch's own mean would depend on its draws
            before = self.baseline.value if self.baseline.seen else float(reward.mean())
            self.baseline.update(reward)
            of_draws = drawn.masked_fill(~counts, 0.0).sum(dim=1)
            loss = loss + self.options.reinforce * reinforce_loss(of_draws, reward, before)
            loss = loss - self.options.entropy * entropy.masked_fill(~counts, 0.0).sum(dim=1).mean()
        return loss


def read(
    model: ShowAttendTell, seen: Tensor, captions: Tensor, may: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Logits and weights from images (four dimensions) or from annotations that were kept (three)."""
    forward: Callable[..., tuple[Tensor, Tensor | None]] = model if seen.dim() == 4 else model.decode
    return forward(seen, captions[:, :-1], may)


def _log_prob(logits: Tensor, captions: Tensor, counts: Tensor) -> Tensor:
    """Of each right word, (batch, tgt); 0 behind the end."""
    right = captions[:, 1:].unsqueeze(-1)
    return logits.log_softmax(dim=-1).gather(-1, right).squeeze(-1).masked_fill(~counts, 0.0)


def validation_loss(model: Any, seen: Tensor, examples: Examples, outside: bool = False) -> float:
    """Nats a caption; hard attention takes the likeliest place."""
    total = 0.0
    device = next(model.parameters()).device
    with torch.no_grad(), evaluating(model):
        for rows in torch.arange(len(examples)).split(250):
            captions = examples.captions[rows].to(device)
            may = examples.outside[rows].to(device) if outside else None
            logits, _ = read(model, seen[rows].to(device), captions, may)
            total -= _log_prob(logits, captions, examples.mask[rows, 1:].to(device)).sum().item()
    return total / len(examples)


def train(
    model: ShowAttendTell,
    seen: dict[str, Tensor],
    corpus: Corpus,
    options: argparse.Namespace,
    rate: float,
    seed: int,
    outside: bool = False,
    times: int = 1,
) -> Trial:
    """Train in place until the validation loss is flat, or for ``times`` the steps of the options.

    With ``outside``, attention never sees a box.
    """
    device = next(model.parameters()).device
    may = corpus.train.outside if outside else None

    def batch(step: int) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        generator = torch.Generator().manual_seed(ORDER_SEED * 1_000_003 + step)
        rows = torch.randint(len(corpus.train), (BATCH,), generator=generator)
        parts = (seen["train"], corpus.train.captions, corpus.train.mask)
        annotations, captions, mask = (part[rows].to(device) for part in parts)
        return annotations, captions, mask, None if may is None else may[rows].to(device)

    try:
        history = fit(
            model, batch, steps=times * options.steps, loss=Loss(options), learning_rate=rate, seed=seed,
            validate=lambda each: validation_loss(each, seen["validation"], corpus.validation, outside),
            validate_every=options.validate_every, patience=options.patience, keep_best=True,
            precision="float32", progress=False,
        )  # fmt: skip
    except Diverged:
        return Trial(None, 0, 0, False, 0.0, [], {})
    return Trial(
        loss=min(loss for _, loss in history.validations),
        steps=len(history.losses),
        best_step=history.best_step or len(history.losses),
        capped=not history.stopped_early,
        seconds=history.cpu_seconds,
        curve=[[step, loss] for step, loss in history.validations],
        weights={name: tensor.detach().cpu() for name, tensor in model.state_dict().items()},
    )


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``make`` returns, from the cache if it was made before."""
    if path.exists():
        return torch.load(path, weights_only=True)
    made = make()
    save_tensors(path, made)
    return made


def chosen(
    name: str,
    build: Callable[[], ShowAttendTell],
    seen: Callable[[int], dict[str, Tensor]],
    corpus: Corpus,
    options: argparse.Namespace,
    seed: int,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    rates: list[float],
    outside: bool = False,
    times: int = 1,
) -> tuple[ShowAttendTell, dict[str, Any]]:
    """The captioner of this seed, trained at the learning rate of ``rates`` that was best on seed 0.

    Parameters
    ----------
    name : str
        Of the method; a stem of files in the cache.
    build : callable
        The untrained captioner.
    seen : callable
        Seed → part → images or annotations.

    Returns
    -------
    model, numbers

    Raises
    ------
    ValueError
        If training diverged.
    """

    def trial(rate: float, of_seed: int) -> Trial:
        stem = f"captions_{name.replace(' ', '_').replace(',', '')}_rate{rate:g}"

        def make() -> dict[str, Any]:
            set_seed(of_seed)
            return vars(train(build(), seen(of_seed), corpus, options, rate, of_seed, outside, times))

        return Trial(**kept(checkpoint_path(options, of_seed, stem, add_arguments), make))

    rates = sorted(set(rates))
    tried = [[rate, trial(rate, SEARCH_SEED).loss] for rate in rates] if len(rates) > 1 else []
    rate = best_rate(tried) if tried else rates[0]
    run = trial(rate, seed)
    if run.loss is None:
        raise ValueError(f"--learning-rates: training diverged at {rate:g} with seed {seed}; add lower ones")
    model = build()
    model.load_state_dict(run.weights)
    return model.eval(), {
        "validation loss": run.loss,
        "learning rate": rate,
        "steps": run.steps,
        "best step": run.best_step,
        "hit the cap": float(run.capped),
        "cpu seconds": run.seconds,
        "rates tried": tried,
        "curve": run.curve,
    }


# ---- measuring ---------------------------------------------------------------------------------------


@torch.no_grad()
def written(
    model: ShowAttendTell, seen: Tensor, words: Vocabulary, longest: int, may: Tensor | None = None
) -> list[list[str]]:
    """Greedy captions, from images or annotations; ``may`` (examples, L) says where attention may look."""
    device = next(model.parameters()).device
    captions = []
    with evaluating(model):
        for rows in torch.arange(len(seen)).split(200):
            part = seen[rows].to(device)
            annotations = model.encoder(part) if part.dim() == 4 else part
            state = model.start(annotations, None if may is None else may[rows].to(device))
            token = torch.full((len(part),), words.bos, device=device)
            tokens = []
            for _ in range(longest + 1):
                logits, _, state = model.step(token, state)
                token = logits.argmax(dim=-1)
                tokens.append(token)
            captions += [words.decode(row) for row in torch.stack(tokens, dim=1).tolist()]
    return captions


def in_words(
    model: ShowAttendTell, seen: Tensor, examples: Examples, words: Vocabulary, outside: bool = False
) -> dict[str, float]:
    """Shares of captions and of words that are right; for digits and relations apart where there are any."""
    right = [words.decode(row) for row in examples.captions.tolist()]
    may = examples.outside if outside else None
    said = written(model, seen, words, max(map(len, right)), may)
    pairs = list(zip(said, right, strict=True))

    def share(kept_words: Callable[[str], bool]) -> float:
        """Of the right caption's words of a kind: how many stand at the same place in what was written."""
        places = [
            (caption[place : place + 1] == [word])
            for caption, wanted in pairs
            for place, word in enumerate(wanted)
            if kept_words(word)
        ]
        return sum(places) / len(places)

    numbers = {
        "captions": sum(caption == wanted for caption, wanted in pairs) / len(pairs),
        "words": share(lambda word: True),
        "n": float(len(pairs)),
    }
    if examples.objects is not None:
        numbers["digits"] = share(lambda word: word in DIGITS)
        numbers["relation"] = share(lambda word: word in ("above", "left"))
    return numbers


def in_boxes(
    model: ShowAttendTell, seen: Tensor, examples: Examples, outside: bool = False
) -> dict[str, dict[str, float]] | dict[str, float]:
    """Where it looks while it writes a digit's word, with the right words fed.

    Returns
    -------
    dict
        ``mass`` in the box of the digit that is written, ``other`` in the other digit's box, ``area`` of a
        box (what a mask without any knowledge puts there), ``pointing`` (whether the place with the most
        weight touches the box), ``other pointing``, ``spread`` (standard deviation of ``mass`` over words),
        and the number of ``words``. Empty without boxes or without attention.
    """
    if examples.boxes is None or examples.objects is None or model.attention is None:
        return {}
    device = next(model.parameters()).device
    columns: dict[str, list[Tensor]] = {key: [] for key in ("mass", "other", "pointing", "other pointing")}
    with torch.no_grad(), evaluating(model):
        for rows in torch.arange(len(examples)).split(200):
            may = examples.outside[rows].to(device) if outside else None
            _, weights = read(model, seen[rows].to(device), examples.captions[rows].to(device), may)
            assert weights is not None
            image, step = (examples.objects[rows] >= 0).nonzero(as_tuple=True)
            mask = weights.cpu()[image, step]  # (digit words, L)
            which = examples.objects[rows][image, step]
            boxes = examples.boxes[rows][image]  # (digit words, 2, L)
            words = torch.arange(len(which))
            top = mask.argmax(dim=-1)
            for key, box in (("", boxes[words, which]), ("other ", boxes[words, 1 - which])):
                columns["other" if key else "mass"].append((mask * box).sum(dim=-1))
                columns[f"{key}pointing"].append((box[words, top] > 0).float())
    joined = {key: torch.cat(parts) for key, parts in columns.items()}
    return {
        **{key: values.mean().item() for key, values in joined.items()},
        "spread": joined["mass"].std().item(),
        "area": examples.boxes.mean().item(),
        "words": float(len(joined["mass"])),
    }


def build(corpus: Corpus, changes: dict[str, Any], encoder: ConvAnnotations | None, device: torch.device):
    """An untrained captioner over a trained network, or over an untrained one."""
    model = captioner(len(corpus.words), **corpus.configuration, **changes).to(device)
    if encoder is not None:
        model.encoder.load_state_dict(encoder.state_dict())
        model.encoder.requires_grad_(False)
    return model
