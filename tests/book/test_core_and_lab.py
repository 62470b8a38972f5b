"""A chapter's core and its lab in a browser: folds, captions, the first picture, the way between both."""

import pytest
from test_pages import no_sideways_scroll

pytestmark = pytest.mark.browser

CORE = "/chapters/09_sample_core.html"
LAB = "/chapters/09_lab_sample.html"


def test_a_fold_says_what_is_in_it(visit, served):
    with visit(served + CORE) as page:
        assert page.locator("details.fold > summary").all_inner_texts() == [
            "Set-up: imports, seed, device",
            "Drawing: the picture above",
            "Check: the weights add up to one",
            "Drawing: figure 9.2",
            "Drawing: bars, one a word",
        ]


def test_folded_code_is_hidden_and_what_it_drew_is_not(visit, served):
    with visit(served + CORE) as page:
        assert page.get_by_text("weights = torch.softmax").is_visible()
        assert page.get_by_text("0.20 0.70 0.10").is_visible()
        for folded in ("import torch", "attnbook 0.1.0 on cpu", "assert weights.sum()", "plots.show(bars"):
            assert not page.get_by_text(folded).is_visible(), folded
        assert all(image.is_visible() for image in page.locator("main img").all())
        assert page.locator("main img").count() == 3


def test_one_button_opens_all_folds_and_closes_them(visit, origin):
    with visit(origin + CORE) as page:
        button, closed = page.locator("#folds-toggle"), page.locator("details.fold:not([open])")
        page.locator("details.fold > summary").first.click()
        assert closed.count() == 4
        button.click()
        assert closed.count() == 0
        assert button.get_attribute("aria-pressed") == "true"
        button.click()
        assert closed.count() == 5


def test_a_page_without_folds_has_no_such_button(visit, served):
    with visit(served + "/book/glossary.html") as page:
        assert not page.locator("#folds-toggle").is_visible()


def test_folds_open_by_keyboard_and_without_scripts(visit, served):
    with visit(served + CORE, java_script_enabled=False) as page:
        page.locator("details.fold > summary").first.focus()
        page.keyboard.press("Enter")
        assert page.get_by_text("import torch").is_visible()


def test_what_is_folded_is_not_printed_and_what_was_opened_is(visit, served):
    with visit(served + CORE) as page:
        page.locator("summary", has_text="Check").click()
        page.emulate_media(media="print")
        assert page.locator("summary:visible").count() == 0
        assert page.get_by_text("assert weights.sum()").is_visible()
        assert not page.get_by_text("import torch").is_visible()
        assert page.locator("main img").first.is_visible()


def test_figures_have_numbered_captions_under_an_anchor(visit, served):
    with visit(served + CORE) as page:
        caption = page.locator("figure#figure-9-1 figcaption")
        assert caption.inner_text().startswith("Figure 9.1. One row of weights,")
        assert caption.locator("math").count() == 1
        picture = page.locator("figure#figure-9-1 img")
        assert picture.get_attribute("alt") == "A line with one peak."
        assert picture.bounding_box()["y"] < caption.bounding_box()["y"]


def test_the_text_leads_to_a_figure(visit, origin):
    with visit(origin + CORE, viewport={"width": 1366, "height": 500}) as page:
        page.get_by_role("link", name="Figure 9.2").click()
        assert page.url.endswith("#figure-9-2")
        assert 0 <= page.locator("#figure-9-2").bounding_box()["y"] < 500


def test_the_picture_stands_between_the_question_and_the_aims(visit, served):
    with visit(served + CORE) as page:
        order = [
            "How does a word choose",
            "Figure 9.1.",
            "After this chapter you can",
            "minutes to read",
            "Set-up",
        ]
        tops = [page.locator("main").get_by_text(words).first.bounding_box()["y"] for words in order]
        assert tops == sorted(tops)


def test_pictures_have_their_size_before_they_load_and_wait_until_they_are_near(visit, served):
    with visit(served + CORE) as page:
        sizes = page.locator("main img").evaluate_all(
            "all => all.map((i) => [i.getAttribute('width'), i.loading])"
        )
        assert [loading == "lazy" for _, loading in sizes] == [False, True, True]
        assert all(float(width) > 300 for width, _ in sizes)
        page.locator("main img").last.scroll_into_view_if_needed()
        page.wait_for_function("[...document.querySelectorAll('main img')].every((i) => i.naturalWidth > 0)")
        # Two pixels a dot where the picture is made of pixels.
        photograph = page.locator("figure#figure-9-2 img")
        natural, drawn = photograph.evaluate("(i) => [i.naturalWidth, i.width]")
        assert natural >= 2 * drawn - 1


def test_a_picture_keeps_its_shape_on_a_narrow_screen(visit, served):
    with visit(served + CORE, viewport={"width": 360, "height": 740}) as page:
        box = page.locator("figure#figure-9-1 img").bounding_box()
        assert box["width"] <= 328
        assert 2 < box["width"] / box["height"] < 4
        assert no_sideways_scroll(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [CORE, LAB])
def test_core_and_lab_have_no_accessibility_violation(visit, served, violations, name, scheme):
    with visit(served + name, color_scheme=scheme) as page:
        page.locator("#folds-toggle").click()
        assert violations(page) == []


def test_a_lab_stands_under_its_core_in_the_contents(visit, served):
    with visit(served + "/book/glossary.html") as page:
        core = page.locator("#book-contents li", has=page.get_by_role("link", name="9 · A sample core")).last
        assert core.get_by_role("link", name="9 lab · A sample lab").is_visible()


def test_core_and_lab_lead_to_each_other(visit, origin):
    with visit(origin + CORE) as page:
        page.locator("nav.book-labs").get_by_role("link", name="9 lab · A sample lab").click()
        page.wait_for_url(f"**{LAB}")
        assert page.locator("a[rel=prev]").inner_text().endswith("9 · A sample core")
        colab = page.locator("a.launch-button").get_attribute("href")
        assert colab.endswith("/blob/main/chapters/09_lab_sample.ipynb")
        assert page.locator("p.book-core").count() == 2
        page.locator("p.book-core").last.get_by_role("link").click()
        page.wait_for_url(f"**{CORE}")
        assert page.locator("a[rel=next]").inner_text().endswith("9 lab · A sample lab")
        assert page.locator("p.book-core").count() == 0
