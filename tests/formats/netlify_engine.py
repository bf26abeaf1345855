"""npm netlify-redirector: Netlify's own matcher."""

from __future__ import annotations

from tests.formats.node_engine import Answer, NodeEngine

__all__ = ["Answer", "NetlifyEngine"]


class NetlifyEngine(NodeEngine):
    """Answers of Netlify's own matcher."""

    package = "netlify-redirector"
    script = "netlify_engine.cjs"

    def ask(self, rules: str, urls: list[str]) -> list[Answer]:
        """Status and absolute Location for a GET of each URL; None where no line answers."""
        return self.answers({"rules": rules, "requests": urls})
