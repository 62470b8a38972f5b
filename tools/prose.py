"""Write the book's own prose as plain text: what the language models of chapter 11 learn from.

    python tools/prose.py [FILE]     (src/attnbook/data/prose.txt if none is named)

It takes the Markdown cells of chapters and labs, their quizzes and the glossary, and keeps whole
sentences. Left out are aims and minutes, code, display formulas, tables, quotations, sentences that hold a
formula or code, exercises and lists of papers; links and emphasis leave their words. The file is frozen:
stored results and the trained model belong to the text that lies in the repository, so it is made again only
together with them.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from notebook_rules import read
from project import ROOT

TARGET = ROOT / "src" / "attnbook" / "data" / "prose.txt"
SKIPPED = re.compile(r"exercises|further reading|licen[cs]e|notation", re.IGNORECASE)
ASCII = str.maketrans({
    "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "…": "...",
    "\xa0": " ", "\u202f": " ", "×": "x",
})  # fmt: skip
SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\")]))(?<!\bal\.)(?<!\bvs\.)(?<!\bp\.)\s+(?=[\"(A-Z0-9])")
BOILERPLATE = re.compile(r"After this |Time \d|You need |Licen[cs]e")


def sentences(paragraph: str) -> list[str]:
    """Its sentences that are prose from end to end."""
    kept = []
    for sentence in SENTENCE_END.split(paragraph):
        quoted = re.findall(r'"([^"]*)"', sentence)
        strange = re.search(r"[$`|<>{}\\_=→·²√α-ωΑ-Ω∈≤≥≈*#@~^]", sentence) or sentence.count('"') % 2
        whole = re.match(r"[\"(A-Z0-9].*[.!?][\")]*$", sentence) and len(sentence.split()) > 2
        if whole and not strange and not any(len(quote.split()) > 8 for quote in quoted):
            kept.append(sentence)
    return kept


def plain(markdown: str) -> list[str]:
    """The paragraphs of a Markdown cell, emphasis and links undone."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$|<svg.*?</svg>", "\n\n", markdown, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)", r"\1", text)
    text = re.sub(r"</?(?:details|summary|b|i|em|strong|br|p|sub|sup|div|span|a)\b[^>]*>", "\n\n", text)
    text = re.sub(r"\*\*|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])", "", text).translate(ASCII)
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        if re.match(r"\s*(\||>|#)", block) or BOILERPLATE.match(block):
            continue
        for item in re.split(r"^\s*(?:[-*]|\d+\.)\s+", block, flags=re.MULTILINE):
            found = sentences(" ".join(item.split()))
            if found:
                paragraphs.append(" ".join(found))
    return paragraphs


def quizzes(code: str) -> list[str]:
    """The questions, right answers and explanations of a cell's quiz, one paragraph each."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Dict):
            entry = {
                k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)
            }
            if {"question", "explanations"} <= entry.keys():
                texts = [entry["question"], *getattr(entry["explanations"], "elts", ())]
                found += [text.value for text in texts if isinstance(text, ast.Constant)]
    return found


def glossary() -> list[tuple[str, list[str]]]:
    """(term, paragraphs) of each entry."""
    entries = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").split("\n## ")[1:]
    return [(term, plain(body)) for term, _, body in (entry.partition("\n") for entry in entries)]


def sections(path: Path) -> list[tuple[str, list[str]]]:
    """(heading, paragraphs) of each section of a notebook, in its order."""
    found: list[tuple[str, list[str]]] = []
    for cell in read(path).cells:
        if "Quiz(" in cell.source and cell.cell_type == "code":
            found.append(("Quiz", [line for text in quizzes(cell.source) for line in plain(text)]))
        if cell.cell_type != "markdown":
            continue
        source = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
        for part in re.split(r"^(?=#+ )", source, flags=re.MULTILINE):
            heading, _, body = part.partition("\n") if part.startswith("#") else ("", "", part)
            if re.match(r"##? ", heading):
                found.append((heading.lstrip("# ").strip().translate(ASCII), []))
            if found:
                found[-1][1].extend(plain(body))
    return [(heading, body) for heading, body in found if body and not SKIPPED.search(heading)]


def main() -> None:
    """Write the file and say how long it is."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    written = [
        f"# {path.stem}: {heading}\n\n" + "\n\n".join(body)
        for path in sorted((ROOT / "chapters").glob("*.ipynb"))
        if not path.stem.startswith("11_")
        for heading, body in sections(path)
    ]
    written += [f"# glossary: {term}\n\n" + "\n\n".join(body) for term, body in glossary() if body]
    text = "\n\n".join(written) + "\n"
    target.write_text(text, encoding="utf-8")
    print(f"{target}: {len(written)} sections, {len(text.split()):,} words, {len(text):,} characters")


if __name__ == "__main__":
    main()
