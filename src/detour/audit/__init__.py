"""Judging redirects: what is wrong with a chain or with rules, why it matters, what to do instead. Pure."""
