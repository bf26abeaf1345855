"""The command line: flags in, text out. One command a file; `main.main` is the door."""
