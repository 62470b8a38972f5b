"""The book's page of all exercises, written from their specs."""

import json

from attnbook.exercises import exercises
from project import ROOT, repository

HEAD = """\
# Exercises

Each chapter has a notebook of exercises. You write an answer, call `check`, and are told what is
right and, if something is not, which mistake it looks like. `hint` gives one hint at a time,
`progress` shows what you have solved. All of it works offline, and nothing leaves your machine.

```python
from attnbook.exercises import check, hint, progress
from attnbook.grading import score

check("2.4", scaled_lookup)  # tries your function on fresh inputs
hint("2.4")  # one step further each time
progress()  # what you have solved
score("02_attention_as_lookup.ipynb")  # the points of a whole notebook
```

Open a notebook in Colab, or download it and open it in Jupyter
([on your own machine](how_to_use.md#on-your-own-machine)). Run its first cell, then any exercise.
What you have solved is kept where the notebook runs, and these pages do not see it:
[your progress](progress.md#exercises-that-you-solved) says how to bring it here.
"""

MARKS = """\
## How marks come about

- **A function or a module to write** is tried on inputs of fresh random shapes. Some are *plain*;
  others hold a mask, padding or an extreme case. All right: all points. All plain ones right, some
  of the others wrong: the share of inputs that were right. A plain one wrong: no points.
- **A mistake to find**: all points when the mended code is right on every input, otherwise none.
- **A prediction, a measurement or a choice**: all points for a value within the tolerance, or for
  the right letter.
- **A module** is given fixed parameters; its outputs and the gradients of its parameters are
  compared.
- Values agree when they differ by less than about one part in ten thousand. It does not matter how
  you computed them: a loop, `einsum` or float64 in between is as good as one line.
- `check` draws new inputs each time, and so does grading: an answer that fits one input alone does
  not pass. When a check fails it prints a *seed*, and `check("2.4", scaled_lookup, seed=…)` tries
  the same inputs again.
- Hints cost nothing. Solutions stand beside the exercises, in the folder `solutions`.
- A call has ten seconds. A loop that never ends is stopped; a single operation of torch that never
  returns cannot be, and then the kernel has to be restarted.
- What a sentence of `check` or a message of torch means, and what to do about it:
  [troubleshooting](troubleshooting.md#exercises).

Minutes are a guess for somebody who has read the chapter once and has not done such a thing before.
"""


def listing() -> str:
    """The page's text."""
    parts = [HEAD]
    address = repository()
    colab = address.replace("https://github.com/", "https://colab.research.google.com/github/")
    for file in sorted(path.name for path in ROOT.glob("solutions/*.ipynb")):
        number = int(file[:2])
        mine = exercises(number)
        if not mine:
            continue
        points, minutes = sum(item.points for item in mine), sum(item.minutes for item in mine)
        parts.append(
            f"## Chapter {number}: {_title(file)}\n\n"
            f"{len(mine)} exercises, {points} points, about {_time(minutes)}.\n"
            f"[Open in Colab]({colab}/blob/main/exercises/{file}) ·\n"
            f"{{download}}`download <../exercises/{file}>` ·\n"
            f"[solutions]({address}/blob/main/solutions/{file})\n"
        )
        rows = ["| | exercise | what you do | points | minutes | difficulty |", "|---|---|---|--:|--:|---|"]
        rows += [
            f"| {item.id} | {item.title} | {item.task} | {item.points} | {item.minutes} | {item.difficulty} |"
            for item in mine
        ]
        parts.append("\n".join(rows) + "\n")
    parts.append(MARKS)
    return "\n".join(parts)


def _title(file: str) -> str:
    """The chapter's title, as the master's first line has it: ``# Exercises 2 · Attention as lookup · …``."""
    notebook = json.loads((ROOT / "solutions" / file).read_text(encoding="utf-8"))
    first = "".join(notebook["cells"][0]["source"]).splitlines()[0]
    return first.split(" · ")[1]


def _time(minutes: int) -> str:
    hours = minutes / 60
    return f"{minutes} minutes" if hours < 1 else f"{minutes // 60} h {minutes % 60:02} min"
