"""Redirects answered over real sockets.

The glossary of this package. A *connection* (protocol) is one client's TCP or TLS connection. It cuts
what arrives into *heads*; a head says what is asked for, and how much *content* follows (head). Who
asks, and over what, is the connection's own truth unless a trusted peer *forwarded* it (forwarded).
The *service* is what all connections of a worker share: the rules, the counters, the clocks; an
*endpoint* is the service on one listener. An *answer* is a decision as bytes, all but the date (wire);
the *memo* keeps answers that depend on nothing but the request line and Host. A *worker* owns a
service, and the parent owns the workers, the *listeners* (listener) and the *banks* their counters
live in (stats); an admin process beside them reads the banks.
"""
