"""Tables made by directives."""

from docutils import nodes


def table(rows: list[tuple[str, ...]], classes: list[str] | None = None) -> nodes.table:
    """A table whose first row is its head."""
    grid = nodes.tgroup(cols=len(rows[0]))
    grid += [nodes.colspec(colwidth=1) for _ in rows[0]]
    for part, lines in ((nodes.thead(), rows[:1]), (nodes.tbody(), rows[1:])):
        for line in lines:
            part += nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in line))
        grid += part
    return nodes.table("", grid, classes=classes or [])
