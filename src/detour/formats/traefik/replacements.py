"""What `redirectRegex` makes of a URL, as a native pattern and template, for what a router lets through."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from detour.errors import PatternError, TemplateError
from detour.formats.demand import Demand, Text, ask
from detour.formats.redirects_file import literal
from detour.formats.regex import expression, expressions
from detour.formats.regex_octets import as_characters
from detour.formats.traefik.expressions import Address, addresses, cut_tail, fullmatch

_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_SAME_PATH = "{url.path}"
_PORT = ":{url.port}"
_WHOLE = "\x01"  # the path without its slash


class Made(msgspec.Struct, frozen=True):
    """A pattern, and what the URL it matches becomes."""

    pattern: str
    template: str
    keeps_query: bool
    ignore_case: bool


class _Replacement:
    """A replacement, in Go's notation, cut at what it refers to."""

    def __init__(self, text: str) -> None:
        self.parts: list[str | int | None] = []  # text, a group, or one there is not
        place = 0
        for found in _REFERENCE.finditer(text):
            self.parts.append(text[place : found.start()])
            place = found.end()
            name = found[1] or found[2]
            if name is None:
                self.parts.append("$")
            else:
                self.parts.append(int(name) if name.isdecimal() and len(name) < 4 else None)
        self.parts.append(text[place:])

    @property
    def used(self) -> set[int]:
        return {part for part in self.parts if isinstance(part, int)}

    @property
    def last(self) -> int | None:
        """The group that it ends with."""
        kept = [part for part in self.parts if part != ""]
        return kept[-1] if kept and isinstance(kept[-1], int) else None

    def filled(self, captures: Mapping[int, str], count: int) -> str:
        """The template; `captures` are texts of templates. Raises `TemplateError`."""
        made = ""
        for part in self.parts:
            if isinstance(part, str):
                made += part.replace("{", "{{").replace("}", "}}")
            elif part is not None and part in captures:
                made += captures[part]
            elif part is not None and 0 <= part <= count:
                raise TemplateError(f"what `${part}` captures cannot be had", "capture it by itself")
        return made


def replaced(regex: str, replacement: str, demand: Demand) -> Iterator[Made]:
    """Each way in which requests that `demand` asks for are redirected; raises what cannot be said."""
    cut = cut_tail(regex)
    if cut is not None:
        behind = f"?${{{cut.groups}}}" if _Replacement(replacement).used & {cut.open_group} else ""
        yield from _replaced(cut.asked, replacement + behind, demand)
        yield from _replaced(cut.bare, replacement, demand)
    else:
        yield from _replaced(regex, replacement, demand)


def _replaced(regex: str, replacement: str, demand: Demand) -> Iterator[Made]:
    wanted = _Replacement(replacement)
    found = [one for one in addresses(regex) if not one.scheme or demand.scheme in ("", one.scheme)]
    groups = {number for one in found for number in one.captures} & wanted.used
    if len(found) == 2 and not any(
        found[0].captures[number] != found[1].captures[number] for number in groups
    ):
        yield from _made(msgspec.structs.replace(found[0], scheme=""), wanted, demand)
    elif len(found) == 2 and _follows_scheme(wanted, found[0]):
        same = {**found[0].captures, **dict.fromkeys(groups, "")}
        yield from _made(msgspec.structs.replace(found[0], scheme="", captures=same), wanted, demand)
    else:
        for one in found:
            yield from _made(one, wanted, demand)


def _follows_scheme(wanted: _Replacement, address: Address) -> bool:
    """Whether the replacement begins with the scheme's group, then `//`: the scheme stays what it is."""
    parts = [part for part in wanted.parts if part != ""]
    if len(parts) < 2 or not isinstance(parts[0], int) or address.captures.get(parts[0]) != "http":
        return False
    return str(parts[1]).startswith("://") and parts.count(parts[0]) == 1


