"""AWS Application Load Balancer: listener rules.

Read (Elastic Load Balancing API Reference, `RedirectActionConfig` and `RuleCondition`), in several forms:
CloudFormation templates (`AWS::ElasticLoadBalancingV2::Listener` and `ListenerRule`, YAML or JSON),
Terraform's JSON syntax (`aws_lb_listener`, `aws_lb_listener_rule`, also `aws_alb_…`) and what `terraform show
-json` says of a state or a plan, and the output of `aws elbv2 describe-rules` and `describe-listeners`.

- Redirects: `Protocol`, `Host`, `Port`, `Path`, `Query`, each with `#{protocol}`, `#{host}`, `#{port}`,
  `#{path}` (without its first slash) and `#{query}`; what is not named stays as it was. `StatusCode` is
  HTTP_301 or HTTP_302, nothing else. A redirect must change protocol, host, port or path, and may not go
  from HTTPS to HTTP.
- Conditions: `path-pattern` (with case; `*` any characters, `?` exactly one), `host-header` (without case),
  `http-request-method`, `http-header` and `query-string` (whole values), `source-ip`. All must hold, one
  value of each suffices.
- Order: the lowest priority first, the default action last. Other actions are a `pass`, where they hide a
  redirect.
- The protocol and the port of a listener are part of the patterns where it stands in the same file.

Not read: values that only a deployment knows (`!Ref`, `!Sub`, `${…}`), wildcards in fields and parameters,
`query-string` without a key, regular expressions (`RegexValues`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import inf
from typing import Literal

import msgspec

from detour.core.rule import ClientCondition, Condition
from detour.errors import NodeError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.numbers import whole
from detour.formats.redirects_file import PartError, literal, path_pattern
from detour.formats.routes import Line, header_is, origin, parameter_is, without_idle_passes
from detour.formats.yaml_nodes import Node, documents, fault

DEFAULT_STATUS = 302

MOST_PRIORITY = 50_000

_STATUSES = {"HTTP_301": 301, "HTTP_302": 302}
_DEFAULTS = {
    "protocol": "#{protocol}",
    "host": "#{host}",
    "port": "#{port}",
    "path": "/#{path}",
    "query": "#{query}",
}
_SLOTS = {"host": "{url.hostname}", "port": "{url.port}", "path": "{url.path}", "query": "{url.query}"}
_LISTENER = re.compile(
    r"AWS::ElasticLoadBalancingV2::Listener|aws_a?lb_listener|\"?(?:Rule|Listener)Arn\"?\s*:"
)
_TERRAFORM = ("aws_lb_listener", "aws_alb_listener", "aws_lb_listener_rule", "aws_alb_listener_rule")
_KEYS = {"type": "Type", "redirect": "RedirectConfig", "redirectconfig": "RedirectConfig"}
_CONDITIONS = {  # of Terraform: (block, key) of the API's fields
    "path_pattern": "path-pattern",
    "host_header": "host-header",
    "http_request_method": "http-request-method",
    "http_header": "http-header",
    "query_string": "query-string",
    "source_ip": "source-ip",
}


class _Rule(msgspec.Struct, frozen=True, eq=False):
    """A rule of a listener, in whatever form it was written."""

    priority: float  # infinite: the default action
    actions: tuple[Node, ...]
    conditions: tuple[Node, ...]
    line: int
    scheme: str = ""
    port: int | None = None


def detect(text: str) -> bool:
    """Whether a text speaks of listeners of a load balancer."""
    return _LISTENER.search(text) is not None


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each rule, restated, the lowest priority first."""
    rules: list[_Rule] = []
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
            continue
        try:
            rules += _rules(document)
        except NodeError as error:
            yield fault(error)
    rules.sort(key=lambda rule: rule.priority)
    yield from without_idle_passes(line for rule in rules for line in _lines(rule))


# ---- the forms


def _rules(node: Node) -> Iterator[_Rule]:
    if not node.is_mapping:
        return
    for one in node.list_at("Listeners"):
        yield _listener(one)
    for one in node.list_at("Rules"):
        yield _rule(one, {})
    listeners = {}
    rules = []
    for name, kind, said in _resources(node):
        if kind.endswith("ule"):
            rules.append(said)
        else:
            listeners[name] = _listener(said)
    yield from (one for one in listeners.values() if one.scheme != "other")
    for said in rules:
        yield _rule(said, listeners)


def _resources(node: Node) -> Iterator[tuple[str, str, Node]]:
    """The listeners and rules of a template: name, type, properties."""
    resources = node.get("Resources")
    for name, one in resources.mapping.items() if resources is not None else ():
        kind, said = one.text_at("Type") or "", one.get("Properties")
        if said is not None and kind.startswith("AWS::ElasticLoadBalancingV2::Listener"):
            yield name, kind, said
    terraform = node.get("resource")
    for kind, named in terraform.mapping.items() if terraform is not None else ():
        if kind in _TERRAFORM:
            for name, one in named.mapping.items():
                yield from ((name, kind, block) for block in (one.sequence if one.is_sequence else (one,)))
    shown = node.get("planned_values", "root_module") or node.get("values", "root_module")
    if shown is not None:
        yield from _shown(shown)


