"""Where things lie: the repository, the npm packages, the bundles of the widgets."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BOOK = ROOT / "book"
HERE = Path(__file__).resolve().parent
TEMPLATES = HERE / "templates"
ASSETS = HERE / "assets"
NODE_MODULES = BOOK / "node_modules"
WIDGET_SCRIPTS = ROOT / "src" / "attnbook" / "widgets" / "static" / "book"
MODELS = ROOT / "src" / "attnbook" / "models"
RESULTS = ROOT / "src" / "attnbook" / "results"

# Every file of ours and of third parties that a page loads lies in one folder of the built book.
STATIC = Path("_static") / "attnbook"
# The decks of slides lie in another one; they load nothing, and no page's style is theirs.
SLIDES = "slides"
