"""Expressions of GitHub Actions: as much of the language as our workflows use, and an error for the rest.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Contexts = Mapping[str, Any]
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|==|!=|&&|\|\||[!().]|[A-Za-z_][A-Za-z0-9_-]*|\d+)")
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass
class _Reader:
    contexts: Contexts
    functions: Mapping[str, Callable[[], bool]]
    tokens: list[str] = field(default_factory=list)

    def next(self) -> str:
        return self.tokens.pop(0) if self.tokens else ""

    def taken(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Any:
        value = self.both()
        while self.taken("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.taken("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:
        value = self.single()
        while self.tokens and self.tokens[0] in ("==", "!="):
            equal = self.next() == "=="
            value = (_loose(value) == _loose(self.single())) is equal
        return value

    def single(self) -> Any:
        token = self.next()
        if token == "!":
            return not self.single()
        if token == "(":
            value = self.either()
            assert self.taken(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in ("true", "false"):
            return token == "true"
        if self.taken("("):
            assert self.taken(")"), f"{token} with arguments is not known here"
            return self.functions[token]()
        assert token in self.contexts, f"{token!r} is not known here"
        value = self.contexts[token]
        while self.taken("."):
            value = value.get(self.next()) if isinstance(value, Mapping) else None
        return value


def _loose(value: Any) -> Any:
    """Null equals the empty text, and texts are compared without case."""
    return "" if value is None else value.lower() if isinstance(value, str) else value


def evaluate(text: str, contexts: Contexts, functions: Mapping[str, Callable[[], bool]]) -> Any:
    """The value of one expression."""
    tokens, place = [], 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        assert found, f"{text[place:]!r} is not known here"
        tokens.append(found[1])
        place = found.end()
    reader = _Reader(contexts, functions, tokens)
    value = reader.either()
    assert not reader.tokens, f"{reader.tokens} is left of {text!r}"
    return value


def fill(text: Any, contexts: Contexts) -> str:
    """A value of a workflow with its expressions replaced, as a text."""
    if not isinstance(text, str):
        return _text(text)
    return _EMBEDDED.sub(lambda found: _text(evaluate(found[1], contexts, {})), text)


def condition(text: str, contexts: Contexts, functions: Mapping[str, Callable[[], bool]]) -> bool:
    """Whether an `if` holds. Without a function of the job's state it means: and nothing has failed."""
    inner = found[1] if (found := _EMBEDDED.fullmatch(text.strip())) else text
    holds = bool(evaluate(inner, contexts, functions))
    asks = re.search(r"\b(success|failure|cancelled|always)\(", inner)
    return holds if asks else holds and functions["success"]()


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
