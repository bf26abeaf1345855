"""Responses as people published them: what was never on stage here, replayed."""
