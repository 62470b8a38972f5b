"""Write the picture of the README: that of chapter 7, on white, so that it can be read on a dark page too.

python tools/readme_picture.py
"""

import json
import re
import sys

from project import ROOT

CHAPTER = ROOT / "chapters" / "07_self_attention.ipynb"
PICTURE = ROOT / ".github" / "picture.svg"
WHITE = '<rect width="100%" height="100%" fill="#fff"/>'
_BEGIN = re.compile(r"<svg\b[^>]*>")


def picture() -> str:
    """The drawing that the chapter's cell `picture` stores.

    Raises
    ------
    LookupError
        If the chapter stores none.
    """
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        if "picture" not in cell["metadata"].get("tags", []):
            continue
        for output in cell.get("outputs", []):
            drawn = "".join(output.get("data", {}).get("image/svg+xml", []))
            if drawn:
                return _BEGIN.sub(lambda begin: begin[0] + WHITE, drawn, count=1).rstrip() + "\n"
    raise LookupError(f"{CHAPTER.name} stores no picture; execute it again")


def main() -> int:
    """Write the file."""
    PICTURE.write_text(picture(), encoding="utf-8", newline="\n")
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
