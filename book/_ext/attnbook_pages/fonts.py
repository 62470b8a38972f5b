"""The mathematics font, cut to the characters that the book may use, with their stretching parts."""

import hashlib
import logging
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .errors import PageError
from .packages import npm_file

SOURCE = "@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2"


def _characters(*ranges: tuple[int, int] | int) -> frozenset[int]:
    found: set[int] = set()
    for item in ranges:
        first, last = item if isinstance(item, tuple) else (item, item)
        found.update(range(first, last + 1))
    return frozenset(found)


# A browser draws <mi>x</mi> with the italic letter of the mathematical block, so that block must be here too.
MATHEMATICS = _characters(
    # Latin; dotless i and j; accents
    (0x0020, 0x007E), (0x00A0, 0x00FF), 0x0131, 0x0237, 0x02C6, (0x0300, 0x0304), (0x0306, 0x0308), 0x030A,
    0x030C,
    # Greek
    (0x0391, 0x03A1), (0x03A3, 0x03A9), (0x03B1, 0x03C9), 0x03D1, 0x03D5, 0x03D6, 0x03F0, 0x03F1, 0x03F5,
    # spaces and invisible operators
    (0x2002, 0x2006), (0x2009, 0x200B), 0x202F, 0x205F, (0x2061, 0x2064),
    # dashes, quotation marks, dots, primes, vector arrow
    (0x2010, 0x2016), (0x2018, 0x201D), (0x2020, 0x2022), 0x2026, (0x2032, 0x2034), 0x203E, 0x2044,
    0x20D7,
    # letter-like: ℂ ℋ ℎ ℏ ℒ ℓ ℕ ℙ ℚ ℝ ℤ …
    0x2102, 0x210B, 0x210E, 0x210F, 0x2110, 0x2111, 0x2112, 0x2113, 0x2115, (0x2118, 0x211D),
    0x2124, 0x212C, 0x2130, 0x2131, 0x2133, 0x2135,
    # arrows
    (0x2190, 0x2199), 0x21A6, 0x21D0, 0x21D2, 0x21D4, (0x27F5, 0x27FA),
    # operators and relations, √ among them
    (0x2200, 0x220D), (0x220F, 0x2213), (0x2215, 0x221E), 0x2220, 0x2223, 0x2225, (0x2227, 0x222E),
    0x2234, 0x2235, 0x223C, 0x2243, 0x2245, 0x2248, 0x2250, 0x2254, 0x2255, 0x225C, (0x2260, 0x2262),
    (0x2264, 0x2267), 0x226A, 0x226B, (0x2282, 0x2287), (0x2295, 0x2299), 0x22A2, 0x22A4, 0x22A5,
    0x22C0, 0x22C1, 0x22C5, 0x22C6, (0x22EE, 0x22F1), (0x2A00, 0x2A02), 0x2A7D, 0x2A7E,
    # brackets and braces, shapes
    (0x2308, 0x230B), 0x23B4, 0x23B5, 0x23DE, 0x23DF, 0x27E8, 0x27E9, 0x25A1, 0x25CB, 0x2713,
    # bold, italic, bold italic, script, double-struck letters; their Greek; bold and double-struck digits
    (0x1D400, 0x1D454), (0x1D456, 0x1D49C), 0x1D49E, 0x1D49F, 0x1D4A2, 0x1D4A5, 0x1D4A6,
    (0x1D4A9, 0x1D4AC), (0x1D4AE, 0x1D4B5), (0x1D538, 0x1D539), (0x1D53B, 0x1D53E), (0x1D540, 0x1D544),
    0x1D546, (0x1D54A, 0x1D550), (0x1D552, 0x1D56B), (0x1D6A4, 0x1D6A5), (0x1D6A8, 0x1D6C0),
    (0x1D6C2, 0x1D6DA), (0x1D6E2, 0x1D6FA), (0x1D6FC, 0x1D714), 0x1D716, 0x1D717, 0x1D719, 0x1D71A,
    0x1D71B, (0x1D7CE, 0x1D7E1),
)  # fmt: skip

# Spaces and invisible operators take up no ink, so a font need not draw them.
_NO_INK = _characters((0x2000, 0x200F), 0x202F, 0x205F, (0x2061, 0x2064), 0x00A0, 0x00AD)


def mathematics_font(cache: Path) -> Path:
    """The subset as WOFF2, kept in `cache` between builds under the digest of what it was made from."""
    source = npm_file(SOURCE)
    data = source.read_bytes()
    made_from = hashlib.sha256(data + repr(sorted(MATHEMATICS)).encode() + _tools_version()).hexdigest()
    kept = cache / f"mathematics-{made_from[:16]}.woff2"
    if not kept.is_file():
        _cut(source, kept)
    return kept


def _tools_version() -> bytes:
    """The version of the package that cuts the font: another one may give other bytes."""
    try:
        return version("fonttools").encode()
    except PackageNotFoundError:
        raise _missing("fonttools") from None


def _missing(package: str) -> PageError:
    return PageError(f"The Python package {package} is missing; run `pip install fonttools brotli`.")


def _cut(source: Path, kept: Path) -> None:
    """Write the subset; the packages that do it are slow to import, and needed once for each font."""
    try:
        import brotli  # noqa: F401 - fontTools needs it to write WOFF2
        from fontTools import subset
    except ImportError as error:
        raise _missing(error.name) from None
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # Sphinx would print its every step
    options = subset.Options(
        flavor="woff2",
        layout_features=["ssty", "dtls", "flac"],
        hinting=False,
        notdef_outline=True,
        ignore_missing_unicodes=True,
    )
    options.recalc_timestamp = False
    try:
        font = subset.load_font(str(source), options)
    except Exception as error:
        raise PageError(
            f"The font {source} cannot be read ({error}); delete book/node_modules and build again."
        ) from None
    lacking = sorted(MATHEMATICS - set(font.getBestCmap()) - _NO_INK)
    if lacking:
        names = " ".join(f"U+{code:04X}" for code in lacking)
        raise PageError(
            f"The font {source.name} has no glyph for {names}; take them out of MATHEMATICS in fonts.py."
        )
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=MATHEMATICS)
    cutter.subset(font)
    kept.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(kept.with_suffix(".part")), options)
    kept.with_suffix(".part").replace(kept)
