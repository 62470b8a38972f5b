"""`{reading-path}`: a way through the book as a checklist, which knows what the reader has read.

The ways stand in ``book/reading_paths.yml``. A step is a page that is read, or something that is done; the
way of a semester is a syllabus, a row a week, made of the chapters, their labs and their exercises.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .errors import PageError
from .frame import contents, family
from .progress import LIST, exercises
from .ways import PATHS, ways
from .widgets import raw, script_safe

EXERCISES = "book/exercises"


class reading_path(nodes.General, nodes.Element):
    """The place of a path until the titles of all pages are known."""


def headings(source: Path) -> dict[int, str]:
    """Where the page of exercises has each chapter's."""
    lines = source.read_text(encoding="utf-8").splitlines() if source.is_file() else []
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## Chapter ")]
    return {int(title.split()[1].rstrip(":")): nodes.make_id(title) for title in titles}


class ReadingPath(SphinxDirective):
    """One way, by its name in the list."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Note what the list is made of, and its place."""
        source = Path(self.env.srcdir)
        known = ways(source / PATHS)
        if self.arguments[0] not in known:
            raise PageError(f"reading-path: {PATHS} has {', '.join(known)}, not {self.arguments[0]}.")
        for name in (
            PATHS,
            LIST,
            "_toc.yml",
            *(str(path) for path in sorted(source.glob("chapters/*.ipynb"))),
        ):
            self.env.note_dependency(str(source / name))
        self.state.document["attnbook_page_scripts"] = ["paths.js"]
        return [reading_path("", way=self.arguments[0])]


