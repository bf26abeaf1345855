"""Cloudflare Single Redirects: rules of the phase `http_request_dynamic_redirect`.

Read (Cloudflare's documentation, "Single Redirects" and "Ruleset Engine"), as the Rulesets API returns them
(`{"rules": […]}`, also inside `result`), as a list, or as Terraform's JSON (`cloudflare_ruleset` in its JSON
syntax, and what `terraform show -json` says of a state or a plan):

- `action_parameters.from_value`: `target_url.value`, or `target_url.expression` made of texts, `http.host`,
  `http.request.uri.path`, `concat(…)`, `wildcard_replace(…)` with the wildcard that the condition has, and
  `regex_replace(http.request.uri.path, …)` with the expression that the condition has, perhaps with `(.*)`
  behind it; `status_code` (301, the default, 302, 303, 307, 308); `preserve_query_string` (default false).
- `expression`: `and` and `or` of `http.host`, `http.request.uri.path`, `http.request.method` and `ip.src`
  with `eq` and `in {…}`, also with `not`, and the first three with `ne`; `starts_with(http.request.uri.path,
  …)`; `matches` for the path (an expression that is found in it); `wildcard` for host, path and
  `http.request.full_uri`; `ssl`, `not ssl` and `true`. `wildcard` minds no case in the path, `strict
  wildcard` does. A condition on GET takes HEAD, too.
- In order; a rule that is switched off (`enabled: false`) is passed over.

Of the fourteen rules of Single Redirects in Cloudflare's documentation (examples, create-api, terraform) ten
are read; the others ask for the visitor's country or for a part of the User-Agent.

Not read: every other field and function. `from_list` refers to a list of bulk redirects, which is a file of
its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.errors import NodeError, PatternError, TemplateError, URLError
from detour.formats import regex
from detour.formats.bulk_rows import restated
from detour.formats.cloudflare_expressions import PATH, Reader, Wanted, expression
from detour.formats.draft import Draft, LineFault
from detour.formats.numbers import whole
from detour.formats.redirects_file import PartError
from detour.formats.routes import redirect_status
from detour.formats.yaml_nodes import Node, documents, fault

DEFAULT_STATUS = 301

_KEYS = re.compile(r'"(?:from_value|from_list)"\s*:')
_SLOTS = {"http.host": "{url.hostname}", PATH: "{url.path}"}
_SLOT = re.compile(r"\$\{(\d+)\}")
_ALL_BEHIND = ("", "(.*)", "(.*)$", ".*", ".*$", "$")  # what a target's expression may add to the condition's


def detect(text: str) -> bool:
    """Whether a text is JSON with actions of redirect rules."""
    return _KEYS.search(text) is not None and text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each rule, in order, restated: a Draft for each alternative of its expression."""
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
            continue
        try:
            for rule in _rules(document):
                yield from _rule(rule)
        except NodeError as error:
            yield fault(error)


def _rules(node: Node) -> Iterator[Node]:
    if node.is_sequence:
        yield from (one for one in node.sequence if one.is_mapping)
    elif node.is_mapping:
        named = node.get("resource", "cloudflare_ruleset")
        shown = node.get("planned_values", "root_module") or node.get("values", "root_module")
        if shown is not None:
            rulesets = tuple(_shown(shown))
        else:
            rulesets = tuple(named.mapping.values()) if named is not None else (node.get("result") or node,)
        for ruleset in rulesets:
            yield from (_rules(ruleset) if ruleset.is_sequence else ruleset.list_at("rules"))


def _shown(module: Node) -> Iterator[Node]:
    """The rulesets of a module of Terraform's state or plan."""
    for one in module.list_at("resources"):
        said = one.get("values")
        if said is not None and one.text_at("type") == "cloudflare_ruleset":
            yield said
    for child in module.list_at("child_modules"):
        yield from _shown(child)


def _block(node: Node, key: str) -> Node | None:
    """The table under a key; Terraform writes blocks as lists of one."""
    found = node.get(key)
    if found is not None and found.is_sequence:
        return found.sequence[0] if found.sequence else None
    return found


