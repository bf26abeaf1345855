"""Kubernetes manifests: the resources of a text, those of lists too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from detour.errors import NodeError
from detour.formats.draft import LineFault
from detour.formats.yaml_nodes import Node, documents, fault

# Resources that emit redirects, by API group and kind, and the dialect that reads them.
READ_BY: Mapping[tuple[str, str], str] = {
    ("gateway.networking.k8s.io", "HTTPRoute"): "gateway-api",
    ("networking.k8s.io", "Ingress"): "ingress",
    ("extensions", "Ingress"): "ingress",
    ("networking.istio.io", "VirtualService"): "istio",
}


class Resource(msgspec.Struct, frozen=True, eq=False):
    """One resource: what it is, what it is called, and all that is written of it."""

    group: str  # of its API: `gateway.networking.k8s.io`
    kind: str
    namespace: str
    name: str
    created: str  # metadata.creationTimestamp; "" where it was never applied
    annotations: Mapping[str, Node]
    node: Node

    @property
    def key(self) -> tuple[str, str]:
        return self.namespace, self.name

    def get(self, *keys: str) -> Node | None:
        return self.node.get(*keys)


def resources(text: str) -> Iterator[Resource | LineFault]:
    """Every resource of a text, in order; what is no resource is passed over."""
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
        else:
            yield from _resources(document)


def of_dialect(text: str, dialect: str, *kinds: tuple[str, str]) -> Iterator[Resource | LineFault]:
    """The resources of some kinds, (group, kind); those that another dialect reads are faults."""
    for one in resources(text):
        if isinstance(one, LineFault) or (one.group, one.kind) in kinds:
            yield one
        elif (other := READ_BY.get((one.group, one.kind), dialect)) != dialect:
            yield LineFault(
                one.node.line,
                f"{one.kind} {one.name or '(unnamed)'} is read as {other}, not as {dialect}",
                f"read the file once more as {other}",
            )


def detects(text: str, group: str, *kinds: str) -> bool:
    """Whether a text holds a resource of the group, and one of the kinds; only looked at, not parsed."""
    version = rf"apiVersion[\"']?\s*:\s*[\"']?{re.escape(group)}/v"
    kind = rf"kind[\"']?\s*:\s*[\"']?(?:{'|'.join(kinds)})\b"
    return re.search(version, text) is not None and re.search(kind, text) is not None


def _resources(node: Node) -> Iterator[Resource | LineFault]:
    try:
        if not node.is_mapping:
            return
        kind = node.text_at("kind") or ""
        if kind.endswith("List") and node.get("items") is not None:
            for item in node.list_at("items"):
                yield from _resources(item)
        elif kind:
            yield _resource(node, kind)
    except NodeError as error:
        yield fault(error)


def _resource(node: Node, kind: str) -> Resource:
    metadata = node.get("metadata")
    group, slash, _ = (node.text_at("apiVersion") or "").rpartition("/")
    known = {key: metadata.text_at(key) or "" for key in _METADATA} if metadata is not None else {}
    annotations = metadata.get("annotations") if metadata is not None else None
    return Resource(
        group=group if slash else "",
        kind=kind,
        namespace=known.get("namespace", ""),
        name=known.get("name", ""),
        created=known.get("creationTimestamp", ""),
        annotations=annotations.mapping if annotations is not None else {},
        node=node,
    )


_METADATA = ("namespace", "name", "creationTimestamp")
