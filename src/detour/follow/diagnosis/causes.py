"""Why a redirect nobody asked for is there, as a table: what it looks like, and the line to change.

Rows are in the order of the field notes' list, likeliest first; more than one may be true of a redirect.
"""

from __future__ import annotations

from collections.abc import Callable

from detour.core.status import REDIRECT_STATUSES
from detour.follow.diagnosis import looks
from detour.follow.diagnosis.lines import BELIEVE_SCHEME, both_ends
from detour.follow.diagnosis.sight import KEEPING_STATUSES, Cause, Sight


def _says(text: str) -> Callable[[Sight], str]:
    return lambda sight: text


def _scheme_lines(sight: Sight) -> str:
    return both_ends(BELIEVE_SCHEME, sight)


def _go_lines(sight: Sight) -> str:
    """Routers that copy the ServeMux redirect in the same words, but GET with 301."""
    lines = (
        "ask for <to-path>\n"
        'or register the path as it is asked for: mux.HandleFunc("<path>", handler) beside "<to-path>"'
    )
    gin = "or, if it is Gin, which says 307 to all but GET: router.RedirectTrailingSlash = false"
    return lines if looks.go_note(sight) else f"{lines}\n{gin}"


def _haproxy_line(sight: Sight) -> str:
    if sight.to.scheme == "https" and sight.same_host and sight.same_path:
        return (
            "HAProxy, haproxy.cfg: http-request redirect scheme https code 307 is the line; for good: code "
            "308\nbehind another TLS proxy add: unless { ssl_fc } || { hdr(x-forwarded-proto) https }"
        )
    kind = "prefix <to-origin>" if sight.same_path else "location <location>"
    return f"HAProxy, haproxy.cfg: take away, or condition: http-request redirect {kind} code 307"


def _default_307_line(sight: Sight) -> str:
    if looks.next_js(sight):
        return 'Next.js: NextResponse.redirect(new URL("<location>", request.url), 303)'
    return 'Starlette: RedirectResponse("<location>", status_code=303); 307 is its default'