def _rule(rule: Node) -> Iterator[Draft | LineFault]:
    wanted = Wanted()
    pattern = None
    try:
        if rule.boolean_at("enabled") is False or rule.text_at("action") not in (None, "redirect"):
            return
        parameters = _block(rule, "action_parameters")
        if parameters is None:
            return
        if (listed := _block(parameters, "from_list")) is not None:
            raise NodeError(listed.line, "the redirects stand in a bulk list", "read the list's own file")
        value = _block(parameters, "from_value")
        if value is None:
            return
        for wanted in expression(rule.text_at("expression") or "true"):
            pattern = wanted.pattern
            location, narrowed = _target(value, wanted)
            yield Draft(
                rule.line,
                narrowed.pattern,
                location,
                redirect_status(value.integer_at("status_code")),
                query=_query(value),
                methods=wanted.methods,
                ignore_case=narrowed.ignore_case,
                when=wanted.when,
                unless=wanted.unless,
            )
    except NodeError as error:
        yield _fault(error.line, error, pattern, wanted)
    except PartError as refusal:
        yield _fault(rule.line, refusal, pattern, wanted)


def _fault(
    line: int,
    refusal: NodeError | PatternError | TemplateError | URLError,
    pattern: str | None,
    wanted: Wanted,
) -> LineFault:
    return LineFault(
        line,
        refusal.fact,
        refusal.remedy,
        pattern,
        ignore_case=wanted.ignore_case,
        methods=wanted.methods,
        when=wanted.when,
        unless=wanted.unless,
    )


def _query(value: Node) -> Literal["keep", "drop"]:
    return "keep" if value.boolean_at("preserve_query_string") else "drop"


# ---- the target


class _Target(Reader):
    """The tokens of a target, and the alternative that it is for; a regex_replace may narrow that."""

    def __init__(self, text: str, wanted: Wanted) -> None:
        super().__init__(text)
        self.wanted = wanted


def _target(value: Node, wanted: Wanted) -> tuple[str, Wanted]:
    """The template, and what it is for; raises `NodeError`, `PatternError`, `TemplateError`, `URLError`."""
    target = _block(value, "target_url")
    if target is None:
        raise NodeError(value.line, "a redirect without `target_url`", "write its value or expression")
    if (fixed := target.text_at("value")) is not None:
        return restated(fixed), wanted
    reader = _Target(target.text_at("expression") or "", wanted)
    written = _concat(reader) if reader.take("concat") else _piece(reader)
    if reader.peek():
        raise TemplateError(f"the target at {reader.peek()!r} is not understood", "see the documentation")
    return written, reader.wanted


def _concat(reader: _Target) -> str:
    reader.need("(")
    written = _piece(reader)
    while reader.take(","):
        written += _piece(reader)
    reader.need(")")
    return written.replace("/{url.path}", "{url.path}") if "//{url.path}" not in written else written


def _piece(reader: _Target) -> str:
    if reader.peek() in _SLOTS:
        return _SLOTS[reader.next()]
    if reader.take("wildcard_replace"):
        return _wildcard_replaced(reader)
    if reader.take("regex_replace"):
        return _regex_replaced(reader)
    return _text(reader.quoted())


def _text(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _wildcard_replaced(reader: _Target) -> str:
    reader.need("(")
    reader.next()
    reader.need(",")
    if reader.quoted() != reader.wanted.wildcard:
        raise TemplateError("a wildcard that is not the condition's", "write the same in both")
    reader.need(",")
    parts = _SLOT.split(reader.quoted())
    reader.need(")")
    parts[::2] = map(_text, parts[::2])
    parts[1::2] = map(reader.wanted.star, parts[1::2])
    return "".join(parts)


def _regex_replaced(reader: _Target) -> str:
    """What takes the place of a whole path; the first match is all that Cloudflare replaces."""
    reader.need("(")
    reader.need(PATH)
    reader.need(",")
    asked, known = reader.quoted(), reader.wanted.regex
    reader.need(",")
    parts = _SLOT.split(reader.quoted())
    reader.need(")")
    if not known or not asked.startswith(known) or asked[len(known) :] not in _ALL_BEHIND:
        raise TemplateError("an expression that is not the condition's", "write the same in both")
    if not asked.startswith("^") or not asked.endswith(("$", ".*", "(.*)")):
        raise TemplateError(
            "a part of the path is replaced", "write an expression of the whole path: `^…(.*)`"
        )
    found = regex.expression(asked)
    missing = [number for number in parts[1::2] if whole(number) not in found.captures]
    if missing:
        raise TemplateError(f"the expression has no group {missing[0]} that can be had", "write it simpler")
    parts[::2] = map(_text, parts[::2])
    parts[1::2] = [found.captures[whole(number)] for number in parts[1::2]]
    reader.wanted = msgspec.structs.replace(
        reader.wanted, path=found.pattern, ignore_case=reader.wanted.ignore_case or found.ignore_case
    )
    return "".join(parts)
