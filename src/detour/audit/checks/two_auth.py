"""two-auth: a signed URL is asked for with Authorization as well."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.core.chain import Chain
from detour.core.url import URL, decode_query

# Query parameters that hold a signature, lower case: AWS Signature 4 and 2, Google Cloud Storage, Azure SAS.
SIGNATURES: dict[str, str] = {
    "x-amz-signature": "an AWS signature",
    "awsaccesskeyid": "an AWS signature",
    "x-goog-signature": "a Google Cloud Storage signature",
    "googleaccessid": "a Google Cloud Storage signature",
    "sig": "an Azure shared access signature",
}


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        if redirect.after is None or not redirect.after.values("authorization"):
            continue
        signature = _signature(redirect.after.url)
        if signature:
            message = f"Location holds {signature}, and {redirect.after.url.origin} got Authorization, too"
            yield found(CHECK, chain, redirect.hop, message)


def is_signed(url: URL) -> bool:
    """Whether the URL holds a signature and so is its own credential."""
    return bool(_signature(url))


def _signature(url: URL) -> str:
    names = {name.lower() for name, value in decode_query(url.query or "") if value}
    if "sig" in names and "sv" not in names and "se" not in names:
        names.discard(
            "sig"
        )  # Azure's always comes with a version or an expiry; `sig` alone is anybody's word
    return next((said for name, said in SIGNATURES.items() if name in names), "")


CHECK = Check(
    name="two-auth",
    severity="error",
    finds="A redirect to a signed URL was followed with Authorization: two credentials in one request.",
    why=(
        "Object stores refuse a request with a signature in the query and an Authorization field: S3 "
        "answers 400, only one auth mechanism allowed. It shows only in production where the store of the"
        " test setup is lenient."
    ),
    instead=(
        "Let the client drop Authorization at the change of origin (most do; check wrappers that add it "
        "to every request), and let proxies that follow redirects themselves clear it."
    ),
    references=("open-policy-agent/opa#6580", "renovatebot/renovate#3877", "penpot/penpot#10776"),
    over_chain=over_chain,
)
