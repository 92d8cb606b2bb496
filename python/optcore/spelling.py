"""Names that people type, with options: "adam:lr=1e-3,betas=0.9/0.95"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

_WORDS = {"true": True, "false": False, "none": None}


def parsed(text: str, what: str) -> tuple[str, dict[str, Any]]:
    """A name and its options.

    Values are whole numbers, numbers, true, false, none, several of these with slashes between
    them, or words.

    Raises:
        ValueError: an option is no `key=value`, or stands there twice.

    >>> parsed("adam:lr=1e-3,betas=0.9/0.95,amsgrad=true,schedule=cosine", "optimizer")
    ('adam', {'lr': 0.001, 'betas': (0.9, 0.95), 'amsgrad': True, 'schedule': 'cosine'})
    """
    name, _, rest = text.partition(":")
    options: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals or not key.strip().isidentifier() or not value.strip():
            raise ValueError(
                f"{what} {text!r}: expected options as key=value with commas between them, got "
                f"{item!r}; write e.g. adam:lr=1e-3,eps=1e-6"
            )
        if key.strip() in options:
            raise ValueError(
                f"{what} {text!r}: expected {key.strip()} once, got it twice; drop one"
            )
        options[key.strip()] = _value(value.strip())
    return name.strip(), options


def listed(text: str) -> list[str]:
    """The members of a list with commas, where a member's options have commas of their own.

    >>> listed("sgd,adam:lr=1e-3,eps=1e-6,lion")
    ['sgd', 'adam:lr=1e-3,eps=1e-6', 'lion']
    """
    members: list[str] = []
    for part in text.split(","):
        if members and "=" in part and ":" not in part.partition("=")[0]:
            members[-1] += f",{part}"
        elif part.strip():
            members.append(part.strip())
    return members


def plain(name: str) -> str:
    """A name without what people spell differently.

    >>> plain("Schedule-Free_AdamW")
    'schedulefreeadamw'
    """
    return "".join(c for c in name.lower() if c not in "-_ .")


def closest(name: str, known: Iterable[str], what: str) -> str:
    """The known name that is meant, spelled as it is known.

    Raises:
        ValueError: none is; near ones are in the message.

    >>> closest("Digits_MLP", ["digits-mlp"], "problem")
    'digits-mlp'
    """
    names = {plain(each): each for each in known}
    if plain(name) in names:
        return names[plain(name)]
    near = [names[each] for each in difflib.get_close_matches(plain(name), names, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else "pick one of these"
    raise ValueError(f"{what}: expected one of {', '.join(names.values())}, got {name!r}; {hint}")


def _value(text: str) -> Any:
    if "/" in text:
        return tuple(_value(part) for part in text.split("/") if part)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
