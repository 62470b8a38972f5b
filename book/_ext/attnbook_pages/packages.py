"""Files that the pages take from npm packages and Python packages, with a clear word when one is missing."""

from importlib.util import find_spec
from pathlib import Path

from .errors import PageError
from .paths import BOOK, NODE_MODULES


def npm_file(name: str) -> Path:
    """A file inside ``book/node_modules``, such as ``temml/dist/temml.cjs``."""
    path = NODE_MODULES / name
    if not path.is_file():
        where = path.relative_to(BOOK.parent)
        raise PageError(
            f"{where} is missing; run `python book/build.py`, which installs it from book/package-lock.json."
        )
    return path


def python_file(package: str, name: str) -> Path:
    """A data file inside an installed Python package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PageError(
            f"The Python package {package} is missing; run `pip install 'attnbook[book]'` or `make book`."
        )
    path = Path(next(iter(spec.submodule_search_locations))) / name
    if not path.is_file():
        raise PageError(f"{package} has no file {name}; install the version that requirements.txt pins.")
    return path
