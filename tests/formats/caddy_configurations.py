"""Caddyfiles for the tests, and the requests that are asked of each. `PORT` is where it listens."""

from __future__ import annotations

OPTIONS = """\
{
	admin off
	auto_https off
	persist_config off
	default_bind 127.0.0.1
}
"""

ORDER = """\
http://h.test:PORT {
	file_server
	redir /a* https://short.test{uri}
	redir /abc* https://long.test{uri} 307
	redir /exact /new permanent
	redir /exact* /star
	@posts {
		method POST
		path /m /n
	}
	redir @posts /posted 303
	@old path_regexp old ^/old/([0-9]+)/(.*)$
	redir @old /new/{re.old.2}?id={re.old.1} 308
	handle /h/* {
		redir /h/x /hx
		respond "h"
	}
	handle_path /strip/* {
		redir /in /inside
		redir * https://strip.test{uri}
	}
	handle /h* {
		redir * /other-h{path}
	}
	route {
		respond /route/no "no"
		redir /route* /routed
	}
	header /located Location /there
	respond /located 307
	respond /answered "here"
	redir /answered /redir-goes-first
	redir /page /html html
	redir /query https://q.test{path}?{query}
	redir /both https://q.test/x?own=1&{query} 302
	redir /prefixed https://q.test/y{?query}
	redir /scheme {scheme}://s.test{uri}
	redir /hostport https://{hostport}/z
	@php path *.php
	redir @php /php
	redir /glob/*/end /globbed
	redir /percent%20b /spaced
}
"""

MATCHERS = """\
(moved) {
	redir /{args[0]}/* https://{args[1]}{uri} {args[2]}
}
http://h.test:PORT, http://i.test:PORT {
	import moved imported import.test 308
	@header {
		header X-A 1
		header X-B *
	}
	redir @header https://header.test{uri}
	@query query a=1 b=*
	redir @query https://query.test{path}
	@not {
		path /n/*
		not path /n/kept /n/also/*
		not method POST
	}
	redir @not https://not.test{uri}
	@any not {
		path /any
		method GET
	}
	@some {
		path /any
		not {
			method POST
			header X-A 1
		}
	}
	redir @some https://some.test{uri}
	@local remote_ip 127.0.0.0/8
	redir @local /client-is-local
}
http://*.h.test:PORT {
	redir https://wild.test/{labels.2}{uri} 301
}
http://x.h.test:PORT {
	@www header_regexp www Host ^(x)\\.h\\.test
	redir @www https://{re.www.1}.test{uri}
}
http://www.j.test:PORT {
	redir https://j.test{uri} permanent
}
http://j.test:PORT/path* {
	redir * /in-path
}
http://:PORT {
	redir https://rest.test{uri} 307
}
"""

REWRITES = """\
http://h.test:PORT {
	rewrite /r/* /elsewhere{path}
	route /r/* {
		redir https://fixed.test/
	}
	handle {
		redir https://all.test/
	}
}
"""

# What of them no rule says, by line, and why.
NOT_UNDERSTOOD = {
    "order": [(39, "`html` answers 200 with a page")],
    "rewrites": [(9, "`rewrite` changes the path before")],
}

CONFIGURATIONS = {"order": ORDER, "matchers": MATCHERS, "rewrites": REWRITES}

_HOSTS = {
    "order": "h.test",
    "matchers": "h.test i.test a.h.test x.h.test www.j.test j.test else.test",
    "rewrites": "h.test",
}
_PATHS = {
    "order": "/ /a /a?x=1 /ab/c /abc /abcd?y=2 /exact /exact/ /exactly /m /n /m/ /old/12/x/y?z=1 /old/x/y /h"
    " /h/ /h/x /h/y /hy?a=1 /strip /strip/ /strip/in /strip/in?a=1 /strip/a/b?c=1 /route /route/no /router"
    " /located /located?a=1 /answered /page /query?a=1 /both?a=1 /prefixed /prefixed?a=1&b=2 /scheme?a"
    " /hostport /x.php /X.PHP?a=1 /x.php/y /glob/a/end /glob/a/b/end /percent%20b /EXACT /Old/1/2",
    "matchers": "/ /imported/ /imported/a?b=1 /q?a=1&b=2 /q?a=1 /q?a=2&b /n/x /n/kept /n/also/x /n/also /any"
    " /path /path/x /a?b=c",
    "rewrites": "/ /r/a /x?y=1",
}
_FIELDS = {"matchers": ((("X-A", "1"),), (("X-A", "1"), ("X-B", "2")))}


def requests(name: str, port: int) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Every path for every host by three methods, and fields where conditions ask for some."""
    return [
        (method, f"http://{host}:{port}{path}", fields)
        for host in _HOSTS[name].split()
        for path in _PATHS[name].split()
        for method in ("GET", "POST", "DELETE")
        for fields in ((), *_FIELDS.get(name, ()))
    ]
