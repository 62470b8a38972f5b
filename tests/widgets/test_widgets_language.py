"""TinyTransformerLive: Python's tokens and torch's numbers in the page, text typed and written on."""

import json
import math
import random

import pytest
import torch
from traitlets import TraitError
from widget_driver import focused, go_to, open_all, painted, press, run_js, settled, spoken, state_of
from widget_examples import PATCHED, TEXTS, patching, writing
from widget_page import JS

from attnbook import models
from attnbook.analysis import patch
from attnbook.data import prose
from attnbook.nn import sampling_probabilities
from attnbook.widgets import TinyTransformerLive
from attnbook.widgets.language_patching import MOST_TOKENS, patch_map
from attnbook.widgets.mulberry32 import generator
from attnbook.widgets.tiny_transformer_live import (
    CONTEXT,
    chance,
    context_of,
    drawn,
    read,
    visible,
)

MODEL = "11_language_model"
# Half-precision weights on both sides; sums of float32 in the page, of float64 here.
LOGITS, SHARES = 1e-3, 1e-4

TOKENS = f"""
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
import {{ bytePairs }} from {(JS / "inference" / "byte_pairs.js").as_uri()!r};
const [path, texts] = data;
const {{ encode, decode, visible, size }} = bytePairs(readModel(new Uint8Array(readFileSync(path))).merges);
console.log(JSON.stringify({{
  encoded: texts.map(encode),
  decoded: texts.map((text) => decode(encode(text))),
  cut: texts.map((text) => decode(encode(text).slice(1, -1))),
  visible: Array.from({{ length: size }}, (_, i) => visible(i)),
}}));
"""
RUN = f"""
globalThis.BOOK = true;
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
import {{ bytePairs }} from {(JS / "inference" / "byte_pairs.js").as_uri()!r};
import {{ languageModel }} from {(JS / "inference" / "language_model.js").as_uri()!r};
const {{ numbersOf }} = await import({(JS / "tiny_transformer_live.js").as_uri()!r});
const [path, prompts] = data;
const loaded = readModel(new Uint8Array(readFileSync(path)));
const [tokenizer, read] = [bytePairs(loaded.merges), languageModel(loaded)];
console.log(JSON.stringify(prompts.map((tokens) => {{
  const {{ logits, ...rest }} = numbersOf(read, tokenizer, tokens);
  return {{ ...rest, logits: [...logits.at(-1)] }};
}})));
"""
PATCH = f"""
globalThis.BOOK = true;
import {{ readModel }} from {(JS / "inference" / "safetensors.js").as_uri()!r};
import {{ languageModel }} from {(JS / "inference" / "language_model.js").as_uri()!r};
const {{ patchMap }} = await import({(JS / "language" / "patching.js").as_uri()!r});
const {{ softmax }} = await import({(JS / "lib" / "softmax.js").as_uri()!r});
const [path, pairs] = data;
const read = languageModel(readModel(new Uint8Array(readFileSync(path))));
const shares = (logits) => softmax(Array.from(logits)).weights;
console.log(JSON.stringify(pairs.map(([text, donor]) => {{
  const {{ own, other, moved, ...rest }} = patchMap(read, text, donor);
  const [before, theirs] = [rest.before, rest.donor].map(shares);
  return {{ own, other, moved, before, donor: theirs, after: rest.after.map((row) => row.map(shares)) }};
}})));
"""
SAMPLE = f"""
import {{ chance, drawn, odds }} from {(JS / "mechanisms" / "sampling.js").as_uri()!r};
console.log(JSON.stringify(data.map(([logits, settings, seed, i]) => {{
  const all = odds(logits, settings);
  return [all, chance(seed, i), drawn(all, chance(seed, i))];
}})));
"""


@pytest.fixture(scope="module")
def trained():
    found = models.load(MODEL)
    found.model.double()
    return found


