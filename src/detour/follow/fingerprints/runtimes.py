"""What programs on Node, in Go, PHP and Ruby leave in a redirect."""

from __future__ import annotations

from detour.follow.fingerprint import Fingerprint, Mark
from detour.follow.fingerprints.marks import (
    ABSOLUTE,
    EMPTY,
    HTML,
    HTML_UTF8,
    NO_CONTENT,
    REASONS,
    RELATIVE,
    cased,
    change,
    content,
    field,
    no_field,
    order,
    status,
)

# --- Node: http, Express, Fastify ---

_EXPRESS_NOTE = content(rf"(<.*)?{REASONS}\. Redirecting to .*")
_EXPRESS_NAME = field("X-Powered-By", "Express")
_STATIC_REMEDY = "express.static(root, { redirect: false })"
_EXPRESS_REMEDY = "res.redirect(307, url) in the handler: its default is 302"
# Node puts Connection before the length it works out itself; Go and Python's servers put it after.
_NODE_END = r"date connection (keep-alive )?(content-length|transfer-encoding)"

_NODE_ROWS = (
    Fingerprint(
        "Express",
        "redirect",
        (_EXPRESS_NOTE, field("Vary", "(.*, ?)?Accept(,.*)?")),
        "is",
        "express-unnamed/get-moved",
        _EXPRESS_REMEDY,
    ),
    Fingerprint(
        "Express",
        "directory-slash",
        (
            status("30[137]"),
            content(r".*<pre>Redirecting to .*</pre>.*"),
            field("Content-Security-Policy", "default-src 'none'"),
            field("X-Content-Type-Options", "nosniff"),
            change("slash-added"),
        ),
        "is",
        "express-unnamed/get-files-folder",
        _STATIC_REMEDY,
        "The module is serve-static, which other frameworks use, too.",
    ),
    Fingerprint("Express", "application", (_EXPRESS_NAME,), "is", "express/get-moved", _EXPRESS_REMEDY),
    Fingerprint(
        "Fastify",
        "directory-slash",
        (
            status("301"),
            cased("location"),
            cased("Date"),
            EMPTY,
            order("(.* )?location content-length date( .*)?"),
            RELATIVE,
            change("slash-added"),
        ),
        "suggests",
        "fastify/get-files-folder",
        "@fastify/static: redirect: false; or Fastify({ ignoreTrailingSlash: true })",
    ),
    Fingerprint(
        "Fastify",
        "redirect",
        (
            cased("location"),
            cased("Date"),
            EMPTY,
            order("(.* )?location content-length date( .*)?"),
            NO_CONTENT,
        ),
        "suggests",
        "fastify/get-moved",
        "reply.redirect(url, 307) in the handler: its default is 302",
    ),
    Fingerprint(
        "Node.js",
        "write-head",
        (order(rf"(.* )?location (.* )?{_NODE_END}"), no_field("Server"), no_field("X-Powered-By")),
        "suggests",
        "node/get-bare",
        "response.writeHead(307, { Location: url }) in the program's handler",
        "Any framework on Node's http server may look like this.",
    ),
)

# --- Go ---

_GO_NOTE = content(rf'<a href="[^"]*">{REASONS}</a>\.\n\n')
# http.Redirect writes its note and Content-Type for GET alone (Content-Type for HEAD, too).
_GO_SILENT = (
    Mark("method", "(?!GET$|HEAD$).*"),
    order("(.* )?location date content-length( .*)?"),
    cased("Location"),  # Envoy's are the same fields, in lower case
    EMPTY,
    no_field("Content-Type"),
    no_field("Server"),
    no_field("Cache-Control"),
)
_GO_SLASH_REMEDY = 'mux.Handle("/path", handler) beside the pattern that ends in a slash'
_GO_CLEAN_REMEDY = "send the path without // and dots, or wrap the ServeMux: it cleans every path"
_GO_REMEDY = "http.Redirect(w, r, url, code) in the handler"
_GO_FILES_REMEDY = "http.FileServer: serve folders by a handler of your own (http.ServeFileFS)"
_GO_NOTE_26 = "307 since Go 1.26, 301 before; GODEBUG=httpmuxgo121=1 is the ServeMux of Go 1.21."

