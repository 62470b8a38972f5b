"""What a formula lacks to be read aloud as it is meant.

Temml writes MathML for the eye: a transpose is a tack in the place of an exponent, *softmax* a word before
a bracket, and a reader says "W raised to the down tack power". Two things of MathML say what is meant:

- *invisible operators*: U+2061 applies a function, U+2062 multiplies, U+2063 separates two indices. Every
  screen reader knows them.
- the attribute ``intent`` of MathML 4 (https://www.w3.org/TR/mathml4/#mixing_intent), which MathCAT, and so
  NVDA and JAWS, reads: ``transpose:postfix($x)`` is said "x transpose". What does not know it loses nothing.

Nothing here may move a line of a formula: no element is drawn that was not, none is drawn elsewhere.
"""

import re
import xml.etree.ElementTree as ET

APPLY, TIMES, SEPARATE = "\u2061", "\u2062", "\u2063"
_ROWS = {"math", "mrow", "mtd", "mstyle", "msqrt"}
_SCRIPTS = {"msub", "msup", "msubsup"}
_WORD = re.compile(r"[A-Za-z]{2,}")

# Letters that the book writes before a bracket as the name of a function, and never as a factor.
_FUNCTIONS = set("σOΘRφϕpq")
# Letters that stand before a bracket as a factor: a number of heads or a state, and the queries.
_FACTORS = set("hQ")
# Letters that readers take for functions, before a fraction bar too.
_TAKEN_FOR_FUNCTIONS = set("fghFGH")
# Vectors: a dot between two of them is their dot product, between numbers it is multiplication.
_VECTORS = set("qkrxyuvwac")
# Letters whose style would be announced: an upright one, a double-struck one.
_NAMED = {"Θ": "Theta", "𝔼": "expectation"}
# How an operator is said where its character says something else.
_SAID = {
    "⊙": "elementwise-times",
    "∘": "elementwise-times",
    "∣": "given",
    "|": "given",
    "∼": "is-distributed-as",
    "←": "becomes",
    "→": "tends-to",
    "∗": "convolved-with",
}


def spoken(mathml: str) -> str:
    """The same formula, with what it needs to be read aloud."""
    root = ET.fromstring(mathml)
    sets = "∩" in mathml
    labelled = (script for script in root.iter("msubsup") if _letter(script[0]))
    labels = {_labelled(script) for script in labelled if _is_label(script, _last(script))}
    for element in list(root.iter()):
        if element.tag in _ROWS:
            _pair_bars(element)
    for element in list(root.iter()):
        if element.tag in _ROWS:
            _complete(element)
            _name_bars(element, sets)
        elif element.tag in _SCRIPTS:
            _separate_indices(element)
            _name_superscript(element, labels)
        elif element.tag == "mover" and element[1].text == "ˆ":
            element[1].set("intent", "hat")  # the character would be spelt out
        elif element.tag == "mtext":
            _mend_text(element)
        elif element.text in _NAMED:
            element.set("intent", _NAMED[element.text])
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def _base(element: ET.Element | None) -> ET.Element | None:
    """What carries the scripts and accents of an element."""
    while element is not None and (
        element.tag in {*_SCRIPTS, "mover", "munder"}
        or (
            element.tag in {"mpadded", "mrow"}
            and all(part.tag == "mspace" for part in element[1:])
            and len(element)
        )
    ):
        element = element[0]
    return element


def _letter(element: ET.Element | None) -> str:
    """The letter or word of an operand, without its scripts; nothing for anything else."""
    base = _base(element)
    return base.text or "" if base is not None and base.tag in {"mi", "mtext"} else ""


def _opens(element: ET.Element | None) -> bool:
    """Whether it begins with a bracket."""
    base = _base(element)
    if base is not None and base.tag == "mrow" and len(base):
        return _opens(base[0])
    return base is not None and base.tag == "mo" and base.text in {"(", "["}