CAUSES: tuple[Cause, ...] = (
    Cause(
        "U1",
        "starlette-slash",
        "warning",
        looks.starlette_slash,
        "<method> <path> does not end as the route does: Starlette's router (redirect_slashes, or a Mount) "
        "answers 307 to <to-path>",
        _says(
            "ask for <to-path>\n"
            "or in the application: app.router.redirect_slashes = False (FastAPI: FastAPI(redirect_slashes="
            'False)) and a route for the other spelling, too: @app.<function>("<path>"), for a Mount: '
            'Route("<path>", …)'
        ),
        (
            "fastapi/fastapi#4990",
            "Kludex/starlette#2748",
            "modelcontextprotocol/python-sdk#1115",
            "field notes U1",
        ),
        sure=looks.python_server,
    ),
    Cause(
        "U2",
        "untrusted-forwarded-scheme",
        "error",
        looks.believes_http,
        "the request came over https and Location says <location>: the program behind the proxy believes "
        "it was asked over http",
        _scheme_lines,
        ("uvicorn: --forwarded-allow-ips", "BerriAI/litellm#34845", "Kludex/uvicorn#715", "field notes U2"),
        sure=lambda sight: sight.slash_only,  # a router's work; the same path may be a rule that forces http
        better="scheme-ping-pong",
        statuses=frozenset(REDIRECT_STATUSES),
    ),
    Cause(
        "U3",
        "go-slash",
        "warning",
        looks.go_slash,
        "<method> <path> does not match as written: Go's ServeMux answers 307 (301 before Go 1.26) to "
        "<to-path>",
        _go_lines,
        ("golang/go#77741", "golang/go#50243", "hashicorp/consul#23394", "field notes U3"),
        sure=looks.go_note,
    ),
    Cause(
        "U4",
        "aspnet-https",
        "warning",
        looks.aspnet,
        "ASP.NET Core's UseHttpsRedirection sends <origin> to <location> with its default, 307",
        _says(
            "Program.cs, before app.UseHttpsRedirection(): app.UseForwardedHeaders() with "
            "ForwardedHeaders.XForwardedProto, or ASPNETCORE_FORWARDEDHEADERS_ENABLED=true\nhealth checks "
            'and gRPC: app.UseWhen(context => !context.Request.Path.StartsWithSegments("/health"), branch '
            "=> branch.UseHttpsRedirection())"
        ),
        (
            "dotnet/aspnetcore#25221",
            "jincod/dotnetcore-buildpack#49",
            "nodatime/nodatime#1317",
            "field notes U4",
        ),
        confidence="suggests",
    ),
    Cause(
        "U5",
        "browser-made",
        "note",
        looks.browser,
        "no server sent this 307: the browser made it (Non-Authoritative-Reason: <reason>) before it sent "
        "anything",
        _says(
            "link to https://<host> at once; nothing is to be changed in a server's redirects\nto make "
            "browsers forget, answer over https with Strict-Transport-Security: max-age=0\nin one Chrome: "
            "chrome://net-internals/#hsts, Delete domain security policies: <host>"
        ),
        ("RFC 6797 §8.3", "stackoverflow.com/questions/34108241", "field notes U5"),
        confidence="suggests",
    ),
    Cause(
        "U6",
        "traefik-redirect",
        "note",
        looks.traefik,
        "Traefik's redirectScheme or redirectRegex answers GET with 302, and <method> and all else with 307",
        _says(
            "Traefik, the middleware: redirectScheme.permanent: true (then 301 and 308)\nfor a path that "
            "is not to be redirected, a router of its own without this middleware in "
            "routers.NAME.middlewares"
        ),
        ("traefik/traefik#1819", "traefik/traefik#4116", "field notes U6"),
        sure=looks.traefik_alone,
    ),
    Cause(
        "U7",
        "access-gateway",
        "warning",
        looks.portal,
        "a gateway between client and origin wants to know who asks: <method> <path> is sent to <to-origin>",
        _says(
            "Zscaler: Administration → Advanced Settings → Authentication Exemptions: <host>\nor in the PAC "
            'file: if (dnsDomainIs(host, "<host>")) return "DIRECT";'
        ),
        ("help.zscaler.com: Exempting URLs and Cloud Apps from Authentication", "field notes U7"),
        confidence="suggests",
        statuses=frozenset({302, 303, 307}),
    ),
    Cause(
        "U7",
        "edge-challenge",
        "warning",
        looks.challenge,
        "an edge answers <method> <path> with a cookie and the same URL: it wants to see the cookie again",
        _says(
            "keep the cookie that came with it\nor exempt <path> in the settings of the DDoS protection in "
            "front of <host>"
        ),
        ("arvancloud/ar-ipwhitelist#6", "tempesta-tech/tempesta#535", "field notes U7"),
        confidence="suggests",
        better="cookie-challenge",
    ),
    Cause(
        "U8",
        "s3-region",
        "warning",
        looks.s3_region,
        "the bucket is in <region>, and S3's name for it does not lead there yet: <location>",
        _says(
            "the client's endpoint: https://BUCKET.s3.<region>.amazonaws.com, as in aws --region <region>, "
            "or AWS_REGION=<region>\na signature is good for one host, so let the SDK sign again"
        ),
        ("cperciva/bsdec2-image-upload#11", "getmoto/moto#821", "aws/aws-sdk-ruby#133", "field notes U8"),
        confidence="suggests",
    ),
    Cause(
        "U9",
        "leader-redirect",
        "warning",
        looks.leader,
        "a node that may not answer <path> by itself sends the client to another: <to-origin>",
        looks.cluster_line,
        (
            "spring-projects/spring-vault#184",
            "nemosupremo/vault-gatekeeper#2",
            "big-data-europe/docker-hadoop#144",
            "field notes U9, F9",
        ),
        confidence="suggests",
    ),
    Cause(
        "U10",
        "vercel-domain",
        "note",
        looks.vercel,
        "Vercel redirects the domain <host> to <to-host> with <status>",
        _says(
            "give <to-origin><path> to whoever calls\nor Vercel, Project → Settings → Domains: make <host> "
            "the domain that <to-host> redirects to"
        ),
        ("polarsource/polar#7760", "field notes U10"),
        confidence="suggests",
        statuses=KEEPING_STATUSES,
    ),
    Cause(
        "U11",
        "azure-gateway-https",
        "note",
        looks.azure_gateway,
        "an Azure Application Gateway redirects http to https with redirectType Temporary (307)",
        _says(
            "az network application-gateway redirect-config update --type Permanent (301)\nor a path rule "
            "before it for what must stay on http: /.well-known/acme-challenge/*"
        ),
        ("simple-acme/simple-acme#282", "field notes U11"),
        confidence="suggests",
    ),
    Cause(
        "U12",
        "rails-force-ssl",
        "note",
        looks.rails,
        "Rails' force_ssl answers <method> over http with 307 (before load_defaults 6.1; then 308)",
        _says(
            "config/environments/production.rb: config.action_dispatch.ssl_default_redirect_status = 308\n"
            "what must stay on http: config.ssl_options = { redirect: { exclude: ->(request) { "
            'request.path == "<path>" } } }\nbehind a TLS proxy: proxy_set_header X-Forwarded-Proto $scheme;'
        ),
        ("rails/rails#23941", "rails/rails#39656", "field notes U12"),
        sure=lambda sight: sight.surely("Rails"),
    ),
    Cause(
        "U13",
        "haproxy-redirect",
        "note",
        looks.haproxy,
        "HAProxy itself answers <method> <path> with 307: a redirect rule in haproxy.cfg",
        _haproxy_line,
        ("HAProxy configuration manual: http-request redirect", "dotnet/runtime#89549", "field notes U13"),
        sure=looks.haproxy_alone,
    ),
    Cause(
        "U14",
        "default-307",
        "note",
        looks.default_307,
        "the application redirects <method> <path> to <location> with its framework's default, 307: the "
        "same method again",
        _default_307_line,
        ("vercel/next.js#35997", "starlette: RedirectResponse(status_code=307)", "field notes U14, S11"),
        sure=looks.framework_known,
    ),
    Cause(
        "U15",
        "nginx-return",
        "note",
        looks.nginx_note,
        "nginx itself answers <method> <path> with 307",
        _says(
            "nginx: the line return 307 …; in the server or location that matches <path> (nginx -T shows it)"
        ),
        ("nginx: ngx_http_rewrite_module, return", "field notes U15"),
    ),
    Cause(
        "U15",
        "nginx-passed-redirect",
        "error",
        looks.nginx_passed,
        "nginx passes a backend's <status> whose Location names the backend, not the site: <location>",
        _says(
            "nginx, beside proxy_pass: proxy_set_header Host $http_host;\nor, where the backend has a name "
            "of its own: proxy_redirect <to-origin>/ /;"
        ),
        ("nginx: ngx_http_proxy_module, proxy_redirect", "field notes U15"),
        sure=looks.only_backend,
        statuses=frozenset(REDIRECT_STATUSES),
    ),
    Cause(
        "U16",
        "cloudfront-https",
        "note",
        looks.cloudfront,
        "CloudFront's viewer protocol policy redirects <method> to https with 307 (GET with 301)",
        _says(
            "give https://<host><path> to whoever calls\nor the cache behaviour's ViewerProtocolPolicy: "
            "https-only (403 instead), allow-all"
        ),
        (
            "dreamwidth/dreamwidth#2352",
            "AWS, CloudFront Developer Guide: Require HTTPS between viewers and CloudFront",
            "field notes U16",
        ),
        confidence="suggests",
    ),
)

# The rows that look at a redirect status, so that a common one costs little.
CAUSES_OF: dict[int, tuple[Cause, ...]] = {
    status: tuple(cause for cause in CAUSES if status in cause.statuses) for status in REDIRECT_STATUSES
}
