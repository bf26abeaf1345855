"""What web servers and servlet containers leave in a redirect that they make themselves."""

from __future__ import annotations

from detour.follow.fingerprint import Confidence, Fingerprint, Mark
from detour.follow.fingerprints.marks import (
    ABSOLUTE,
    EMPTY,
    NO_CONTENT,
    RELATIVE,
    cased,
    change,
    content,
    field,
    no_field,
    order,
    status,
)

_HTTP1 = Mark("version", r"1\.[01]")
_TO_HTTPS = change("https")
_SLASH = change("slash-added")

# --- nginx ---

# src/http/ngx_http_special_response.c: one page for each status, its last line the version or the bare name.
_NGINX_PAGE = content(
    r"<html>\r\n<head><title>30[12378] .*<hr><center>nginx(/[^<]*)?</center>\r\n</body>\r\n</html>\r\n.*"
)
_NGINX_SERVER = field("Server", "nginx(/.+)?")
_SLASH_REMEDY = (
    "a location without the slash (location = /path { … }), and absolute_redirect off; or "
    "port_in_redirect off, where the Location tells a port that clients cannot reach"
)

_NGINX_ROWS = (
    Fingerprint(
        "nginx",
        "https-redirect",
        (status("308"), _NGINX_PAGE, _TO_HTTPS),
        "is",
        "nginx/get-secure-kept-a-1",
        "return 308 https://$host$request_uri; in the server block of port 80. ingress-nginx: the "
        'annotations nginx.ingress.kubernetes.io/ssl-redirect and force-ssl-redirect: "false", or ConfigMap '
        'use-forwarded-headers: "true" behind another proxy',
        "308 is what ingress-nginx writes unless its ConfigMap names another http-redirect-code.",
    ),
    Fingerprint(
        "nginx",
        "https-redirect",
        (_NGINX_PAGE, _TO_HTTPS),
        "is",
        "nginx/get-secure",
        "return 301 https://$host$request_uri; (307 or 308 keep the method) in the server block of "
        "port 80, or error_page 497",
    ),
    Fingerprint(
        "nginx",
        "implicit-slash",
        (status("301"), _NGINX_PAGE, _SLASH),
        "is",
        "nginx/get-passed",
        _SLASH_REMEDY,
        "A folder, or a location with a slash at its end and proxy_pass. rewrite … permanent may look so.",
    ),
    Fingerprint(
        "nginx",
        "return",
        (_NGINX_PAGE,),
        "is",
        "nginx/get-return-307",
        "return 307 URL; in the location, or rewrite … redirect (302) and permanent (301): write return "
        "with 307 or 308 to keep the method",
    ),
    Fingerprint(
        "nginx",
        "return",
        (_NGINX_SERVER, Mark("reason", "Moved Temporarily"), field("Content-Type", "text/html"), NO_CONTENT),
        "suggests",
        "nginx/get-return-302, as HEAD shows it",
        "return or rewrite … redirect in the location",
    ),
    Fingerprint(
        "nginx",
        "passed-on",
        (_NGINX_SERVER,),
        "suggests",
        "nginx/get-return-307",
        "what stands behind proxy_pass, fastcgi_pass or the like; proxy_redirect rewrites its Location",
        between=True,
    ),
    Fingerprint(
        "OpenResty",
        "return",
        (content(r".*<hr><center>openresty(/[^<]*)?</center>.*"),),
        "suggests",
        "nginx/get-return-307, its page with another name",
        "return or rewrite in the location; ngx.redirect(uri, status) in Lua",
    ),
)

# --- Apache ---

# modules/http/http_protocol.c, get_canned_error_string; older ones have the DOCTYPE of HTML 2.0.
_APACHE_PAGE = content(
    r".*<h1>[A-Z][A-Za-z ]+</h1>\n<p>The (document has moved <a href=\"[^\"]*\">here</a>\."
    r"|answer to your request is located <a href=\"[^\"]*\">here</a>\.)</p>\n.*"
)
_APACHE_TYPE = field("Content-Type", "text/html; charset=iso-8859-1")
_APACHE_SERVER = field("Server", "Apache(/.+)?")
_APACHE_REMEDY = (
    "Redirect 307 /old URL, or RewriteRule … [R=307,L]: without a status both answer 302; see "
    ".htaccess files, too"
)

