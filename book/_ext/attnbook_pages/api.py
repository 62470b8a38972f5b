"""`{api} attnbook.nn`: a room's public names with signatures and docstrings, read from the source by griffe.

Nothing is imported, so the build needs no torch. A chapter's cell that holds the source of a name gets a link
to it, and so does a name in the text, such as `attnbook.nn.AdditiveScore`.
"""

import functools
import logging
import re
from typing import ClassVar

import griffe
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from .docstrings import inline, paragraphs
from .errors import PageError
from .paths import ROOT

SOURCE = ROOT / "src"
# As tools/cell_source.py writes it; long names stand on a second line.
SAME_SOURCE = re.compile(
    r"^# The same source as (attnbook(?:\.\w+)+):(?:\n#)? (\w+(?:, \w+)*)$", re.MULTILINE
)
WIDEST = 80  # a signature longer than this takes a line for each argument
HEADINGS = {
    "parameters": "Parameters",
    "other parameters": "Parameters",
    "attributes": "Attributes",
    "returns": "Returns",
    "yields": "Yields",
    "raises": "Raises",
}

logging.getLogger("griffe").setLevel(logging.CRITICAL)  # what it guesses about types is not printed


@functools.cache
def package() -> griffe.Module:
    """The package as its source says."""
    loader = griffe.GriffeLoader(search_paths=[SOURCE], allow_inspection=False)
    found = loader.load("attnbook", submodules=True)
    loader.resolve_aliases()
    return found


def public(module: griffe.Module) -> dict[str, griffe.Object]:
    """The classes and functions that a module shows: of ``__all__``, or else all that are its own."""
    if module.exports:
        found = {name: home(module, name) for name in map(str, module.exports)}
    else:
        found = module.members
    return {
        name: member
        for name, member in found.items()
        if member and not member.is_alias and (member.is_class or member.is_function)
        if not name.startswith("_") and member.docstring
    }


def home(module: griffe.Module, name: str) -> griffe.Object | None:
    """What a module offers under a name: its own, imported, or from one of its modules by a lazy face."""
    if name in module.members:
        member = module.members[name]
        member = member.final_target if member.is_alias else member
        if not member.is_module:  # a function may have the name of its module, as training.fit has
            return member
    return next((inner.members[name] for inner in module.modules.values() if name in inner.members), None)


def contents(name: str, whole: bool) -> list[tuple[griffe.Module, dict[str, griffe.Object]]]:
    """What a room shows, a module at a time: the module, and its names by the address to import them from.

    ``whole``: also what its modules hold beside the names that the room itself offers.
    """
    try:
        room = package()[name.removeprefix("attnbook.")]
    except KeyError:
        raise PageError(f"{{api}} {name}: there is no such module in src; mend the page.") from None
    homes: dict[str, dict[str, griffe.Object]] = {}
    for key, member in public(room).items():
        homes.setdefault(member.module.path, {})[f"{name}.{key}"] = member
    if whole or not homes:
        for key, module in room.modules.items():
            own = {f"{module.path}.{one}": member for one, member in public(module).items()}
            offered = homes.get(module.path, {}).values()
            if not key.startswith("_") and key != "checks":
                new = {address: member for address, member in own.items() if member not in offered}
                homes.setdefault(module.path, {}).update(new)
    found = [
        (package()[path.removeprefix("attnbook.")], homes[path]) for path in sorted(homes) if homes[path]
    ]
    if not found:
        raise PageError(f"{{api}} {name}: it has no public name; mend the page.")
    return found


def signature(member: griffe.Object, name: str) -> str:
    """How it is called."""
    if member.is_class and "__init__" not in member.all_members:
        return f"class {name}"
    text = member.signature(name=name) if member.is_function else member.signature()
    text = text.replace(member.name, name, 1)
    if len(text) + (len("class ") if member.is_class else 0) > WIDEST:
        opened, _, rest = text.partition("(")
        inside, closed, after = rest.rpartition(")") if " -> " not in rest else split_result(rest)
        text = f"{opened}(\n" + "".join(f"    {part},\n" for part in arguments(inside)) + f"{closed}{after}"
    return f"class {text}" if member.is_class else text


def split_result(rest: str) -> tuple[str, str, str]:
    """The arguments, the bracket and the type of the result, of ``a, b) -> tuple[int]``."""
    inside, _, result = rest.rpartition(") -> ")
    return inside, ")", f" -> {result}"


def arguments(text: str) -> list[str]:
    """Split at the commas that stand in no bracket."""
    found, depth = [""], 0
    for sign in text:
        depth += sign in "([{"
        depth -= sign in ")]}"
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [part.strip() for part in found if part.strip()]