def _made(address: Address, wanted: _Replacement, demand: Demand) -> Iterator[Made]:
    captures = {number: _text(value) for number, value in address.captures.items()}
    captures |= {address.port_group: _PORT} if address.port_group else {}
    host = _host(address, demand, wanted.used)
    if host is None:
        return
    at, of_host, ended = host
    captures |= of_host
    for path, of_path, fold in _paths(address, demand, wanted.used):
        known = {**captures, **of_path}
        if address.host_group:
            known[address.host_group] = ended + _PORT + known.get(address.host_group, "")
            if not address.path:
                known[address.host_group] += _SAME_PATH
        if address.end == "left" and not address.path:
            rest = _PORT if address.port == "*" and not address.port_group else ""
            ending = ended + rest + _SAME_PATH
        else:
            ending = of_path.get(0, "") if address.end == "left" else ""
        keeps, query = _query(address, wanted)
        if address.query_group:
            known[address.query_group] = ""
        if address.holds_port in known:
            known[address.holds_port] += _PORT
        template = wanted.filled(known, address.count) + ending
        if address.query == "value" and keeps:
            template = template.removesuffix("&").removesuffix("?")
        template, any_port = _settled(template)
        there = at if any_port else at.removesuffix(":*")
        yield Made(f"{there}{path}{query}", template, keeps, fold)


def _text(value: str) -> str:
    return value.replace("{", "{{").replace("}", "}}")


def _settled(template: str) -> tuple[str, bool]:
    """A template as Detour has it, and whether it does for any port: the request's port has a place only at
    the end of the authority. What stands for a path alone must follow a slash."""
    template = template.removeprefix(":") if template.startswith("://") else template
    template = template.replace(f"/{_WHOLE}", _SAME_PATH)
    if _WHOLE in template:
        raise PatternError("the path must be two things at once", "let the router's rule alone say the path")
    authority = re.match(r"(?:https?:)?//[^/?#]*?(?=/|[?#]|\{url\.path\}|$)", template)
    end = authority.end() if authority is not None else 0
    inside, outside = template[:end], template[end:]
    if "%" in inside:
        raise TemplateError(f"a host with `%`: {inside!r}", "write a name")
    told = inside.removesuffix(_PORT)
    fits = _PORT not in told and _PORT not in outside
    if not fits:
        inside, outside = inside.replace(_PORT, ""), outside.replace(_PORT, "")
    return inside + outside, fits


def _query(address: Address, wanted: _Replacement) -> tuple[bool, str]:
    """Whether the request's query is kept, and what the pattern asks of it."""
    if address.end == "left":
        return True, ""
    if address.end == "closed":
        return False, "\\?"
    last = address.query_group or address.open_group or (address.host_group if not address.path else 0)
    if last == 0 or last not in wanted.used:
        return False, "\\?(.+)" if address.query == "value" else ""
    if wanted.last != last:
        raise PatternError("text behind what captures the query", f"end the replacement with `${{{last}}}`")
    return True, "\\?(.+)" if address.query == "value" else ""


# ---- the host


def _host(address: Address, demand: Demand, used: Collection[int]) -> tuple[str, dict[int, str], str] | None:
    """The pattern of the origin, what is captured of the host, and the host, or its end, as a template; None
    where no host is what both the router and the expression ask for."""
    scheme = address.scheme or demand.scheme
    before = f"{scheme}:" * bool(scheme)
    port = {"": "", "*": ":*"}.get(address.port, f":{address.port}")
    if (scheme, address.port) in (("http", "80"), ("https", "443")):
        port = ""
    expression_of_host = address.host
    if demand.host is not None and demand.host.kind == "exact":
        host = demand.host.text
        found = fullmatch(f"(?i){expression_of_host}" if expression_of_host else ".*", host)
        if found is None:
            return None
        captures = {
            address.first_of_host + number: _text(value or "")
            for number, value in enumerate(found.groups() if expression_of_host else (), start=1)
        }
        return f"{before}//{literal(host)}{port}", captures, _ended(address, host)
    if demand.host is not None and expression_of_host and not _any_host(expression_of_host):
        raise PatternError("the host must be two things at once", "let the router's rule alone say the host")
    if demand.host is not None:
        [asked] = ask(Demand(scheme=scheme, host=demand.host, port="*"))
        return (
            asked.pattern.removesuffix("/*"),
            _whole_host(address),
            "{url.hostname}",
        )
    if not expression_of_host or _any_host(expression_of_host):
        at = f"{before}//*{':*' if address.port == '*' else port}"
        return at, _whole_host(address), "{url.hostname}"
    return _free_host(address, before, port)


