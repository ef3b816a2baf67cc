"""So many live resources at once: what each costs, how large its record is, what memory the process takes."""

import os
import re

from calls import times

AIM_BYTES = 200
AIM_RESIDENT_KIB = 1024


def resident(path):
    with open(path, encoding="utf-8") as text:
        return int(re.search(r"VmRSS:\s+(\d+) kB", text.read())[1])


def measure(box, report, quick):
    report.section("live resources", "plain", "leftover", "", "ratio", "aim")
    largest = 100_000 if quick else 1_000_000
    status = "/tmp/work/status"
    size = "/tmp/work/size"
    hold = f"cat /proc/$PPID/status > {status}; du -sB1 {box.state} | cut -f1 > {size}"
    for count in (1_000, 100_000, largest)[:2 if quick else 3]:
        memory = {}

        def once(prefix):
            found = times(box, prefix, f"^many_live/{count}/", LEFTOVER_BENCH_HOLD=hold)
            memory[bool(prefix)] = min(memory.get(bool(prefix), 1 << 40), resident(status))
            return {"one": found["many_live"] / count}

        best = box.alternate(10 if count == 1_000 else 2 if count == 100_000 else 1, once,
                             lambda what: report.doing(f"{count:,} live: {what}"))
        report.pair(f"create+close+remove one of {count:,}", best["plain"]["one"], best["leftover"]["one"], 1.10)
        if count == 1_000:
            more = memory[True] - memory[False]
            report.row("resident memory with 1,000 live", f"{memory[False]} KiB", f"{memory[True]} KiB", "",
                       f"{more:+} KiB", f"{AIM_RESIDENT_KIB}", kib=more, aim=AIM_RESIDENT_KIB)
    with open(size, encoding="utf-8") as text:
        each = int(text.read()) / count
    report.row(f"record of {count:,} live, each", "", f"{each:.0f} B", "", "", f"{AIM_BYTES} B", bytes=each, aim=AIM_BYTES)
    os.remove(status)
