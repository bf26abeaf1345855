"""Every check, one file each. To add one: a file with a `CHECK`, and its name here.

A check looks at a chain (`over_chain`), at rules, or at both. Checks do not know who sent the requests, or
whether anybody did: a chain can be a live trace, a browser's recording, or what compiled rules would
answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import not_understood
from detour.audit.checks import (
    absolute_redirect_behind_tls,
    acme_redirect,
    auth_stripped,
    browser_internal,
    challenge_loop,
    content_crosses_origin,
    continue_then_redirect,
    credential_307,
    credentials_in_location,
    custom_header_crossed,
    decoded_path_location,
    double_slash_location,
    dropped_query,
    duplicate_rule,
    early_response,
    encoded_slash_location,
    grpc_redirect,
    health_redirect,
    hsts_contradicted,
    https_behind_tls,
    implicit_slash,
    internal_host_leak,
    long_chain,
    method_loss,
    no_location,
    open_location,
    overstayed,
    permanent_without_cache,
    port_leak,
    preflight_redirect,
    probe_redirect,
    redirect_loop,
    scheme_downgrade,
    self_redirect,
    shadowed_rule,
    slash_only,
    status_by_method,
    two_auth,
    unreachable_location,
    unstated_status,
    unsupported_status,
    unused_capture,
    websocket_redirect,
)
from detour.audit.finding import Check, Finding
from detour.audit.survey import Layers, Survey
from detour.core.chain import Chain

CHECKS: tuple[Check, ...] = (
    # over chains
    content_crosses_origin.CHECK,  # over rules too
    custom_header_crossed.CHECK,
    auth_stripped.CHECK,
    two_auth.CHECK,
    slash_only.CHECK,
    port_leak.CHECK,  # over rules too
    internal_host_leak.CHECK,  # over rules too
    unreachable_location.CHECK,
    no_location.CHECK,
    early_response.CHECK,
    continue_then_redirect.CHECK,
    grpc_redirect.CHECK,  # over rules too
    browser_internal.CHECK,
    challenge_loop.CHECK,
    # over rules
    shadowed_rule.CHECK,
    duplicate_rule.CHECK,
    overstayed.CHECK,
    permanent_without_cache.CHECK,
    unused_capture.CHECK,
    dropped_query.CHECK,
    acme_redirect.CHECK,
    health_redirect.CHECK,
    credential_307.CHECK,
    credentials_in_location.CHECK,
    implicit_slash.CHECK,
    absolute_redirect_behind_tls.CHECK,
    unsupported_status.CHECK,
    encoded_slash_location.CHECK,
    decoded_path_location.CHECK,
    https_behind_tls.CHECK,
    status_by_method.CHECK,
    unstated_status.CHECK,
    double_slash_location.CHECK,
    hsts_contradicted.CHECK,
    probe_redirect.CHECK,
    websocket_redirect.CHECK,
    # over both: chains, and rules
    method_loss.CHECK,
    redirect_loop.CHECK,
    self_redirect.CHECK,
    long_chain.CHECK,
    scheme_downgrade.CHECK,
    open_location.CHECK,
    preflight_redirect.CHECK,
)


def check_chain(chain: Chain) -> list[Finding]:
    """What every check finds in a chain, in the order of the hops."""
    findings = [finding for check in CHECKS if check.over_chain for finding in check.over_chain(chain)]
    return sorted(findings, key=lambda finding: finding.hop)


def check_layers(layers: Layers, now: float) -> Iterator[Finding]:
    """What every check finds in the rules of the layers at `now`, in the order of the rules."""
    yield from not_understood.findings(layers)
    judges = [check.over_rule for check in CHECKS if check.over_rule is not None]
    told = set()  # a line can be several rules: one for each host or scheme
    for place in Survey(layers, now).places:
        for finding in (one for judge in judges for one in judge(place)):
            key = finding.check, finding.span, finding.witness.partition(" ")[0]
            if key not in told:
                told.add(key)
                yield finding
