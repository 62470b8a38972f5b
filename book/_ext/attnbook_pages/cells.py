"""Code cells as a reader wants them: folded by tag, without the line that only nbval reads."""

import re
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

TEST_MARK = "# NBVAL_IGNORE_OUTPUT"
# What a fold is called; all but the cells that draw and the quizzes are folded with what they printed.
NAMES = {"setup": "Set-up", "draw": "Drawing", "check": "Check", "quiz": "Code of the quiz"}
WHOLE = ("setup", "check")
_PLAIN_COMMENT = re.compile(r"#\s*(\w.*)")
_ASSERTIONS = re.compile(r"(?m)^\s*(?:assert\b|(?:\w+\.)*assert_\w+\()")


class WithoutTestMark(SphinxPostTransform):
    """Drop the comment that exempts a cell's output from comparison."""

    default_priority = 3

    def run(self, **_: object) -> None:
        """Visit every block of code."""
        for block in self.document.findall(nodes.literal_block):
            first, _, rest = block.astext().partition("\n")
            if first.strip() == TEST_MARK and rest:
                block.children = [nodes.Text(rest)]
                block.rawsource = rest


def is_cell(node: nodes.Node) -> bool:
    """Whether this is a code cell of a notebook."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def tags(cell: nodes.container) -> list[str]:
    """The tags of a code cell."""
    return cell.get("cell_metadata", {}).get("tags", [])


def source(cell: nodes.container) -> str:
    """The code of a cell, without the test's mark."""
    block = next(iter(cell.findall(nodes.literal_block)), None)
    text = "" if block is None else block.astext()
    return text.removeprefix(TEST_MARK).lstrip("\n")


def subject(fold: str, cell: nodes.container) -> list[str]:
    """What is in a folded cell: its first comment, or what its code tells."""
    code = source(cell)
    comment = _PLAIN_COMMENT.match(code.partition("\n")[0])
    figure = next(iter(cell.findall(nodes.figure)), None)
    if fold == "draw" and figure is not None:
        return [figure["names"][0].replace("-", " ", 1).replace("-", ".").title().replace("Figure", "figure")]
    if fold == "draw" and "picture" in tags(cell):
        return ["the picture above"]
    if comment:
        return [comment[1].rstrip(".")]
    if fold == "setup":
        signs = {"imports": "import ", "seed": ".seed(", "device": ".device("}
        return [name for name, sign in signs.items() if sign in code] or ["settings"]
    if fold == "check":
        count = len(_ASSERTIONS.findall(code))
        return ["one assertion" if count == 1 else f"{count} assertions"]
    return ["the figure below"] if fold == "draw" else ["its questions and answers"]


def opening(fold: str, subjects: list[str]) -> nodes.raw:
    """The beginning of a fold, with the line that stays in view."""
    line = f"{NAMES[fold]}: {', '.join(dict.fromkeys(subjects))}"
    markup = f'<details class="fold fold-{fold}"><summary>{escape(line)}</summary>'
    return nodes.raw("", markup, format="html")


def closing() -> nodes.raw:
    """The end of a fold."""
    return nodes.raw("", "</details>", format="html")


class Folds(SphinxPostTransform):
    """Put each tagged cell into a fold whose line says what is in it; cells of set-up in a row share one."""

    default_priority = 4
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Visit every tagged cell, in the order of the page."""
        done: set[nodes.container] = set()
        for cell in list(self.document.findall(is_cell)):
            fold = next((tag for tag in tags(cell) if tag in NAMES), None)
            if fold is None or cell in done:
                continue
            if fold in WHOLE:
                row = self._row(cell, fold)
                done.update(row)
                words = [word for each in row for word in subject(fold, each)]
                parent, start = cell.parent, cell.parent.index(cell)
                parent.insert(start + len(row), closing())
                parent.insert(start, opening(fold, words))
            else:
                cell.insert(1, closing())
                cell.insert(0, opening(fold, subject(fold, cell)))

    @staticmethod
    def _row(cell: nodes.container, fold: str) -> list[nodes.container]:
        """This cell and those right below it with the same fold."""
        siblings = cell.parent.children[cell.parent.index(cell) :]
        row = []
        for sibling in siblings:
            if not (is_cell(sibling) and fold in tags(sibling)):
                break
            row.append(sibling)
        return row


def setup(app: Sphinx) -> None:
    """Register the transforms."""
    app.add_post_transform(WithoutTestMark)
    app.add_post_transform(Folds)
