"""Text to rules and back, one dialect a file. Pure: files come in as text, by name."""
