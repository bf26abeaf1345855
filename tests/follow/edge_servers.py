"""Real servers and proxies that redirect by themselves, each with its configuration."""

from __future__ import annotations

from tests.follow.programs import Ask, Program, asks

STATUSES = ("301", "302", "303", "307", "308")


def _numbered(cause: str, path: str, *statuses: str) -> tuple[Ask, ...]:
    return asks(cause, *(f"{path}/{status}" for status in statuses or STATUSES))


# --- nginx ---

NGINX_RUN = ("nginx", "-e", "stderr", "-p", "{folder}", "-c", "{folder}/nginx.conf")
NGINX_CONF = """
daemon off;
{nginx user}
pid {folder}/nginx.pid;
events { }
http {
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
%s
}
"""
NGINX_REDIRECTS = "\n".join(
    [
        *(f"location /return/{status} {{ return {status} /here; }}" for status in STATUSES),
        "location = /other { return 307 https://other.example.test/here; }",
        "location = /secure { return 301 https://$host$request_uri; }",
        "location = /secure/kept { return 308 https://$host$request_uri; }",
        "location = /rewritten { rewrite ^ /here redirect; }",
        "location = /rewritten/for-good { rewrite ^ /here permanent; }",
        "location /files { alias {apps}/public; }",
        "location /passed/ { proxy_pass http://127.0.0.1:1; }",
    ]
)
NGINX = (
    *_numbered("return", "/return"),
    *asks("return", "/other", "/rewritten", "/rewritten/for-good"),
    *asks("https-redirect", "/secure", "/secure/kept?a=1"),
    *asks("implicit-slash", "/files/folder", methods="GET"),
    *asks("implicit-slash", "/passed", "/passed?a=1"),
)


def nginx(server: str) -> dict[str, str]:
    """nginx's file with this in its http block."""
    return {"nginx.conf": NGINX_CONF % server}


# --- Apache ---

APACHE_RUN = ("apache2", "-X", "-f", "{folder}/apache.conf")
APACHE_MODULES = ("mpm_event", "authz_core", "alias", "rewrite", "dir", "mime")
APACHE_CONF = """
%s
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/errors
TypesConfig /dev/null
ServerName localhost
Listen 127.0.0.1:{port}
{apache user}
DocumentRoot {apps}/public
%s
"""
APACHE_REDIRECTS = "\n".join(
    [
        *(f"Redirect {status} /redirect/{status} /here" for status in STATUSES),
        "Redirect /other https://other.example.test/here",
        "RewriteEngine On",
        *(f"RewriteRule ^/rewritten/{status}$ /here [R={status},L]" for status in STATUSES),
        "RewriteRule ^/secure https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]",
    ]
)
APACHE = (
    *_numbered("redirect", "/redirect"),
    *_numbered("redirect", "/rewritten"),
    *asks("redirect", "/other"),
    *asks("https-redirect", "/secure", "/secure?a=1"),
    *asks("directory-slash", "/folder", "/folder?a=1"),
)


def apache(text: str, *more: str) -> dict[str, str]:
    """Apache's file with these directives and further modules."""
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
        for name in (*APACHE_MODULES, *more)
    )
    return {"apache.conf": APACHE_CONF % (modules, text)}


# --- HAProxy ---

HAPROXY_RUN = ("haproxy", "-db", "-f", "{folder}/haproxy.cfg")
HAPROXY_CONF = """
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
frontend door
  bind 127.0.0.1:{port}%s
%s
"""
HAPROXY_REDIRECTS = "\n".join(
    [
        *(
            f"  http-request redirect location /here code {status} if {{ path /location/{status} }}"
            for status in STATUSES
        ),
        "  http-request redirect prefix https://other.example.test if { path_beg /prefix }",
        "  http-request redirect scheme https if { path /secure }",
        "  http-request redirect scheme https code 308 if { path /secure/kept }",
        "  http-request redirect prefix / append-slash if { path_beg /slash }",
    ]
)
HAPROXY = (
    *_numbered("redirect", "/location"),
    *asks("redirect", "/prefix", "/prefix?a=1"),
    *asks("https-redirect", "/secure", "/secure?a=1", "/secure/kept"),
)


def haproxy(rules: str, more: str = "") -> dict[str, str]:
    """HAProxy's file with these rules, and more on its bind line."""
    return {"haproxy.cfg": HAPROXY_CONF % (more, rules)}


# --- Caddy ---