def _whole_host(address: Address) -> dict[int, str]:
    """What is captured of a host that may be any."""
    captured = address.host.startswith("(") and not address.host.startswith("(?")
    return {address.first_of_host + 1: "{url.hostname}"} if captured else {}


def _any_host(regex: str) -> bool:
    return re.fullmatch(r"\(?(?:\[\^[/:?]+\][*+]|\.[*+])\??\)?", regex) is not None


def _ended(address: Address, host: str) -> str:
    """What a group that begins in the host holds of it."""
    fixed = address.host.removesuffix("[^/:]*")
    if not fixed:
        return _text(host)
    found = fullmatch(f"(?i)(?:{fixed})([^/:]*)", host)
    return "" if found is None else _text(found.groups()[-1])


def _free_host(address: Address, before: str, port: str) -> tuple[str, dict[int, str], str]:
    """A host that only the expression speaks of."""
    regex = address.host
    ending = regex.endswith("[^/:]*") and not regex.startswith("(")
    if ending:  # the end is wanted as a capture of its own
        regex = f"{regex[:-6]}({regex[-6:]})"
    made = expression(regex, component="hostname", whole=True, ignore_case=True)
    names = {
        number: re.sub(r"\{p(?=[0-9])", "{host", str(value))
        for number, value in made.captures.items()
        if isinstance(number, int)
    }
    pattern = re.sub(r":[hp](?=[0-9])", ":host", made.pattern)
    names = {number: re.sub(r"\{[hp](?=[0-9])", "{host", value) for number, value in names.items()}
    captures = {address.first_of_host + number: value for number, value in names.items()}
    end = names.get(max(names), "") if ending and names else "{url.hostname}"
    return f"{before}//{pattern}{port}", captures, end


# ---- the path


def _paths(
    address: Address, demand: Demand, used: Collection[int]
) -> Iterator[tuple[str, dict[int, str], bool]]:
    """The patterns of the path, what is captured of it (0: what is left over), and whether case counts."""
    regex, starts = address.path, address.path_starts
    if not regex:
        [asked] = ask(Demand(path=demand.path))
        yield asked.pattern, {}, asked.ignore_case
        return
    regex = as_characters(regex)
    left = 0
    if address.end == "left":
        left = address.count - starts + 1
        regex = f"{regex}{'()' * (left - 1 - _groups(regex))}(.*)"
    path = demand.path
    if path is not None and path.kind == "exact":
        found = fullmatch(f"(?i){regex}" if address.fold else regex, path.text)
        if found is not None:
            groups = enumerate(found.groups(), start=1)
            captures = {starts + number: _text(value or "") for number, value in groups}
            captures[0] = captures.pop(starts + left, "") if left else ""
            yield literal(path.text), captures, address.fold
        return
    if path is not None and path.kind != "prefix":
        yield from _open_path(regex, starts, path)
        return
    mine = {number - starts for number in used if number > starts} | ({left} if left else set())
    prefix = "/" if path is None else path.text
    for one in expressions(f"^(?:{regex})$", used=mine, ignore_case=address.fold, prefix=prefix):
        captures = {starts + n: value for n, value in one.captures.items() if isinstance(n, int)}
        if left:
            captures[0] = captures.pop(starts + left, "")
        yield one.pattern, captures, one.ignore_case


def _groups(regex: str) -> int:
    found = fullmatch(f"(?:{regex})|.*", "")
    return 0 if found is None else len(found.groups())


def _open_path(regex: str, starts: int, path: Text) -> Iterator[tuple[str, dict[int, str], bool]]:
    """A path that the router asks for in a way that no expression can be joined with."""
    if regex not in ("/.*", "/(.*)", ".*", "(/.*)", "(.*)", "(/.*)?", "(.*)?"):
        raise PatternError("the path must be two things at once", "let the router's rule alone say the path")
    [asked] = ask(Demand(path=path))
    captured = _WHOLE if regex.startswith("/") else _SAME_PATH
    yield asked.pattern, {starts + 1: captured, 0: captured}, asked.ignore_case
