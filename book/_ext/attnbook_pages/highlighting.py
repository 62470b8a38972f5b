"""Code in five colours: a mark for each run of characters that has one, and none for the rest.

Pygments marks every name, bracket and space; that was two thirds of a chapter's page.
"""

from collections.abc import Iterator

from pygments.formatters import HtmlFormatter
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token, _TokenType
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

# The first that holds a token decides; the five kinds that are left are those of the stylesheet.
_KINDS = (
    (Keyword, Keyword),
    (Operator.Word, Keyword),
    (Name.Exception, Keyword),
    (Comment, Comment),
    (String, String),
    (Number, Number),
    (Name.Builtin, Number),
    (Name.Decorator, Number),
    (Name.Function, Name.Function),
    (Name.Class, Name.Function),
    (Name.Constant, Name.Function),
    (Token.Color, None),
    (Token.Generic, None),
)


def kind(token: _TokenType) -> _TokenType:
    """The kind as which a token is drawn: one of five, or plain text."""
    for family, drawn in _KINDS:
        if token in family:
            return drawn or token
    return Token.Text


class LeanFormatter(HtmlFormatter):
    """Writes neighbours of one kind as one run; spaces between two runs of a kind belong to them."""

    def format_unencoded(self, tokens: Iterator[tuple[_TokenType, str]], outfile) -> None:
        """Format the tokens by their kind."""
        super().format_unencoded(((kind(token), text) for token, text in tokens), outfile)


def setup(app: Sphinx) -> None:
    """Use it for every block of code."""
    PygmentsBridge.html_formatter = LeanFormatter
