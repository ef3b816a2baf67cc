"""The mixed loop under other tools that follow every call, where they are installed."""

import shutil
import subprocess

from calls import times

# A few rounds, and no longer than this (seconds): some slow a program down a hundredfold.
LONGEST = 90

TOOLS = {
    "strace -f": ["strace", "-f", "-o", "/dev/null"],
    "strace -f -k": ["strace", "-f", "-k", "-o", "/dev/null"],
    "valgrind --track-fds=yes": ["valgrind", "-q", "--track-fds=yes", "--log-file=/dev/null"],
    "heaptrack": ["heaptrack", "--raw", "-o", "/tmp/work/heaptrack"],
}


def measure(box, report, quick):
    report.section("the mixed loop, times as long")
    rounds = 2 if quick else 4
    best = box.alternate(rounds, lambda prefix: times(box, prefix, "^mixed"), lambda what: report.doing(f"mixed loop: {what}"))
    plain = best["plain"]["mixed"]
    rows = {"leftover": best["leftover"]["mixed"] / plain}
    report.row("leftover", f"{rows['leftover']:.2f}", times=rows["leftover"])
    for name, prefix in TOOLS.items():
        if shutil.which(prefix[0]) is None:
            report.skipped(name, "not installed")
            continue
        report.doing(f"mixed loop: {name}")
        try:
            took = times(box, prefix, "^mixed", few=True, timeout=LONGEST)["mixed"]
        except subprocess.TimeoutExpired:
            report.row(name, f"> {LONGEST} s", note="did not end")
            continue
        except subprocess.CalledProcessError as error:
            report.skipped(name, f"it ended with {error.returncode}")
            continue
        report.row(name, f"{took / plain:.1f}", times=took / plain)
