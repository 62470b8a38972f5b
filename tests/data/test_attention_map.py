"""The map of all attentions: every attention of the package stands in it, every link leads to a heading."""

import re
import subprocess
import sys
import tomllib

import nbformat
import pytest

import attnbook.nn
from attnbook.data import attention_map
from attnbook.data.attention_map import Place
from support import ROOT

# Classes that `attnbook.nn` exports and that are no attention.
OTHERS = {
    # models, their parts and states
    "BERT", "CaptionState", "ConvAnnotations", "DecoderState", "Drawing", "EncoderLayer", "FeedForward",
    "GPT", "GPTState", "GRUDecoder", "GRUEncoder", "LSTMDecoder", "LSTMEncoder", "LatentCache", "KVCache",
    "LearnedPositions", "MaskedWordModel", "Seq2Seq", "SinusoidalPositions", "SkipGram", "Transformer",
    "TransformerState", "TransformerWeights", "VAE", "WordModel",
    # how a draw is trained, and a layer that the book shows as a mistake
    "MovingBaseline", "TutorialAttention",
}  # fmt: skip


def is_coming(where):
    """Chapter 13 is merged before this test counts: without any notebook of it, its rows cannot be held."""
    return where.notebook.startswith("13_") and not list(ROOT.glob("chapters/13_*.ipynb"))


def exported_classes():
    return {name for name in attnbook.nn.__all__ if isinstance(getattr(attnbook.nn, name), type)}


def headings(notebook):
    path = ROOT / "chapters" / f"{notebook}.ipynb"
    text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    return re.findall(r"(?m)^#+ (.*)$", text)


def places():
    for row in attention_map.rows():
        yield row.id, row.where
    for reason in attention_map.reasons().values():
        yield f"{reason.need}, {reason.id}", reason.where


def test_every_attention_of_the_package_stands_in_the_map():
    listed = {name for row in attention_map.rows() for name in row.classes}
    missing = exported_classes() - listed - OTHERS
    assert not missing, f"add a row to attention_map.toml, or the name to OTHERS here: {sorted(missing)}"
    assert not listed & OTHERS


def test_what_the_map_lists_is_exported():
    for row in attention_map.rows():
        absent = [
            name for name in row.classes if name not in attnbook.nn.__all__ and not is_coming(row.where)
        ]
        assert not absent, f"{row.id}: attnbook.nn exports no {sorted(absent)}"


@pytest.mark.parametrize(("name", "where"), [pytest.param(*one, id=one[0]) for one in places()])
def test_every_link_leads_to_a_heading(name, where):
    assert is_coming(where) or where.heading in headings(where.notebook), name


def test_costs_are_written_in_the_notation_of_the_book():
    notation = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
    known = set(re.findall(r"\$([^$\n]+)\$", re.sub(r"(?s)\$\$.*?\$\$", "", notation)))
    symbol = re.compile(r"[A-Za-z](?:_(?:\{\\text\{\w+\}\}|[A-Za-z]))?")
    for row in attention_map.rows():
        for formula in (row.cost, row.cache):
            plain = re.sub(r"\\text\{hops\}|\\,|\\cdot", " ", formula)
            for found in symbol.findall(plain):
                assert found in known, f"{row.id}: {found} of {formula} is not in book/notation.md"


def test_places_of_the_map_exist_and_are_not_too_full():
    askers = {one.id for one in attention_map.askers()}
    reaches = {one.id for one in attention_map.reaches()}
    needs = {one.id for one in attention_map.needs()}
    rows = attention_map.rows()
    assert len({row.id for row in rows}) == len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert row.who in askers, row.id
        assert row.reach in reaches, row.id
        assert set(row.fits) == needs, row.id
        assert all((need, row.fits[need]) in attention_map.reasons() for need in needs), row.id


def test_every_reason_is_used_and_is_a_sentence():
    used = {(need, reason) for row in attention_map.rows() for need, reason in row.fits.items()}
    assert used == set(attention_map.reasons())
    for reason in attention_map.reasons().values():
        assert reason.why[0].isupper(), reason
        assert reason.why.endswith("."), reason


def test_each_need_keeps_some_and_drops_some():
    for need in attention_map.needs():
        left = attention_map.remaining([need.id])
        assert 1 < len(left) < len(attention_map.rows()), need.id


def test_what_remains_is_what_meets_every_need():
    left = {row.id for row in attention_map.remaining(["long", "steps"])}
    assert left >= {"sliding", "linear", "delta", "tiled"}
    assert not left & {"self", "pooling", "convolution", "additive"}
    assert attention_map.remaining([]) == list(attention_map.rows())


def test_an_unknown_need_is_named():
    with pytest.raises(ValueError, match="need: expected one of long, .*, got 'fast'"):
        attention_map.remaining(["fast"])


@pytest.mark.parametrize(
    ("place", "label", "anchor", "link"),
    [
        (
            Place("05_luong", "5.7 A window in place of the sentence"),
            "5.7",
            "a-window-in-place-of-the-sentence",
            "[5.7](05_luong.ipynb#57-a-window-in-place-of-the-sentence)",
        ),
        (
            Place("06_soft_and_hard_attention", "6.10 The paper's figures, the cost, and what changed"),
            "6.10",
            "the-paper-s-figures-the-cost-and-what-changed",
            "[6.10](06_soft_and_hard_attention.ipynb#610-the-papers-figures-the-cost-and-what-changed)",
        ),
        (
            Place("07_lab_machine_reader", "Two tapes"),
            "7, lab",
            "two-tapes",
            "[7, lab](07_lab_machine_reader.ipynb#two-tapes)",
        ),
    ],
)
def test_a_place_is_named_and_linked(place, label, anchor, link):
    assert (place.label, place.anchor, place.link()) == (label, anchor, link)


def test_the_file_holds_no_key_that_nobody_reads():
    stored = tomllib.loads(attention_map.STORED.read_text(encoding="utf-8"))
    assert set(stored) == {"who", "reach", "needs", "reasons", "rows"}


def test_the_sheet_to_print_is_made_from_it():
    command = [sys.executable, str(ROOT / "tools" / "attention_map.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_table_of_the_chapter_is_the_map():
    notebook = nbformat.read(ROOT / "chapters" / "15_beyond_text.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.source == "attention_map.Table()"]
    (output,) = cell.outputs
    assert output.data["text/markdown"] == attention_map.Table()._repr_markdown_()
    assert output.data["text/plain"] == repr(attention_map.Table())
