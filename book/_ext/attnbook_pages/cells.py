"""Code cells as a reader wants them: without the first line that only the notebooks' test reads."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

TEST_MARK = "# NBVAL_IGNORE_OUTPUT"


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


def setup(app) -> None:
    """Register the transform."""
    app.add_post_transform(WithoutTestMark)
