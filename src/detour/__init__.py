"""Detour: temporary HTTP redirects that keep the method and the content.

from detour import Request, load

rules = load("detours.toml")
decision = rules.decide(Request.of("POST", "https://api.example.com/v1/orders/7"), now=time.time())
decision.status, decision.location

from detour import POLICIES, URL, Follower, Outgoing

form = Outgoing("POST", URL.parse("https://shop.example.com/form"), content="replayable")
step = Follower(form, POLICIES["fetch"]).receive(303, "/done")
step.request.method, str(step.request.url)
"""

from detour.core.chain import End, Outgoing
from detour.core.decision import Decision
from detour.core.follower import Follower, Step
from detour.core.matcher import RuleSet, Skipped, sticky_chance
from detour.core.message import Request
from detour.core.pattern import Pattern
from detour.core.policy import POLICIES, Policy
from detour.core.rule import Rule
from detour.core.status import REDIRECT_STATUSES, RedirectStatus
from detour.core.template import Template
from detour.core.url import URL
from detour.errors import (
    DetourError,
    Fault,
    PatternError,
    RequestError,
    RuleError,
    ServeError,
    Span,
    TemplateError,
    URLError,
)
from detour.load import Loaded, load, load_files

__version__ = "0.1.0"

__all__ = [
    "POLICIES",
    "REDIRECT_STATUSES",
    "URL",
    "Decision",
    "DetourError",
    "End",
    "Fault",
    "Follower",
    "Loaded",
    "Outgoing",
    "Pattern",
    "PatternError",
    "Policy",
    "RedirectStatus",
    "Request",
    "RequestError",
    "Rule",
    "RuleError",
    "RuleSet",
    "ServeError",
    "Skipped",
    "Span",
    "Step",
    "Template",
    "TemplateError",
    "URLError",
    "load",
    "load_files",
    "sticky_chance",
]
