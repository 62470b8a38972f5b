"""Real corpora: a pinned address, a checksum, a cache and a bar for each; or a folder that holds them.

Nothing is downloaded unless a reader asks. ``ATTNBOOK_DATA`` names a folder with the files already in
it, at the paths of :data:`CORPORA`; then no network is needed.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pooch

CACHE = Path(os.environ.get("ATTNBOOK_CACHE") or pooch.os_cache("attnbook"))


@dataclass(frozen=True)
class RemoteFile:
    """One file of a corpus: where it lies in a data folder, its pinned address and its SHA-256.

    An address of None says that no public copy is pinned: the file has to be put in place by hand.
    """

    path: str
    url: str | None
    sha256: str
    also: tuple[str, ...] = ()  # checksums of other copies that hold the same text


@dataclass(frozen=True)
class Corpus:
    """A corpus: its files, what it is, and whom to cite."""

    name: str
    about: str
    licence: str
    files: tuple[RemoteFile, ...]


def _github(repository: str, commit: str, path: str) -> str:
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{quote(path)}"


_UCI = ("Shubhammawa/Sentiment-analysis-cnn", "9333507ab628e7b7664fddc4c5e8ab8bcebc5786")

CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "tatoeba",
            "142,787 English-French sentence pairs, version of 2017-09-29",
            "CC BY 2.0 FR; tatoeba.org, collected by manythings.org/anki",
            (
                RemoteFile(
                    "tatoeba_fra_eng/fra-eng_2017-09-29.zip",
                    _github("genimind/seq2seq", "4f3f8eb0adde54fcc8b89394336b002e7961244c", "fra-eng.zip"),
                    "16c4f7d0df9e7c5e6c54cdb0447f3f4a18a55052ff5e2e0b27dd4a06c0e49d04",
                ),
            ),
        ),
        Corpus(
            "uci_sentiment",
            "3 x 1,000 labelled sentences from Amazon, IMDb and Yelp",
            "cite Kotzias et al., KDD 2015 (UCI Sentiment Labelled Sentences)",
            (
                RemoteFile(
                    "uci_sentiment/amazon_cells_labelled.txt",
                    _github(*_UCI, "sentiment labelled sentences/amazon_cells_labelled.txt"),
                    "47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3",
                ),
                RemoteFile(
                    "uci_sentiment/imdb_labelled.txt",
                    _github(*_UCI, "sentiment labelled sentences/imdb_labelled.txt"),
                    "a5851cfed830b68d4b18fa11f7e9fa85debee7566be0933c9a679ce747c86d67",
                    # A copy that places the quotation marks of three sentences otherwise.
                    also=("aef2e49e3da25714d61175e3a6e68eeef74a20a2f914318dc3be9947ea86512d",),
                ),
                RemoteFile(
                    "uci_sentiment/yelp_labelled.txt",
                    _github(*_UCI, "sentiment labelled sentences/yelp_labelled.txt"),
                    "c76468b7b5c6e56a0804d728345c5f84aa2142ddb214420f61cc9cfd4c00d2ea",
                ),
            ),
        ),
        Corpus(
            "hansards",
            "gold word alignments of 37 + 223 English-French sentence pairs (NAACL 2003 shared task)",
            "cite Och & Ney 2003; Mihalcea & Pedersen 2003",
            (
                RemoteFile(
                    "hansards_align/dev.en",
                    None,
                    "56a871f16eafc2b44f9ba5942a636e2949baf288f228561f1889d821c04398d0",
                ),
                RemoteFile(
                    "hansards_align/dev.fr",
                    None,
                    "fb337c8e86297a538ebe533f9d283dc6e186961ab9ca032257bc1c1769f71b6e",
                ),
                RemoteFile(
                    "hansards_align/dev.wa",
                    None,
                    "1c04fe099aa83c1ef0fd1044547e34684618f2362e20da8dca3d94cb3b096f74",
                ),
                RemoteFile(
                    "hansards_align/test.en",
                    None,
                    "973e874eef4a59ff4f3f0a5212022b87f439d8833db2f2bd30fbf3257184ef79",
                ),
                RemoteFile(
                    "hansards_align/test.fr",
                    None,
                    "6194c526600ec1b6899f5a85872d2ce71c74cfb48168f86284df31649fb0e17c",
                ),
                RemoteFile(
                    "hansards_align/test.wa",
                    None,
                    "0238b5c8c14e3866ba7d274ce4848fd427ce5e0f5318b665f03556d3b33d3aec",
                ),
            ),
        ),
        Corpus(
            "tinyshakespeare",
            "1,115,394 characters of Shakespeare",
            "public domain",
            (
                RemoteFile(
                    "tinyshakespeare/input.txt",
                    _github(
                        "karpathy/char-rnn",
                        "d1d7aa34fdb3626174bce1d753e6cc6845ce7087",
                        "data/tinyshakespeare/input.txt",
                    ),
                    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                ),
            ),
        ),
    )
}


def corpus(name: str) -> Corpus:
    """The corpus of that name.

    Raises
    ------
    ValueError
        If there is none; the sentence lists the names.
    """
    if name not in CORPORA:
        raise ValueError(f"name: no corpus {name!r}; choose one of {', '.join(sorted(CORPORA))}")
    return CORPORA[name]


def _check(path: Path, file: RemoteFile) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest not in (file.sha256, *file.also):
        raise ValueError(
            f"{path}: its SHA-256 is {digest[:12]}…, expected {file.sha256[:12]}…; "
            "the file is damaged or another version: delete it and fetch again"
        )


def fetch(name: str) -> Path:
    """Bring a corpus to this machine, or find it there.

    Parameters
    ----------
    name : str
        A key of :data:`CORPORA`, such as ``"tatoeba"``.

    Returns
    -------
    pathlib.Path
        The corpus's one file, or the folder that holds its files.

    Raises
    ------
    ValueError
        If the name is unknown, or a file's checksum differs.
    FileNotFoundError
        If a file can neither be found nor downloaded: one line that names it and the folder to put it in.
    """
    wanted = corpus(name)
    paths = [_local(file) or _download(file) for file in wanted.files]
    return paths[0] if len(paths) == 1 else paths[0].parent


def _local(file: RemoteFile) -> Path | None:
    folder = os.environ.get("ATTNBOOK_DATA")
    if not folder:
        return None
    path = Path(folder) / file.path
    if not path.exists():
        return None
    _check(path, file)
    return path


def _download(file: RemoteFile) -> Path:
    target = CACHE / file.path
    if target.exists():
        _check(target, file)
        return target
    where = f"put it at {target}, or name a folder that holds {file.path} in ATTNBOOK_DATA"
    if file.url is None:
        raise FileNotFoundError(f"{file.path}: not here, and no public address of it is known; {where}")
    try:
        found = pooch.retrieve(
            url=file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            progressbar=os.environ.get("TQDM_DISABLE") != "1",
        )
    except ValueError as error:  # pooch's own words for a checksum that differs
        raise ValueError(f"{file.path}: what {file.url} sent has another checksum ({error})") from None
    except Exception as error:
        raise FileNotFoundError(
            f"{file.path}: not here, and it could not be downloaded ({type(error).__name__}); {where}"
        ) from None
    return Path(found)
