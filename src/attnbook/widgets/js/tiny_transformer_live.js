// TinyTransformerLive: the book's own language model continues what the reader types, all its attention in view.

import { bytePairs } from "./inference/byte_pairs.js";
import { languageModel } from "./inference/language_model.js";
import { attention } from "./language/attention.js";
import { nextToken } from "./language/next_token.js";
import { patching } from "./language/patching.js";
import {
  argmax,
  button,
  countOf,
  fixed,
  h,
  percent,
  predictor,
  say,
  select,
  softmax,
  stop,
  widget,
} from "./lib/base.js";
import { modelWhenTouched } from "./lib/model_weights.js";
import { ranked } from "./mechanisms/sampling.js";

// As tiny_transformer_live.py.
const [MOST_CHARACTERS, MOST_WRITTEN, CONTEXT, FORGETS, OPTIONS] = [600, 256, 64, 32, 5];
const UNSURE = 0.01; // a token that got less is underlined

// The tokens that the model reads, the last ones; so many drop out at once that the cache can be kept between.
export const contextOf = (tokens) =>
  tokens.slice(Math.ceil(Math.max(0, tokens.length - CONTEXT) / FORGETS) * FORGETS);

// One token's share of a softmax, without the others'.
function shareOf(logits, token) {
  const largest = logits.reduce((most, x) => Math.max(most, x));
  let total = 0;
  for (const x of logits) total += Math.exp(x - largest);
  return Math.exp(logits[token] - largest) / total;
}

// What the model makes of these tokens.
export function numbersOf(read, tokenizer, all) {
  const numbers = contextOf(all);
  const { logits, weights } = read(numbers);
  const n = numbers.length;
  const given = numbers.slice(1).map((number, i) => shareOf(logits[i], number));
  const probabilities = softmax(Array.from(logits[n - 1])).weights;
  const chosen = ranked(probabilities)
    .slice(0, OPTIONS)
    .sort((a, b) => a - b);
  const best = argmax(probabilities);
  return {
    numbers,
    logits,
    probabilities,
    given,
    perplexity: n > 1 ? Math.exp(-given.reduce((sum, p) => sum + Math.log(p), 0) / (n - 1)) : null,
    tokens: numbers.map(tokenizer.visible),
    visible: tokenizer.visible,
    // Square: nothing is given to later tokens.
    weights: weights.map((heads) =>
      heads.map((rows) => rows.map((row) => [...row, ...Array(n - row.length).fill(0)])),
    ),
    options: chosen.map(tokenizer.visible),
    best: chosen.indexOf(best),
    share: probabilities[best],
  };
}

export function sentence({ revealed, written }, { shown, numbers, decode }) {
  if (!shown) return "The trained model is needed to go on.";
  const count = shown.tokens.length;
  const tokens = countOf(count, "token");
  if (!revealed)
    return `What comes after ${count > 1 ? "these" : "this"} ${tokens} is hidden: predict it, or skip.`;
  if (!numbers) return "The trained model is needed to go on.";
  const { options, best, share } = numbers;
  const text = `After ${tokens} the model finds “${options[best]}” likeliest, ${percent(share)}.`;
  return written.length ? `${text} Written so far: ${decode(written).trim()}` : text;
}