_GO_ROWS = (
    Fingerprint(
        "Go",
        "servemux-slash",
        (status("30[17]"), _GO_NOTE, HTML_UTF8, RELATIVE, change("slash-added"), no_field("Server")),
        "is",
        "go/get-tree",
        _GO_SLASH_REMEDY,
        _GO_NOTE_26,
    ),
    Fingerprint(
        "Go",
        "servemux-clean-path",
        (
            status("30[17]"),
            _GO_NOTE,
            HTML_UTF8,
            RELATIVE,
            Mark("path", ".*//.*"),
            change("path"),
            no_field("Server"),
        ),
        "is",
        "go/get-tree--a",
        _GO_CLEAN_REMEDY,
        _GO_NOTE_26,
    ),
    Fingerprint(
        "Go",
        "redirect",
        (status("30[1237]"), _GO_NOTE, HTML_UTF8, no_field("Server")),
        "is",
        "go/get-moved",
        _GO_REMEDY,
        "Any program that is written in Go may write this: Caddy, Traefik's dashboard, Consul.",
    ),
    Fingerprint("Go", "redirect", (_GO_NOTE, HTML_UTF8), "suggests", "go/get-moved", _GO_REMEDY),
    Fingerprint(
        "Go",
        "servemux-slash",
        (status("30[17]"), *_GO_SILENT, RELATIVE, change("slash-added")),
        "suggests",
        "go/post-tree",
        _GO_SLASH_REMEDY,
        _GO_NOTE_26,
    ),
    Fingerprint(
        "Go",
        "servemux-clean-path",
        (status("30[17]"), *_GO_SILENT, RELATIVE, Mark("path", ".*//.*"), change("path")),
        "suggests",
        "go/post-tree--a",
        _GO_CLEAN_REMEDY,
        _GO_NOTE_26,
    ),
    Fingerprint("Go", "redirect", _GO_SILENT, "suggests", "go/post-moved", _GO_REMEDY),
    Fingerprint(
        "Go",
        "file-server",
        (
            status("301"),
            field("Location", r"\./|\.\./[^/]+|[^/:]+/(\?.*)?"),
            order("(.* )?location date content-length( .*)?"),
            EMPTY,
            no_field("Server"),
        ),
        "is",
        "go/get-files-folder",
        _GO_FILES_REMEDY,
        "Its Location is a bare name, relative to the path.",
    ),
)

# --- PHP ---

_PHP_REMEDY = 'header("Location: …", true, 307) in the script: without a status it is 302'

_PHP_ROWS = (
    Fingerprint(
        "PHP",
        "header-location",
        (field("X-Powered-By", r"PHP/\d.*"),),
        "is",
        "php/get-root",
        _PHP_REMEDY,
    ),
    Fingerprint(
        "PHP",
        "header-location",
        (
            field("Host", ".+"),
            cased("Content-type"),
            order("host date connection (.* )?location (.* )?content-type"),
        ),
        "is",
        "php/get-root",
        _PHP_REMEDY,
        "PHP's built-in server: it sends the request's Host back.",
    ),
)

# --- Ruby: Sinatra, Rails ---

_SINATRA = (
    field("Content-Type", "text/html;charset=utf-8"),
    field("X-XSS-Protection", "1; mode=block"),
    field("X-Content-Type-Options", "nosniff"),
    field("X-Frame-Options", "SAMEORIGIN"),
    no_field("X-Request-Id"),
)
_RAILS_NOTE = content(r'<html><body>You are being <a href="[^"]*">redirected</a>\.</body></html>')
_ROUTE_REMEDY = 'config/routes.rb: redirect("/path", status: 307): its default is 301'
_REDIRECT_TO_REMEDY = "redirect_to url, status: :temporary_redirect in the controller: its default is 302"

_RUBY_ROWS = (
    Fingerprint(
        "Sinatra",
        "redirect",
        (status("30[12378]"), *_SINATRA, ABSOLUTE, NO_CONTENT),
        "is",
        "sinatra-webrick/get-moved",
        'redirect "/path", 307 in the route: its default is 302, and 303 after POST',
    ),
    Fingerprint(
        "Rails",
        "redirect-to",
        (_RAILS_NOTE, field("Content-Type", "text/html; charset=utf-8"), field("X-Runtime", ".+")),
        "is",
        "rails-webrick/get-moved",
        _REDIRECT_TO_REMEDY,
    ),
    Fingerprint(
        "Rails", "route-redirect", (_RAILS_NOTE, HTML), "is", "rails-webrick/get-table", _ROUTE_REMEDY
    ),
    Fingerprint("Rails", "redirect-to", (_RAILS_NOTE,), "is", "rails-webrick/get-moved", _REDIRECT_TO_REMEDY),
    Fingerprint(
        "Rails",
        "redirect-to",
        (field("X-Runtime", r"\d+\.\d+"), field("X-Request-Id", ".+"), ABSOLUTE),
        "suggests",
        "rails-webrick/get-moved, without its content (Rails 7.1 writes none)",
        _REDIRECT_TO_REMEDY,
    ),
    Fingerprint(
        "Rails",
        "force-ssl",
        (
            status("30[178]"),
            HTML,
            NO_CONTENT,
            change("https"),
            no_field("Cache-Control"),
            order("(.* )?content-type location( .*)?"),
        ),
        "suggests",
        "rails-https-webrick/get-moved",
        "config/environments/production.rb: config.force_ssl = false where a proxy ends TLS without "
        "X-Forwarded-Proto, or config.assume_ssl = true (7.1); the status of other methods: "
        "config.action_dispatch.ssl_default_redirect_status",
        "GET gets 301; other methods 308, or 307 before load_defaults 6.1.",
    ),
)

RUNTIMES: tuple[Fingerprint, ...] = (*_NODE_ROWS, *_GO_ROWS, *_PHP_ROWS, *_RUBY_ROWS)
