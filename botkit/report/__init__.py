"""Reports: results in; lines, files and a live view out.

Nothing is imported here: who writes a JUnit file needs no terminal.
"""
