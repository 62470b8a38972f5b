"""The zip for reading offline: whole, of one date, the same bytes for the same book."""

import io
import sys
import zipfile

import pytest

from support import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import offline


@pytest.fixture
def parts(tmp_path):
    """A small book: pages, notebooks, and a wheel."""
    html, root = tmp_path / "html", tmp_path / "root"
    for path, text in (
        (html / "index.html", "<p>first</p>"),
        (html / "chapters" / "01.html", "<p>one</p>"),
        (root / "chapters" / "01.ipynb", "{}"),
        (root / "exercises" / "01.ipynb", "{}"),
        (root / "chapters" / "notes.txt", "not this"),
        (tmp_path / "attnbook-9.9-py3-none-any.whl", "wheel"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return html, tmp_path / "attnbook-9.9-py3-none-any.whl", root


def test_the_zip_holds_pages_notebooks_wheel_and_how_to_start(parts, tmp_path):
    target = tmp_path / "dist" / "book.zip"
    offline.write_zip(target, "attnbook-9.9-offline", offline.contents(*parts), 1767225600)
    with zipfile.ZipFile(target) as archive:
        names = [name.removeprefix("attnbook-9.9-offline/") for name in archive.namelist()]
        assert names == [
            "README.txt",
            "attnbook-9.9-py3-none-any.whl",
            "book/chapters/01.html",
            "book/index.html",
            "notebooks/chapters/01.ipynb",
            "notebooks/exercises/01.ipynb",
        ]
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 1, 1, 0, 0, 0)}
        readme = archive.read("attnbook-9.9-offline/README.txt").decode()
    assert "Open book/index.html" in readme
    assert "./attnbook-9.9-py3-none-any.whl[experiments]" in readme
    assert "jupyter lab notebooks" in readme


def test_the_same_book_gives_the_same_bytes(parts, tmp_path):
    written = []
    for name in ("one.zip", "two.zip"):
        offline.write_zip(tmp_path / name, "top", offline.contents(*parts), 0)
        written.append((tmp_path / name).read_bytes())
        (parts[0] / "index.html").touch()
    assert written[0] == written[1]
    with zipfile.ZipFile(io.BytesIO(written[0])) as archive:
        assert archive.infolist()[0].date_time[0] == 1980, "a zip knows no earlier date"


def test_the_command_says_what_is_missing(parts, tmp_path, capsys):
    html, wheel, _ = parts
    with pytest.raises(SystemExit, match="is missing; run: make book"):
        offline.main(["--html", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="leave the option out"):
        offline.main(["--html", str(html), "--wheel", str(tmp_path / "no.whl")])
    target = tmp_path / "book.zip"
    assert offline.main(["--html", str(html), "--wheel", str(wheel), "--zip", str(target)]) == 0
    assert "MB" in capsys.readouterr().out
    assert zipfile.is_zipfile(target)