def _is_operand(element: ET.Element | None) -> bool:
    """Whether it is a number or a letter, with or without scripts."""
    base = _base(element)
    return base is not None and (base.tag == "mn" or (len(base.text or "") == 1 and _letter(base).isalpha()))


def _operator(text: str) -> ET.Element:
    operator = ET.Element("mo")
    operator.text = text
    return operator


def _as_name(element: ET.Element) -> None:
    """A word that stands for a quantity is an identifier, not a text between formulas."""
    base = _base(element)
    if base is not None and base.tag == "mtext" and _WORD.fullmatch(base.text or ""):
        base.tag = "mi"


def _complete(row: ET.Element) -> None:
    """Put the invisible operators between the parts of a row, and name the visible ones."""
    parts = list(row)
    done: list[ET.Element] = []
    for place, part in enumerate(parts):
        before = parts[place - 1] if place else None
        # A thin space stands between factors; a wide one between formulas.
        after = next((one for one in parts[place + 1 :] if one.tag != "mspace" or _em(one) >= 1), None)
        if part.tag == "mspace" and _em(part) >= 1 and _divides(before, parts[place + 1 :]):
            done.append(_operator(SEPARATE))
            done[-1].set("separator", "true")
        done.append(part)
        _name_operator(part, before, after)
        letter = _letter(part)
        named = _WORD.fullmatch(letter) is not None
        if named and (_joins(before) or _joins(after)):
            _as_name(part)
        if _opens(after) and (named or (letter in _FUNCTIONS and part.tag not in _SCRIPTS)):
            _as_name(part)
            done.append(_operator(APPLY))
        elif _is_operand(part) and (_is_operand(after) or (letter in _FACTORS and _opens(after))):
            done.append(_operator(TIMES))
    row[:] = done


def _joins(part: ET.Element | None) -> bool:
    """Whether it is an operator between two quantities."""
    if part is not None and part.tag == "mrow":  # beside a word Temml puts an operator between two spaces
        inner = [one for one in part if one.tag != "mspace"]
        part = inner[0] if len(inner) == 1 else None
    return part is not None and part.tag == "mo" and (part.text or "") in set("+−=⋅×")


def _em(space: ET.Element) -> float:
    """The width of a space, in em."""
    width = space.get("width", "")
    return float(width.removesuffix("em")) if width.endswith("em") else 0.0


def _divides(before: ET.Element | None, after: list[ET.Element]) -> bool:
    """Whether a wide space stands between two formulas that no comma divides."""
    if before is None or before.tag == "mspace" or before.get("separator"):
        return False
    return any(part.tag != "mspace" for part in after)


def _name_operator(part: ET.Element, before: ET.Element | None, after: ET.Element | None) -> None:
    """Say in the operator's intent how it is read where it stands."""
    sign = part.text or ""
    if part.tag not in {"mo", "mi"} or part.get("intent") or part.get("fence"):
        return
    if sign in {"⋅", "·"}:
        alone = (before is None or _is_bracket(before)) and (after is None or _is_bracket(after))
        if alone or (_is_vector(before) and (_is_vector(after) or _opens(after))):
            part.set("intent", "dot")
    elif sign == "×" and _is_operand(before) and _is_operand(after):
        part.set("intent", "by")
    elif sign == "/" and _letter(before) in _TAKEN_FOR_FUNCTIONS:
        part.set("intent", "divided-by")
    elif sign == "<" and before is None:
        part.set("intent", "less-than")
    elif sign in _SAID:
        part.set("intent", _SAID[sign])


def _is_bracket(part: ET.Element) -> bool:
    return part.tag == "mo" and (part.get("separator") == "true" or (part.text or "") in "()[]{}")


def _is_vector(part: ET.Element | None) -> bool:
    """Whether it is a vector's letter, a sum, or a bracket in which one stands."""
    base = _base(part)
    if base is None:
        return False
    if base.tag == "mrow":
        return _opens(base) and any(_letter(inner) in _VECTORS for inner in base)
    return _letter(base) in _VECTORS or base.text == "∑"


