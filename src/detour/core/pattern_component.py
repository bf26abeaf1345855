"""One component of a pattern: its parts, what is fixed in them, and what matches it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detour.core.pattern_encoding import encoder
from detour.core.pattern_matcher import Matcher, StartsWith, check_group, matcher_for
from detour.core.pattern_syntax import (
    COMPONENTS,
    SHAPES,
    ComponentName,
    GroupNames,
    Part,
    PartKind,
    Token,
    parse_parts,
    tokenize,
)


class Component(msgspec.Struct, frozen=True):
    """One component of a pattern, ready to match; compare its `parts`.

    `literal` is the whole text when it is fixed, else None; `prefix` and `suffix` are the fixed texts
    that every match begins and ends with. All are as written even where case is ignored: fold them.
    An `implied` component was not written and matches anything, without capturing.
    """

    name: ComponentName
    parts: tuple[Part, ...]
    literal: str | None
    prefix: str
    suffix: str
    implied: bool
    ignore_case: bool
    matcher: Matcher

    @classmethod
    def parse(cls, name: ComponentName, text: str, *, ignore_case: bool = False) -> Component:
        """Compile a component that stands alone; raises `PatternError`."""
        return cls.compile(name, tokenize(text), GroupNames(), ignore_case=ignore_case)

    @classmethod
    def compile(
        cls, name: ComponentName, tokens: Sequence[Token], names: GroupNames, *, ignore_case: bool = False
    ) -> Component:
        """Compile a component from its tokens, END last; raises `PatternError`."""
        parts = parse_parts(tokens, encoder(name, tokens), SHAPES[name], names)
        return cls.of(name, parts, ignore_case=ignore_case)

    @classmethod
    def of(cls, name: ComponentName, parts: tuple[Part, ...], *, ignore_case: bool = False) -> Component:
        """The component that consists of `parts`; raises `PatternError` for what RE2 refuses."""
        for part in parts:
            if part.kind is PartKind.REGEXP:
                check_group(part.value)
        fixed = all(part.kind is PartKind.FIXED and not part.modifier for part in parts)
        return cls(
            name=name,
            parts=parts,
            literal="".join(part.value for part in parts) if fixed else None,
            prefix=_prefix(parts),
            suffix=_suffix(parts),
            implied=False,
            ignore_case=ignore_case,
            matcher=matcher_for(name, parts, ignore_case),
        )

    @classmethod
    def anything(cls, name: ComponentName) -> Component:
        """The component that was not written."""
        wildcard = (Part(PartKind.WILDCARD),)
        return cls(name, wildcard, None, "", "", True, False, StartsWith("", ""))

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of what it captures, as written."""
        return tuple(part.name for part in self.parts if part.name)

    def match(self, text: str) -> dict[str, str] | None:
        """Captures by name, or None; `text` is normalized."""
        if self.implied:
            return {}
        return self.matcher.match(text)


def _prefix(parts: tuple[Part, ...]) -> str:
    prefix = ""
    for part in parts:
        if part.modifier in ("?", "*"):
            break
        prefix += part.value if part.kind is PartKind.FIXED else part.prefix
        if part.kind is not PartKind.FIXED or part.modifier:
            break
    return prefix


def _suffix(parts: tuple[Part, ...]) -> str:
    suffix = ""
    for part in reversed(parts):
        if part.modifier in ("?", "*"):
            break
        suffix = (part.value if part.kind is PartKind.FIXED else part.suffix) + suffix
        if part.kind is not PartKind.FIXED or part.modifier:
            break
    return suffix


# What is not written, component by component; every pattern shares them.
IMPLIED: dict[ComponentName, Component] = {name: Component.anything(name) for name in COMPONENTS}
