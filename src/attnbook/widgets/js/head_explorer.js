// HeadExplorer: every head of a model, what it looks at, and what is lost without it; of words, or of translations.

import * as translation from "./heads/translation.js";
import * as words from "./heads/words.js";
import { widget } from "./lib/base.js";

const shownBy = (model) => (model.get("content").translations ? translation : words);

export default widget({
  title: "Head explorer",
  sizes: (state, model) => shownBy(model).sizes(state, model),
  agree: (state, model) => shownBy(model).agree(state, model),
  build: (view, body) => shownBy(view.model).build(view, body),
});
