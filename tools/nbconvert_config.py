"""Settings for `nbconvert`: each widget as its stored figure and sentence, which need no network.

    jupyter nbconvert --config tools/nbconvert_config.py --to html FILE

Without them nbconvert leaves a widget's place to a script that it asks a network for.
"""

from html import escape

from nbconvert.preprocessors import Preprocessor

VIEW = "application/vnd.jupyter.widget-view+json"


class WidgetsAtRest(Preprocessor):
    """Replaces each widget, whose script a page would ask a network for, by what is stored beside it."""

    def preprocess(self, notebook, resources):
        """Rewrite every output that shows a widget; drop the states, which nothing reads any more."""
        for cell in notebook.cells:
            for output in cell.get("outputs", ()):
                if VIEW in output.get("data", {}):
                    output.data = {"text/html": at_rest(output.data), "text/plain": output.data["text/plain"]}
        notebook.metadata.pop("widgets", None)
        return notebook, resources


def at_rest(data) -> str:
    """The figure, where there is one, and the sentence beneath it."""
    sentence = f"<figcaption>{escape(data['text/plain'])}</figcaption>"
    if "image/svg+xml" in data:
        picture = data["image/svg+xml"]
    elif "image/png" in data:
        picture = f'<img alt="" src="data:image/png;base64,{data["image/png"].strip()}">'
    else:
        picture = data.get("text/html", "")
    return f"<figure>{picture}{sentence}</figure>"


c = get_config()  # noqa: F821 - Jupyter gives it to its settings
c.HTMLExporter.preprocessors = [WidgetsAtRest]