CADDY_RUN = ("caddy", "run", "--config", "{folder}/Caddyfile", "--adapter", "caddyfile")
CADDY_CONF = """
{
  admin off
  auto_https off
  persist_config off
}
http://:{port} {
  bind 127.0.0.1
%s
}
"""
CADDY_REDIRECTS = "\n".join(
    [
        *(f"  redir /redir/{status} /here {status}" for status in STATUSES),
        "  redir /other https://other.example.test{uri}",
        "  redir /secure https://{host}{uri} permanent",
        "  root * {apps}/public",
        "  file_server",
    ]
)
CADDY = (
    *_numbered("redir", "/redir"),
    *asks("redir", "/other"),
    *asks("https-redirect", "/secure", "/secure?a=1"),
    *asks("directory-slash", "/folder", "/folder?a=1", methods="GET"),
)
CADDY_AUTO_CONF = """
{
  admin off
  persist_config off
  http_port {port}
  https_port {port2}
  default_bind 127.0.0.1
}
shop.example.test {
  tls {cert} {key}
}
"""
CADDY_AUTO = asks("automatic-https", "/", "/path?a=1")

# --- Envoy ---

ENVOY_RUN = (
    "envoy",
    "-c",
    "{folder}/envoy.yaml",
    "--base-id",
    "{port}",
    "--log-level",
    "error",
    "--concurrency",
    "1",
)
ENVOY_CONF = """
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: {port} } }
    filter_chains:
    -%s
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/{hcm}.v3.HttpConnectionManager
          stat_prefix: door
%s
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
%s
""".replace("{hcm}", "envoy.extensions.filters.network.http_connection_manager")
ENVOY_CODES = {
    "301": "MOVED_PERMANENTLY",
    "302": "FOUND",
    "303": "SEE_OTHER",
    "307": "TEMPORARY_REDIRECT",
    "308": "PERMANENT_REDIRECT",
}


def _route(path: str, action: str) -> str:
    return f'              - {{ match: {{ path: "{path}" }}, {action} }}'


ENVOY_REDIRECTS = "\n".join(
    [
        *(
            _route(f"/path/{status}", f'redirect: {{ path_redirect: "/here", response_code: {code} }}')
            for status, code in ENVOY_CODES.items()
        ),
        _route("/host", 'redirect: { host_redirect: "other.example.test" }'),
        _route("/secure", "redirect: { https_redirect: true }"),
        _route("/secure/kept", "redirect: { https_redirect: true, response_code: PERMANENT_REDIRECT }"),
        _route(
            "/direct",
            "direct_response: { status: 307 }, response_headers_to_add: [ { header: { key: location, "
            "value: /here }, append_action: OVERWRITE_IF_EXISTS_OR_ADD } ]",
        ),
    ]
)
ENVOY = (
    *_numbered("redirect", "/path"),
    *asks("redirect", "/host"),
    *asks("https-redirect", "/secure", "/secure?a=1", "/secure/kept"),
    *asks("direct-response", "/direct"),
)


def envoy(routes: str, more: str = "", tls: str = " ") -> dict[str, str]:
    """Envoy's file with these routes, and more for its connection manager."""
    return {"envoy.yaml": ENVOY_CONF % (tls, more, routes)}


# --- Traefik ---

TRAEFIK_RUN = (
    "traefik",
    "--entryPoints.web.address=127.0.0.1:{port}",
    "--providers.file.filename={folder}/dynamic.yml",
    "--global.checkNewVersion=false",
    "--global.sendAnonymousUsage=false",
)
TRAEFIK_CONF = """
http:
  routers:
    regex: { rule: "Path(`/regex`)", service: noop@internal, middlewares: [regex] }
    good: { rule: "Path(`/regex/for-good`)", service: noop@internal, middlewares: [good] }
    secure: { rule: "Path(`/secure`)", service: noop@internal, middlewares: [secure] }
    kept: { rule: "Path(`/secure/for-good`)", service: noop@internal, middlewares: [kept] }
  middlewares:
    regex: { redirectRegex: { regex: "/regex.*", replacement: "/here" } }
    good: { redirectRegex: { regex: "/regex.*", replacement: "/here", permanent: true } }
    secure: { redirectScheme: { scheme: https } }
    kept: { redirectScheme: { scheme: https, permanent: true } }
"""
TRAEFIK = (
    *asks("redirect-regex", "/regex", "/regex?a=1", "/regex/for-good"),
    *asks("redirect-scheme", "/secure", "/secure?a=1", "/secure/for-good"),
)

