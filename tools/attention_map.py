"""Writes book/quick_reference.md, one sheet to print, from src/attnbook/data/attention_map.toml.

python tools/attention_map.py            write it
python tools/attention_map.py --check    say whether it differs, change nothing (1 when it does)
"""

import sys

from attnbook.data import attention_map
from attnbook.files import write_text
from project import ROOT

SHEET = ROOT / "book" / "quick_reference.md"
SHEET_TEXT = """\
# Quick reference

Every attention of this book on one sheet: print this page (A4, landscape). Which of them fit a task, and
why, says the map of [chapter 15](../chapters/15_beyond_text.ipynb); what was measured stands in
[14.9](../chapters/14_using_attention.ipynb#149-which-attention-when-and-when-none).

```{{raw}} html
<style>{style}</style>
```

{table}

**Cost**: multiplications of scores and mixing in one layer, projections left out. **Cache**: numbers kept
from step to step. {symbols} Other symbols: [notation](notation.md).
"""
SYMBOLS = (
    "$n$ positions of one sequence, $S$ and $T$ of source and target, $L$ places of a picture (layers in the "
    "Perceiver's row), $d$ numbers of a vector, $d_a$ hidden units of the additive score, $h$ heads, "
    "$n_q$ queries, $n_k$ keys, $m$ learned queries, $w$ window, $g$ first tokens, $b$ block, $k$ chosen "
    "blocks or the side of a window, $D$ half of Luong's window (in the captioner's row, numbers of an "
    "annotation)."
)
# On the screen the table scrolls; on paper it takes the whole sheet.
STYLE = """
.bd-article table { font-size: .78em; line-height: 1.3; }
.bd-article table td { vertical-align: top; padding: .15rem .5rem .15rem 0; }
.bd-article table :is(th, td a) { white-space: nowrap; }
@media (min-width: 80rem) {
  html .book-frame.book-frame { grid-template-columns: 17rem minmax(0, 1fr); max-width: none; }
  .book-main > * { max-width: none; }
}
@media print {
  @page { size: A4 landscape; margin: 10mm; }
  html, body { font-size: 6.4pt !important; }
  .book-frame, .book-main, .book-main > *, .bd-article { max-width: none !important; width: 100%; }
  .book-frame, .book-main, .book-main > *, .bd-article { margin: 0; padding: 0; }
  .bd-article h1 { font-size: 10pt; margin: 0 0 1mm; }
  .bd-article p { margin: 0 0 1mm; font-size: 6.2pt; line-height: 1.2; }
  .bd-article table { font-size: 5.6pt; line-height: 1.05; width: 100%; break-inside: auto; }
  .bd-article table td, .bd-article table th { padding: 0 1mm 0 0 !important; }
  .bd-article table math { line-height: 1; font-size: 5.4pt; }
  .bd-article table p { margin: 0; font-size: inherit; line-height: inherit; }
  .bd-article a { color: inherit; text-decoration: none; }
  .bd-article .pst-scrollable-table-container { overflow: visible; margin: 0 0 1mm; }
}
"""


def sheet() -> str:
    """The page that prints on one sheet."""
    table = attention_map.Table("../chapters/")
    return SHEET_TEXT.format(style=STYLE, table=table._repr_markdown_(), symbols=SYMBOLS)


def main() -> int:
    """Write the page, or say that it differs."""
    if SHEET.is_file() and SHEET.read_text(encoding="utf-8") == sheet():
        return 0
    if "--check" in sys.argv:
        print(f"{SHEET.name}: out of step with the map; run: python tools/attention_map.py")
        return 1
    write_text(SHEET, sheet())
    return 0


if __name__ == "__main__":
    sys.exit(main())
