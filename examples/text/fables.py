"""The text that the examples learn: short fables, written for them."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parent / "fables.txt").read_text(encoding="ascii")

WORDS = re.findall(r"[a-z]+", TEXT.lower())

KINDS = {
    "animals": "fox goat hen horse dog",
    "family": "father mother brother sister daughter",
    "weather": "rain snow wind sun frost",
    "trades": "smith baker shepherd weaver miller",
    "food": "bread cheese corn eggs milk",
    "numbers": "two three four five six",
}
"""Words that are of one kind, to see whether an embedding puts them together."""