def _shown(module: Node) -> Iterator[tuple[str, str, Node]]:
    """The listeners and rules of a module of Terraform's state or plan; a listener goes by its ARN there."""
    for one in module.list_at("resources"):
        kind, said = one.text_at("type") or "", one.get("values")
        if said is not None and kind in _TERRAFORM:
            yield said.text_at("arn") or one.text_at("name") or "", kind, said
    for child in module.list_at("child_modules"):
        yield from _shown(child)


def _at(node: Node, name: str) -> Node | None:
    """What stands under a key of the API's, in its spelling or Terraform's."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return node.get(name) or node.get(snake)


def _many(node: Node, *names: str) -> tuple[Node, ...]:
    """The blocks under any of some keys; Terraform writes a single one without a list."""
    found = next((one for name in names if (one := _at(node, name)) is not None), None)
    if found is None:
        return ()
    return found.sequence if found.is_sequence else (found,)


def _rule(node: Node, listeners: Mapping[str, _Rule]) -> _Rule:
    said, arn = _at(node, "Priority"), _at(node, "ListenerArn")
    text = said.value if said is not None and isinstance(said.value, str) else "default"
    number = whole(text) if text.isascii() and text.isdigit() else MOST_PRIORITY
    named = _reference(arn)
    of = next((one for name, one in listeners.items() if name in named), None)
    return _Rule(
        inf if text == "default" else number,
        _many(node, "Actions", "Action"),
        _many(node, "Conditions", "Condition"),
        node.line,
        of.scheme if of is not None else "",
        of.port if of is not None else None,
    )


def _reference(arn: Node | None) -> tuple[str, ...]:
    """The names in a reference to a listener: `!Ref Name`, {"Ref": "Name"}, `${aws_lb_listener.name.arn}`."""
    if arn is None:
        return ()
    if isinstance(arn.value, str):
        return (arn.value, *re.findall(r"\w+", arn.value))
    return tuple(name for one in arn.mapping.values() for name in _reference(one)) if arn.is_mapping else ()


def _listener(node: Node) -> _Rule:
    protocol, port = _at(node, "Protocol"), _at(node, "Port")
    scheme = protocol.text.lower() if protocol is not None and not protocol.tag else ""
    digits = port.value if port is not None and not port.tag else ""
    number = int(digits) if isinstance(digits, str) and re.fullmatch(r"[0-9]{1,5}", digits) else None
    actions = _many(node, "DefaultActions", "DefaultAction")
    known = scheme if scheme in ("", "http", "https") else "other"
    return _Rule(inf, actions, (), node.line, known, number)


# ---- a rule


def _lines(rule: _Rule) -> Iterator[Line]:
    pattern: str | None = None
    line = rule.line
    try:
        redirect = next((one for one in rule.actions if _kind(one) == "redirect"), None)
        line = line if redirect is None else redirect.line
        hosts, paths, asked, when = _asked(rule)
        for host, path in product(hosts, paths):
            at = origin("*", rule.scheme, rule.port) if host is None else _origin(host, rule)
            pattern = at + path
            if redirect is None:
                yield Draft(line, pattern, methods=asked, when=when, ignore_case=False)
                continue
            yield _redirect(redirect, rule, Draft(line, pattern, methods=asked, when=when))
    except NodeError as error:
        yield LineFault(error.line, error.fact, error.remedy, pattern)
    except PartError as refusal:
        yield LineFault(line, refusal.fact, refusal.remedy, pattern)


def _kind(action: Node) -> str:
    found = _at(action, "Type")
    return found.text.lower() if found is not None and not found.tag else ""


def _origin(host: str, rule: _Rule) -> str:
    plain = origin("any.invalid", rule.scheme, rule.port)
    return plain.replace("any.invalid", _wildcards(host.lower(), "."))


def _asked(
    rule: _Rule,
) -> tuple[list[str | None], list[str], frozenset[str] | None, tuple[Condition, ...]]:
    """Hosts, paths, methods and further conditions that a rule asks for."""
    hosts: list[str | None] = [None]
    paths = ["/*"]
    asked: frozenset[str] | None = None
    when: list[Condition] = []
    for condition in rule.conditions:
        for field, values, node in _fields(condition):
            if not values:
                raise NodeError(
                    node.line, f"the condition {field} lists no `Values`", "list what is asked for"
                )
            if field == "path-pattern":
                paths = [path_pattern(_wildcards(_known(one))) for one in values]
            elif field == "host-header":
                hosts = [_known(one) for one in values]
            elif field == "http-request-method":
                asked = frozenset(_known(one) for one in values)
            elif field == "source-ip":
                when.append(ClientCondition(tuple(_known(one) for one in values)))
            else:
                when.append(_field(field, values, node))
    return hosts, paths, asked, tuple(when)


def _fields(condition: Node) -> Iterator[tuple[str, tuple[Node, ...], Node]]:
    """Each condition's name, its values, and the table they stand in."""
    named = _at(condition, "Field")
    if named is not None:
        field = named.text
        config = "".join(part.title() for part in field.split("-")) + "Config"
        node = condition.get(config) or condition
        yield field, _many(node, "Values"), node
        return
    for key, field in _CONDITIONS.items():
        for block in _many(condition, key):
            yield field, (block,) if field == "query-string" else _many(block, "Values"), block


