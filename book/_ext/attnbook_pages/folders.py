"""Pages that list a folder: read again when a file in it comes or goes.

Sphinx takes a dependency that is a folder for a missing file, and would read such a page in every build.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def listing(folder: Path) -> list[str]:
    """The names of the JSON files in a folder."""
    return sorted(path.name for path in folder.glob("*.json"))


def note(env: BuildEnvironment, folder: Path) -> None:
    """Remember what the folder held when the present page was read."""
    known(env).setdefault(env.docname, {})[str(folder)] = listing(folder)


def known(env: BuildEnvironment) -> dict[str, dict[str, list[str]]]:
    """For each page that lists folders what they held."""
    if not hasattr(env, "attnbook_folders"):
        env.attnbook_folders = {}
    return env.attnbook_folders


def outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> list[str]:
    """The pages whose folders hold other files now."""
    return [
        page
        for page, folders in known(env).items()
        if page not in removed and any(listing(Path(folder)) != names for folder, names in folders.items())
    ]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """A page that is read again notes its folders again."""
    known(env).pop(docname, None)


def setup(app: Sphinx) -> None:
    """Ask before each build, and forget what is read anew."""
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", forget)