@pytest.fixture(scope="module")
def path():
    return str(models.FOLDER / f"{MODEL}.safetensors")


def random_texts(count=300, seed=0):
    """Prose, letters of all alphabets, signs, spaces and control characters, in random mixtures."""
    draw = random.Random(seed)
    text = prose.joined(prose.split()[1])
    for _ in range(count):
        parts = []
        for _ in range(draw.randint(1, 6)):
            kind = draw.randrange(5)
            if kind == 0:
                start = draw.randrange(len(text) - 40)
                parts.append(text[start : start + draw.randint(1, 40)])
            elif kind == 1:
                parts.append("".join(chr(draw.randrange(128)) for _ in range(draw.randint(1, 12))))
            elif kind == 2:
                parts.append("".join(chr(draw.randrange(0x80, 0xD800)) for _ in range(draw.randint(1, 6))))
            elif kind == 3:
                parts.append(
                    "".join(chr(draw.randrange(0xE000, 0x110000)) for _ in range(draw.randint(1, 4)))
                )
            else:
                parts.append(
                    draw.choice([" ", "\n", "\t ", "  \r\n", "12", "é", "naïve", "don't", "\ufeff", "…"])
                )
        yield "".join(parts)


def prompts(trained, count=200, seed=1):
    """Beginnings of held-out prose, random tokens, and texts that are longer than what is read at once."""
    draw = random.Random(seed)
    tokens = trained.tokenizer.encode(prose.joined(prose.split()[1]))
    for i in range(count):
        length = draw.randint(1, 90) if i % 10 else draw.randint(CONTEXT + 1, 130)
        start = draw.randrange(len(tokens) - length)
        known = tokens[start : start + length]
        yield known if i % 5 else [draw.randrange(len(trained.tokenizer)) for _ in known]


def test_the_page_cuts_text_into_pythons_tokens(node, tmp_path, trained, path):
    tokenizer, texts = trained.tokenizer, [*random_texts(), *TEXTS]
    found = run_js(node, tmp_path, TOKENS, [path, texts])
    encoded = [tokenizer.encode(text) for text in texts]
    assert found["encoded"] == encoded
    assert found["decoded"] == texts
    assert found["cut"] == [tokenizer.decode(tokens[1:-1]) for tokens in encoded], "halves of characters too"
    assert found["visible"] == [visible(token) for token in tokenizer.tokens]


def test_the_page_computes_what_torch_computes_on_200_prompts(node, tmp_path, trained, path):
    given = list(prompts(trained))
    for tokens, js in zip(given, run_js(node, tmp_path, RUN, [path, given]), strict=True):
        ours = read(trained, context_of(tuple(tokens)))
        assert js["tokens"] == ours["tokens"]
        for name, bound in (
            ("logits", LOGITS),
            ("probabilities", SHARES),
            ("given", SHARES),
            ("weights", SHARES),
        ):
            torch.testing.assert_close(
                torch.tensor(js[name], dtype=torch.float64), ours[name], atol=bound, rtol=0, msg=name
            )
        if ours["perplexity"] is not None:
            assert js["perplexity"] == pytest.approx(ours["perplexity"], rel=1e-3)
        # The five likeliest, unless two are nearer to each other than the bound.
        top = ours["probabilities"].topk(6).values
        if (top[:-1] - top[1:]).min() > 2 * SHARES:
            assert (js["options"], js["best"]) == (ours["options"], ours["best"])


def test_what_is_kept_from_text_to_text_changes_nothing(node, tmp_path, trained, path):
    """Growing, shrinking and changing texts, each also read by a model that has read nothing before."""
    draw, tokens, given = random.Random(2), [5, 6, 7], []
    for _ in range(60):
        way = draw.randrange(3)
        if way == 0:
            tokens = [*tokens, *(draw.randrange(len(trained.tokenizer)) for _ in range(draw.randint(1, 9)))]
        elif way == 1:
            tokens = tokens[: draw.randint(1, len(tokens))]
        else:
            at = draw.randrange(len(tokens))
            tokens = [*tokens[:at], draw.randrange(len(trained.tokenizer)), *tokens[at + 1 :]]
        given.append(tokens)
    together = run_js(node, tmp_path, RUN, [path, given])
    for one, tokens in list(zip(together, given, strict=True))[::6]:
        [alone] = run_js(node, tmp_path, RUN, [path, [tokens]])
        assert one == alone, "to the bit"


