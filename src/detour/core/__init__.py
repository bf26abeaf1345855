"""Redirects as values and functions: pure, no clock, no sockets, no files."""