_APACHE_ROWS = (
    Fingerprint(
        "Apache",
        "https-redirect",
        (_APACHE_PAGE, _APACHE_TYPE, _TO_HTTPS),
        "is",
        "apache/get-secure",
        "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=307,L], or Redirect, in the virtual host "
        "of port 80; behind a proxy: RewriteCond %{HTTP:X-Forwarded-Proto} !=https before it",
    ),
    Fingerprint(
        "Apache",
        "directory-slash",
        (status("301"), _APACHE_PAGE, _APACHE_TYPE, _SLASH),
        "is",
        "apache/get-folder",
        "DirectorySlash Off, or the link with its slash; UseCanonicalName and ServerName decide the "
        "host and scheme it writes",
    ),
    Fingerprint(
        "Apache", "redirect", (_APACHE_PAGE, _APACHE_TYPE), "is", "apache/get-redirect-307", _APACHE_REMEDY
    ),
    Fingerprint(
        "Apache",
        "redirect",
        (_APACHE_SERVER, _APACHE_TYPE, NO_CONTENT),
        "suggests",
        "apache/get-redirect-307, as HEAD shows it",
        _APACHE_REMEDY,
    ),
    Fingerprint(
        "Apache",
        "passed-on",
        (_APACHE_SERVER,),
        "suggests",
        "apache/get-redirect-307",
        "what stands behind ProxyPass, or a script: PHP, CGI",
        between=True,
    ),
)

# --- lighttpd ---

_LIGHTTPD = (
    order("(.* )?location (.* )?content-length (connection )?date( .*)?"),
    EMPTY,
    NO_CONTENT,
    no_field("Content-Type"),
)
_LIGHTTPD_SERVER = field("Server", "lighttpd(/.+)?")


def _lighttpd(confidence: Confidence, of: tuple[Mark, ...]) -> tuple[Fingerprint, ...]:
    rows = (
        (
            "directory-slash",
            (status("301"), RELATIVE, _SLASH),
            "get-folder",
            "ask for the folder with its slash: lighttpd has no setting for it",
        ),
        (
            "https-redirect",
            (_TO_HTTPS,),
            "get-secure",
            'lighttpd: url.redirect in $HTTP["scheme"] == "http", and url.redirect-code = 307 or 308',
        ),
        (
            "redirect",
            (status("30[12378]"),),
            "get-redirect",
            "url.redirect, and url.redirect-code = 307 beside it: its default is 301",
        ),
    )
    return tuple(
        Fingerprint("lighttpd", cause, (*marks, *of), confidence, f"lighttpd/{capture}", remedy)
        for cause, marks, capture, remedy in rows
    )


_LIGHTTPD_ROWS = (
    *_lighttpd("is", (*_LIGHTTPD, _LIGHTTPD_SERVER)),
    # Tomcat has the same fields in the same case and order, and never a reason phrase.
    *_lighttpd("suggests", (*_LIGHTTPD, _HTTP1, cased("Location"), Mark("reason", ".+"))),
    Fingerprint(
        "lighttpd",
        "passed-on",
        (_LIGHTTPD_SERVER,),
        "suggests",
        "lighttpd/get-redirect",
        "what stands behind proxy.server or fastcgi.server",
        between=True,
    ),
)

# --- Tomcat ---

# No reason phrase since Tomcat 8.5 (org.apache.coyote.http11.Http11OutputBuffer).
_TOMCAT = (
    _HTTP1,
    Mark("reason", ""),
    cased("Location"),
    order("(.* )?location (.* )?(content-length|transfer-encoding) date( .*)?"),
    NO_CONTENT,
)
_TOMCAT_ROWS = (
    Fingerprint(
        "Tomcat",
        "context-root",
        (status("302"), *_TOMCAT, field("Transfer-Encoding", "chunked"), _SLASH),
        "is",
        "tomcat/get-app",
        "context.xml: <Context mapperContextRootRedirectEnabled>, or the link with its slash",
        "The scheme it believes: RemoteIpValve; in Spring Boot: server.forward-headers-strategy.",
    ),
    Fingerprint(
        "Tomcat",
        "directory-slash",
        (status("302"), *_TOMCAT, EMPTY, _SLASH),
        "is",
        "tomcat/get-app-folder",
        "context.xml: <Context mapperDirectoryRedirectEnabled>, or the link with its slash",
    ),
    Fingerprint(
        "Tomcat",
        "https-redirect",
        (status("302"), *_TOMCAT, _TO_HTTPS),
        "is",
        "tomcat/get-app-private",
        "web.xml: <transport-guarantee>CONFIDENTIAL</transport-guarantee>; server.xml: redirectPort, and "
        "RemoteIpValve where a proxy ends TLS",
    ),
    Fingerprint(
        "Tomcat",
        "send-redirect",
        _TOMCAT,
        "is",
        "tomcat/get-app-moved",
        'response.sendRedirect(url) in the servlet is 302: setStatus(307) and setHeader("Location", url); '
        "Spring: RedirectView.setStatusCode",
        "Spring Boot runs on Tomcat unless told otherwise.",
    ),
)

