"""What a reader that knows the intents of MathML 4 says, for a speech engine that does not know them.

The Speech Rule Engine 4 reads the elements alone. Here an element with an intent is replaced by what the
intent says: ``<mo intent="given">∣</mo>`` by the word, ``transpose:postfix($x)`` by x and the word.
"""

import re
import xml.etree.ElementTree as ET

_TOKEN = re.compile(r"\$?[A-Za-z_][\w-]*(?::\w+)?|[(),]")

# A word in the place of an operator would be taken for a factor. An operator of the same kind that no formula
# of the book has stands for it until the sentence is spoken.
_STAND_INS = {
    "transpose": ("‼", "double exclamation mark"),
    "star": ("!", "factorial"),
    "hat": ("^", "hat"),
    "divided-by": ("⊡", "squared dot"),
    "dot": ("•", "bullet"),
    "by": ("⨯", "vector or cross product"),
    "superscript": ("⊗", "circled times"),
    "becomes": ("⊢", "right tack"),
}


def as_read(mathml: str) -> str:
    """The formula with its intents put into words."""
    return ET.tostring(_read(ET.fromstring(mathml)), encoding="unicode")


def in_words(speech: str) -> str:
    """The sentence with the words for which operators stood in."""
    for word, (_, spoken) in _STAND_INS.items():
        speech = speech.replace(spoken, word.replace("-", " "))
    return speech


def _read(element: ET.Element) -> ET.Element:
    intent = element.get("intent")
    if intent is not None:
        found, rest = _parse(_TOKEN.findall(intent), element)
        assert rest == [], f"the intent {intent!r} cannot be read"
        return found
    copy = ET.Element(element.tag, element.attrib)
    copy.text = element.text
    copy[:] = [_read(child) for child in element]
    return copy


def _parse(tokens: list[str], element: ET.Element) -> tuple[ET.Element, list[str]]:
    """One term of an intent, as markup, and the tokens after it."""
    head, *rest = tokens
    if head.startswith("$"):
        return _read(_argument(element, head[1:])), rest
    name, _, form = head.partition(":")
    if rest[:1] != ["("]:
        return _word(name, element.tag), rest
    terms = []
    while rest[0] != ")":
        term, rest = _parse(rest[1:], element)
        terms.append(term)
    return _said(name, form, terms), rest[1:]


def _argument(element: ET.Element, name: str) -> ET.Element:
    """The child that carries this name; what stands inside an argument has names of its own."""
    return next(child for child in element if child.get("arg") == name)


def _word(name: str, tag: str = "mtext") -> ET.Element:
    word = ET.Element(tag)
    word.text = name.replace("-", " ")
    if name in _STAND_INS:
        word.tag, word.text = "mo", _STAND_INS[name][0]
    return word


def _said(name: str, form: str, terms: list[ET.Element]) -> ET.Element:
    """A concept and what it is said of, in the order that its form asks for."""
    row = ET.Element("mrow")
    if name == "subscript":
        row = ET.Element("msub")
        row[:] = terms
    elif form == "postfix":
        row[:] = [*terms, _word(name)]
    elif form == "infix":
        row[:] = [terms[0], _word(name, "mo"), terms[1]]
    else:
        row[:] = [_word(f"the {name} of"), *terms]
    return row
