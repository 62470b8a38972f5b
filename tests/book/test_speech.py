"""Every formula of the book as it is read aloud: by the Speech Rule Engine, its intents put into words."""

import re
from pathlib import Path

import pytest
from attnbook_pages.mathematics import Typesetter
from attnbook_pages.node import run
from attnbook_pages.packages import npm_file
from docutils import nodes
from intents import as_read, in_words

SPEAK = Path(__file__).with_name("speak.cjs")

# What a reader must hear, word for word.
READINGS = {
    r"W^\top": "W transpose",
    r"Q K^\top": "Q K transpose",
    r"\text{Attention}(Q, K, V) = \text{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V": (
        "Attention of open paren Q comma K comma V close paren equals softmax of open paren "
        "the fraction with numerator Q K transpose and denominator the square root of d sub k close paren V"
    ),
    r"v_a^\top \tanh(W_a s_{i-1} + U_a h_j)": (
        "v sub a transpose the hyperbolic tangent of open paren W sub a s sub i minus 1 "
        "plus U sub a h sub j close paren"
    ),
    r"h_t^\top \bar h_s": "h sub t transpose h overline sub s",
    r"\tilde h_t": "h tilde sub t",
    r"\hat z_t": "z hat sub t",
    r"s_{im}": "s sub i comma m",
    r"W_i^Q": "W sub i superscript Q",
    r"W^O": "W superscript O",
    r"\mathbb{R}^{n \times d}": "R superscript n by d",
    r"(h d_v, d)": "open paren h d sub v comma d close paren",
    r"\lVert q \rVert": "the norm of q",
    r"q_i \cdot k_j": "q sub i dot k sub j",
    r"2 \cdot 3 = 6": "2 times 3 equals 6",
    r"\sigma(W x + b)": "sigma of open paren W x plus b close paren",
    r"h_t = (1 - z) \odot n": "h sub t equals open paren 1 minus z close paren elementwise times n",
    r"p(x_t \mid x_{<t})": "p of open paren x sub t given x sub less than t close paren",
    r"x \leftarrow x + F(x)": "x becomes x plus F of x",
    r"\text{precision} + \text{recall}": "precision plus recall",
    r"|\mathcal A \cap \mathcal S|": "the cardinality of script A intersection script S",
    r"|m - n|": "the absolute value of m minus n",
    r"a = 1 \qquad b = 2": "a equals 1 comma b equals 2",
    r"e^{s_j}": "e raised to the s sub j power",
    r"b^*": "b star",
    r"a_i^t = b^t + a^t": "a sub i superscript t equals b to the t-th power plus a superscript t",
    r"\mathbb{E}": "expectation",
    r"\Theta(n)": "Theta of n",
}

# A sign said by its shape, a word spelt out, an index taken for a number, a matrix for a function.
WRONG = [
    "down tack",
    "double struck",
    "imaginary",
    "metric of",
    "italic",
    "normal",
    "divides",
    "left arrow 1",
    "asterisk",
    "circled dot",
    "ˆ",
    "equals open paren times",
    "open paren times",
    "minus norm",
    "softmax times",
    "sigma times",
    "LayerNorm times",
    "LayerNorm open",
    "precision positive",
    "absolute value of script",
    "Q power",
    "K power",
    "V power",
    "O power",
    "of slash",
    "b a t c h",
    "d e c",
    "e n c",
    "of d sub v",
    "r-n",
]


def say(formulas: list[str]) -> list[str]:
    """How these MathML formulas are read."""
    engine = npm_file("speech-rule-engine/lib/sre.js").parent.parent
    return [in_words(one) for one in run(SPEAK, {"formulas": formulas}, str(engine))["sentences"]]


@pytest.fixture(scope="module")
def typeset():
    """TeX to the MathML of our pages."""
    typesetter = Typesetter()
    yield lambda tex: typesetter.mathml(tex, False, nodes.math())
    typesetter.close()


@pytest.fixture(scope="module")
def readings(typeset) -> dict[str, str]:
    """What is heard of the formulas named above."""
    return dict(zip(READINGS, say([as_read(typeset(tex)) for tex in READINGS]), strict=True))


@pytest.mark.parametrize("tex", READINGS)
def test_a_formula_is_read_word_for_word(readings, tex):
    assert readings[tex] == READINGS[tex]


def test_without_what_we_add_the_same_formulas_are_misread(typeset):
    added = re.compile(r' (?:intent|arg)="[^"]*"|<mo[^>]*>[\u2061-\u2063]</mo>')
    bare = say(
        [added.sub("", typeset(tex)) for tex in (r"W^\top", r"\lVert q \rVert", r"s_{im}", r"p(y \mid x)")]
    )
    heard = " ".join(bare)
    assert all(phrase in heard for phrase in ("down tack", "metric of", "imaginary", "divides"))


@pytest.fixture(scope="module")
def heard(book_html) -> dict[str, tuple[str, str]]:
    """Every formula of the book: what is heard, and a page on which it stands."""
    found = {}
    for page in sorted(book_html.rglob("*.html")):
        for formula in re.findall(r"<math\b.*?</math>", page.read_text(encoding="utf-8"), re.DOTALL):
            found.setdefault(as_read(formula), page.stem)
    return dict(zip(found, zip(say(list(found)), found.values(), strict=True), strict=True))


def test_no_formula_of_the_book_is_silent(heard):
    assert len(heard) > 900
    assert [page for sentence, page in heard.values() if not sentence.strip()] == []


def test_no_formula_of_the_book_is_misread(heard):
    misread = [
        f"{page}: {phrase!r} in {sentence}"
        for sentence, page in heard.values()
        for phrase in WRONG
        if phrase in sentence
    ]
    assert misread == []


def test_what_is_added_for_the_ear_does_not_move_what_is_seen(typeset):
    text = re.sub(r"<[^>]+>", "", typeset(r"W_i^Q x_{ij} + \lVert q \rVert |m - n|"))
    assert re.sub("[\u2061-\u2063]", "", text) == "WiQxij+‖q‖|m−n|"
