"""Every page of this very book: no other origin, no error, no accessibility violation, every widget alive."""

import pytest
import yaml

from support import ROOT

pytestmark = pytest.mark.browser


def listed(entry: dict) -> list[str]:
    """A page of the table of contents and those under it."""
    under = (child for key in ("parts", "chapters", "sections") for child in entry.get(key, ()))
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [name for child in under for name in listed(child)]


def pages() -> list[str]:
    """What the table of contents lists, in its order."""
    return listed(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))


def settle(page) -> None:
    """Until every widget of the page is drawn or has said why not."""
    page.wait_for_function(
        "[...document.querySelectorAll('.attnbook-widget')].every((place) => place.dataset.state)",
        timeout=60_000,
    )


@pytest.mark.parametrize("name", pages())
@pytest.mark.parametrize("way", ["http", "file"])
def test_page_is_whole(visit, book_html, book_served, name, way):
    origin = book_served if way == "http" else book_html.as_uri()
    with visit(f"{origin}/{name}.html") as page:
        settle(page)
        failures = page.locator(".attnbook-failure").all_inner_texts()
        assert failures == []
        texts = page.evaluate("[...document.querySelectorAll('main img')].map((image) => image.alt.trim())")
        assert all(texts)
        assert page.locator("a.launch-button").count() == int((ROOT / f"{name}.ipynb").is_file())


@pytest.mark.parametrize("name", pages())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_no_accessibility_violation(visit, book_served, violations, name, scheme):
    with visit(f"{book_served}/{name}.html", color_scheme=scheme, reduced_motion="reduce") as page:
        settle(page)
        assert violations(page) == []


@pytest.mark.parametrize("name", pages())
def test_page_fits_a_narrow_screen(visit, book_served, violations, name):
    with visit(f"{book_served}/{name}.html", viewport={"width": 320, "height": 700}) as page:
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert violations(page) == []
