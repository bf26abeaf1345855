"""Measurements that anybody can repeat: `python -m bench.serve`. See README.md beside this file."""