def described(member: griffe.Object) -> list[nodes.Node]:
    """Its docstring: text, and a definition list for each of parameters, returns, raises."""
    found: list[nodes.Node] = []
    for section in member.docstring.parse("numpy", warnings=False):
        kind = section.kind.value
        if kind == "text":
            found += paragraphs(section.value)
        elif kind in HEADINGS:
            found.append(nodes.rubric("", HEADINGS[kind]))
            found.append(nodes.definition_list("", *(definition(item) for item in section.value)))
        elif kind == "examples":
            code = "\n".join(text for _, text in section.value)
            found.append(nodes.literal_block(code, code, language="python"))
        elif kind == "admonition":  # a heading of its own, such as Notes
            found += [nodes.rubric("", section.title), *paragraphs(section.value.description)]
        else:
            raise PageError(f"{member.path}: its docstring's section {kind!r} is not known to the reference.")
    return found


def definition(item) -> nodes.definition_list_item:
    """A parameter, a result or an error: its name and type, then its words."""
    name = getattr(item, "name", "")
    term = nodes.term("", "", *([nodes.literal("", name)] if name else []))
    if item.annotation:
        term += [nodes.Text(" : " if name else ""), *inline(str(item.annotation))]
    words = paragraphs(item.description or "")
    return nodes.definition_list_item("", term, nodes.definition("", *words))


def methods(member: griffe.Object) -> list[nodes.Node]:
    """The public methods of a class that are documented, in a definition list."""
    items = []
    for name, method in member.members.items():
        if method.is_alias or not method.is_function or name.startswith("_") or not method.docstring:
            continue
        term = nodes.term("", "", nodes.literal("", method.signature()))
        items.append(nodes.definition_list_item("", term, nodes.definition("", *described(method))))
    return [nodes.rubric("", "Methods"), nodes.definition_list("", *items)] if items else []


class Api(SphinxDirective):
    """Document a room: a section for each module, in it one for each name."""

    required_arguments = 1
    option_spec: ClassVar = {"whole": directives.flag}

    def run(self) -> list[nodes.Node]:
        """The sections; each name can be linked to by its full address."""
        found = []
        for module, members in contents(self.arguments[0], "whole" in self.options):
            self.env.note_dependency(str(module.filepath))
            about = module.docstring.value if module.docstring else ""
            section = nodes.section("", nodes.title("", module.path), *paragraphs(about), ids=[module.path])
            for address, member in members.items():
                name = address.rpartition(".")[2]
                code = signature(member, name)
                for known in (address, f"{module.path}.{name}"):
                    places(self.env)[known] = (self.env.docname, address)
                section += nodes.section(
                    "",
                    nodes.title("", name),
                    nodes.literal_block(code, code, language="python"),
                    *described(member),
                    *(methods(member) if member.is_class else []),
                    ids=[address],
                )
            found.append(section)
        return found


def places(env: BuildEnvironment) -> dict[str, tuple[str, str]]:
    """Where each name is documented: the page, and the address under which it stands there."""
    if not hasattr(env, "attnbook_api"):
        env.attnbook_api = {}
    return env.attnbook_api


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """A page that is read again names its names again."""
    env.attnbook_api = {name: place for name, place in places(env).items() if place[0] != docname}


def gather(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """What another process has read."""
    places(env).update(places(other))


class Links(SphinxPostTransform):
    """Lead from a mechanism's cell, and from its full name in the text, to the reference."""

    default_priority = 2

    def run(self, **_: object) -> None:
        """Visit code blocks and literals, where this book has a reference."""
        if not places(self.env):
            return
        for block in list(self.document.findall(nodes.literal_block)):
            marker = SAME_SOURCE.search(block.astext())
            names = [f"{marker[1]}.{name}" for name in marker[2].split(", ")] if marker else []
            links = [self.link(name) for name in names if name in places(self.env)]
            if links:
                cell = block.parent
                spaced = [part for link in links for part in (nodes.Text(", "), link)][1:]
                words = nodes.paragraph(
                    "", "", nodes.Text("In the reference: "), *spaced, classes=["api-link"]
                )
                cell.insert(cell.index(block) + 1, words)
        for literal in list(self.document.findall(nodes.literal)):
            if literal.astext() in places(self.env) and not isinstance(literal.parent, nodes.reference):
                literal.replace_self(self.link(literal.astext()))

    def link(self, name: str) -> nodes.reference:
        """The name, leading to its place."""
        page, address = places(self.env)[name]
        here = self.env.docname
        uri = "" if page == here else self.app.builder.get_relative_uri(here, page)
        return nodes.reference("", "", nodes.literal("", address), refuri=f"{uri}#{address}", internal=True)


def setup(app: Sphinx) -> None:
    """Register the directive, the links, and what keeps the list of names whole."""
    app.add_directive("api", Api)
    app.add_post_transform(Links)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", gather)
