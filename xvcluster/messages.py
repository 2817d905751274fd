"""Warnings at the user's own line, and text from files made safe to show."""

from __future__ import annotations

import html
import os
import sys
import unicodedata
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parent) + os.sep
# control characters, marks that reorder text, halves of characters, ends of lines and paragraphs
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside this package that led to the call."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def plain(text: object, most: int = 200) -> str:
    """Return text for a terminal: one line of at most `most` characters, no control characters."""
    shown = str(text)
    is_longer = len(shown) > most
    kept = "".join(" " if unicodedata.category(c) in _UNSAFE else c for c in shown[:most])
    return " ".join(kept.split()) + ("…" if is_longer else "")


def shown(value: object) -> str:
    """Return a value that a user gave as it is written in Python, shortened."""
    try:
        return plain(repr(value), 80)
    except ValueError:  # of an integer with thousands of digits
        return f"a number of type {type(value).__name__} with too many digits"


def escaped(text: object, most: int = 200) -> str:
    """Return text for HTML: as `plain` gives it, and nothing in it is markup."""
    return html.escape(plain(text, most))
