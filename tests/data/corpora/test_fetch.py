"""Corpora by name: found, checked, and one line that helps when they are not there."""

import dataclasses
import hashlib

import pytest

from attnbook.data import CORPORA
from attnbook.data.corpora import fetch
from attnbook.data.corpora import fetch as fetch_function

module = __import__("attnbook.data.corpora.fetch", fromlist=["fetch"])


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A corpus of one file, whose address leads nowhere, with an empty cache."""
    text = b"bonjour\n"
    file = module.RemoteFile("small/a.txt", "http://127.0.0.1:9/a.txt", hashlib.sha256(text).hexdigest())
    monkeypatch.setitem(CORPORA, "small", module.Corpus("small", "one word", "ours", (file,)))
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("ATTNBOOK_DATA", raising=False)
    return file, text


def put(folder, file, content):
    path = folder / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_folder_that_holds_the_file_is_used(small, tmp_path, monkeypatch):
    file, text = small
    path = put(tmp_path / "held", file, text)
    monkeypatch.setenv("ATTNBOOK_DATA", str(tmp_path / "held"))
    assert fetch("small") == path


def test_the_cache_is_used(small):
    file, text = small
    path = put(module.CACHE, file, text)
    assert fetch("small") == path


@pytest.mark.parametrize("where", ["folder", "cache"])
def test_a_damaged_file_is_refused(small, tmp_path, monkeypatch, where):
    file, _ = small
    folder = tmp_path / "held" if where == "folder" else module.CACHE
    put(folder, file, b"bonsoir\n")
    if where == "folder":
        monkeypatch.setenv("ATTNBOOK_DATA", str(folder))
    with pytest.raises(ValueError, match=r"a\.txt: its SHA-256 is .* delete it and fetch again"):
        fetch("small")


def test_offline_one_line_names_file_and_folder(small):
    with pytest.raises(FileNotFoundError) as caught:
        fetch("small")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "small/a.txt" in sentence
    assert str(module.CACHE / "small" / "a.txt") in sentence
    assert "ATTNBOOK_DATA" in sentence
    assert not list(module.CACHE.rglob("*.txt")), "something half-written was left"


def test_a_corpus_without_an_address_says_so(small, monkeypatch):
    file, _ = small
    unknown = dataclasses.replace(file, url=None)
    monkeypatch.setitem(CORPORA, "small", dataclasses.replace(CORPORA["small"], files=(unknown,)))
    with pytest.raises(FileNotFoundError, match="no public address of it is known; put it at"):
        fetch("small")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="choose one of hansards, .*tatoeba"):
        fetch_function("nothing")


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(CORPORA))
def test_real_files_match_their_checksums(corpora, name):
    assert fetch(name).exists()
