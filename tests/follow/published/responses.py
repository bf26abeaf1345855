"""One row a published response: its octets, who published them, and the cause it is an example of.

What stands in a source is kept letter by letter; where a source tells a thing in words (a Location that
"points to the https URL", a status in a router's log), the row's `told` says which part that is.
"""

from __future__ import annotations

import msgspec

from detour.core.chain import Chain, End, Hop, Outgoing, Response
from detour.core.url import URL


class Published(msgspec.Struct, frozen=True):
    """A request and the response that somebody published."""

    id: str  # of the field notes
    finding: str
    method: str
    url: str
    head: str
    source: str
    lines: tuple[str, ...]  # what the remedy must name
    content: str = ""
    told: str = ""  # what the source says in words

    @property
    def chain(self) -> Chain:
        """The chain as a client that does not follow has it."""
        request = Outgoing(self.method, URL.parse(self.url))
        response = response_of(self.head, self.content)
        return Chain("fetch", (Hop(request, response, to(request, response)),), End("not-followed"))


def response_of(head: str, content: str = "") -> Response:
    """A response of these lines."""
    first, *lines = head.strip().splitlines()
    version, status, *reason = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    fields = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    octets = content.encode()
    return Response(int(status), "".join(reason), version[5:], fields, octets, len(octets))


def to(request: Outgoing, response: Response) -> URL | None:
    """Where Location leads, if there is one."""
    return URL.parse(response.locations[0], request.url) if response.locations else None


S3_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>TemporaryRedirect</Code><Message>Please re-send this request to the specified temporary \
endpoint. Continue to use the original request endpoint for future requests.</Message>\
<Endpoint>fra-redacted.s3.eu-central-1.amazonaws.com</Endpoint><Bucket>fra-redacted</Bucket></Error>"""

CLOUDFRONT_CONTENT = """<html>
<head><title>307 Temporary Redirect</title></head>
<body bgcolor="white">
<center><h1>307 Temporary Redirect</h1></center>
<hr><center>CloudFront</center>
</body>
</html>
"""

GATEWAY_CONTENT = """<html>
<head><title>307 Temporary Redirect</title></head>
<body>
<center><h1>307 Temporary Redirect</h1></center>
<hr><center>Microsoft-Azure-Application-Gateway/v2</center>
</body>
</html>
"""

PUBLISHED: tuple[Published, ...] = (
    Published(
        "U4",
        "aspnet-https",
        "GET",
        "http://football-statistics-net.herokuapp.com/",
        """
HTTP/1.1 307 Temporary Redirect
Server: Kestrel
Content-Length: 0
Location: https://football-statistics-net.herokuapp.com/
""",
        "jincod/dotnetcore-buildpack#49; dotnet/aspnetcore#25221, #21506; field notes, fingerprint 26",
        (
            "app.UseForwardedHeaders()",
            "ASPNETCORE_FORWARDEDHEADERS_ENABLED=true",
            "branch.UseHttpsRedirection()",
        ),
        told="status 307 of a router's log; Server, the empty content and Location are the field notes' row",
    ),
    Published(
        "U5",
        "browser-made",
        "GET",
        "http://stackoverflow.com/questions",
        """
HTTP/1.1 307 Internal Redirect
Location: https://stackoverflow.com/questions
Non-Authoritative-Reason: HSTS
""",
        "a browser's network panel, as in stackoverflow.com/questions/34108241",
        ("Strict-Transport-Security: max-age=0", "chrome://net-internals/#hsts"),
    ),
    Published(
        "U5",
        "browser-made",
        "GET",
        "http://www.myawesomewebsite.com/",
        """
HTTP/1.1 307 Internal Redirect
Cross-Origin-Resource-Policy: Cross-Origin
Location: https://www.myawesomewebsite.com/
Non-Authoritative-Reason: HSTS
""",
        "dmytrolitvinov.com/til/http-strict-transport-security",
        ("Strict-Transport-Security: max-age=0",),
    ),
    Published(
        "U7",
        "access-gateway",
        "GET",
        "http://www.sgx.com/",
        """