def _field(field: str, values: tuple[Node, ...], node: Node) -> Condition:
    if field == "http-header":
        name = _at(node, "HttpHeaderName")
        if name is not None:
            return header_is(name.text, *(_whole(one) for one in values))
    if field == "query-string":
        pairs = [(_at(one, "Key"), _at(one, "Value")) for one in values]
        keys = {key.text for key, _ in pairs if key is not None}
        if len(keys) == 1 and all(key is not None and value is not None for key, value in pairs):
            return parameter_is(keys.pop(), *(_whole(value) for _, value in pairs if value is not None))
    raise NodeError(
        node.line, f"the condition {field} cannot be said", "ask for paths, hosts or whole values"
    )


def _known(node: Node) -> str:
    if isinstance(node.value, str) and ("${" in node.value or node.tag):
        raise NodeError(node.line, f"{node.value!r} is known only where it is deployed", "write it out")
    return node.text


def _whole(node: Node) -> str:
    text = _known(node)
    if "*" in text or "?" in text:
        raise NodeError(node.line, f"the value {text!r} has a wildcard", "list the values")
    return text


def _wildcards(text: str, before: str = "/") -> str:
    """`*` is any characters, `?` is one; a wildcard directly after a delimiter stands alone all the same."""
    parts = re.split(r"([*?])", text)
    return "".join(
        {"*": "(.*)", "?": "(.)"}[part] if part in ("*", "?") and part else literal(part) for part in parts
    )


# ---- the Location


def _redirect(action: Node, rule: _Rule, draft: Draft) -> Draft:
    config = _at(action, "RedirectConfig") or _at(action, "Redirect")
    for one in config.sequence if config is not None and config.is_sequence else ():
        config = one
    if config is None:
        raise TemplateError("a redirect that says nothing", "write its RedirectConfig")
    code = _at(config, "StatusCode")
    status = None if code is None else _STATUSES.get(_known(code))
    if status is None:
        raise TemplateError("the status is neither HTTP_301 nor HTTP_302", "a load balancer has no other")
    said = {key: _component(config, key) for key in _DEFAULTS}
    if all(said[key] == _DEFAULTS[key] for key in ("protocol", "host", "port", "path")):
        raise TemplateError("at most the query changes", "change protocol, host, port or path")
    to = said["protocol"].lower()
    if to == "http" and rule.scheme == "https":
        raise TemplateError("a redirect from HTTPS to HTTP", "a load balancer refuses it")
    pattern = draft.pattern
    if to == "https" and not rule.scheme and all(said[key] == _DEFAULTS[key] for key in ("host", "path")):
        pattern = _for_http(pattern)
    location, query = _location(said, rule)
    return msgspec.structs.replace(draft, pattern=pattern, location=location, status=status, query=query)


def _for_http(pattern: str) -> str:
    """The pattern for http alone: on https the redirect would be a loop."""
    return f"http:{pattern}" if pattern.startswith("//") else f"http://*:*{pattern}"


def _component(config: Node, key: str) -> str:
    node = _at(config, key.title())
    return _DEFAULTS[key] if node is None else _known(node)


def _location(said: dict[str, str], rule: _Rule) -> tuple[str, Literal["keep", "drop"]]:
    """The template, and whether the query follows; raises `TemplateError`."""
    protocol, port, query = said["protocol"], said["port"], said["query"]
    scheme = "" if protocol == "#{protocol}" else protocol.lower()
    if scheme not in ("", "http", "https"):
        raise TemplateError(f"a redirect to {protocol!r}", "write HTTP or HTTPS")
    path = said["path"]
    if not path.startswith("/") or re.search(r"[^/]#\{path\}", path):
        raise TemplateError(f"no slash before the path in {path!r}", "write one: `/#{path}`")
    path = _filled(path).replace("/{url.path}", "{url.path}")
    if port == "#{port}" and scheme and rule.port is not None:
        port = str(rule.port)  # the number itself: HTTPS at port 80 is what is asked for
    tail = "" if query in ("#{query}", "") else f"?{_filled(query)}"
    location = f"{scheme}:" * bool(scheme) + f"//{_filled(said['host'])}:{_filled(port)}{path}{tail}"
    return location, "keep" if query == "#{query}" else "drop"


def _filled(text: str) -> str:
    """A component with its `#{…}` as slots; raises `TemplateError` for one that is unknown."""
    parts = re.split(r"#\{(\w+)\}", text)
    if unknown := [name for name in parts[1::2] if name not in _SLOTS]:
        raise TemplateError(f"`#{{{unknown[0]}}}` stands where it means nothing", "see the documentation")
    parts[::2] = [part.replace("{", "{{").replace("}", "}}") for part in parts[::2]]
    parts[1::2] = [_SLOTS[name] for name in parts[1::2]]
    return "".join(parts)
