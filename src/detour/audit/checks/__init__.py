"""Every check, one file each. To add one: a file with a `CHECK`, and its name here.

A check looks at a chain (`over_chain`), at rules, or at both. Checks do not know who sent the requests, or
whether anybody did: a chain can be a live trace, a browser's recording, or what compiled rules would
answer.
"""

from __future__ import annotations

from detour.audit.checks import (
    auth_stripped,
    browser_internal,
    challenge_loop,
    content_crosses_origin,
    continue_then_redirect,
    custom_header_crossed,
    early_response,
    grpc_redirect,
    internal_host_leak,
    long_chain,
    method_loss,
    no_location,
    open_location,
    port_leak,
    preflight_redirect,
    redirect_loop,
    scheme_downgrade,
    self_redirect,
    slash_only,
    two_auth,
    unreachable_location,
)
from detour.audit.finding import Check, Finding
from detour.core.chain import Chain

CHECKS: tuple[Check, ...] = (
    # over chains
    content_crosses_origin.CHECK,
    custom_header_crossed.CHECK,
    auth_stripped.CHECK,
    two_auth.CHECK,
    slash_only.CHECK,
    port_leak.CHECK,
    internal_host_leak.CHECK,
    unreachable_location.CHECK,
    no_location.CHECK,
    early_response.CHECK,
    continue_then_redirect.CHECK,
    grpc_redirect.CHECK,
    browser_internal.CHECK,
    challenge_loop.CHECK,
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
