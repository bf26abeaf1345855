"""Apache configurations for the tests, and the requests that are asked of each."""

from __future__ import annotations

ALIASES = """
Redirect /temp /here
Redirect permanent /perm https://other.example.test/there
Redirect 307 /old/ https://other.example.test/new/
RedirectTemp /temp2 /two
RedirectPermanent /perm2 /two
RedirectMatch 308 ^/m/([0-9]+)$ https://m.example.test/n/$1
RedirectMatch ^/(.*)\\.php$ /$1.html
Redirect gone /gone
Redirect seeother /see https://other.example.test/?a=1
Redirect 302 /perm /never
"""

REWRITES = """
RewriteEngine On
RewriteCond %{HTTP_HOST} ^www\\.example\\.test$ [NC]
RewriteRule ^/(.*)$ https://example.test/$1 [R=301,L]
RewriteCond %{REQUEST_METHOD} ^(POST|PUT)$
RewriteRule ^/m/(.+)$ /posted/$1 [R=307,L]
RewriteRule ^/old/([^/]+)/?$ /new/$1 [R=308,L]
RewriteRule ^/q$ /q2?a=1 [R,L]
RewriteRule ^/qsa$ /q2?a=1 [R,L,QSA]
RewriteRule ^/qsd$ /q2 [R,L,QSD]
RewriteRule ^/nc/x$ /y [R=303,L,NC]
RewriteRule ^/perm$ /never [G]
RewriteCond %{HTTP:X-Forwarded-Proto} =http [OR]
RewriteCond %{HTTP:X-Plain} =1
RewriteRule ^/s/ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]
RewriteRule ^/see https://r.example.test/see [R=302,L]
Redirect permanent /perm https://other.example.test/there
Redirect 302 /temp /here
"""

HTACCESS = """
RewriteEngine On
RewriteBase /
RewriteCond %{REQUEST_URI} !^/keep/
RewriteCond %{HTTP_HOST} ^www\\.
RewriteRule ^(.*)$ https://example.test/$1 [R=301,L]
RewriteRule ^old/([0-9]+)$ /new/$1 [R=307,L]
RewriteRule ^m/(.*)$ n/$1 [R=302,L]
Redirect 301 /temp https://x.example.test/b
RedirectMatch ^/c/(.*)$ /d/$1
"""

HOSTS = """
<VirtualHost *:80>
  ServerName first.example.test
  Redirect /temp /first
</VirtualHost>
<VirtualHost *:80>
  ServerName example.test
  ServerAlias *.example.test
  Redirect permanent / https://second.example.test/
</VirtualHost>
"""

LOCATIONS = """
Redirect /m /n
<Location /temp>
  Redirect 303 https://l.example.test/
</Location>
<Location /gone>
  Redirect gone
</Location>
"""

SECTIONS = """
ProxyPass /kept http://127.0.0.1:9/
Redirect /kept /never
Redirect 302 /m/1 /fragment#part
RedirectMatch 301 ^/c/(.*)$ /d#$1
RewriteEngine On
RewriteCond %{THE_REQUEST} "^GET /see\\sHTTP/"
RewriteRule ^ /line [R=307,L]
RewriteCond %{THE_REQUEST} \\s/old/([a-z]+)[?\\s]
RewriteRule ^ /word/%1 [R=302,L]
RewriteRule ^/inner/(.*)$ /elsewhere?x=$1
Redirect /q /quick
<LocationMatch "^/old/(?<number>[0-9]+)$">
  Redirect permanent https://n.example.test/%{env:MATCH_NUMBER}.html
</LocationMatch>
<LocationMatch "^/gone">
  Redirect gone
</LocationMatch>
<If "%{HTTP_HOST} == 'www.example.test' && %{REQUEST_METHOD} == 'POST'">
  Redirect 308 /temp /posted
</If>
<If "%{REQUEST_URI} =~ m#^/s/# || %{REQUEST_METHOD} == 'DELETE'">
  RedirectMatch 303 ^/s/x$ /if
</If>
"""

CONFIGURATIONS = {
    "sections": SECTIONS,
    "aliases": ALIASES,
    "rewrites": REWRITES,
    "hosts": HOSTS,
    "locations": LOCATIONS,
    "htaccess": HTACCESS,
}

PATHS = """/ /temp /temp/ /temp/a%20b?x=1 /temporary /perm /perm/a?b=1 /old /old/ /old/12 /old/x/ /old/x/y?z=1 /temp2/x
/perm2?a=1 /m/1 /m/1?a=b /m/x /a.php /a/b.php?c=1 /gone /gone/x /see /see?b=2 /q?b=1 /qsa?b=1 /qsd?b=1 /nc/x /NC/X /s/x?y=1
/keep/x /c/x /c/ /other /kept/a /inner/x /q/y /old/7 /old/abc /old/abc?a=1 /see?x /temp/p""".split()  # noqa: E501, SIM905


def requests() -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Every path for some hosts by three methods, and some fields."""
    plain = [
        (method, f"http://{host}{path}", ())
        for host in ("example.test", "www.example.test", "elsewhere.test")
        for path in PATHS
        for method in ("GET", "POST", "DELETE")
    ]
    fields = ((("x-forwarded-proto", "http"),), (("x-forwarded-proto", "https"),), (("x-plain", "1"),))
    return plain + [("GET", "http://example.test/s/x?y=1", one) for one in fields]
