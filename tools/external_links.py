"""Ask every other site that the sources link whether the page is still there.

    python tools/external_links.py [--only TEXT]

A link is *gone* when its site says so (404, 410) or no longer exists; then the command ends with 1. A site
that turns machines away, is down tonight or asks for too much patience is *not known*: it is listed and
breaks nothing. One request at a time goes to a site, with a pause, and several sites are asked at once.
"""

import argparse
import re
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urldefrag, urlsplit
from urllib.request import Request, urlopen

from project import ROOT, repository

READ = ("*.md", "*.ipynb", "*.bib", "*.py", "*.toml", "*.cff", "*.html")
LEFT_OUT = ("tests/", "book/_build/", "exercises/")  # made-up addresses; what is built; what is generated
# Names and examples, which no reader follows.
NO_PAGE = ("localhost", "127.0.0.1", "example.org", "example.com", "example.edu", "www.w3.org")
_ADDRESS = re.compile(r"https?://[^\s\"'`<>{}|\\^]+")
GONE = {404, 410}
PATIENCE = {429, 503}
TRIES = 3
LONGEST_WAIT = 60.0  # seconds; a site that asks for more is asked again tomorrow
PAUSE = 1.0  # seconds between two requests to one site
AGENT = "Mozilla/5.0 (compatible; attnbook link check; +{})"

Opener = Callable[[Request, float], object]


@dataclass(frozen=True)
class Answer:
    """What became of one link: ``"there"``, ``"gone"`` or ``"not known"``, and why."""

    state: str
    reason: str = ""


def trimmed(address: str) -> str:
    """An address without what the sentence around it added.

    >>> trimmed("https://a.org/b_(c)).")
    'https://a.org/b_(c)'
    """
    opening = {")": "(", "]": "["}
    while address:
        last = address[-1]
        alone = last in opening and address.count(last) > address.count(opening[last])
        if not alone and last not in ".,;:!?*_":
            break
        address = address[:-1]
    return address


def links(texts: Iterable[tuple[str, str]], own: str) -> dict[str, list[str]]:
    """Where each address stands.

    Parameters
    ----------
    texts : iterable of (str, str)
        Names of files and what they hold.
    own : str
        The repository's address: what begins so, or opens it in Colab, is there once it is published.
    """
    name_of_own = urlsplit(own).path.strip("/")
    found: dict[str, set[str]] = defaultdict(set)
    for name, text in texts:
        # A notebook is JSON: a line's end stands in it as two signs.
        for match in _ADDRESS.finditer(text.replace("\\n", "\n").replace('\\"', '"')):
            address = urldefrag(trimmed(match[0]))[0]
            host = urlsplit(address).hostname or ""
            if "." in host and host not in NO_PAGE and name_of_own not in address:
                found[address].add(name)
    return {address: sorted(names) for address, names in sorted(found.items())}


def sources(root: Path = ROOT) -> Iterable[tuple[str, str]]:
    """The files of the repository that a reader's links come from."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *READ], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if not name.startswith(LEFT_OUT):
            yield name, (root / name).read_text(encoding="utf-8")


def wait_asked(headers: Message | None) -> float | None:
    """The seconds of ``Retry-After``; None where the site gives none, or a date."""
    value = (headers or {}).get("Retry-After", "")
    return float(value) if str(value).isdigit() else None


def ask(address: str, opener: Opener = urlopen, sleep: Callable[[float], None] = time.sleep) -> Answer:
    """Whether a page is there: a HEAD request, and a GET where the site does not take the first.

    Parameters
    ----------
    address : str
        The page.
    opener : callable
        As :func:`urllib.request.urlopen`, called with a request and a time-out.
    sleep : callable
        As :func:`time.sleep`.
    """
    method, reason, agent = "HEAD", "", AGENT.format(repository())
    for attempt in range(TRIES):
        wait = 2.0**attempt
        try:
            opener(Request(address, method=method, headers={"User-Agent": agent}), 20.0)
            return Answer("there")
        except HTTPError as error:
            reason = f"HTTP {error.code}"
            if method == "HEAD" and error.code not in PATIENCE:
                method = "GET"  # some sites answer a HEAD with an error of any kind
                continue
            if error.code in GONE:
                return Answer("gone", reason)
            if error.code not in PATIENCE and error.code < 500:
                return Answer("not known", f"{reason}: the site turns machines away")
            wait = wait_asked(error.headers) or wait
            if wait > LONGEST_WAIT:
                return Answer("not known", f"{reason}: asks to wait {wait:.0f} s")
        except URLError as error:
            reason = str(error.reason)
            unknown = isinstance(error.reason, socket.gaierror) and error.reason.errno == socket.EAI_NONAME
            if unknown and attempt == TRIES - 1:
                return Answer("gone", f"there is no such site ({reason})")
        except (OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
        if attempt < TRIES - 1:
            sleep(wait)
    return Answer("not known", reason)


def check(
    addresses: Iterable[str], opener: Opener = urlopen, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Answer]:
    """Ask for all of them, one at a time of each site."""
    sites: dict[str, list[str]] = defaultdict(list)
    for address in addresses:
        sites[urlsplit(address).netloc].append(address)

    def visit(of_one_site: list[str]) -> dict[str, Answer]:
        answers = {}
        for place, address in enumerate(of_one_site):
            if place:
                sleep(PAUSE)
            answers[address] = ask(address, opener, sleep)
        return answers

    found: dict[str, Answer] = {}
    with ThreadPoolExecutor(max_workers=8) as pool:
        for answers in pool.map(visit, sites.values()):
            found.update(answers)
    return found


def report(answers: dict[str, Answer], places: dict[str, list[str]]) -> str:
    """What was found, the broken links first, each with the files that hold it."""
    lines = []
    for state in ("gone", "not known"):
        chosen = {address: answer for address, answer in sorted(answers.items()) if answer.state == state}
        if chosen:
            lines.append(f"{state}:")
        for address, answer in chosen.items():
            lines.append(f"  {address} ({answer.reason}) in {', '.join(places[address])}")
    there = sum(answer.state == "there" for answer in answers.values())
    return "\n".join([*lines, f"{there} of {len(answers)} links are there"])


def main(arguments: list[str] | None = None) -> int:
    """Check every link; 1 when one is gone."""
    parser = argparse.ArgumentParser(description="Check the links to other sites.")
    parser.add_argument("--only", metavar="TEXT", default="", help="only addresses that contain this")
    chosen = parser.parse_args(arguments)
    places = {
        address: names for address, names in links(sources(), repository()).items() if chosen.only in address
    }
    answers = check(places)
    print(report(answers, places))
    return int(any(answer.state == "gone" for answer in answers.values()))


if __name__ == "__main__":
    sys.exit(main())
