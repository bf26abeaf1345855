"""Following live redirects: tracing a chain, checking many, saying who emitted each of them."""
