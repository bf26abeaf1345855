"""What a command does when asked to end (SIGTERM), where a sudden death would leave programs running."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """A SIGTERM is an interrupt: what was started is ended and what was made is removed on the way out."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def terminated() -> Iterator[threading.Event]:
    """Set when the program is asked to end; an interrupt is raised."""
    over = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        yield over
    finally:
        signal.signal(signal.SIGTERM, before)
