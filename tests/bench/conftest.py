"""The bot of the benchmark is played by ``journey.py``, which says against what; it is no test."""

collect_ignore_glob = ["*.bot.yaml"]