# --- lighttpd ---

LIGHTTPD_RUN = ("lighttpd", "-D", "-f", "{folder}/lighttpd.conf")
LIGHTTPD_CONF = """
server.modules = ( "mod_redirect" )
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{apps}/public"
%s
"""
LIGHTTPD_REDIRECTS = "\n".join(
    [
        'url.redirect = ( "^/redirect$" => "/here", "^/other" => "https://other.example.test${url.path}",',
        '  "^/secure" => "https://${url.authority}${url.path}${qsa}" )',
        *(
            f'$HTTP["url"] == "/redirect/{status}" '
            f'{{ url.redirect-code = {status} url.redirect = ( "" => "/here" ) }}'
            for status in STATUSES
        ),
    ]
)
LIGHTTPD = (
    *asks("redirect", "/redirect", "/other"),
    *_numbered("redirect", "/redirect"),
    *asks("https-redirect", "/secure", "/secure?a=1"),
    *asks("directory-slash", "/folder", "/folder?a=1"),
)


def lighttpd(text: str) -> dict[str, str]:
    """lighttpd's file with these lines."""
    return {"lighttpd.conf": LIGHTTPD_CONF % text}


# --- Tomcat, Jetty, http.server ---

JARS = "/usr/share/java"
TOMCAT_RUN = (
    "java",
    "-cp",
    f"{JARS}/tomcat10-embed-core.jar:{JARS}/tomcat10-annotations-api.jar",
    "{apps}/java/TomcatRedirects.java",
    "{port}",
    "{folder}",
    "{apps}/public",
)
TOMCAT = (
    *asks("context-root", "/app", "/app?a=1"),
    *asks("directory-slash", "/app/folder", methods="GET"),
    *asks("send-redirect", "/app/moved"),
    *asks("send-redirect", "/app/moved?status=307", "/app/moved?status=308"),
    *asks("https-redirect", "/app/private", "/app/private?a=1"),
)
JETTY_RUN = (
    "java",
    "-cp",
    ":".join(
        f"{JARS}/{jar}.jar"
        for jar in (
            "servlet-api",
            *(
                f"jetty9-{part}"
                for part in ("server", "servlet", "rewrite", "http", "io", "util", "security", "util-ajax")
            ),
        )
    ),
    "{apps}/java/JettyRedirects.java",
    "{port}",
    "{apps}/public",
)
JETTY = (
    *asks("context-root", "/app", "/app?a=1"),
    *asks("directory-slash", "/app/folder", methods="GET"),
    *asks("send-redirect", "/app/moved"),
    *asks("send-redirect", "/app/moved?status=307", "/app/moved?status=308"),
    *asks("rewrite", "/old/x"),
)

HTTP_SERVER_RUN = ("{python}", "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory")
HTTP_SERVER = asks("directory-slash", "/folder", "/folder?a=1", methods="GET")
HANDLER = asks("handler", "/", "/?status=302")

# --- Detour ---

DETOUR_RUN = (
    "detour",
    "serve",
    "{folder}/detours.toml",
    "--admin",
    "off",
    "--listen",
    "http://127.0.0.1:{port}",
    "--workers",
    "1",
)
DETOUR_RULES = "\n".join(
    [
        *(
            f'[[rule]]\nname = "moved-{status}"\npattern = "/moved/{status}"\nlocation = "/here"\n'
            f'status = {status}\ncache = "60s"'
            for status in STATUSES
        ),
        '[[rule]]\nname = "moved"\npattern = "/moved"\nlocation = "https://other.example.test/here"',
        '[[rule]]\nname = "secure"\npattern = "http://shop.example.test/secure/*"\n'
        'location = "https://{url.hostname}/secure/{0}"',
    ]
)
DETOUR = (*asks("rule", "/moved", "/secure/x", "/secure/x?a=1"), *_numbered("rule", "/moved"))


# --- The same over TLS and HTTP/2, where no field has a case and no reason is told ---

ENVOY_TLS = """
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2]
            tls_certificates:
            - { certificate_chain: { filename: "{cert}" }, private_key: { filename: "{key}" } }
"""
TRAEFIK_TLS = "tls:\n  certificates:\n  - { certFile: {cert}, keyFile: {key} }\n"
CADDY_TLS_CONF = CADDY_CONF.replace(
    "http://:{port} {", "https://shop.example.test:{port} {\n  tls {cert} {key}"
)
APACHE_TLS = "Protocols h2\nSSLEngine on\nSSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n"
NGINX_TLS = "listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key};"

