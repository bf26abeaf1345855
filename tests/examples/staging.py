"""Recipes on stage: Detour with localized rules, a plain origin and one with TLS, and clients that ask."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import trustme

from tests.examples.cases import CASES, Case, Said, verdict, write_content
from tests.examples.client_programs import Client
from tests.examples.recipes import RECIPES, Recipe, localized
from tests.examples.running import Detour, EchoOrigin, free_port


class Certificate(msgspec.Struct, frozen=True):
    """Files: what clients trust, and what a server shows."""

    ca: Path
    cert: Path
    key: Path

    @classmethod
    def issue(cls, folder: Path, *names: str) -> Certificate:
        """A certificate for `names` by an authority made for this."""
        authority = trustme.CA()
        made = cls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
        issued = authority.issue_cert(*names)
        authority.cert_pem.write_to_path(made.ca)
        made.cert.unlink(missing_ok=True)
        for blob in issued.cert_chain_pems:
            blob.write_to_path(made.cert, append=True)
        issued.private_key_pem.write_to_path(made.key)
        return made

    def __str__(self) -> str:
        return f"{self.cert},{self.key}"


class Outcome(msgspec.Struct, frozen=True):
    """One request of one client through one recipe."""

    client: str
    recipe: str
    case: Case
    said: Said
    verdict: str


class Stage:
    """All recipes at once, each a Detour of its own, and the two origins they send clients to."""

    def __init__(
        self, folder: Path, certificate: Certificate, origins: dict[str, EchoOrigin], status: int, scheme: str
    ) -> None:
        self.folder, self.certificate, self.origins = folder, certificate, origins
        self.status, self.scheme = status, scheme
        self.detours: dict[str, Detour] = {}

    def add(self, recipe: Recipe) -> Detour:
        """A started Detour for `recipe`; the caller enters it."""
        port = free_port()
        origins = self.origins["plain"].url, self.origins["tls"].url
        rules = self.folder / f"{recipe.name}-{self.status}.toml"
        rules.write_text(localized(recipe, f"127.0.0.1:{port}", *origins, self.status))
        flags = ["--listen", f"{self.scheme}://127.0.0.1:{port}", "--workers", "1"]
        flags += ["--cert", str(self.certificate)] if self.scheme == "https" else []
        self.detours[recipe.name] = Detour(rules, self.folder, *flags)
        return self.detours[recipe.name]

    def play(self, client: Client, recipes: Sequence[Recipe] = RECIPES) -> list[Outcome]:
        """Every case through every recipe, and what became of it; methods a recipe leaves alone apart."""
        plays = [
            (recipe, case)
            for recipe in recipes
            for case in CASES
            if not recipe.methods or case.method in recipe.methods
        ]
        keys = [f"{client.name}-{recipe.name}-{case.key}".replace(" ", "-") for recipe, case in plays]
        files = [write_content(case, self.folder) for _, case in plays]
        asked = [
            (case.method, f"{self.detours[recipe.name].url}{recipe.path}?case={key}.", case.kind, file)
            for (recipe, case), key, file in zip(plays, keys, files, strict=True)
        ]
        said = client.run(asked, self.certificate.ca)
        for origin in self.origins.values():
            origin.settle()
        return [
            Outcome(client.name, recipe.name, case, one, self._judge(recipe, case, file, one, key))
            for (recipe, case), file, one, key in zip(plays, files, said, keys, strict=True)
        ]

    def _judge(self, recipe: Recipe, case: Case, file: Path, said: Said, key: str) -> str:
        arrivals = self.origins[recipe.origin].arrivals(f"case={key}.")
        return verdict(case, file, said, arrivals, self.status)


@contextlib.contextmanager
def staged(
    folder: Path, status: int = 307, recipes: Sequence[Recipe] = RECIPES, scheme: str = "http"
) -> Iterator[Stage]:
    """The stage, up and running; `scheme` is what Detour speaks."""
    certificate = Certificate.issue(folder, "127.0.0.1", "localhost")
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(EchoOrigin(folder))
        tls = stack.enter_context(EchoOrigin(folder, str(certificate)))
        stage = Stage(folder, certificate, {"plain": plain, "tls": tls}, status, scheme)
        for recipe in recipes:
            stack.enter_context(stage.add(recipe))
        yield stage
