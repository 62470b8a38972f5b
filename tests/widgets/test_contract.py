"""What every widget of the book keeps to: one declaration for both sides, keyboard, axe, small screens.

A new widget needs an entry in ``widget_examples.EXAMPLES``; what only it does is tested in a file of its own.
"""

import copy
import json
import random
import subprocess
import sys

import pytest
from traitlets import TraitError
from widget_driver import (
    faults,
    link,
    open_all,
    press,
    settled,
    small_controls,
    spilled,
    state_of,
    tab_stops,
    violations,
)
from widget_examples import EXAMPLES, GUESSES

from attnbook import widgets
from attnbook.widgets.base import Mirror, PredictFirst

each_widget = pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)
each_name = pytest.mark.parametrize("name", EXAMPLES)
asks_first = [name for name, make in EXAMPLES.items() if isinstance(make(), PredictFirst)]


def test_every_widget_has_an_example_and_a_guess():
    assert set(GUESSES) == set(asks_first)
    assert {type(make()).__name__ for make in EXAMPLES.values()} == set(widgets.__all__)


def test_importing_them_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import attnbook.widgets"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- One declaration, checked on both sides ---------------------------------------------------------------

WRONG = [None, True, -1, 0.5, 10**12, "nonsense", "", [], {}]
WRONG += [[None], [-1], [[]], [[0, 0], [1]], [["a"]], [True]]


def corrupted(state, declaration, seed=0):
    """(name, state) pairs with one part replaced, or one number inside it."""
    draw = random.Random(seed)
    for name in declaration:
        for value in WRONG:
            yield name, {**state, name: value}
        for _ in range(6):
            changed = copy.deepcopy(state)
            if spoil(changed, name, draw):
                yield name, changed


def spoil(owner, key, draw) -> bool:
    """Replace one leaf somewhere in ``owner[key]``; False if there is none."""
    while isinstance(owner[key], list | dict) and owner[key]:
        owner = owner[key]
        key = draw.randrange(len(owner)) if isinstance(owner, list) else draw.choice(sorted(owner))
    if isinstance(owner[key], list | dict):
        return False
    owner[key] = draw.choice([None, "nonsense", -7, 10**12, [0], 2.5, {}])
    return True


def is_taken(w, state) -> bool:
    """Whether the kernel takes this state; ``w`` is left as it was."""
    before = copy.deepcopy(w.state)
    try:
        w.state = state
    except TraitError:
        assert w.state == before
        return False
    w.state = before
    return True


@each_name
def test_page_and_kernel_refuse_the_same_states(node, tmp_path, name):
    w = EXAMPLES[name]()
    parts = w._declared.parts
    assert set(w.declaration) == set(parts) == set(w.state) - {"version"}
    starts = [w.state]
    if name in GUESSES:
        w.prediction = GUESSES[name]
        starts.append(w.state)
    cases = []
    for part, state in (one for start in starts for one in corrupted(start, parts)):
        # What the kernel fills in the page never sends; the score the kernel works out by itself.
        if part != "score" and not (parts[part].default and state[part] is None):
            cases.append((part, json.loads(json.dumps(state))))
    said = faults(node, tmp_path, w, [*starts, *(state for _, state in cases)])
    assert said[: len(starts)] == [""] * len(starts)
    taken = [is_taken(w, state) for _, state in cases]
    for (part, state), by_kernel, fault in zip(cases, taken, said[len(starts) :], strict=True):
        assert by_kernel == (fault == ""), (part, state[part], fault)
    assert taken.count(False) > 5 * len(parts), "the corruptions have to corrupt"


@each_widget
def test_a_bad_assignment_raises_and_changes_nothing(make):
    w = make()
    before = (copy.deepcopy(w.state), w.summary, w.challenge, w.theme)
    for name, trait in w.traits().items():
        if isinstance(trait, Mirror):
            with pytest.raises(TraitError, match="expected"):
                setattr(w, name, object())
    for name, value in (("state", {}), ("state", {"version": 99}), ("theme", "blue"), ("declaration", {})):
        with pytest.raises(TraitError):
            setattr(w, name, value)
    with pytest.raises(TraitError, match="expected a trait"):
        w.assign(nothing=1)
    assert (w.state, w.summary, w.challenge, w.theme) == before


@pytest.mark.parametrize("name", asks_first)
def test_numbers_are_worked_out_once_a_state(monkeypatch, name):
    cls = getattr(widgets, name.split()[0])
    compute, states = cls._compute, []

    def counted(self, state):
        states.append(state)
        return compute(self, state)

    monkeypatch.setattr(cls, "_compute", counted)
    w = EXAMPLES[name](predict=False)
    before = len(states)
    w._repr_mimebundle_()
    assert len(states) == before, "mirrors, sentence and figure share what was worked out"
    assert states or name.startswith("AlignmentExplorer"), "whose numbers a model made"
    assert not any(a is b for i, a in enumerate(states) for b in states[:i])