def pairs_of_texts(trained, count=40, seed=4):
    """Two short pieces of held-out prose, of equal and of different lengths; every third pair ends alike."""
    draw = random.Random(seed)
    tokens = trained.tokenizer.encode(prose.joined(prose.split()[1]))

    def piece(length):
        start = draw.randrange(len(tokens) - length)
        return tokens[start : start + length]

    yield [trained.tokenizer.encode(text) for text in PATCHED]
    for i in range(count - 1):
        text = piece(draw.randint(1, 12))
        donor = piece(len(text) if i % 2 else draw.randint(1, 12))
        yield [text, [*donor[: len(donor) // 2 + 1], *text[-2:]] if i % 3 == 0 else donor]


def test_the_page_patches_as_torch_does(node, tmp_path, trained, path):
    pairs = list(pairs_of_texts(trained))
    differing = 0
    for (text, donor), js in zip(pairs, run_js(node, tmp_path, PATCH, [path, pairs]), strict=True):
        ours = patch_map(trained.model.eval(), tuple(text), tuple(donor))
        assert ours.after.shape[:2] == (len(trained.model.layers), min(len(text), len(donor)))
        for name in ("before", "donor", "after"):
            found = torch.tensor(js[name], dtype=torch.float64)
            torch.testing.assert_close(found, getattr(ours, name), atol=SHARES, rtol=0, msg=name)
        assert (js["own"], js["other"]) == (ours.own, ours.other)
        if ours.own == ours.other:
            assert js["moved"] is None
            continue
        differing += 1
        gap = math.log(ours.before[ours.own] / ours.before[ours.other])
        gap += math.log(ours.donor[ours.other] / ours.donor[ours.own])
        found = torch.tensor(js["moved"], dtype=torch.float64)
        torch.testing.assert_close(gap * found, gap * ours.moved, atol=1e-3, rtol=0)
    assert differing > 20


def test_patches_are_those_of_any_model(trained):
    """Beside attnbook.analysis.patch, which hooks the layers; and what no patch can miss."""
    checked = 0
    for text, donor in pairs_of_texts(trained, 20, seed=5):
        ours = patch_map(trained.model.eval(), tuple(text), tuple(donor))
        torch.testing.assert_close(ours.after[-1, -1], ours.donor, msg="the last layer's last vector is all")
        for i in range(ours.after.shape[1] - 1):
            torch.testing.assert_close(ours.after[-1, i], ours.before, msg="nothing reads it any more")
        if len(text) == len(donor) and ours.own != ours.other:
            found = patch(
                trained.model,
                torch.tensor([text]),
                torch.tensor([donor]),
                lambda out, own=ours.own, other=ours.other: out[0][:, -1, other] - out[0][:, -1, own],
            )
            torch.testing.assert_close(found.moved.double(), ours.moved, atol=1e-4, rtol=0)
            checked += 1
    assert checked >= 5


def test_a_copied_activation_flips_the_answer(trained):
    """What chapter 14 says of its pair: early it is the word's vector, late the last one."""
    w = patching(predict=False)
    found = w.patching()
    spelled = trained.tokenizer.tokens
    assert (spelled[found.own], spelled[found.other]) == (b" key", b" decoder")
    assert [round(100 * float(one)) for one in (found.before.max(), found.donor.max())] == [33, 18]
    best = [[spelled[i] for i in row] for row in found.after.argmax(-1).tolist()]
    assert [row[1] == b" decoder" for row in best] == [True, True, False, False]
    assert [row[3] == b" decoder" for row in best] == [False, True, True, True]
    assert all(row[0] == row[2] == b" key" for row in best)
    assert (found.moved[:, 1].diff() < 0).all()
    assert (found.moved[:, 3].diff() > 0).all()
    w.patched = [2, 1]
    w.donor = "Another"
    assert w.patched is None, "another text is another map"
    w.donor = PATCHED[0]
    with pytest.raises(ValueError, match="donor: expected a text with another likeliest next token"):
        _ = w.patching().moved
    w.text = "word " * (MOST_TOKENS + 1)
    with pytest.raises(ValueError, match="text: expected 1 to 24 tokens"):
        w.patching()
    w.donor = None
    with pytest.raises(ValueError, match="donor: expected a text that"):
        w.patching()


def test_the_page_draws_what_the_kernel_draws(node, tmp_path):
    draw = random.Random(3)
    asked = []
    for i in range(300):
        scale = draw.choice([0.5, 2, 6])
        logits = [draw.gauss(0, scale) for _ in range(draw.randint(2, 40))]
        settings = {
            "temperature": draw.choice([0, 0.3, 1, 2]),
            "top_k": draw.randint(1, len(logits)),
            "top_p": draw.choice([0.05, 0.5, 0.9, 1]),
        }
        asked.append((logits, settings, draw.randrange(2**31), i))
    for (logits, settings, seed, i), (all_odds, random_number, token) in zip(
        asked, run_js(node, tmp_path, SAMPLE, asked), strict=True
    ):
        ours = sampling_probabilities(torch.tensor(logits, dtype=torch.float64), **settings)
        torch.testing.assert_close(torch.tensor(all_odds, dtype=torch.float64), ours, atol=1e-12, rtol=0)
        assert random_number == chance(seed, i)
        assert token == drawn(ours, random_number)


def test_a_random_number_stands_at_its_place():
    for seed in (0, 5, 2**31 - 1):
        numbers = generator(seed)
        assert [chance(seed, i) for i in range(50)] == [next(numbers) for _ in range(50)]


def test_tokens_are_drawn_as_often_as_their_odds():
    odds = torch.tensor([0.0, 0.2, 0.0, 0.7, 0.1], dtype=torch.float64)
    found = [drawn(odds, chance(7, i)) for i in range(4000)]
    shares = torch.bincount(torch.tensor(found), minlength=5) / len(found)
    assert shares[[0, 2]].tolist() == [0, 0]
    assert (shares - odds).abs().max() < 4 * math.sqrt(0.25 / len(found))


def test_the_context_drops_its_beginning_in_blocks():
    for n in (1, CONTEXT, CONTEXT + 1, CONTEXT + 32, CONTEXT + 33, 300):
        kept = context_of(tuple(range(n)))
        assert kept[-1] == n - 1
        assert len(kept) == n if n <= CONTEXT else 33 <= len(kept) <= CONTEXT
        assert kept[0] % 32 == 0


def test_mirrors_follow_the_state(trained):
    w = writing(predict=False)
    tokens = trained.tokenizer.encode(TEXTS[0])
    assert w.tokens == [visible(trained.tokenizer.tokens[token]) for token in tokens]
    logits, weights = trained.model.eval()(torch.tensor([tokens]), need_weights=True)
    best = int(logits[0, -1].argmax())
    assert w.likeliest[0][1] == best
    assert sum(w.odds) == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(
        torch.tensor(w.weights, dtype=torch.float64), weights[-1][0].mean(0).detach(), atol=1e-6, rtol=0
    )
    w.assign(view="head", head=[1, 2])
    torch.testing.assert_close(
        torch.tensor(w.weights, dtype=torch.float64), weights[1][0, 2].detach(), atol=1e-6, rtol=0
    )
    w.temperature = 0
    w.write()
    assert w.written == [best]
    assert w.tokens[-1] == w.likeliest[0][0] or len(w.tokens) == len(tokens) + 1
    greedy = trained.model.float().generate(torch.tensor([tokens]), 8, temperature=0)[0, len(tokens) :]
    trained.model.double()
    w.write(7)
    assert w.written == greedy.tolist()
    assert w.continuation == trained.tokenizer.decode(greedy)
    w.text = "Another"
    assert (w.written, w.prediction) == ([], None)
    assert math.isfinite(w.perplexity)


def test_bad_arguments_are_named():
    for given, sentence in [
        ({"texts": []}, "texts: expected a list of strings"),
        ({"texts": "one"}, "texts: expected a list of strings"),
        ({"texts": [""]}, r"texts\[0\]: expected 1 to 600 characters"),
        ({"texts": ["a" * 601]}, r"texts\[0\]: expected 1 to 600 characters"),
        ({"texts": ["a\ud800"]}, r"texts\[0\]: expected whole characters"),
        ({"texts": ["a"], "model": "04_additive"}, "model: expected a gpt"),
        ({"texts": ["a"], "temperature": 3}, "temperature: expected a number from 0 to 2"),
        ({"texts": ["a"], "top_k": 0}, "top_k: expected a whole number from 1"),
        ({"texts": ["a"], "top_p": 0}, "top_p: expected a number from 0.01"),
        ({"texts": ["a"], "head": [9, 0]}, "head: expected"),
        ({"texts": ["a"], "donor": ""}, "donor: expected 1 to 600 characters"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            TinyTransformerLive(**given)
    w = writing()
    for name, value in (
        ("text", ""), ("written", [-1]), ("written", [10**6]), ("seed", 0.5), ("content", {}), ("models", []),
    ):  # fmt: skip
        with pytest.raises(TraitError):
            setattr(w, name, value)
    with pytest.raises(ValueError, match="n_new: expected a whole number from 1 to 256"):
        w.write(0)


def test_the_widget_weighs_little_in_a_notebook():
    state = {name: value for name, value in writing().get_state().items() if name[0] != "_"}
    assert len(json.dumps(state)) < 5000, "the model does not travel with it"


# ---- in a page from disk, without a kernel ----------------------------------------------------------------


def type_in(page, text):
    """Write a text, and wait until whatever follows has happened."""
    page.get_by_label("your text").fill(text)
    page.get_by_role("button", name="Read", exact=True).click()
    painted(page)
    settled(page)


def story(page):
    return page.locator(".ab-tt-token").all_inner_texts()


@pytest.mark.browser
def test_a_typed_text_is_read_and_everything_stands_in_tables(page_of):
    w = writing(predict=False)
    page = page_of([w])
    type_in(page, "Où est l'élève? 42 apples 🍎")
    page.get_by_role("button", name="layer 2, head 3").click()
    open_all(page)
    w.state = state_of(page, w.widget_id)
    assert (w.text, w.head, w.view) == ("Où est l'élève? 42 apples 🍎", [1, 2], "head")
    assert story(page) == w.tokens
    assert spoken(page) == w.summary
    cells = [float(x) for x in page.locator(".ab-hx-shares tbody td").all_inner_texts()]
    assert cells == pytest.approx([100 * x for row in w.weights for x in row], abs=0.06)
    given = [text for text in page.locator(".ab-tt-tokens tbody td:last-child").all_inner_texts()]
    numbers = w._numbers(w.state)["given"].tolist()
    assert [float(text[:-2]) for text in given[1:]] == pytest.approx([100 * x for x in numbers], abs=0.06)
    names = page.locator(".ab-tt-pick").all_inner_texts()
    assert names[0] == w.likeliest[0][0]


@pytest.mark.browser
def test_it_writes_what_the_kernel_would_write(page_of):
    w = writing(predict=False, seed=11, temperature=0.8)
    page = page_of([w])
    page.get_by_role("button", name="Write one token").click()
    settled(page)
    w.write(1)
    assert state_of(page, w.widget_id)["written"] == w.written
    page.get_by_role("button", name="Write on", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.ab-tt-token[data-written]').length === 25")
    settled(page)
    w.write(24)
    state = state_of(page, w.widget_id)
    assert state["written"] == w.written
    assert spoken(page).split() == w.summary.split()
    page.get_by_role("button", name="Take back").click()
    settled(page)
    assert len(state_of(page, w.widget_id)["written"]) == 24
    first = page.locator(".ab-tt-pick").first
    first.click()
    settled(page)
    w.state = state_of(page, w.widget_id)
    assert len(w.written) == 25
    page.get_by_role("button", name="Other dice").click()
    settled(page)
    state = state_of(page, w.widget_id)
    assert state["written"] == []
    assert state["seed"] != 11


@pytest.mark.browser
def test_settings_move_the_odds_at_once(page_of):
    w = writing(predict=False)
    page = page_of([w])
    type_in(page, "The")
    for name, steps in (("temperature", 5), ("top-k", 8), ("top-p", 4)):
        page.get_by_label(name, exact=False).first.focus()
        press(page, "Enter", *["ArrowLeft"] * steps, "Enter")
    w.state = state_of(page, w.widget_id)
    assert w.temperature == pytest.approx(0.5)
    assert w.top_k == 4
    assert w.top_p == pytest.approx(0.8)
    shown = page.locator(".ab-tt-next tbody tr td:nth-child(3)").all_inner_texts()
    kept = sum(odds > 0 for odds in w.odds)
    assert 1 <= kept <= 4
    assert sum(text != "–" for text in shown[:-1]) == kept


@pytest.mark.browser
def test_by_keyboard_alone(page_of):
    w = writing(predict=False)
    page = page_of([w])
    page.get_by_label("your text").focus()
    page.keyboard.type("Each head")
    press(page, "Enter")
    painted(page)
    settled(page)
    assert state_of(page, w.widget_id)["text"] == "Each head"
    go_to(page, "Write one token")
    press(page, "Enter")
    assert len(state_of(page, w.widget_id)["written"]) == 1
    assert focused(page) == "Write one token"


@pytest.mark.browser
def test_an_activation_is_copied_in_the_page(page_of):
    w = patching(predict=False)
    page = page_of([w])
    settled(page)
    assert page.locator(".ab-tt-patch").get_attribute("open") is None, "closed at rest"
    page.get_by_text("Copy an activation").click()
    panel = page.locator(".ab-tt-patch")
    panel.locator(".ab-hx-shares").wait_for()  # what opens writes its text a moment later
    settled(page)
    found = w.patching()
    numbers = [
        float(text.replace("−", "-")) for text in panel.locator(".ab-hx-shares tbody td").all_inner_texts()
    ]
    assert numbers == pytest.approx([100 * x for x in found.moved.flatten().tolist()], abs=0.06)
    says = panel.locator(".ab-hx-read").inner_text
    assert says().startswith("After layer 1, “␣query” takes over the vector of “␣encoder”: 74 % of the way.")
    assert "Likeliest next: “␣decoder”" in says()
    panel.get_by_role("slider").focus()
    press(page, "Enter", *["ArrowDown"] * 3)
    assert "Likeliest next: “␣key”" in says()
    assert state_of(page, w.widget_id)["patched"] == [3, 2]
    press(page, *["ArrowRight"] * 2)
    assert state_of(page, w.widget_id)["patched"] == [3, 0]
    rows = [row.split("\t") for row in panel.locator(".ab-tt-next tbody tr").all_inner_texts()]
    shown = {row[0]: [int(text.split()[0]) for text in row[-2:]] for row in rows[:2]}
    for token, name in ((found.own, "␣key"), (found.other, "␣decoder")):
        expected = [100 * float(one[token]) for one in (found.donor, found.before)]
        assert shown[name] == pytest.approx(expected, abs=0.51)


@pytest.mark.browser
def test_other_donors_in_the_page(page_of):
    w = patching(predict=False)
    page = page_of([w])
    settled(page)
    page.get_by_text("Copy an activation").click()
    panel = page.locator(".ab-tt-patch")
    panel.locator(".ab-hx-shares").wait_for()  # what opens writes its text a moment later
    settled(page)

    def take(text, told):
        page.get_by_label("the other text").fill(text)
        page.get_by_role("button", name="Take its activations").click()
        panel.filter(has_text=told).wait_for()  # a widget that has not begun to compute counts as settled
        settled(page)

    take("In chapter 7 the encoder and the", "positions are counted from the end")
    w.state = state_of(page, w.widget_id)
    assert w.donor == "In chapter 7 the encoder and the"
    numbers = [
        float(text.replace("−", "-")) for text in panel.locator(".ab-hx-shares tbody td").all_inner_texts()
    ]
    assert numbers == pytest.approx([100 * x for x in w.patching().moved.flatten().tolist()], abs=0.06)
    take(PATCHED[0], "Both texts continue with “␣key”")
    assert not panel.locator(".ab-hx-shares").is_visible()
    take("word " * 25, "at most 24 tokens")
    take("", "1 to 600 characters")
    assert state_of(page, w.widget_id)["donor"] == ("word " * 25), "left as it was"
    page.get_by_label("the other text").fill(PATCHED[1])
    press(page, "Enter")
    panel.locator(".ab-hx-shares").wait_for()  # Enter takes it too


@pytest.mark.browser
def test_long_and_empty_texts_are_refused_in_words(page_of):
    w = writing(predict=False)
    page = page_of([w])
    type_in(page, "")
    assert "There is nothing to read" in page.locator(".ab").inner_text()
    type_in(page, "word " * 121)
    assert "At most 600 characters" in page.locator(".ab").inner_text()
    assert state_of(page, w.widget_id)["text"] == TEXTS[0], "left as it was"
    type_in(page, "word " * 100)
    w.state = state_of(page, w.widget_id)
    assert story(page) == w.tokens
    assert len(w.tokens) <= CONTEXT
    assert f"the last {len(w.tokens)} are read" in page.locator(".ab").inner_text()


@pytest.mark.browser
def test_predict_first_costs_a_page_nothing_until_it_is_touched(page_of):
    w = writing()
    page = page_of([w])
    loaded = "() => [...document.scripts].some((one) => one.src.includes('/models/'))"
    assert not page.evaluate(loaded)
    assert story(page) == w.tokens, "the first text's tokens came with the page"
    page.locator(".ab-predict select").select_option("2")
    page.get_by_role("button", name="Commit").click()
    settled(page)
    assert page.evaluate(loaded)
    state = state_of(page, w.widget_id)
    w.prediction = {"choice": 2, "share": 0.5}
    assert state["prediction"]["answer"] == w.prediction["answer"]
    assert state["prediction"]["actual"] == pytest.approx(w.prediction["actual"], abs=SHARES)
    assert spoken(page) == w.summary


@pytest.mark.browser
def test_a_model_that_does_not_load_is_said_and_asked_for_again(page_of, tmp_path):
    w = writing()
    page = page_of([w])
    file = tmp_path / "attnbook" / "models" / f"{MODEL}.js"
    whole = file.read_text(encoding="utf-8")
    file.write_text("// cut off", encoding="utf-8")
    page.get_by_role("button", name="Skip", exact=True).click()
    settled(page)
    assert "The model did not load" in page.locator(".ab").inner_text()
    file.write_text(whole, encoding="utf-8")
    type_in(page, "I love you")
    assert state_of(page, w.widget_id)["text"] == "I love you"
