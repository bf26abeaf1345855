"""Redirects answered over real sockets.

The glossary of this package, from the wire to the house. A *connection* (protocol) is one client's TCP or
TLS connection. It cuts what arrives into *heads*; a head says what is asked for, and how much *content*
follows (head). Who asks, and over what, is the connection's own truth unless a trusted peer *forwarded* it
(forwarded). The *service* is what all connections of a worker share: the rules, the counters, the clocks;
an *endpoint* is the service on one listener; its *memo* keeps answers that depend on nothing but the
request line and Host (answering). An *answer* is a decision as bytes, all but the date (wire).

A *worker* owns a service (worker). The parent (server) owns the workers and the admin process (*crew*), the
*listeners* with their *certificates*, and the *banks* their counters live in (stats). What it is told by
flags are *options*; what a child and it say to each other goes over a *channel*; how children begin and
end, and how signals arrive, is *process*. A *snapshot* is a compiled rule set in an anonymous file, an
*edition* one in force. A *reload* watches files, compiles rules in a child, and reads certificates again.
The *admin* process reads the banks and the *board*, on which the parent tells about itself, and shows them
as pages and *metrics*. What the server writes to stdout and stderr is the *log*.
"""
