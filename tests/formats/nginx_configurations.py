"""nginx configurations for the tests, and the paths that are asked of each. `PORT` is where it listens."""

from __future__ import annotations

CONFIGURATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "return": (
        """server { listen 127.0.0.1:PORT;
        location = /a { return 301 /b; }
        location /c { return 308 https://new.example$request_uri; }
        location /d { return https://u.example/; }
        location /e { return 307 http://$host/x?y=$args; }
        location /f { return 303 $scheme://$http_host/ff$is_args$args; }
        location /g { return 302 /g?from=$arg_q; }
        location /h { return 404; }
        location / { return 200 ok; } }""",
        ("/a", "/a?x=1", "/ab", "/c", "/c/d?e=f", "/d", "/e?1=2", "/f", "/f/?a=b", "/g?q=5", "/g", "/h", "/"),
    ),
    "rewrite": (
        """server { listen 127.0.0.1:PORT;
        rewrite ^/old/(.*)$ /new/$1 permanent;
        rewrite ^/(en|de)/(.+)\\.html$ https://$1.example/$2? redirect;
        rewrite ^/x/(?<id>\\d+)$ http://x.example/$id?a=b;
        rewrite ^(.*)/index\\.html$ $1/ redirect;
        rewrite ^/inner$ /target last;
        location = /target { return 301 /reached; }
        location /loc { rewrite ^/loc/(.*)$ /moved/$1 redirect; return 302 /other; }
        location / { return 200 ok; } }""",
        (
            "/old/a/b?c=d",
            "/old/",
            "/en/x.html?q",
            "/fr/x.html",
            "/x/12",
            "/x/12?c",
            "/x/a",
            "/index.html",
            "/a/b/index.html",
            "/inner",
            "/loc/1",
            "/locx",
            "/old/a%20b",
            "/old/caf%C3%A9",
            "/target",
        ),
    ),
    "locations": (
        """server { listen 127.0.0.1:PORT;
        location / { return 302 /root; }
        location /img { return 302 /prefix; }
        location ^~ /static/ { return 302 /static-first; location /static/deep { return 302 /deep; } }
        location ~ \\.(png|jpg)$ { return 302 /regex-$1; }
        location ~* ^/IMG/ { return 302 /insensitive; }
        location = /img/x.png { return 302 /exact; }
        location /a/ { return 302 /outer; location ~ \\.png$ { return 302 /nested; } } }""",
        (
            "/",
            "/img",
            "/img/",
            "/img/x.png",
            "/img/y.png",
            "/Img/q",
            "/static/a.png",
            "/static/deep/a.png",
            "/static",
            "/a/b",
            "/a/b.png",
            "/a/b.jpg",
            "/b.jpg",
            "/imgs",
        ),
    ),
    "conditions": (
        """map $uri $to { default ""; /m1 /n1; ~^/m2/(.*)$ /n2; /M3 http://m.example/3; }
        server { listen 127.0.0.1:PORT;
        if ($to) { return 301 $to; }
        if ($host = evil.example) { return 302 http://good.example$request_uri; }
        if ($request_method !~ ^(GET|HEAD)$) { return 303 /only-get; }
        if ($arg_v = 2) { return 302 /v2; }
        if ($http_x_a = "on") { return 307 /on; }
        set $base "http://set.example";
        location /s { return 302 $base/s; }
        location /ep { error_page 404 =301 http://ep.example/; return 404; }
        location /named { error_page 418 = @teapot; return 418; }
        location @teapot { return 302 /tea; }
        location /q { if ($args = "") { return 302 /noquery; } return 302 /query; }
        location /n { if ($host != www.example) { return 301 http://w.example$request_uri; } return 302 /w; }
        location / { return 200 ok; } }""",
        (
            "/m1",
            "/M1",
            "/m2/x",
            "/m3",
            "/M2/x",
            "/s",
            "/ep",
            "/named",
            "/q",
            "/q?a",
            "/n",
            "/z?v=2",
            "/z?v=3",
            "/z",
        ),
    ),
    "slashes": (
        """server { listen 127.0.0.1:PORT;
        location /dir/ { proxy_pass http://127.0.0.1:9; }
        location /both/ { proxy_pass http://127.0.0.1:9; }
        location /both { return 302 /without; }
        location / { return 200 ok; } }""",
        ("/dir", "/dir?a=b", "/both", "/other"),
    ),
    "names in redirects": (
        """server { listen 127.0.0.1:PORT; server_name first.example second.example;
        server_name_in_redirect on; port_in_redirect off;
        location /dir/ { proxy_pass http://127.0.0.1:9; }
        location /a { return 301 /b; }
        location /r { absolute_redirect off; return 301 /c; }
        location / { return 200 ok; } }""",
        ("/dir", "/a", "/r", "/"),
    ),
    "maps of hosts and request lines": (
        """map $host $target { hostnames; default ""; evil.example good.example; *.a.example wild.example; }
map $request_uri $ru { /r1 /s1; "/r2?a=b" /s2; ~^/r3/ /s3; }
server { listen 127.0.0.1:PORT; merge_slashes on;
 if ($target) { return 301 http://$target$request_uri; }
 if ($ru) { return 302 $ru; }
 if ($scheme = http) { set $sec 0; }
 if ($request_uri ~ ^/ru/(.*)$) { return 302 /got/$1; }
 location ~ ^/u/(?<user>[^/]+)/(.*)$ { return 307 https://$user.example/$2; }
 location /api/v2/ { return 302 /v2$uri; }
 location /sp { return 302 "/a b"; }
 location /only { if ($request_method = POST) { return 307 /post; } return 302 /get; }
 location / { return 302 /root; } }""",
        (
            "/r1",
            "/r1?x",
            "/r2?a=b",
            "/r3/x?y",
            "/u/joe/a/b?q",
            "/u/joe/",
            "/i.php",
            "/d/i.php?x=1",
            "/api/v1/z",
            "/api/q",
            "/sp",
            "/x",
            "/only",
            "/ru/ab?c",
            "/ru/",
            "/a%2Fb",
            "/caf%C3%A9",
        ),
    ),
    "error pages and nested locations": (
        """server { listen 127.0.0.1:PORT; error_page 404 = /nf; error_page 403 http://f.example/;
 location /a { return 404; } location = /nf { return 302 /found; } location /b { return 403; }
 location /c { error_page 500 502 /x; return 404; }
 location /p/ { rewrite ^(/p/.*)/$ $1 permanent; return 200; }
 location ~* ^/(FOO|bar)/?$ { return 301 /baz/; }
 location /dd/ { location /dd/ee/ { return 302 /ee; } return 302 /dd; }
 location / { rewrite /old-(\\d+) /new?id=$1 redirect;
 rewrite ^/end(.*) /fin$1? permanent; return 204; } }""",
        (
            "/a",
            "/b",
            "/c",
            "/nf",
            "/p/x/",
            "/p/x",
            "/foo",
            "/Bar/",
            "/bars",
            "/dd/ee/x",
            "/dd/ee",
            "/dd/x",
            "/old-12?z",
            "/q/old-3/r",
            "/endx?y",
            "/",
        ),
    ),
    "pages of redirects, and the query behind a change": (
        """server { listen 127.0.0.1:PORT;
 location /paged { error_page 302 http://ep.example/$arg_a; return 302 /never; }
 location /text { error_page 302 /two-hundred; return 302 /kept; }
 location = /two-hundred { return 200 text; }
 location /to { error_page 301 /third?x=y; rewrite ^ /never permanent; }
 location = /third { rewrite ^ http://third.example/ redirect; }
 location /args { error_page 404 /shown?$arg_a; return 404; }
 location = /shown { return 302 http://shown.example/?s=$args; }
 location /kept { rewrite ^ /shown2?own=1 last; }
 location = /shown2 { rewrite ^ http://kept.example/ redirect; }
 location /none { rewrite ^ /shown2? last; }
 location /dir/ { proxy_pass http://127.0.0.1:9; }
 location /slash { error_page 404 /dir; return 404; }
 location /slash2 { rewrite ^ /dir last; }
 location /inner/ { internal; proxy_pass http://127.0.0.1:9; }
 location = /in { internal; return 302 /reached; }
 location /into { rewrite ^ /in last; }
 location /posted { error_page 405 /method; return 405; }
 location /method { if ($request_method = POST) { return 307 /post; } return 302 /get; }
 location /once { error_page 404 /again; return 404; }
 location /again { error_page 404 http://twice.example/; return 404; }
 location / { return 200 ok; } }""",
        (
            "/paged",
            "/paged?a=x",
            "/text",
            "/to?q=1",
            "/args?a=7",
            "/args",
            "/kept?b=2",
            "/kept",
            "/none?b=2",
            "/dir",
            "/slash?q=1",
            "/slash2?q=1",
            "/inner",
            "/inner/",
            "/in",
            "/into",
            "/posted",
            "/method",
            "/once",
            "/again",
            "/shown?a=b",
        ),
    ),
    "two expressions on one path": (
        """server { listen 127.0.0.1:PORT;
 location ~ ^/blog/ { rewrite ^/blog/(\\d+)$ /posts/$1 permanent;
 rewrite ^/b/ /never redirect; return 302 /blog; }
 location ~ \\.php$ { rewrite ^/old/(.*)\\.php$ /new/$1 redirect; return 307 /php; }
 location ~* ^/(en|de)/ { rewrite ^/(en|de)/(.*)$ /$2?lang=$1 redirect; rewrite ^/ /other permanent; }
 location ~ ^/exact/[0-9]+$ { rewrite ^/exact/ /all redirect; }
 location /m { return 307 /by?m=$request_method; }
 location / { return 200 ok; } }""",
        (
            "/blog/",
            "/blog/12",
            "/blog/x",
            "/b/1",
            "/old/a.php",
            "/a.php",
            "/en/x",
            "/EN/x",
            "/exact/1",
            "/exact/x",
            "/m",
        ),
    ),
    "servers": (
        """server { listen 127.0.0.1:PORT; server_name www.a.example; return 302 /exact; }
        server { listen 127.0.0.1:PORT; server_name *.a.example; return 302 /mask; }
        server { listen 127.0.0.1:PORT; server_name *.b.a.example; return 302 /longer; }
        server { listen 127.0.0.1:PORT; server_name .c.example; return 302 /dot; }
        server { listen 127.0.0.1:PORT; server_name mail.*; return 302 /tail; }
        server { listen 127.0.0.1:PORT; server_name "~^(?<s>.+)\\.r\\.example$"; return 302 http://$s.x/; }
        server { listen 127.0.0.1:PORT default_server; return 302 /default; }""",
        ("/",),
    ),
}
