"""What real clients do with a redirect: cases played to them, and what arrives compared octet by octet.

| word | meaning |
|---|---|
| **case** | what a client is asked to send, what is played to it, what the standards allow it to do then |
| **script** | the answers of a case, one for each *station*; after the last one every station answers `200` |
| **station** | a number in the path, `/TOKEN/0/start`, `/TOKEN/1/here` …: it finds the answer |
| **token** | one run of one case; it stands in every path, so that arrivals of two runs are never mixed up |
| **origin** | one of six on loopback, by a letter: `a` `p` `b` over http, `s` `t` over https, `f` over ftp |
| **manner** | when an origin reads the request's content, and whether it closes the connection |
| **arrival** | one request as an origin received it, octet by octet |
| **outcome** | what the client says of itself: a status, an error, or that it cannot send such a thing |
| **record** | the arrivals and the outcome of one run |
| **route** | one way to go after the first request: **stops**, each a place and the forms allowed there |
| **form** | what a request is, held against the one asked for: kept, rewritten, or neither |
| **verdict** | what a record is worth, one on each of two axes: the request, and the credentials |
"""
