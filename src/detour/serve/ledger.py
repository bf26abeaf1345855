"""Who counts where: every worker's bank and the one table of slots; the parent's."""

from __future__ import annotations

from detour.serve.edition import Edition
from detour.serve.snapshot import Manifest
from detour.serve.stats import Bank, SlotTable


class Ledger:
    """A bank for each worker, always large enough for the newest edition."""

    def __init__(self, workers: int) -> None:
        self._table = SlotTable()
        self.banks = tuple(Bank() for _ in range(workers))

    def issue(self, generation: int, manifest: Manifest, rules: int) -> Edition:
        """An edition of the snapshot `rules`, its hits counted where they were before."""
        reclaimed = self._table.reclaim()
        slots = self._table.assign(manifest.series)
        for bank in self.banks:
            bank.grow(self._table.size)
            bank.zero(reclaimed)
        return Edition.issue(generation, rules, manifest.series, slots)
