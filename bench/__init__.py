"""Measurements that anybody can repeat: `python -m bench.serve`, `python -m bench.scale` (README.md)."""
