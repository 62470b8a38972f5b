"""Hands, eyes and ears of the widgets' tests: keys, what has the focus, what is spoken, Node, axe."""

import base64
import json
import subprocess

from widget_page import JS


def run_js(node, folder, program, data):
    """The JSON that ``program`` (an ES module) prints; it reads ``data`` from the standard input."""
    path = folder / "program.mjs"
    path.write_text(
        'import { readFileSync } from "node:fs";\nconst data = JSON.parse(readFileSync(0, "utf8"));\n'
        + program
    )
    done = subprocess.run([node, str(path)], input=json.dumps(data), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def faults(node, folder, widget, states):
    """What the page says of each state of this widget: "" or why it cannot be shown."""
    source = type(widget).__module__.rsplit(".", 1)[-1]
    program = f"""
globalThis.BOOK = true;
const {{ default: widget }} = await import({(JS / f"{source}.js").as_uri()!r});
const [traits, states] = data;
console.log(JSON.stringify(states.map((state) => widget.fault(state, {{ get: (name) => traits[name] }}))));
"""
    traits = {name: value for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
    return run_js(node, folder, program, [traits, states])


def settled(page) -> None:
    """Wait until every widget says that nothing is pending: no frame, no sentence, nothing to be sent."""
    painted(page)
    page.wait_for_function(
        "[...document.querySelectorAll('.ab')].every((root) => root.hasAttribute('data-settled'))"
    )


def state_of(page, name):
    """The state that the page's model holds once the hand has rested."""
    settled(page)
    return page.evaluate("name => models[name].get('state')", name)


def link(state):
    """A state as it stands in the address."""
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def spoken(page, index=0):
    """The sentence in the widget's live region, once the hand has rested."""
    settled(page)
    return page.locator(".ab-summary").nth(index).inner_text()


def open_all(page):
    """Open every panel that is in view."""
    for summary in page.locator("details:not([open]) > summary:visible").all()[::-1]:
        summary.click()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
    painted(page)


def focused(page):
    return page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    )


def go_to(page, label, key="ArrowRight"):
    """Press an arrow until the control of this name has the focus."""
    for _ in range(200):
        if focused(page).startswith(label):
            return
        press(page, key)
    raise AssertionError(f"arrow keys never reach {label!r}")


def violations(page, axe):
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {preload: false, rules: {'target-size': {enabled: true}}})")[
        "violations"
    ]
    return [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found]


def painted(page) -> None:
    """Wait until what the last action changed is on the screen: two frames, however slow they come."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def spilled(page):
    """What reaches over the sides of the window, save inside pictures and panels that scroll."""
    return page.evaluate(
        """[...document.querySelectorAll(".ab *")].filter((node) => {
             const box = node.getBoundingClientRect();
             const scrolls = node.closest("svg, .ab-across, .ab-hx-scroll");
             return box.width && !scrolls && (box.right > innerWidth || box.left < 0);
           }).map((node) => node.outerHTML.slice(0, 80))"""
    )


def small_controls(page):
    """Controls under 44 pixels, as [width, height, markup].

    Of a box or a circle that is ticked its label counts, of a handle what takes the pointer. Cells of a table
    are left out: the arrow keys reach them, and the picture beside them takes the pointer.
    """
    return page.evaluate(
        """[...document.querySelectorAll(".ab [data-stop]:not(td)")].map((node) => {
             const ticked = node.matches("[type=checkbox], [type=radio]");
             const hit = node.querySelector(".ab-hit") || (ticked ? node.closest("label") : node);
             return [hit.getBoundingClientRect(), node.outerHTML.slice(0, 90)];
           }).filter(([box]) => box.width && (box.width < 43.9 || box.height < 43.9))
             .map(([box, html]) => [box.width, box.height, html])"""
    )


def draw_from_notebook(page, widget):
    """Draw a widget once more, with the module that a notebook carries."""
    state = {name: value for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
    page.evaluate(
        """async ([source, state]) => {
             const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
             const { default: widget } = await import(url);
             const el = document.body.appendChild(document.createElement("div"));
             const model = makeModel(state);
             widget.initialize({ model });
             widget.render({ model, el });
           }""",
        [widget._esm, state],
    )


def tab_stops(page):
    """How many controls of each widget the Tab key visits; every panel is to be open."""
    return page.evaluate(
        """[...document.querySelectorAll(".ab")].map((root) =>
             [...root.querySelectorAll("a, button, input, select, summary, textarea, [tabindex]")]
               .filter((node) => node.tabIndex >= 0 && node.getClientRects().length).length)"""
    )
