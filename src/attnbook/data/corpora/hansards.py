"""Gold word alignments of sentences from the Canadian parliament (Och & Ney 2003; Mihalcea & Pedersen 2003).

The shared task of 2003 has 37 development and 447 test pairs; 223 of the test pairs are here. Annotators
marked links sure (S) or possible (P).
"""

from __future__ import annotations

from pathlib import Path

from attnbook.data.corpora.fetch import fetch
from attnbook.data.pairs import Pair


def pairs(part: str = "test") -> list[Pair]:
    """The sentence pairs with their gold alignments, English to French.

    Parameters
    ----------
    part : "dev" or "test"

    Returns
    -------
    list of Pair
        Words as the task split them: lower case but for names, French elisions spelt out ("de une").
    """
    if part not in ("dev", "test"):
        raise ValueError(f"part: expected dev or test, got {part!r}")
    return read(fetch("hansards"), part)


def read(folder: Path, part: str) -> list[Pair]:
    """Read ``part``.en, .fr and .wa from a folder; .wa lines are "sentence en fr [S|P]", counted from 1.

    Raises
    ------
    ValueError
        If the two texts differ in length, or a line of the alignment is malformed or points outside its
        sentence (the line is named).
    """
    english, french = (
        (folder / f"{part}.{ending}").read_text(encoding="utf-8").splitlines() for ending in ("en", "fr")
    )
    if len(english) != len(french):
        raise ValueError(f"{part}: {len(english)} English and {len(french)} French lines; expected as many")
    sentences = [(e.split(), f.split()) for e, f in zip(english, french, strict=True)]
    links: list[dict[tuple[int, int], str]] = [{} for _ in sentences]
    lines = (folder / f"{part}.wa").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            which, source, target, *kind = line.split()
            index, s, t = int(which) - 1, int(source) - 1, int(target) - 1
            kind = kind[0] if kind else "S"
        except ValueError:
            raise ValueError(
                f"{part}.wa, line {number}: expected sentence en fr [S|P], got {line!r}"
            ) from None
        if kind not in ("S", "P"):
            raise ValueError(f"{part}.wa, line {number}: expected S or P, got {kind!r}")
        inside = 0 <= index < len(sentences)
        if not (inside and 0 <= s < len(sentences[index][0]) and 0 <= t < len(sentences[index][1])):
            raise ValueError(f"{part}.wa, line {number}: {line!r} points outside the sentences")
        if links[index].get((s, t)) != "S":
            links[index][s, t] = kind
    return [
        Pair(src, tgt, frozenset((s, t, kind) for (s, t), kind in gold.items()))
        for (src, tgt), gold in zip(sentences, links, strict=True)
    ]
