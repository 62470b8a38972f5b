"""How many glances does a question need? Memory networks of one, two and three hops.

A story has 11 facts: where three people are, and where one of them was before (only the newest counts), who
has which of three things, and the colour of each of four rooms. A third of the questions each needs

- one fact: where is Ann?
- two: where is the lamp? (Ann has it; Ann is in the attic)
- three: what colour is around the lamp? (… ; the attic is green)

Stories are drawn anew for every step. All memory networks have the same parameters, since hops share theirs.
``told`` is trained on the facts as well: hop k is to put its weight on the k-th fact that a question needs
(Weston et al. 2015, https://arxiv.org/abs/1410.3916, told theirs too, with hard attention); the others learn
from answers alone. Two controls: three hops whose facts carry no age, and a bag of words, which sees how
often each word stands in the story and in the question, through a hidden layer of as many parameters in all.
Each gets the rate of the grid with the lowest validation loss on seed 0, the same stories and the same steps,
at the end of which the rate has fallen to 0.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn import MemoryNetwork
from attnbook.training import schedules
from attnbook.training.fit import Diverged, fit

ABOUT = "questions about one, two and three facts: memory networks of one, two and three hops"

PEOPLE = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Finn")
THINGS = ("lamp", "book", "ball", "drum", "coat", "map")
ROOMS = ("attic", "kitchen", "cellar", "hall")
COLOURS = ("red", "green", "blue", "white", "grey", "pink")
SMALL_WORDS = ("in", "has", "is", "where", "colour")
WORDS = ("", *PEOPLE, *THINGS, *ROOMS, *COLOURS, *SMALL_WORDS)  # 0 is padding
NUMBER = {word: number for number, word in enumerate(WORDS)}

PRESENT, MOVED = 3, 1  # people of a story, and those of them who were elsewhere before
FACTS = MOVED + 2 * PRESENT + len(ROOMS)
D_MODEL = 32
SIZES = {"validation": 2_000, "test": 6_000}
NAMES = ("1 hop", "2 hops", "3 hops", "3 hops, told", "3 hops, told, no age", "bag of words")


class Stories(NamedTuple):
    """Stories with a question each, as word numbers."""

    facts: Tensor  # (batch, FACTS, 3), the oldest first
    question: Tensor  # (batch, 2)
    answer: Tensor  # (batch,)
    needs: Tensor  # (batch,): 1, 2 or 3 facts
    where: Tensor  # (batch, 3): the positions of these facts; from the last that is needed on, the same one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every model gets the same stories, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[4e-3, 12e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .004 .012)")  # fmt: skip
    add("--steps", type=int, default=3000, metavar="N", help="of each model (default 3000)")
    add("--batch-size", type=int, default=32, metavar="N", help="stories a step (default 32)")


def stories(n: int, generator: torch.Generator) -> Stories:
    """``n`` stories, drawn by the generator."""

    def drawn(high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=generator)

    def some(words: tuple[str, ...]) -> Tensor:
        """Word numbers (n, PRESENT), all different in a row."""
        return NUMBER[words[0]] + torch.rand(n, len(words), generator=generator).argsort(1)[:, :PRESENT]

    def facts(first: Tensor, word: str, last: Tensor) -> Tensor:
        return torch.stack([first, torch.full_like(first, NUMBER[word]), last], dim=-1)

    people, things = some(PEOPLE), some(THINGS)
    now = drawn(len(ROOMS), n, PRESENT)
    before = (now[:, :MOVED] + 1 + drawn(len(ROOMS) - 1, n, MOVED)) % len(ROOMS)
    holder = drawn(PRESENT, n, PRESENT)
    colour = drawn(len(COLOURS), n, len(ROOMS))
    first_room, first_colour = NUMBER[ROOMS[0]], NUMBER[COLOURS[0]]
    every_room = (first_room + torch.arange(len(ROOMS))).expand(n, -1)
    told = torch.cat([
        facts(people[:, :MOVED], "in", first_room + before),
        facts(people, "in", first_room + now),
        facts(people.gather(1, holder), "has", things),
        facts(every_room, "is", first_colour + colour),
    ], dim=1)  # fmt: skip
    order = torch.rand(n, FACTS, generator=generator)
    older, newer = order[:, :MOVED].clone(), order[:, MOVED : 2 * MOVED].clone()
    order[:, :MOVED], order[:, MOVED : 2 * MOVED] = torch.minimum(older, newer), torch.maximum(older, newer)
    order = order.argsort(1)
    told = told.gather(1, order.unsqueeze(-1).expand_as(told))
    position = order.argsort(1)  # of each fact, in the order in which they are listed above

    needs, asked = drawn(3, n) + 1, drawn(PRESENT, n, 1)
    someone = torch.where(needs.unsqueeze(1) == 1, asked, holder.gather(1, asked))  # who decides the room
    room = now.gather(1, someone)
    answer = torch.where(needs == 3, first_colour + colour.gather(1, room)[:, 0], first_room + room[:, 0])
    subject = torch.where(needs.unsqueeze(1) == 1, people.gather(1, asked), things.gather(1, asked))[:, 0]
    verb = torch.where(needs == 3, NUMBER["colour"], NUMBER["where"])
    chain = torch.cat([MOVED + PRESENT + asked, MOVED + someone, MOVED + 2 * PRESENT + room], dim=1)
    start = (needs == 1).long().unsqueeze(1)  # a question about a person begins with where they are
    steps = torch.minimum(torch.arange(3) + start, torch.where(needs == 3, 2, 1).unsqueeze(1))
    where = position.gather(1, chain.gather(1, steps))
    return Stories(told, torch.stack([verb, subject], dim=1), answer, needs, where)


class BagOfWords(nn.Module):
    """How often each word stands in the story and in the question, through a hidden layer."""

    def __init__(self, hidden: int):
        super().__init__()
        self.hidden = nn.Linear(2 * len(WORDS), hidden)
        self.output = nn.Linear(hidden, len(WORDS))

    def forward(self, story: Tensor, question: Tensor) -> tuple[Tensor, None]:
        """As MemoryNetwork, but without weights."""
        counts = [F.one_hot(words.flatten(1), len(WORDS)).sum(1).float() for words in (story, question)]
        return self.output(torch.relu(self.hidden(torch.cat(counts, dim=1)))), None


def count(module: nn.Module) -> int:
    """Its parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def build(name: str) -> nn.Module:
    """One of the six.

    Raises
    ------
    ValueError
        If the name is none of ``NAMES``.
    """
    if name not in NAMES:
        raise ValueError(f"name: expected one of {', '.join(NAMES)}, got {name!r}")
    if name == "bag of words":
        wanted = count(build("3 hops"))
        return BagOfWords(round((wanted - len(WORDS)) / (3 * len(WORDS) + 1)))
    return MemoryNetwork(
        len(WORDS), D_MODEL, hops=int(name[0]), max_facts=FACTS, temporal="no age" not in name
    )


