"""Envoy's bootstrap for a rule set: a match tree where all are exact or all prefixes, else ordered routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from bench.scale.kinds import NEW, Form, Rule

TYPE = "type.googleapis.com/envoy"
TREES = {"exact": "exact_match_map", "prefix": "prefix_match_map"}


def envoy(port: int, forms: set[Form], rules: Iterable[Rule]) -> bytes:
    """The bootstrap as JSON; nothing listens but `port` on loopback."""
    virtual_host: dict[str, Any] = {"name": "rules", "domains": ["*"]}
    if len(forms) == 1 and (tree := TREES.get(*forms)):
        virtual_host["matcher"] = {"matcher_tree": {"input": _PATH, tree: {"map": _actions(rules)}}}
    else:
        virtual_host["routes"] = [_route(rule) for rule in rules]
    return msgspec.json.encode({"static_resources": {"listeners": [_listener(port, virtual_host)]}})


_PATH = {
    "name": "path",
    "typed_config": {"@type": f"{TYPE}.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": ":path"},
}


def _actions(rules: Iterable[Rule]) -> dict[str, Any]:
    kind = f"{TYPE}.config.route.v3.Route"
    return {
        rule.key: {"action": {"name": "route", "typed_config": {"@type": kind, **_route(rule)}}}
        for rule in rules
    }


def _route(rule: Rule) -> dict[str, Any]:
    redirect = {
        "host_redirect": NEW.removeprefix("https://"),
        "https_redirect": True,
        "response_code": "TEMPORARY_REDIRECT",
    }
    path = rule.to.removeprefix(NEW)
    if rule.form == "exact":
        return {"match": {"path": rule.key}, "redirect": redirect | {"path_redirect": path}}
    if rule.form == "prefix":
        return {"match": {"prefix": rule.key}, "redirect": redirect | {"prefix_rewrite": path}}
    rewrite = {"pattern": {"regex": rule.key}, "substitution": path}
    return {"match": {"safe_regex": {"regex": rule.key}}, "redirect": redirect | {"regex_rewrite": rewrite}}


def _listener(port: int, virtual_host: dict[str, Any]) -> dict[str, Any]:
    extensions = f"{TYPE}.extensions.filters"
    router = {"name": "router", "typed_config": {"@type": f"{extensions}.http.router.v3.Router"}}
    manager = {
        "@type": f"{extensions}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "rules",
        "generate_request_id": False,
        "http_filters": [router],
        "route_config": {"name": "rules", "virtual_hosts": [virtual_host]},
    }
    filters = [{"name": "http", "typed_config": manager}]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"name": "rules", "address": address, "filter_chains": [{"filters": filters}]}