class Writer:
    """Writes the ways of one page as HTML."""

    def __init__(self, app: Sphinx, docname: str) -> None:
        self.env, self.builder, self.docname = app.env, app.builder, docname
        self.contents = contents(app.env)
        self.exercises = exercises(Path(app.srcdir) / LIST)
        self.headings = headings(Path(app.srcdir) / LIST)

    def title(self, page: str) -> str:
        """A page's own title; a way that names a page that is not there stops the build."""
        if page not in self.env.titles:
            raise PageError(f"{PATHS} names {page}, which the contents do not list.")
        return self.env.titles[page].astext()

    def link(self, page: str, anchor: str = "", title: str = "") -> str:
        """A link to a page, or to a place in it."""
        address = self.builder.get_relative_uri(self.docname, page) + (f"#{anchor}" if anchor else "")
        return f'<a href="{escape(address)}">{escape(title or self.title(page))}</a>'

    def box(self, kind: str, name: str, title: str) -> str:
        """A box to tick; the script knows what was ticked before."""
        label = escape(f"{title}: {'read' if kind == 'read' else 'done'}")
        return (
            '<label class="reader-check"><input type="checkbox" autocomplete="off" '
            f'data-{kind}="{escape(name)}" aria-label="{label}" /></label>'
        )

    def minutes(self, page: str) -> int:
        """What a page says of itself."""
        return self.env.metadata.get(page, {}).get("minutes", 0)

    def titled(self, numbers: Iterable[str]) -> str:
        """Exercises by number and title, each linked to its chapter's list."""
        titles = {number: title for number, title, _ in self.exercises}
        found = []
        for number in numbers:
            if number not in titles:
                raise PageError(f"{PATHS} names exercise {number}, which book/exercises.md does not list.")
            place = self.headings[int(number.split(".")[0])]
            link = self.link(EXERCISES, place, f"{number} {titles[number].strip('★ ')}")
            found.append(f'<span data-exercise="{number}">{link}</span>')
        return ", ".join(found)

    def step(self, way: str, step: dict[str, Any]) -> str:
        """A line of a checklist."""
        page = step.get("read") or step["to"].partition(".html")[0]
        title = step.get("title") or self.title(page)
        kind, name = ("read", page.partition("/")[2]) if "read" in step else ("do", f"{way}:{step['do']}")
        minutes = step.get("minutes") or self.minutes(page)
        parts = [f"{self.link(page, step.get('to', '').partition('#')[2], title)}, {minutes} minutes"]
        if "how" in step:
            parts.append(escape(step["how"]))
        if "exercises" in step:
            parts.append(f"Exercises: {self.titled(step['exercises'])}")
        lines = "".join(f"<p>{part}</p>" for part in parts)
        return f"<li>{self.box(kind, name, title)}<div>{lines}</div></li>"

    def week(self, number: int, of: list[int]) -> str:
        """A row of the syllabus."""
        read, labs, hand_in = [], [], []
        for chapter in of:
            core, beside = family(f"chapters/{chapter:02d}_", self.contents)
            if core is None:
                raise PageError(f"{PATHS}: there is no chapter {chapter}.")
            read.append(core)
            labs += beside
            mine = [entry for entry in self.exercises if int(entry[0].split(".")[0]) == chapter]
            plain = [entry for entry in mine if "★" not in entry[1]]
            extra = [entry for entry in mine if "★" in entry[1]]
            points = sum(entry[2] for entry in plain)
            title = f"{plain[0][0]} to {plain[-1][0]}" if len(plain) > 1 else plain[0][0]
            more = ", ".join(entry[0] for entry in extra)
            task = f"{self.link(EXERCISES, self.headings[chapter], f'Exercises {title}')}: {points} points"
            if extra:
                task += f"; for extra {more}: {sum(entry[2] for entry in extra)}"
            file = f'<code>{core.partition("/")[2]}.ipynb</code> <span data-points="{chapter}"></span>'
            hand_in.append(f"<li>{task}<br />{file}</li>")
        item = lambda page: f"<li>{self.box('read', page.partition('/')[2], self.title(page))}"  # noqa: E731
        listed = lambda pages: "".join(f"{item(page)}<div>{self.link(page)}</div></li>" for page in pages)  # noqa: E731
        minutes = sum(map(self.minutes, [*read, *labs]))
        return (
            f'<tr><th scope="row">{number}</th><td><ul>{listed(read)}</ul></td>'
            f"<td><ul>{listed(labs)}</ul></td><td>{minutes}</td><td><ul>{''.join(hand_in)}</ul></td></tr>"
        )

    def html(self, name: str, way: dict[str, Any]) -> str:
        """A whole way: how far the reader is, its list, a button to print it."""
        if "steps" in way:
            body = f"<ol>{''.join(self.step(name, step) for step in way['steps'])}</ol>"
        else:
            heads = ("Week", "Read before", "Labs", "Minutes", "Hand in")
            row = "".join(f'<th scope="col">{head}</th>' for head in heads)
            rows = "".join(self.week(number, of) for number, of in enumerate(way["weeks"], 1))
            body = f"<table><thead><tr>{row}</tr></thead><tbody>{rows}</tbody></table>"
            body = f'<div class="pst-scrollable-table-container">{body}</div>'
        return (
            f'<div class="reading-path" data-path="{escape(name)}" data-name="{escape(way["name"])}">{body}'
            '<p class="reading-path__done needs-script" role="status"></p>'
            '<p class="needs-script"><button type="button" class="book-button reader-button">'
            "Print this list</button></p></div>"
        )


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Now that all titles are known, write the ways."""
    places = list(doctree.findall(reading_path))
    if not places:
        return
    known = ways(Path(app.srcdir) / PATHS)
    writer = Writer(app, docname)
    for place in places:
        place.replace_self(raw(writer.html(place["way"], known[place["way"]])))
    data = script_safe(writer.exercises)
    doctree.append(raw(f'<script type="application/json" id="reader-exercises">{data}</script>'))


def setup(app: Sphinx) -> None:
    """Register the directive, and what writes it when all pages were read."""
    app.add_node(reading_path)
    app.add_directive("reading-path", ReadingPath)
    app.connect("doctree-resolved", resolve)