def loss_of(model: nn.Module, batch: Stories) -> Tensor:
    """Nats a question."""
    return F.cross_entropy(model(batch.facts, batch.question)[0], batch.answer)


def told_loss(model: nn.Module, batch: Stories) -> Tensor:
    """The same, and for each hop the nats of the fact that it is to attend to."""
    logits, weights = model(batch.facts, batch.question)
    looked = weights.gather(2, batch.where.unsqueeze(-1)).clamp_min(1e-6).log().mean()
    return F.cross_entropy(logits, batch.answer) - looked


@torch.no_grad()
def accuracy(model: nn.Module, batch: Stories) -> dict[str, float]:
    """Share of right answers, by the number of facts that a question needs."""
    right = model(batch.facts, batch.question)[0].argmax(dim=1) == batch.answer
    return {str(k): right[batch.needs == k].float().mean().item() for k in (1, 2, 3)}


def train(
    name: str, options: argparse.Namespace, rate: float, seed: int, device: torch.device
) -> tuple[nn.Module, list[tuple[int, float]]]:
    """A trained model, and (step, validation loss) on the way.

    Raises
    ------
    Diverged
        If a number is not finite.
    """
    set_seed(seed)
    model = build(name).to(device)
    held_out = part("validation", device)

    def batch(step: int) -> Stories:
        generator = torch.Generator().manual_seed(1_000_000 * (seed + 1) + step)
        return stories(options.batch_size, generator)

    with_grad_off = torch.no_grad()(loss_of)
    loss = told_loss if "told" in name else loss_of
    history = fit(
        model, batch, steps=options.steps, loss=loss, learning_rate=rate, seed=seed,
        schedule=schedules.warmup_linear(options.steps // 20, options.steps, hold=0.5),
        validate=lambda m: with_grad_off(m, held_out).item(), validate_every=max(1, options.steps // 10),
        precision="float32", progress=False,
    )  # fmt: skip
    return model.eval(), history.validations


def part(name: str, device: torch.device) -> Stories:
    """The stories of validation or test, the same for every seed."""
    generator = torch.Generator().manual_seed(list(SIZES).index(name))
    return Stories(*(tensor.to(device) for tensor in stories(SIZES[name], generator)))


def trial(name: str, options: argparse.Namespace, rate: float, seed: int, device: torch.device) -> dict:
    """Accuracy and validation losses of one training, or from the cache what was found before."""
    wanted = {
        "name": name, "rate": rate, "seed": seed, "steps": options.steps, "batch": options.batch_size,
        "device": device.type,
    }  # fmt: skip
    return kept("glances", wanted, lambda: measured(name, options, rate, seed, device))


def measured(name: str, options: argparse.Namespace, rate: float, seed: int, device: torch.device) -> dict:
    """Train one model and test it; a loss above all others if it diverged."""
    try:
        model, curve = train(name, options, rate, seed, device)
    except Diverged:
        return {"accuracy": {}, "curve": [[options.steps, 1e9]]}
    return {"accuracy": accuracy(model, part("test", device)), "curve": [list(pair) for pair in curve]}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy of the six by the facts that a question needs, with what was needed to compare them.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch_size")
    at_least(options, 20, "steps")
    learning_rates_above_zero(options.learning_rates)
    found: dict[str, dict] = {
        "accuracy": {}, "parameters": {}, "learning rate": {}, "rates tried": {}, "validation": {},
    }  # fmt: skip
    for name in NAMES:
        losses = {
            r: trial(name, options, r, SEARCH_SEED, device)["curve"][-1][1] for r in options.learning_rates
        }
        rate, tried = best_rate(losses)
        run = trial(name, options, rate, seed, device)
        found["accuracy"][name] = run["accuracy"]
        found["parameters"][name] = count(build(name))
        found["learning rate"][name] = rate
        found["rates tried"][name] = tried
        found["validation"][name] = run["curve"]
    return found
