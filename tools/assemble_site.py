"""Put a build into the published site, beside the versions that are there already.

    python tools/assemble_site.py SITE --build book/_build/html --ref main       →  SITE/latest/
    python tools/assemble_site.py SITE --build book/_build/html --ref v0.2.0     →  SITE/0.2/

SITE then holds a folder a version and, for all of them, `versions.json`, the map of the latest pages, a first
page that leads to them and a page for addresses that lead nowhere. Every page of an old version says so and
links itself in the newest. Nothing here needs a script in the page, and Python alone runs it.
"""

import argparse
import json
import re
import shutil
import sys
from html import escape
from pathlib import Path

from project import ROOT, version

LATEST = "latest"
LIST = "versions.json"
TAKE = "take"  # the PDF and the zip of these very pages, linked whole
NUMBER = re.compile(r"\d+\.\d+\.\d+")
# What book/_ext/attnbook_pages writes into each build for this tool to fill in.
_NOTE = re.compile(r'<p class="version-note" id="version-note".*?</p>', re.DOTALL)
_VERSIONS = re.compile(r'<ul class="versions" id="versions">.*?</ul>', re.DOTALL)
_HEAD_END = "</head>"
_SITEMAP = re.compile(r"^Sitemap: (\S+/)sitemap\.xml$", re.MULTILINE)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="robots" content="noindex" />
{head}<title>{title}</title>
<style>
body {{ max-width: 40rem; margin: 12vh auto; padding: 0 1rem; font: 1.1rem/1.6 Georgia, serif; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


_PICTURE = re.compile(r'<meta property="og:image" content="([^"]+)"')


class SiteError(Exception):
    """What keeps a build out of the site, in one sentence."""


def folder_of(ref: str, number: str) -> str:
    """Where a branch or a tag is published: ``main`` in `latest`, ``v0.2.1`` in `0.2`.

    Raises
    ------
    SiteError
        If ``ref`` is neither main nor the tag of version ``number``.

    >>> folder_of("v0.2.1", "0.2.1")
    '0.2'
    """
    if ref == "main":
        return LATEST
    if ref != f"v{number}":
        raise SiteError(f"--ref: expected main or v{number}, the version of pyproject.toml, got {ref}")
    return number.rpartition(".")[0]


def order(number: str) -> tuple[int, ...]:
    """Versions in the order of their numbers, not of their letters."""
    return tuple(map(int, number.split(".")))


def published(site: Path) -> dict[str, str]:
    """The version in each folder of the site, as `versions.json` says: latest first, then newest to oldest.

    Raises
    ------
    SiteError
        If the list cannot be read, or names a folder that is not there.
    """
    path = site / LIST
    if not path.is_file():
        return {}
    try:
        found = {entry["folder"]: entry["version"] for entry in json.loads(path.read_text(encoding="utf-8"))}
        readable = all(NUMBER.fullmatch(number) for number in found.values())
    except (ValueError, KeyError, TypeError) as error:
        raise SiteError(
            f"{path} cannot be read ({error}); restore it from the branch's last commit"
        ) from None
    if not readable or not all((site / folder).is_dir() for folder in found):
        raise SiteError(f"{path} names a version or a folder that is not there; restore the site")
    return found


def home_of(build: Path) -> str:
    """The site's address, which each build states in its `robots.txt`.

    Raises
    ------
    SiteError
        If the folder is no finished build.
    """
    robots = build / "robots.txt"
    found = _SITEMAP.search(robots.read_text(encoding="utf-8")) if robots.is_file() else None
    if found is None or not (build / "index.html").is_file():
        raise SiteError(f"--build: {build} is no build of the book; run make book first")
    return found[1]


def assemble(site: Path, build: Path, folder: str, number: str) -> dict[str, str]:
    """Put a build of version ``number`` into ``site/folder`` and bring the whole site up to date.

    What is checked is checked before the first file is written, so a refused build leaves the site as it was.

    Parameters
    ----------
    site : Path
        The site's folder; it may be new, or hold versions already.
    build : Path
        The pages that `make book` made; they are copied.
    folder : str
        `latest`, or the first two numbers of a release.
    number : str
        The version of these pages, such as ``"0.2.0"``.

    Returns
    -------
    dict of str to str
        The version in each folder of the site.

    Raises
    ------
    SiteError
        If the build is none, or the folder holds a newer version.
    """
    home = home_of(build)
    check_cards(build, home)
    versions = published(site)
    there = versions.get(folder)
    if folder != LATEST and there and order(there) > order(number):
        raise SiteError(f"{folder}/ holds {there}, which is newer than {number}; nothing was changed")
    site.mkdir(parents=True, exist_ok=True)
    coming, target = site / f".{folder}", site / folder
    shutil.rmtree(coming, ignore_errors=True)
    shutil.copytree(build, coming)
    shutil.rmtree(target, ignore_errors=True)
    coming.rename(target)
    versions[folder] = number
    releases = sorted((name for name in versions if name != LATEST), key=order, reverse=True)
    versions = {name: versions[name] for name in (LATEST, *releases) if name in versions}
    for name in versions:
        update(site, name, versions, home)
    write_root(site, versions, home)
    return versions


def check_cards(build: Path, home: str) -> None:
    """Refuse a build whose pages name a picture that is not there, since nobody would see it missing here.

    Raises
    ------
    SiteError
        If a picture for previews was not drawn.
    """
    for path in sorted(build.rglob("*.html")):
        for address in _PICTURE.findall(path.read_text(encoding="utf-8").partition(_HEAD_END)[0]):
            name = address.removeprefix(f"{home}{LATEST}/")
            if not (build / name).is_file():
                raise SiteError(f"--build: {path.name} names {name}, which is not there; run make cards")


def newest(versions: dict[str, str]) -> str:
    """The folder of the newest release; of the latest pages, where nothing was released."""
    return next((name for name in versions if name != LATEST), LATEST)


def update(site: Path, folder: str, versions: dict[str, str], home: str) -> None:
    """What the pages of one version say of the others."""
    old = folder not in (LATEST, newest(versions))
    # The head of a page names the latest version as its true place. A page, or a picture of it, that the
    # latest version no longer has, has none but its own.
    named = re.compile(rf'"{re.escape(home)}(?:{LATEST}|\d+\.\d+)/([^"#?]*)')

    def place(match: re.Match) -> str:
        there = LATEST if (site / LATEST / match[1]).is_file() else folder
        return f'"{home}{there}/{match[1]}'

    for path in sorted((site / folder).rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        page = path.relative_to(site / folder).as_posix()
        head, end, body = text.partition(_HEAD_END)
        note = note_of(site, page, versions[folder], versions) if old else _EMPTY_NOTE
        body = _NOTE.sub(lambda _, note=note: note, body, count=1)
        if page == "versions.html":
            body = _VERSIONS.sub(lambda _: list_of(versions, folder), body)
        if (site / folder / TAKE).is_dir():
            body = body.replace(f'"{home}{LATEST}/{TAKE}/', f'"{home}{folder}/{TAKE}/')
        changed = named.sub(place, head) + end + body
        if changed != text:
            path.write_text(changed, encoding="utf-8", newline="\n")


_EMPTY_NOTE = '<p class="version-note" id="version-note" hidden></p>'


def note_of(site: Path, page: str, number: str, versions: dict[str, str]) -> str:
    """What a page of an old version says first: which one it is, and where the newest is."""
    now = newest(versions)
    same = (site / now / page).is_file()
    address = "../" * (page.count("/") + 1) + f"{now}/{page if same else 'index.html'}"
    words = "Read this page there" if same else "This page is not in it; begin at its first page"
    return (
        f'<p class="version-note" id="version-note">This is version {number}; the newest is '
        f'{versions[now]}. <a href="{address}">{words}</a>.</p>'
    )


def list_of(versions: dict[str, str], here: str) -> str:
    """The versions as links from one page to the first page of each."""
    lines = []
    for folder, number in versions.items():
        words = f"Latest ({number} and what has changed since)" if folder == LATEST else number
        notes = ["the newest release"] * (folder == newest(versions) != LATEST)
        notes += ["these pages"] * (folder == here)
        after = f": {', '.join(notes)}" if notes else ""
        lines.append(f'<li><a href="../{folder}/index.html">{words}</a>{after}</li>')
    return f'<ul class="versions" id="versions">{"".join(lines)}</ul>'


def write_root(site: Path, versions: dict[str, str], home: str) -> None:
    """The files that belong to no version."""
    first = LATEST if LATEST in versions else newest(versions)
    address = escape(home)
    lead = f'<meta http-equiv="refresh" content="0; url={first}/index.html" />\n'
    lead += f'<link rel="canonical" href="{address}{first}/book/intro.html" />\n'
    lost = "<p>There is no page at this address. It may stand elsewhere in the present version.</p>\n<ul>\n"
    # The page is shown at any depth, so its links are whole addresses.
    for name, words in (("index", "The first page"), ("search", "Search"), ("versions", "All versions")):
        lost += f'<li><a href="{address}{first}/{name}.html">{words}</a></li>\n'
    title = "Attention, from Brains to Transformers"
    there = f'<p><a href="{first}/index.html">To the book</a></p>'
    entries = [{"folder": folder, "version": number} for folder, number in versions.items()]
    files = {
        "index.html": PAGE.format(title=title, head=lead, body=there).replace(
            '<meta name="robots" content="noindex" />\n', ""
        ),
        "404.html": PAGE.format(title="This page is not here", head="", body=lost + "</ul>"),
        LIST: json.dumps(entries, indent=1) + "\n",
        ".nojekyll": "",  # GitHub Pages would leave out every folder whose name begins with _
    }
    for name, text in files.items():
        (site / name).write_text(text, encoding="utf-8", newline="\n")
    for name in ("sitemap.xml", "robots.txt"):
        shutil.copyfile(site / first / name, site / name)


def main(arguments: list[str] | None = None) -> int:
    """Assemble; 1 and one sentence when the build is refused."""
    parser = argparse.ArgumentParser(description="Put a build into the published site.")
    parser.add_argument("site", type=Path, help="the site's folder, as it is published")
    parser.add_argument("--build", type=Path, default=ROOT / "book" / "_build" / "html")
    parser.add_argument("--ref", default="main", help="main, or the tag of the build")
    options = parser.parse_args(arguments)
    try:
        folder = folder_of(options.ref, version())
        versions = assemble(options.site, options.build, folder, version())
    except SiteError as error:
        print(f"assemble_site.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"{name}: {number}" for name, number in versions.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