def _pair_bars(row: ET.Element) -> None:
    """Two upright bars in a row are the brackets of what stands between them."""
    bars = [place for place, part in enumerate(row) if part.tag == "mi" and part.text == "|"]
    if len(bars) % 2:
        return
    for first, last in reversed(list(zip(bars[::2], bars[1::2], strict=True))):
        pair = ET.Element("mrow")
        pair[:] = row[first : last + 1]
        for bar, form in ((pair[0], "prefix"), (pair[-1], "postfix")):
            bar.tag = "mo"
            bar.attrib = {"fence": "true", "form": form, "stretchy": "false", "lspace": "0", "rspace": "0"}
        row[first : last + 1] = [pair]


def _separate_indices(script: ET.Element) -> None:
    """Two letters in an index are two indices: w_ij has the row i and the column j."""
    if script.tag == "msup" or script[1].tag != "mrow":
        return
    letters = list(script[1])
    if len(letters) > 1 and all(one.tag == "mi" and len(one.text or "") == 1 for one in letters):
        separated = [letters[0]]
        for letter in letters[1:]:
            separated += [_operator(SEPARATE), letter]
        script[1][:] = separated


def _last(script: ET.Element) -> str:
    """What stands in the superscript."""
    return "".join(script[-1].itertext())


def _labelled(script: ET.Element) -> tuple[str, str]:
    """The letter and its superscript."""
    return _letter(script[0]), _last(script)


def _name_superscript(script: ET.Element, labels: set[tuple[str, str]]) -> None:
    """A superscript that is no power: a transpose, a star, the name of a matrix.

    What names a letter beside an index names it without one, too: the scores a^t have the parts a_i^t.
    """
    if script.tag == "msub":
        return
    base, label = script[0], script[-1]
    if base.tag == "mo" and not _is_bracket(base):
        return  # the bounds of a sum
    text = _last(script)
    name = "$x" if script.tag == "msup" else "subscript:infix($x,$i)"
    if text == "⊤":
        intent = f"transpose:postfix({name})"
    elif text in {"∗", "*"}:
        intent = f"star:postfix({name})"
    elif _is_label(script, text) or _labelled(script) in labels:
        intent = f"superscript:infix({name},$l)"
        label.set("arg", "l")
    else:
        return
    base.set("arg", "x")
    if base.text == "ℝ":
        base.set("intent", "R")
    if script.tag == "msubsup":
        script[1].set("arg", "i")
    script.set("intent", intent)


def _is_label(script: ET.Element, text: str) -> bool:
    """Whether a superscript names a thing: capitals, a word, a letter above an index, the shape of ℝ."""
    if script[0].text == "e":
        return False
    if script[0].text == "ℝ" or re.fullmatch(r"[A-Z]+|[a-z]{3,}", text):
        return True
    return script.tag == "msubsup" and re.fullmatch(r"[a-z0]", text) is not None


def _name_bars(row: ET.Element, sets: bool) -> None:
    """Double bars are a norm, and bars around a set say how many elements it has."""
    fences = (row[0].text, row[-1].text) if len(row) > 2 else ()
    if fences == ("‖", "‖"):
        intent = "norm($x)"
    elif sets and fences == ("|", "|"):
        intent = "cardinality($x)"
    else:
        return
    inner = ET.Element("mrow", {"arg": "x"})
    inner[:] = row[1:-1]
    row[:] = [row[0], inner, row[-1]]
    row.set("intent", intent)


def _mend_text(text: ET.Element) -> None:
    """A hyphen in a word is no minus sign."""
    words = (text.text or "").strip()
    if re.fullmatch(r"[A-Za-z]+(?:-[A-Za-z]+)+:?", words):
        text.set("intent", words.removesuffix(":"))
