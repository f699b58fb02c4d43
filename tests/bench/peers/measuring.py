"""What the Python peers measure about themselves, and the line they print."""

import gc
import json
import resource
import time
from pathlib import Path


def status_kb(key: str) -> int:
    """Read one figure of this process from the kernel, such as VmRSS or VmHWM, in KB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise LookupError(key)


def cpu_seconds() -> float:
    """CPU time of this process so far, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Measurement:
    """Counts journeys and messages, and knows what they cost since it was made."""

    def __init__(self, *, kind: str, sessions: int, port: int) -> None:
        self.kind = kind
        self.sessions = sessions
        self.port = port
        self.journeys = 0
        self.messages = 0
        gc.collect()
        self.start_kb = status_kb("VmRSS")
        self.start_cpu = cpu_seconds()
        self.start = time.perf_counter()

    def report(self, **extra: object) -> str:
        """Give the result as one line of JSON; `extra` members come last."""
        wall = time.perf_counter() - self.start
        cpu = cpu_seconds() - self.start_cpu
        figures: dict[str, object] = {
            "kind": self.kind,
            "n": self.sessions,
            "port": self.port,
            "journeys": self.journeys,
            "msgs": self.messages,
            "wall": round(wall, 2),
            "cpu": round(cpu, 2),
            "rss0_kb": self.start_kb,
            "peak_kb_per": self.kb_per_session("VmHWM"),
        }
        if self.messages:
            figures["j_per_s"] = round(self.journeys / wall, 1)
            figures["msg_per_cpu_s"] = round(self.messages / cpu)
            figures["cpu_us_per_msg"] = round(cpu / self.messages * 1e6)
        return json.dumps(figures | extra)

    def kb_per_session(self, key: str) -> float:
        """Memory over the start, divided by the sessions."""
        return round((status_kb(key) - self.start_kb) / self.sessions, 1)
