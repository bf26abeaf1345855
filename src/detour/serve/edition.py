"""A snapshot in force: with the slots that its hits are counted in, handed on as descriptors.

Any process of the server can open them. Snapshots are written by the compile child (`serve.reload`), as
`detour.snapshot` says.
"""

from __future__ import annotations

import os

import msgspec

from detour.core.matcher import RuleSet
from detour.serve.channel import Kind, Message
from detour.serve.stats import pack_slots, unpack_slots
from detour.snapshot import anonymous_file, open_rules


class Edition(msgspec.Struct, frozen=True):
    """A snapshot and the slots its hits are counted in; `generation` counts editions from 1."""

    generation: int
    rules: int  # descriptor of a snapshot
    slots: int  # descriptor of packed slots

    @classmethod
    def issue(cls, generation: int, rules: int, series: tuple[str, ...], slots: dict[str, int]) -> Edition:
        """An edition of the snapshot `rules`, which it owns from now on."""
        descriptor = anonymous_file("detour-slots")
        with os.fdopen(os.dup(descriptor), "wb") as out:
            out.write(pack_slots(series, slots))
        return cls(generation, rules, descriptor)

    @classmethod
    def received(cls, message: Message) -> Edition:
        """The edition that a `Kind.RULES` message carries."""
        assert message.kind is Kind.RULES
        rules, slots = message.descriptors
        return cls(message.generation, rules, slots)

    @property
    def descriptors(self) -> tuple[int, int]:
        return self.rules, self.slots

    def load(self) -> tuple[RuleSet, dict[str, int]]:
        """The rules, and the slot of each of their series. Takes long for many rules."""
        rules = open_rules(self.rules, populate=True)
        packed = os.pread(self.slots, os.fstat(self.slots).st_size, 0)
        return rules, unpack_slots(rules.series, packed)

    def close(self) -> None:
        """Close this process's descriptors."""
        for descriptor in self.descriptors:
            os.close(descriptor)