# --- At rest: repositories, printed pages, exported notebooks ----------------------------------------------


@each_widget
def test_at_rest_there_are_a_sentence_and_a_figure(make):
    data, metadata = make()._repr_mimebundle_()
    assert data["text/plain"] == repr(make())
    assert {"image/png", "text/html"} & set(data)
    if "image/png" in data:
        assert metadata["image/png"]["alt"] in data["text/plain"]


@pytest.mark.parametrize("name", asks_first)
def test_at_rest_an_outcome_waits_for_the_prediction(name):
    hidden, shown = EXAMPLES[name](), EXAMPLES[name](predict=False)
    assert not hidden.revealed
    assert repr(hidden) == f"{type(hidden).__name__}: {hidden.summary}"
    assert repr(hidden) != repr(shown)
    if "image/png" in hidden._repr_mimebundle_()[0]:
        pictures = [w._repr_mimebundle_()[0]["image/png"] for w in (hidden, shown)]
        assert pictures[0] != pictures[1]


# --- In the page ------------------------------------------------------------------------------------------

ROUND = ('<button id="before">before</button>', '<button id="after">after</button>')


@pytest.mark.browser
@each_widget
def test_keyboard_alone(page_of, make):
    w = make()
    page = page_of([w], before=ROUND[0], after=ROUND[1])
    open_all(page)
    settled(page)
    assert tab_stops(page) == [1]
    page.locator("#before").focus()
    stops = page.evaluate(
        """() => { window.reached = new Set();
             document.addEventListener("focusin", (event) => reached.add(event.target));
             return [...document.querySelectorAll(".ab [data-stop]")]
               .filter((node) => !node.disabled && node.getClientRects().length).length; }"""
    )
    press(page, "Tab")
    assert page.evaluate("document.activeElement.closest('.ab') !== null")
    press(page, "Home")
    for _ in range(stops):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("reached.size") == stops, "the arrow keys reach every control"
    assert page.evaluate("document.activeElement.textContent") == "Copy link"
    press(page, "Tab")
    assert page.evaluate("document.activeElement.id") == "after", "one tab stop: the next Tab leaves"
    press(page, "Shift+Tab", "r")
    assert state_of(page, w.widget_id) == w.state
    press(page, "Home", "Escape")
    assert page.evaluate("document.activeElement === document.body"), "Esc leaves"


@pytest.mark.browser
@each_widget
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page_of, axe, make, theme):
    page = page_of([make()], theme=theme)
    assert page.locator(".ab-hint").count() == 1, "it is drawn"
    assert violations(page, axe) == []
    if page.get_by_role("button", name="Skip", exact=True).count():
        page.get_by_role("button", name="Skip", exact=True).click()
    open_all(page)
    settled(page)
    assert violations(page, axe) == []


@pytest.mark.browser
@each_widget
@pytest.mark.parametrize("width", [320, 900])
def test_small_screens_and_large_controls(page_of, make, width):
    page = page_of([make()], width=width)
    for revealed in (False, True):
        if revealed and page.get_by_role("button", name="Skip", exact=True).count():
            page.get_by_role("button", name="Skip", exact=True).click()
        open_all(page)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert spilled(page) == []
        assert small_controls(page) == []


@pytest.mark.browser
@each_widget
def test_a_corrupt_link_says_so_and_starts_anew(page_of, make):
    w = make()
    broken = ["%%%", "eyJ2ZXJzaW9u", *map(link, [{"version": 1}, {"version": 9}, None, [1]])]
    for part in broken:
        page = page_of([w], fragment=f"#{w.widget_id}={part}")
        note = page.locator(".ab > .ab-note").inner_text()
        assert "address" in note
        assert "cannot be read" in note
        assert state_of(page, w.widget_id) == w.state
        page.close()


@pytest.mark.browser
@each_widget
def test_a_shared_link_opens_the_same_view(page_of, make):
    w = make()
    if "revealed" in w.state:
        w.state = {**w.state, "revealed": True}
        other = make()
        page = page_of([other], fragment=f"#{other.widget_id}={link(w.state)}")
        assert state_of(page, other.widget_id) == w.state
        page.get_by_role("button", name="Reset").click()
        assert state_of(page, other.widget_id) == other.state, "Reset goes back to the book's state"


@pytest.mark.browser
@each_widget
def test_the_kernel_moves_the_page(page_of, make):
    w = make()
    page = page_of([w])
    for trait, value in (("challenge", "Another."), ("theme", "dark")):
        page.evaluate("([id, name, value]) => models[id].set(name, value)", [w.widget_id, trait, value])
    settled(page)
    assert page.locator(".ab-challenge").inner_text() == "Another."
    assert page.locator(".ab").get_attribute("data-theme") == "dark"
    assert page.locator(".ab-summary").inner_text() == w.summary
