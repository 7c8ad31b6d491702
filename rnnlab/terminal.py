"""Text that may come from anywhere, made fit for a terminal: nothing in it that one would obey."""

import re

# Control characters but for tab and line feed, marks that reverse the direction of text, and halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with what a terminal would obey written out, as Python writes it in a string."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    return visible(" ".join(text.split()))
