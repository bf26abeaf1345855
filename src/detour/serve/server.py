"""The parent of a running server. It never answers a request.

It compiles the rules (in a child), binds the listeners, starts the workers and the admin process,
replaces those that die, watches files, and takes signals: SIGHUP reloads rules and certificates,
SIGTERM and SIGINT drain, a second SIGINT aborts. One loop over signals, channels and a clock; no
threads, because it forks.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Sequence
from functools import partial

from detour.core.settings import ServerSettings
from detour.errors import ServeError
from detour.serve import worker
from detour.serve.board import Application, Board
from detour.serve.channel import Channel, Kind
from detour.serve.crew import Crew, Office, Post
from detour.serve.edition import Edition
from detour.serve.listener import Listener, bind_all, fit_connections, raise_descriptor_limit
from detour.serve.log import say
from detour.serve.options import Options, choose_listeners, count_workers
from detour.serve.process import Closeable, Signals
from detour.serve.reload import INTERVAL, Compilation, Reloading, RuleSource, Vault
from detour.serve.stats import Ledger
from detour.snapshot import Manifest, anonymous_file

DRAINED, ABORTED = 0, 130
_STEP = 0.05  # seconds between two looks while draining
_GRACE = 1.0  # seconds beyond the drain timeout before a child is killed
# Seconds after which a worker that has not taken new rules no longer holds up a reload; after twice that
# time it counts as hung.
SLOWEST_SWAP = 30.0


def serve(source: RuleSource, options: Options = Options(), application: Application | None = None) -> int:  # noqa: B008
    """Serve the rules of `source` until told to stop; the exit status (0 drained, 130 aborted).

    `application` makes the ASGI application of the admin listener; None: Detour's own.
    Raises `RuleError` for faults in the rules and `ServeError` for anything else that prevents a start.
    Main thread only; forks, so the caller must not have started threads.
    """
    with Signals() as signals:
        first = _compile(source, options, signals)
        if first is None:
            return DRAINED
        return Server(source, options, application, signals, first).run()


def _compile(source: RuleSource, options: Options, signals: Signals) -> Compilation | None:
    compilation = Compilation(source, options.server, (signals,))
    while not compilation.ended():
        if {signal.SIGTERM, signal.SIGINT} & set(signals.wait(INTERVAL)):
            compilation.abandon()
            return None
    return compilation


class Server:
    """Everything the parent holds. Built complete: bound, but nobody answers before `run`."""

    def __init__(
        self,
        source: RuleSource,
        options: Options,
        application: Application | None,
        signals: Signals,
        first: Compilation,
    ) -> None:
        manifest = first.manifest()
        self._signals = signals
        self._options = options
        self._manifest = manifest
        self._board = Board()
        self._ledger = Ledger(count_workers(manifest.server))
        self._banks = self._ledger.banks
        self._listeners = _bind(manifest, options, len(self._banks))
        self._vault = Vault([listener.tls for listener in self._listeners])
        self._office = Office.bind(options.admin, application, self._board, self._banks)
        self._edition = self._issue(1, manifest, first.descriptor)
        self._crew = Crew(self._posts(manifest.server), lambda: (signals,))
        self._reloading = Reloading(source, options.server, (manifest, first.began), self._all_belongings)
        self._swap_began: float | None = first.began  # seconds since the epoch, while workers take new rules
        self._swap_due = 0.0  # monotonic; when those that have not taken them are no longer waited for
        self._draining: Draining | None = None

    def run(self) -> int:
        """The loop: until drained or aborted."""
        self._announce()
        try:
            self._crew.fill()  # at once: the loop begins by waiting
            while True:
                for number in self._signals.wait(self._patience(), self._crew.waiting_on()):
                    if self._take(number):
                        return ABORTED
                if self._step():
                    return DRAINED
        finally:
            self._reloading.stop()
            self._crew.kill()
            self._close()

    def _posts(self, server: ServerSettings) -> list[Post]:
        lock = anonymous_file("detour-log") if server.access_log else None
        posts = []
        for number, bank in enumerate(self._banks):
            doors = tuple(
                worker.Door(listener.settings, listener.sockets[number], listener.tls)
                for listener in self._listeners
            )
            place = worker.Place(doors, bank, lock, float(server.drain_timeout))
            posts.append(
                Post(f"worker {number}", partial(self._work, place), [door.socket for door in doors])
            )
        return [*posts, *self._office.posts(lambda: self._edition)]

    def _work(self, place: worker.Place, channel: Channel) -> int:
        return worker.run(place, self._edition, channel)

    def _announce(self) -> None:
        for warning in self._manifest.warnings:
            say(warning)
        for listener in self._listeners:
            say(f"listening on {listener.url}")
        self._office.announce()
        self._board["started"] = time.time()
        self._board["workers"] = len(self._banks)
        self._board["rules"] = self._manifest.rules

    def _patience(self) -> float:
        return INTERVAL if self._draining is None else _STEP

    def _take(self, number: int) -> bool:
        """Act on a signal; True to abort."""
        if number == signal.SIGHUP and self._draining is None:
            self._reloading.ask()
            self._vault.ask()
        elif number in (signal.SIGTERM, signal.SIGINT):
            if self._draining is not None:
                return number == signal.SIGINT
            self._begin_draining()
        return False

    def _step(self) -> bool:
        """Look after everything once; True when the drain is complete."""
        self._crew.hear()
        self._bury()
        self._help()
        if self._draining is not None:
            return self._drain(self._draining)
        self._crew.fill()
        self._count_workers()
        if not self._swapping():
            self._reload()
        if self._vault.renew():
            self._crew.tell(Kind.CERTIFICATES)
        self._board["reload_failures"] = self._reloading.failures + self._vault.failures
        return False

    def _bury(self) -> None:
        for post in self._crew.reap():
            if post in self._workers:
                self._banks[self._crew.posts.index(post)].settle()
                self._board["worker_deaths"] += self._draining is None
            if self._draining is None:
                say(f"{post.name} ended ({_cause(post.status)}); it is replaced")
                if not self._board["ready"] and post in self._workers and post.status == 1:
                    raise ServeError(f"{post.name} cannot start; the reason stands above")

    def _help(self) -> None:
        """Send rules again to those that could not receive them; end those that hang."""
        for post in self._crew.posts:
            if post.lacks:
                post.tell(Kind.RULES, self._edition.generation, self._edition.descriptors)
        for post in self._workers:
            if post.hangs(time.monotonic(), 2 * SLOWEST_SWAP):
                say(f"{post.name} has not taken the rules after {2 * SLOWEST_SWAP:g} s; it is killed")
                post.kill()

    @property
    def _workers(self) -> Sequence[Post]:
        return self._crew.posts[: len(self._banks)]

    def _count_workers(self) -> None:
        self._board["workers_alive"] = sum(post.process is not None for post in self._workers)

    # --- new rules -------------------------------------------------------------------------------

    def _reload(self) -> None:
        self._reloading.look()
        outcome = self._reloading.outcome()
        if outcome is None:
            return
        manifest, descriptor, self._swap_began = outcome
        self._note_changes(manifest)
        old, self._manifest = self._edition, manifest
        settled = all(post.process is None or post.generation == old.generation for post in self._workers)
        self._edition = self._issue(old.generation + 1, manifest, descriptor, settled=settled)
        old.close()
        self._swap_due = time.monotonic() + SLOWEST_SWAP
        self._crew.tell(Kind.RULES, self._edition.generation, self._edition.descriptors)

    def _issue(self, generation: int, manifest: Manifest, rules: int, *, settled: bool = True) -> Edition:
        """An edition of the snapshot `rules`, its hits counted where they were before."""
        slots = self._ledger.assign(manifest.series, settled=settled)
        return Edition.issue(generation, rules, manifest.series, slots)

    def _swapping(self) -> bool:
        """Whether some worker has yet to take the newest rules; says so when the last one has."""
        if self._swap_began is None:
            return False
        behind = [post for post in self._workers if post.generation < self._edition.generation]
        if behind and not (self._board["ready"] and time.monotonic() >= self._swap_due):
            return True
        for post in behind:
            say(f"{post.name} has not taken the new rules after {SLOWEST_SWAP:g} s")
        took, self._swap_began = time.time() - self._swap_began, None
        self._note_swapped(took)
        return False

    def _note_swapped(self, took: float) -> None:
        board, rules = self._board, self._manifest.rules
        board["generation"], board["rules"] = self._edition.generation, rules
        if not board["ready"]:
            board["ready"] = 1
            say(f"ready: {_count(rules, 'rule')}, {_count(len(self._banks), 'worker')}")
            return
        board["reloads"] += 1
        board["last_reload"] = time.time()
        say(f"reloaded: {_count(rules, 'rule')} in {took:.2f} s")

    def _note_changes(self, manifest: Manifest) -> None:
        for warning in manifest.warnings:
            say(warning)
        before, after = self._manifest, manifest
        if after.listeners != before.listeners:
            say("listeners changed; restart the server for that to take effect")
        fixed = ("workers", "access_log", "drain_timeout")
        changed = [key for key in fixed if getattr(after.server, key) != getattr(before.server, key)]
        if changed:
            say(f"[server] {', '.join(changed)} changed; restart the server for that to take effect")

    # --- the end ---------------------------------------------------------------------------------

    def _begin_draining(self) -> None:
        server = self._manifest.server
        self._draining = Draining(float(server.drain_delay), float(server.drain_timeout))
        self._board["draining"] = 1
        self._reloading.stop()
        say("draining")

    def _drain(self, draining: Draining) -> bool:
        now = time.monotonic()
        if draining.accepts(now):
            self._crew.fill()  # it is still answering
            return False
        if not draining.told:
            draining.told = True
            for listener in self._listeners:
                listener.close()
            self._dismiss(self._workers)
        if draining.overdue(now):
            say("some processes did not end by the drain timeout; they are killed")
            return True
        return self._all_left(self._workers) and self._end_admin(draining)

    def _end_admin(self, draining: Draining) -> bool:
        """Readiness is told to the last: the admin process goes after the workers."""
        if not draining.ending:
            draining.end_soon()
            self._dismiss(self._crew.posts)
        return self._all_left(self._crew.posts)

    def _dismiss(self, posts: Iterable[Post]) -> None:
        for post in posts:
            post.dismiss()

    def _all_left(self, posts: Iterable[Post]) -> bool:
        return all(post.process is None for post in posts)

    def _all_belongings(self) -> Iterable[Closeable]:
        return (self._signals, *self._crew.belongings())

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._office.close()


class Draining:
    """The end as two deadlines: until when connections are accepted, and until when they may last."""

    def __init__(self, delay: float, timeout: float) -> None:
        self._accept_until = time.monotonic() + delay
        self._end = self._accept_until + timeout + _GRACE
        self.told = self.ending = False

    def end_soon(self) -> None:
        """All workers are gone: what is left has little to do."""
        self.ending, self._end = True, time.monotonic() + _GRACE

    def accepts(self, now: float) -> bool:
        return now < self._accept_until

    def overdue(self, now: float) -> bool:
        return now >= self._end


def _bind(manifest: Manifest, options: Options, workers: int) -> list[Listener]:
    chosen = choose_listeners(manifest.listeners, options)
    limit = raise_descriptor_limit()
    fitting = fit_connections(chosen, limit)
    if fitting != chosen:
        say(f"max_connections is cut to fit {limit} open files; raise the limit (ulimit -n) for more")
    return bind_all(fitting, workers)


def _cause(status: int | None) -> str:
    if status is None or status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:  # a real-time signal: most have no name
        return f"signal {-status}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
