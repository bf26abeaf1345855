"""Detour: temporary HTTP redirects that keep the method and the content."""
