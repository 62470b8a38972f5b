"""Keep the phrasebook's test sentences whose subject stands apart from its verb, which take long to find.

    python tools/far_subjects.py             draws 3,000 test sentences, half a minute or more, and writes
                                             src/attnbook/data/far_subjects.txt
    python tools/far_subjects.py --check     says whether the file still is what is drawn (1 when it is not)

A test sentence is one in twenty that the grammar makes, and one test sentence in eighteen has a subject that
stands apart. Chapter 8 asks all of them; nothing else about them is kept.
"""

from __future__ import annotations

import sys

from attnbook.experiments.heads import DRAWN, FAR_FILE, drawn_far_subjects
from attnbook.files import write_text


def main(arguments: list[str]) -> int:
    """Write the file, or with ``--check`` compare it."""
    text = "".join(" ".join(words) + "\n" for words in drawn_far_subjects(DRAWN))
    if arguments == ["--check"]:
        same = FAR_FILE.read_text(encoding="utf-8") == text
        if not same:
            print(f"{FAR_FILE.name}: not what is drawn today; run tools/far_subjects.py, and chapter 8 again")
        return 0 if same else 1
    write_text(FAR_FILE, text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
