"""One wrong answer, as a learner writes it."""

from __future__ import annotations

import linecache
from dataclasses import dataclass

HEAD = "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n"


@dataclass(frozen=True)
class Answer:
    """One wrong answer.

    Attributes
    ----------
    exercise : str
        The name that it asks for; numbers change.
    what : str
        What the learner did, in a word or two; unique for an exercise.
    code : str
        Defines the name that the exercise asks for.
    says : str
        What has to stand in what the learner reads.
    """

    exercise: str
    what: str
    code: str
    says: str

    def made(self):
        """The object that the code defines."""
        namespace: dict = {}
        source, file = HEAD + self.code, f"<{self.exercise} {self.what}>"
        linecache.cache[file] = (
            len(source),
            None,
            source.splitlines(keepends=True),
            file,
        )  # as in a notebook
        exec(compile(source, file, "exec"), namespace)
        return namespace.get(self.exercise)


def function(exercise: str, what: str, signature: str, body: str, says: str) -> Answer:
    """The answer that defines a function with this body."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return Answer(exercise, what, f"def {signature}:\n{lines}\n", says)