function build(view, body) {
  const { model, change } = view;
  const { texts, heads, vocab, first } = model.get("content");
  const now = () => view.state;
  let [trained, read, tokenizer, numbers, known] = [];

  // The model: fetched when the reader first touches the widget, or where its numbers are shown from the start.
  const loader = modelWhenTouched(view, (loaded) => {
    trained = loaded;
    tokenizer = bytePairs(loaded.merges);
    read = languageModel(loaded);
    compute();
  });
  const { told, load } = loader;
  const compute = () => {
    const { text, written } = now();
    const key = JSON.stringify([text, written]);
    if (read && key !== known) {
      known = key;
      numbers = numbersOf(read, tokenizer, [...tokenizer.encode(text), ...written]);
    }
    return numbers;
  };
  // The first text's tokens came with the page; for any other the model has to be there.
  const isFirst = () => now().text === texts[0] && !now().written.length;
  const shown = () => compute() || (isFirst() ? first : undefined);

  // A text: typed or chosen.
  const typed = stop(h("input", { type: "text", "aria-label": "your text" }), 1);
  const take = (text) => change({ text, written: [], prediction: null, score: null, cell: null });
  const own = async () => {
    const text = typed.value.replace(/\p{Cs}/gu, "");
    const length = [...text].length;
    if (!length) say(told, "There is nothing to read; type a few words.");
    else if (length > MOST_CHARACTERS)
      say(told, `At most ${MOST_CHARACTERS} characters can be read, and these are ${length}.`);
    else if (await load()) {
      say(told, "");
      take(text);
    }
  };
  const onEnter = ({ target, key }) => target === typed && key === "Enter" && !view.held(typed) && own();
  view.root.addEventListener("keydown", onEnter, true);
  const given = select([["", "your own"], ...texts.map((text, i) => [i, text])], {
    onchange: () => given.value && take(texts[+given.value]),
  });

  // The tokens, as they are read.
  const story = h("p.tt-story");
  const caption = h("p.note");
  const listed = h("table.tt-tokens");
  const list = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", "The tokens, and what the model gave each")),
    h(".hx-scroll", listed),
  );
  let storyOf;
  const drawStory = (here) => {
    const own = numbers && now().revealed;
    const key = [here, own, list.open];
    if (storyOf?.every((part, i) => part === key[i])) return;
    storyOf = key;
    const start = here.tokens.length - now().written.length;
    story.replaceChildren(
      ...here.tokens.map((token, i) =>
        h(
          "span.tt-token",
          {
            "data-written": i >= start,
            "data-unsure": own && i > 0 && numbers.given[i - 1] < UNSURE,
          },
          token,
        ),
      ),
    );
    if (!own) {
      say(caption, "");
      return;
    }
    const { perplexity } = numbers;
    const all = tokenizer.encode(now().text).length + now().written.length;
    const cut =
      all > here.tokens.length
        ? ` Of ${all} tokens the last ${here.tokens.length > 1 ? `${here.tokens.length} are` : "one is"} read.`
        : "";
    say(
      caption,
      `${perplexity === null ? "" : `Perplexity ${fixed(perplexity, 1)}. `}A wavy line marks a token that the model gave less than 1 %.${cut}`,
    );
    if (list.open)
      listed.replaceChildren(
        h(
          "thead",
          h(
            "tr",
            ["place", "token", "number", "probability"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          here.tokens.map((token, i) =>
            h(
              "tr",
              h("td", `${i + 1}`),
              h("th", { scope: "row" }, token),
              h("td", `${numbers.numbers[i]}`),
              h("td", i ? `${(100 * numbers.given[i - 1]).toFixed(1)} %` : "–"),
            ),
          ),
        ),
      );
  };

  // One panel after the other: {node, draw(numbers)} each, shown once the outcome is.
  const panels = [
    nextToken(view, { ready: load, numbers: compute, vocab, most: MOST_WRITTEN }),
    attention(view, heads),
    patching(view, {
      layers: heads[0],
      most: MOST_CHARACTERS,
      reader: () => languageModel(trained),
      encode: (text) => tokenizer.encode(text),
    }),
  ];
  const result = h(
    "",
    list,
    panels.map(({ node }) => node),
  );
  const guess = predictor(view, {
    ask: () => "Which token does the model find likeliest after this text, and how probable is it?",
    options: () => shown()?.options || [],
    outcome: () => (numbers ? [numbers.best, numbers.share] : []), // none: a link came before the model
    why: () => {
      const [, second] = ranked(numbers.probabilities);
      return `“${numbers.visible(second)}” comes second with ${percent(numbers.probabilities[second])}.`;
    },
    thing: "token",
    ready: load,
  });
  body.append(
    h(".row", typed, button("Read", own, { class: "ab-main" })),
    h(".row", h("label", "or take ", given)),
    story,
    caption,
    told,
    guess.panel,
    result,
  );

  return {
    sentence: () => sentence(now(), { shown: shown(), numbers, decode: tokenizer?.decode }),
    leave() {
      view.root.removeEventListener("keydown", onEnter, true);
      for (const panel of panels) panel.leave?.();
    },
    update() {
      const { revealed, text } = now();
      const here = shown();
      if (!loader.failed && (revealed || !here)) load();
      guess.draw();
      const at = texts.indexOf(text);
      given.value = at < 0 ? "" : at;
      if (here) drawStory(here);
      const isShown = revealed && numbers;
      result.hidden = !isShown;
      if (isShown) for (const panel of panels) panel.draw(numbers);
    },
  };
}

export default widget({ title: "Tiny transformer", build });