HTTP/1.1 307 Temporary Redirect
Location: https://gateway.zscaler.net/auT?origurl=http%3A%2F%2Fwww%2esgx%2ecom%2f&_ordtok=qkk3WVRQkqhBrTDWkZLTk5knPH
""",
        "help.zscaler.com: Exempting URLs and Cloud Apps from Authentication",
        ("Authentication Exemptions: www.sgx.com", 'dnsDomainIs(host, "www.sgx.com")'),
        told="the status is Zscaler's documentation's; the URL of its gateway is from a public test script",
    ),
    Published(
        "U7",
        "edge-challenge",
        "GET",
        "https://example.ir/",
        """
HTTP/1.1 307 Temporary Redirect
Location: https://example.ir/
Set-Cookie: challenge=1
""",
        "arvancloud/ar-ipwhitelist#6",
        ("keep the cookie", "DDoS protection"),
        told="307, a cookie and the same URL are told in words",
    ),
    Published(
        "U8",
        "s3-region",
        "PUT",
        "http://fra-redacted.s3.amazonaws.com/592562b2657f4d84db60f4c899eb57f5/part0",
        """
HTTP/1.1 307 Temporary Redirect
x-amz-bucket-region: eu-central-1
x-amz-request-id: F51174106260C689
Location: https://fra-redacted.s3.eu-central-1.amazonaws.com/592562b2657f4d84db60f4c899eb57f5/part0
Content-Type: application/xml
Transfer-Encoding: chunked
Date: Sat, 30 Jan 2021 12:59:03 GMT
Connection: close
Server: AmazonS3
""",
        "cperciva/bsdec2-image-upload#11",
        ("https://BUCKET.s3.eu-central-1.amazonaws.com", "AWS_REGION=eu-central-1"),
        S3_CONTENT,
    ),
    Published(
        "U9",
        "leader-redirect",
        "POST",
        "https://vault.example.test/v1/auth/approle/login",
        """
HTTP/1.1 307 Temporary Redirect
Cache-Control: no-store
Location: https://vault-node-2.internal:8200/v1/auth/approle/login
Date: Mon, 27 Nov 2017 15:16:51 GMT
Content-Length: 0
Content-Type: text/plain; charset=utf-8
""",
        "JetBrains/teamcity-hashicorp-vault-plugin#5",
        ("api_addr =", "option httpchk GET /v1/sys/health"),
    ),
    Published(
        "U9",
        "leader-redirect",
        "GET",
        "http://127.0.0.1:8400/v1/secret/test",
        """
HTTP/1.1 307 Temporary Redirect
Cache-Control: no-store
Location: http://127.0.0.1:8300/v1/secret/test
Date: Wed, 27 Dec 2017 01:03:45 GMT
Content-Length: 0
Content-Type: text/plain; charset=utf-8
""",
        "spring-projects/spring-vault#184",
        ("api_addr =",),
    ),
    Published(
        "U10",
        "vercel-domain",
        "POST",
        "https://snapog.dev/",
        """
HTTP/2 307
location: https://www.snapog.dev/
server: Vercel
content-type: text/plain
""",
        "polarsource/polar#7760; field notes, fingerprint 35",
        ("https://www.snapog.dev/", "Settings → Domains"),
        "Redirecting...",
        told="status, Location, Server: told in a public deployment note; the content: the field notes",
    ),
    Published(
        "U11",
        "azure-gateway-https",
        "GET",
        "http://qa.r.dog/.well-known/acme-challenge/ReadMe.txt",
        """
HTTP/1.1 307 Temporary Redirect
Server: Microsoft-Azure-Application-Gateway/v2
Content-Type: text/html
Location: https://qa.r.dog/.well-known/acme-challenge/ReadMe.txt
""",
        "simple-acme/simple-acme#282",
        ("redirect-config update --type Permanent", "/.well-known/acme-challenge/*"),
        GATEWAY_CONTENT,
        told="status and URL; Server and content have the form of the gateway's published 403 page",
    ),
    Published(
        "U16",
        "cloudfront-https",
        "POST",
        "http://www.dreamwidth.org/interface/xmlrpc",
        """
HTTP/1.1 307 Temporary Redirect
Server: CloudFront
Content-Type: text/html
Location: https://www.dreamwidth.org/interface/xmlrpc
X-Cache: Redirect from cloudfront
""",
        "dreamwidth/dreamwidth#2352",
        ("https://www.dreamwidth.org/interface/xmlrpc", "ViewerProtocolPolicy"),
        CLOUDFRONT_CONTENT,
        told="the content is published; POST alone and Location are told; the fields are as for GET",
    ),
)
