"""Changes of files, seen by looking: written, renamed over, linked elsewhere, gone for a moment."""

from __future__ import annotations

import os
import time
from pathlib import Path

from detour.serve.reload import Watch


def _watch(*paths: Path) -> Watch:
    return Watch([str(path) for path in paths])


def test_an_untouched_file_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("1")
    watch = _watch(path)
    assert not watch.changed()
    assert not watch.changed()


def test_a_change_counts_once_it_rests(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("1")
    watch = _watch(path)
    for content in ("22", "333"):
        path.write_text(content)
        assert not watch.changed()
    assert watch.changed()
    watch.accept()
    assert not watch.changed()


def test_a_file_renamed_over_another_is_a_change(tmp_path: Path) -> None:
    path, new = tmp_path / "f", tmp_path / "new"
    path.write_text("1")
    new.write_text("2")
    os.utime(new, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))  # same size, same time
    watch = _watch(path)
    new.rename(path)
    assert not watch.changed()
    assert watch.changed()


def test_a_swapped_link_on_the_way_is_a_change(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "f").write_text(version)
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "f").symlink_to("..data/f")
    watch = _watch(tmp_path / "f")
    (tmp_path / "fresh").symlink_to("two")
    (tmp_path / "fresh").rename(tmp_path / "..data")
    assert not watch.changed()
    assert watch.changed()


def test_a_file_that_is_gone_for_one_look_is_no_change(tmp_path: Path) -> None:
    path, aside = tmp_path / "f", tmp_path / "aside"
    path.write_text("1")
    watch = _watch(path)
    path.rename(aside)
    assert not watch.changed()
    aside.rename(path)
    assert not watch.changed()
    assert not watch.changed()


def test_a_new_file_written_while_it_was_read_counts_as_changed(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("1")
    watch = _watch(old)
    began = time.time()
    new.write_text("2")
    watch.follow([str(old), str(new)], began)
    assert watch.changed()
    watch.accept()
    assert not watch.changed()


def test_a_new_file_from_before_it_was_read_is_known(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("1")
    new.write_text("2")
    watch = _watch(old)
    watch.follow([str(old), str(new)], time.time() + 60)
    assert not watch.changed()


def test_a_file_that_was_missing_is_seen_when_it_appears(tmp_path: Path) -> None:
    watch = _watch(tmp_path / "import")
    assert not watch.changed()
    (tmp_path / "import").write_text("2")
    assert not watch.changed()
    assert watch.changed()
