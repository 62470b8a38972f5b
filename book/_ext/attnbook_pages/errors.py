"""The one way in which the build of the pages fails: a sentence that says what is missing and what to do."""

from sphinx.errors import SphinxError


class PageError(SphinxError):
    """A page cannot be made; the message names the cause and the remedy."""

    category = "The pages cannot be built"
