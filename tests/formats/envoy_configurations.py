"""Envoy's route configurations for the tests, the bootstrap around them, and the requests asked of each."""

from __future__ import annotations

import json
from typing import Any

import yaml

HOSTS = """\
name: hosts
ignore_port_in_host_matching: true
virtual_hosts:
- name: any
  domains: ["*"]
  routes:
  - match: {prefix: /}
    redirect: {host_redirect: any.test}
- name: suffix
  domains: ["*.h.test"]
  routes:
  - match: {prefix: /a}
    redirect: {host_redirect: suffix.test}
- name: longer
  domains: ["*.b.h.test"]
  routes:
  - match: {prefix: /}
    redirect: {host_redirect: longer.test, response_code: FOUND}
- name: prefix
  domains: ["www.*"]
  routes:
  - match: {prefix: /}
    redirect: {host_redirect: prefix.test, response_code: TEMPORARY_REDIRECT}
- name: exact
  domains: [www.h.test, H.test]
  routes:
  - match: {prefix: /}
    redirect: {host_redirect: exact.test, response_code: PERMANENT_REDIRECT}
- name: bare
  domains: [bare.h.test]
  routes:
  - match: {path: /a}
    direct_response: {status: 200}
- name: tls
  domains: [tls.test]
  require_tls: ALL
  routes:
  - match: {prefix: /}
    redirect: {path_redirect: /never}
"""

PLACES = """\
name: places
virtual_hosts:
- name: all
  domains: ["*"]
  routes:
  - match: {path: /exact}
    redirect: {path_redirect: /new}
  - match: {path: /query}
    redirect: {path_redirect: "/new?own=1"}
  - match: {path: /strip}
    redirect: {path_redirect: /new, strip_query: true, response_code: SEE_OTHER}
  - match: {path: /strip-same}
    redirect: {https_redirect: true, strip_query: true}
  - match: {path_separated_prefix: /seg}
    redirect: {prefix_rewrite: /part}
  - match: {prefix: /pre}
    redirect: {prefix_rewrite: /xx}
  - match: {path: /wholly}
    redirect: {prefix_rewrite: /other}
  - match: {safe_regex: {regex: "/n/[0-9]+"}}
    redirect: {port_redirect: 8443, scheme_redirect: https}
  - match: {safe_regex: {regex: "/old/.*/x"}}
    redirect: {prefix_rewrite: /rewritten}
  - match: {prefix: /shop}
    redirect: {regex_rewrite: {pattern: {regex: "^/shop/([^/]+)/([0-9]+)$"}, substitution: '/s/\\2/\\1'}}
  - match: {prefix: /tail}
    redirect: {regex_rewrite: {pattern: {regex: "^/tail/v([0-9])"}, substitution: '/head\\1'}}
  - match: {safe_regex: {regex: "/same/(a|b)/(.*)"}}
    redirect:
      host_redirect: s.test
      regex_rewrite: {pattern: {regex: "^/same/(a|b)/(.*)$"}, substitution: '/\\2'}
  - match: {path: /once}
    redirect: {regex_rewrite: {pattern: {regex: "c"}, substitution: 'k\\0'}}
  - match: {prefix: /FOLD, case_sensitive: false}
    redirect: {host_redirect: fold.test}
  - match: {path: /https}
    redirect: {https_redirect: true, response_code: TEMPORARY_REDIRECT}
  - match: {path: /port}
    redirect: {port_redirect: 81}
  - match: {path: /host-port}
    redirect: {host_redirect: "p.test:82"}
  - match: {path: /direct}
    direct_response: {status: 307}
    response_headers_to_add:
    - {header: {key: location, value: /direct-to}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
"""

CONDITIONS = """\
name: conditions
virtual_hosts:
- name: all
  domains: ["*"]
  routes:
  - match: {prefix: /, headers: [{name: x-a, string_match: {exact: "1"}}]}
    redirect: {host_redirect: exact.test}
  - match: {prefix: /, headers: [{name: x-b, present_match: true}]}
    redirect: {host_redirect: present.test}
  - match: {prefix: /, headers: [{name: x-c, string_match: {exact: "1"}, invert_match: true}]}
    redirect: {host_redirect: inverted.test}
  - match: {prefix: /, headers: [{name: x-d, string_match: {safe_regex: {regex: "a|b"}}}]}
    redirect: {host_redirect: either.test}
  - match: {prefix: /m, headers: [{name: ":method", string_match: {safe_regex: {regex: "POST|PUT"}}}]}
    redirect: {host_redirect: method.test}
  - match: {prefix: /q, query_parameters: [{name: a, string_match: {exact: "1"}}]}
    redirect: {host_redirect: query.test}
  - match: {prefix: /q, query_parameters: [{name: b, present_match: true}]}
    redirect: {host_redirect: asked.test}
  - match: {prefix: /kept}
    direct_response: {status: 200}
  - match:
      prefix: /
      headers:
      - {name: x-e, string_match: {exact: "1"}, invert_match: true, treat_missing_header_as_empty: true}
    redirect: {host_redirect: missing.test}
"""

CONFIGURATIONS = {"hosts": HOSTS, "places": PLACES, "conditions": CONDITIONS}

# What Envoy redirects to itself: paths that the route's `regex_rewrite` does not match.
LOOPS = {"places": {"http://h.test/shop/cup", "http://h.test/tail/w"}}

_PATHS = {
    "hosts": "/ /a /a/b?x=1 /z",
    "places": "/ /exact /exact/ /exact?a=1 /query /query?a=1 /strip?a=1 /strip-same?a=1 /seg /seg/ /seg/a?b=1"
    " /segs /pre /prefix/a?b=1 /wholly /wholly?a=1 /n/12 /n/12?x=1 /n/x /old/a/b/x /old/a/b/y /shop/cup/7?x=1"
    " /shop/cup /shop/a%20b/7 /tail/v1/x /tail/v1 /tail/w /same/a/x/y?z=1 /same/c/x /once /fold/x /FoLd"
    " /https?a=1 /port /port?x=1 /host-port/ /host-port /direct /direct?a=1",
    "conditions": "/ /m /q?a=1 /q?a=2 /q?b /q?b=&c /kept /kept?a=1 /z?x=1",
}
_HOSTS = {
    "hosts": "h.test www.h.test a.h.test x.b.h.test www.else.test else.test bare.h.test tls.test h.test:81"
}
_FIELDS = {
    "conditions": [
        ((name, value),) for name in ("x-a", "x-b", "x-c", "x-d", "x-e") for value in ("1", "2", "a", "b")
    ]
}


def requests(name: str) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Every path for every host by three methods, and fields where conditions ask for some."""
    return [
        (method, f"http://{host}{path}", fields)
        for host in _HOSTS.get(name, "h.test").split()
        for path in _PATHS[name].split()
        for method in ("GET", "POST", "PUT")
        for fields in ((), *_FIELDS.get(name, ()))
    ]


_HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def bootstrap(text: str, port: int) -> str:
    """A bootstrap with one listener on loopback that goes by a route configuration."""
    manager: dict[str, Any] = {
        "@type": _HCM,
        "stat_prefix": "door",
        "route_config": yaml.safe_load(text),
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    listener = {"name": "door", "address": address, "filter_chains": [chain]}
    return json.dumps({"static_resources": {"listeners": [listener]}}, indent=1)
