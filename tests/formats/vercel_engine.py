"""npm @vercel/routing-utils: Vercel's own compiler of redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.formats.node_engine import Answer, NodeEngine

__all__ = ["Answer", "VercelEngine"]


class VercelEngine(NodeEngine):
    """Answers of the routes that Vercel makes of a configuration."""

    package = "@vercel/routing-utils"
    script = "vercel_engine.cjs"

    def ask(self, config: Mapping[str, Any], paths: list[str]) -> list[Answer]:
        """Status and Location, as the routes have it, for each path; None where no redirect answers."""
        return self.answers({"config": config, "requests": paths})
