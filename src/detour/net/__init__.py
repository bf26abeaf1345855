"""Requests sent exactly as told: one at a time or many at once, within limits, watched by the address guard.

A *line* is a libcurl handle that carries one request after another. An *exchange* is a piece of work that
asks for requests to be sent and gets what came. A *transport* does what one exchange asks for, a *pool* what
many ask for at once. The *guard* says which addresses a hop may connect to. How a request ended without an
answer is an end with its reason; what libcurl refused to show is fetched as *evidence* over a raw connection.
"""