HTTP2_SERVERS: tuple[Program, ...] = (
    Program(
        "nginx-http2",
        "nginx",
        NGINX_RUN,
        (*asks("return", "/return/301", "/return/307", "/other"), *asks("implicit-slash", "/passed")),
        files=nginx(f"server {{ {NGINX_TLS} {NGINX_REDIRECTS} }}"),
        scheme="https",
    ),
    Program(
        "apache-http2",
        "Apache",
        APACHE_RUN,
        (*asks("redirect", "/redirect/307", "/other"), *asks("directory-slash", "/folder")),
        files=apache(f"{APACHE_TLS}{APACHE_REDIRECTS}", "ssl", "http2"),
        scheme="https",
    ),
    Program(
        "haproxy-http2",
        "HAProxy",
        HAPROXY_RUN,
        asks("redirect", "/location/301", "/location/307", "/prefix"),
        files=haproxy(HAPROXY_REDIRECTS, " ssl crt {pem} alpn h2"),
        scheme="https",
    ),
    Program(
        "caddy-http2",
        "Caddy",
        CADDY_RUN,
        (
            *asks("redir", "/redir/301", "/redir/307", "/other"),
            *asks("directory-slash", "/folder", methods="GET"),
        ),
        files={"Caddyfile": CADDY_TLS_CONF % CADDY_REDIRECTS},
        scheme="https",
    ),
    Program(
        "envoy-http2",
        "Envoy",
        ENVOY_RUN,
        asks("redirect", "/path/301", "/path/307", "/host"),
        files=envoy(ENVOY_REDIRECTS, tls=ENVOY_TLS),
        scheme="https",
    ),
    Program(
        "traefik-http2",
        "Traefik",
        (*TRAEFIK_RUN, "--entryPoints.web.http.tls=true"),
        asks("redirect-regex", "/regex", "/regex/for-good"),
        files={"dynamic.yml": TRAEFIK_CONF + TRAEFIK_TLS},
        scheme="https",
    ),
)

EDGE_SERVERS: tuple[Program, ...] = (
    Program(
        "nginx",
        "nginx",
        NGINX_RUN,
        NGINX,
        files=nginx(f"server {{ listen 127.0.0.1:{{port}};\n{NGINX_REDIRECTS}\n}}"),
    ),
    Program("apache", "Apache", APACHE_RUN, APACHE, files=apache(APACHE_REDIRECTS)),
    Program("haproxy", "HAProxy", HAPROXY_RUN, HAPROXY, files=haproxy(HAPROXY_REDIRECTS)),
    Program("caddy", "Caddy", CADDY_RUN, CADDY, files={"Caddyfile": CADDY_CONF % CADDY_REDIRECTS}),
    Program("caddy-https", "Caddy", CADDY_RUN, CADDY_AUTO, files={"Caddyfile": CADDY_AUTO_CONF}),
    Program("envoy", "Envoy", ENVOY_RUN, ENVOY, files=envoy(ENVOY_REDIRECTS)),
    Program("traefik", "Traefik", TRAEFIK_RUN, TRAEFIK, files={"dynamic.yml": TRAEFIK_CONF}),
    Program("lighttpd", "lighttpd", LIGHTTPD_RUN, LIGHTTPD, files=lighttpd(LIGHTTPD_REDIRECTS)),
    Program("tomcat", "Tomcat", TOMCAT_RUN, TOMCAT),
    Program("jetty", "Jetty", (*JETTY_RUN, "named"), JETTY),
    Program("jetty-unnamed", "Jetty", (*JETTY_RUN, "unnamed"), JETTY),
    Program("http-server", "http.server", (*HTTP_SERVER_RUN, "{apps}/public"), HTTP_SERVER),
    Program("http-server-handler", "http.server", ("{python}", "{apps}/http_server.py", "{port}"), HANDLER),
    Program("detour", "Detour", DETOUR_RUN, DETOUR, files={"detours.toml": DETOUR_RULES}),
    Program(
        "detour-unnamed",
        "Detour",
        DETOUR_RUN,
        DETOUR,
        files={"detours.toml": f"[server]\nredirect_by = false\n\n{DETOUR_RULES}"},
    ),
    *HTTP2_SERVERS,
)
