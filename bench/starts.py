"""What a process's start and end cost: preloaded by hand, where it is the root of a session and judges it
at the end, and as one of many in a session."""

import os
import time

from machine import run

AIM_MS = 0.15


def start_time(words, environment, count):
    """Microseconds from the start of the program to its end, the smallest of many."""
    best = float("inf")
    for _ in range(count):
        begin = time.perf_counter()
        pid = os.posix_spawn(words[0], words, environment)
        os.waitpid(pid, 0)
        best = min(best, time.perf_counter() - begin)
    return best * 1e6


def measure(box, report, quick):
    report.section("start and end of /bin/true", "plain", "leftover", "more ms", "ratio", "aim ms")
    session = f"{box.state}/bench"
    os.makedirs(session, mode=0o700, exist_ok=True)
    # What the shim passes on to a process of a session.
    inside = f"1;id=bench;reaper=1;depth=64;python=1;kinds=ffffffff;dir={session}"
    ways = {
        "plain": {"A": "b"},
        "in a session": {"LD_PRELOAD": box.shim, "LEFTOVER_INTERNAL": inside},
        "by hand, the session's root": {"LD_PRELOAD": box.shim, "LEFTOVER_STATE_DIR": box.state,
                                        "LEFTOVER_OPTIONS": "report=/dev/null"},
    }
    best = box.alternate(20, lambda environment: {"start": start_time(["/bin/true"], environment, 20 if quick else 100)},
                         lambda what: report.doing(f"starts: {what}"), ways)
    plain = best.pop("plain")["start"]
    for name, found in best.items():
        more = found["start"] - plain
        report.row(name, f"{plain:.0f} us", f"{found['start']:.0f} us", f"{more / 1000:+.3f}", f"{found['start'] / plain:.3f}",
                   f"{AIM_MS}", plain_us=plain, leftover_us=found["start"], aim_ms=AIM_MS)
    whole = box.alternate(20, lambda prefix: {"run": start_time([*prefix, "/bin/true"], box.environment, 5)},
                          lambda what: report.doing(f"starts: {what}"))
    report.row("leftover run, all of it", f"{whole['plain']['run']:.0f} us", f"{whole['leftover']['run']:.0f} us",
               f"{(whole['leftover']['run'] - whole['plain']['run']) / 1000:+.3f}",
               plain_us=whole["plain"]["run"], leftover_us=whole["leftover"]["run"])
    run(["rm", "-rf", session])
