"""The programs that drive real clients, one a family. They are run, never imported, and do not import Detour.

A program takes its client's name and the lab from the environment and does one thing over and over: ask for
a case, send it, tell the outcome. In Python all but the sending is in `lab.py` beside it.
"""