# --- Jetty ---

_JETTY = (order("(.* )?date (.* )?location( content-length| transfer-encoding)?( .*)?"), NO_CONTENT)
_JETTY_BARE = (
    order("date location( content-length| transfer-encoding)"),
    NO_CONTENT,
    Mark("version", r"1\.1"),
    cased("Location"),
)
_JETTY_SERVER = field("Server", r"Jetty\(.+\)")


def _jetty(confidence: Confidence, of: tuple[Mark, ...]) -> tuple[Fingerprint, ...]:
    rows = (
        (
            "context-root",
            (status("30[12]"), _SLASH, Mark("path", "/[^/]*"), ABSOLUTE),
            "get-app",
            "ContextHandler.setAllowNullPathInContext(true), or the link with its slash",
        ),
        (
            "directory-slash",
            (status("30[12]"), _SLASH, ABSOLUTE),
            "get-app-folder",
            "DefaultServlet: the link with its slash, or redirectWelcome",
        ),
        (
            "rewrite",
            (status("30[12]"), field("Transfer-Encoding", "chunked")),
            "get-old-x",
            "jetty-rewrite.xml: the RedirectPatternRule or RedirectRegexRule, its statusCode",
        ),
        (
            "send-redirect",
            (status("30[12378]"),),
            "get-app-moved",
            'response.sendRedirect(url) in the servlet is 302: setStatus(307) and setHeader("Location", url)',
        ),
    )
    return tuple(
        Fingerprint("Jetty", cause, (*marks, *of), confidence, f"jetty/{capture}", remedy)
        for cause, marks, capture, remedy in rows
    )


_JETTY_ROWS = (*_jetty("is", (*_JETTY, _JETTY_SERVER)), *_jetty("suggests", _JETTY_BARE))

# --- Python's http.server ---

_FOLDER_REMEDY = "ask for the folder with its slash: python -m http.server has no setting for it"
_HANDLER_REMEDY = 'send_response(307) in the handler, before send_header("Location", …)'
_HANDLER = (order("date location( content-length)?"), cased("Location"), NO_CONTENT)

_HTTP_SERVER_ROWS = (
    Fingerprint(
        "http.server",
        "directory-slash",
        (status("301"), field("Server", r"SimpleHTTP/.+ Python/.+"), _SLASH),
        "is",
        "http-server/get-folder",
        _FOLDER_REMEDY,
    ),
    Fingerprint(
        "http.server",
        "handler",
        (field("Server", r"(BaseHTTP|SimpleHTTP)/.+ Python/.+"),),
        "is",
        "http-server-handler/get-root",
        _HANDLER_REMEDY,
    ),
    Fingerprint(
        "http.server",
        "directory-slash",
        (status("301"), Mark("reason", ".+"), RELATIVE, EMPTY, _SLASH, *_HANDLER),
        "suggests",
        "http-server/get-folder",
        _FOLDER_REMEDY,
    ),
    Fingerprint(
        "http.server",
        "handler",
        (Mark("version", r"1\.0"), *_HANDLER),
        "suggests",
        "http-server-handler/get-root",
        _HANDLER_REMEDY,
    ),
)

SERVERS: tuple[Fingerprint, ...] = (
    *_NGINX_ROWS,
    *_APACHE_ROWS,
    *_LIGHTTPD_ROWS,
    *_TOMCAT_ROWS,
    *_JETTY_ROWS,
    *_HTTP_SERVER_ROWS,
)
