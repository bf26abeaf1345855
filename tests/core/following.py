"""A whole chain out of a script of answers, for the tests: nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable

from detour.core.chain import End, Outgoing
from detour.core.follower import Follower, Location
from detour.core.policy import Policy

Answer = tuple[int, Location | tuple[Location, ...]]


def follow(
    first: Outgoing, policy: Policy, answers: Iterable[Answer], stop_at_repeat: bool = True
) -> tuple[list[Outgoing], End | None]:
    """Every request, the first included, and the end; None where the answers ran out first."""
    follower = Follower(first, policy, stop_at_repeat=stop_at_repeat)
    sent = [first]
    for status, locations in answers:
        came = follower.receive(status, locations)
        if isinstance(came, End):
            return sent, came
        follower = came.follower
        sent.append(came.request)
    return sent, None
