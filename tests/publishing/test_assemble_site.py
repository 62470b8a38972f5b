"""The site of several versions: nothing of an old one is lost, and each page says where the newest is."""

import json
import re

import pytest

import assemble_site
from assemble_site import SiteError, assemble, folder_of

HOME = "https://attnbook.github.io/attnbook/"
PAGE = """<html><head><link rel="canonical" href="{home}latest/{name}" />
<meta property="og:image" content="{home}latest/_static/card.png" /></head>
<body><p class="version-note" id="version-note" hidden></p><p>{words}</p>{more}</body></html>"""
VERSIONS = '<ul class="versions" id="versions"><li>these pages</li></ul>'


def build(folder, words, *pages):
    """A tiny build with what this tool reads of a real one."""
    for name in ("index.html", "versions.html", "book/intro.html", "_static/card.png", *pages):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        more = VERSIONS if name == "versions.html" else ""
        path.write_text(PAGE.format(home=HOME, name=name, words=words, more=more), encoding="utf-8")
    (folder / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {HOME}sitemap.xml\n")
    (folder / "sitemap.xml").write_text(f"<loc>{HOME}latest/book/intro.html</loc>")
    return folder


@pytest.fixture
def site(tmp_path):
    """A release, a later one that dropped a page, and the latest pages."""
    site = tmp_path / "site"
    assemble(
        site, build(tmp_path / "a", "old words", "chapters/old.html", "chapters/kept.html"), "0.9", "0.9.0"
    )
    new = build(tmp_path / "b", "new words", "chapters/kept.html")
    assemble(site, new, "0.10", "0.10.0")
    assemble(site, new, "latest", "0.10.0")
    return site


def read(site, name):
    return (site / name).read_text(encoding="utf-8")


def note(site, name):
    return re.findall(r'<p class="version-note"[^>]*>(.*?)</p>', read(site, name))


def test_each_version_keeps_its_pages_and_only_an_old_one_says_so(site):
    assert "old words" in read(site, "0.9/chapters/kept.html")
    assert note(site, "0.10/chapters/kept.html") == note(site, "latest/book/intro.html") == [""]
    (said,) = note(site, "0.9/chapters/kept.html")
    assert said.startswith("This is version 0.9.0; the newest is 0.10.0.")  # by number, not by letter
    assert 'href="../../0.10/chapters/kept.html"' in said
    assert 'href="../../0.10/index.html"' in note(site, "0.9/chapters/old.html")[0]  # it is gone
    assert 'href="../0.10/versions.html"' in note(site, "0.9/versions.html")[0]


def test_every_version_lists_all_of_them(site):
    expected = {"latest": "0.10.0", "0.10": "0.10.0", "0.9": "0.9.0"}
    listed = {entry["folder"]: entry["version"] for entry in json.loads(read(site, "versions.json"))}
    assert list(listed.items()) == list(expected.items())
    for folder in expected:
        links = re.findall(
            r'<a href="\.\./([\d.]+|latest)/index\.html">', read(site, f"{folder}/versions.html")
        )
        assert links == list(expected)
    assert "0.9.0</a>: these pages" in read(site, "0.9/versions.html")
    assert "0.10.0</a>: the newest release</li>" in read(site, "0.9/versions.html")


def test_a_page_has_one_true_place_the_latest_that_has_it(site):
    assert f'href="{HOME}latest/chapters/kept.html"' in read(site, "0.9/chapters/kept.html")
    assert f'href="{HOME}0.9/chapters/old.html"' in read(site, "0.9/chapters/old.html")
    assert f'content="{HOME}latest/_static/card.png"' in read(site, "0.9/chapters/old.html")


def test_a_page_that_comes_back_has_its_place_in_the_latest_again(site, tmp_path):
    assemble(site, build(tmp_path / "c", "newest words", "chapters/old.html"), "latest", "0.10.0")
    assert f'href="{HOME}latest/chapters/old.html"' in read(site, "0.9/chapters/old.html")
    assert not (site / "latest" / "chapters" / "kept.html").exists()
    assert f'href="{HOME}0.10/chapters/kept.html"' in read(site, "0.10/chapters/kept.html")


def test_what_is_taken_along_is_that_of_the_same_version(tmp_path):
    site, made = tmp_path / "site", build(tmp_path / "a", f'<a href="{HOME}latest/take/book.pdf">PDF</a>')
    for folder in ("0.9", "latest"):
        (made / "take").mkdir(exist_ok=True)
        assemble(site, made, folder, "0.9.0")
        assert f'href="{HOME}{folder}/take/book.pdf"' in read(site, f"{folder}/book/intro.html")
    before = read(site, "0.9/book/intro.html")
    assemble(site, made, "latest", "0.9.0")
    assert read(site, "0.9/book/intro.html") == before


def test_the_root_leads_to_the_latest_and_catches_what_is_lost(site):
    assert '<meta http-equiv="refresh" content="0; url=latest/index.html" />' in read(site, "index.html")
    lost = read(site, "404.html")
    assert re.findall(r'href="([^"]*)"', lost) == [
        f"{HOME}latest/{p}.html" for p in ("index", "search", "versions")
    ]
    assert "src=" not in lost, "the page is shown at any depth: it loads nothing"
    assert "latest/book/intro.html" in read(site, "sitemap.xml")
    assert (site / ".nojekyll").is_file()


def test_the_same_build_again_changes_no_byte(site, tmp_path):
    tree = lambda: {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}  # noqa: E731
    before = tree()
    assemble(site, tmp_path / "b", "latest", "0.10.0")
    assert tree() == before


def test_a_repair_takes_its_releases_place_and_an_older_one_does_not(site, tmp_path):
    mended = build(tmp_path / "d", "mended words")
    assemble(site, mended, "0.9", "0.9.1")
    assert "mended words" in read(site, "0.9/book/intro.html")
    with pytest.raises(SiteError, match=r"0\.9/ holds 0\.9\.1, which is newer than 0\.9\.0"):
        assemble(site, tmp_path / "a", "0.9", "0.9.0")
    assert "mended words" in read(site, "0.9/book/intro.html")


def test_what_is_no_build_or_no_site_is_refused_and_nothing_changes(site, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SiteError, match="is no build of the book; run make book first"):
        assemble(site, tmp_path / "empty", "latest", "0.10.0")
    bare = build(tmp_path / "bare", "words")
    (bare / "_static" / "card.png").unlink()
    with pytest.raises(SiteError, match=r"names _static/card\.png, which is not there; run make cards"):
        assemble(site, bare, "latest", "0.10.0")
    assert "new words" in read(site, "latest/book/intro.html")
    (site / "versions.json").write_text("[{}]")
    with pytest.raises(SiteError, match=r"versions\.json cannot be read"):
        assemble(site, tmp_path / "b", "latest", "0.10.0")
    (site / "versions.json").write_text('[{"folder": "0.8", "version": "0.8.0"}]')
    with pytest.raises(SiteError, match="names a version or a folder that is not there"):
        assemble(site, tmp_path / "b", "latest", "0.10.0")


def test_a_ref_that_is_not_this_version_is_refused(tmp_path, capsys):
    assert folder_of("main", "0.2.0") == "latest"
    assert folder_of("v0.2.3", "0.2.3") == "0.2"
    assert assemble_site.main([str(tmp_path), "--ref", "v9.9.9"]) == 1
    assert "expected main or v" in capsys.readouterr().err
