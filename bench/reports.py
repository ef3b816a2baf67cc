#!/usr/bin/env python3
"""Measures the reporter: how long and how much memory a great many leaks, reports and frames take.

usage: bench/reports.py BUILD_DIR [--quick] [--json FILE]

    million   a million leaks in one record file, as text          (goal: 3 s, 500 MB)
    folder    10,000 reports of 100 leaks each, as text            (goal: 10 s)
    symbols   20,000 distinct frames: for the first time, and from the cache (goal: 2 s)

Runs in namespaces of its own, so that what it leaves in /dev/shm goes with it.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

INSIDE = "LEFTOVER_BENCH_INSIDE"

MANY = """
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char** argv) {
    for (int i = 0; i < atoi(argv[argc - 1]); ++i) {
        char name[64];
        snprintf(name, sizeof name, "/leftover-bench-%d", i);
        int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
        if (fd < 0) return 1;
        close(fd);
    }
    return 0;
}
"""


START = "2026-01-02T03:04:05.000000Z"


def frame(address, offset, function):
    return {"address": hex(address), "module": 1, "offset": hex(offset), "function": function, "file": None, "line": None,
            "inlined": False}


def leak(kind, name, pid, stack):
    return {"kind": kind, "severity": "error", "status": "leaked", "name": name, "pid": pid, "tid": pid,
            "thread_name": "python3", "created_at": START, "fingerprint": None, "stack": stack, "error": None,
            "details": {"path": f"/dev/shm/sem.{name[1:]}", "inode": 77 + hash(name) % 1000, "bytes": 32}}


def document(session, processes, leaks, stacks, modules):
    """A whole report, as the schema has it."""
    summary = {"leaks": len(leaks), "errors": len(leaks), "warnings": 0, "notes": 0, "cleaned": 0, "in_use": 0, "failed": 0,
               "suppressed": 0, "baseline": 0, "reclaimed_bytes": 0, "by_kind": {"semaphore": len(leaks)}}
    return {"schema": "leftover.report/1", "tool": {"name": "leftover", "version": "0.1.0"},
            "session": {"id": session, "command": ["python3", "train.py"], "cwd": "/home/ci",
                        "host": {"name": "host", "kernel": "6.1", "machine": "x86_64"}, "started_at": START,
                        "duration_seconds": 12.5, "exit": {"code": 0}, "timed_out": False, "mode": "report",
                        "complete": True, "labels": {"job": session}},
            "summary": summary, "processes": processes, "leaks": leaks, "stacks": stacks, "modules": modules,
            "cleanup": None, "hang": None}


def measured(words):
    """Seconds, and megabytes at most, of a command."""
    begin = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        pid = os.posix_spawn(words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)])
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"reports.py: {words} failed: {status}")
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}


def million(leftover, folder, count):
    source = folder / "many.c"
    source.write_text(MANY)
    subprocess.run(["cc", "-O1", "-o", folder / "many", source], check=True)
    os.environ["LEFTOVER_STATE_DIR"] = "/dev/shm/state"
    subprocess.run([leftover, "run", "-q", "--grace", "0", "--session", "many", "--", folder / "many", str(count)], check=True)
    return measured([leftover, "report", "/dev/shm/state/many"])


def folder_of_reports(leftover, folder, reports, leaks):
    where = folder / "reports"
    where.mkdir()
    for number in range(reports):
        base = 0x7f0000000000 + number * 4096
        leaked = [leak("semaphore", f"/mp-{number * 1000 + i:08x}", 12 + i % 4, 1 + i % 5) for i in range(leaks)]
        stacks = [{"id": stack,
                   "python": [{"function": "__init__", "file": "/usr/lib/python3.11/multiprocessing/synchronize.py",
                               "line": 57},
                              {"function": f"make_{stack}", "file": "train.py", "line": 14 + stack},
                              {"function": "main", "file": "train.py", "line": 90}],
                   "native": [frame(base + stack, 0x1234, "sem_open")]} for stack in range(1, 6)]
        processes = [{"pid": pid, "ppid": 11, "started_at": START, "ended_at": START, "executable": "/usr/bin/python3.11",
                      "command": ["python3", "train.py"], "instrumented": True, "reason": None, "exit": {"code": 0},
                      "counts": {"semaphore": {"created": 25, "released": 0, "peak": 25}}} for pid in range(12, 16)]
        module = {"id": 1, "path": "/usr/lib/leftover/libleftover.so", "build_id": None, "base": hex(base)}
        report = document(f"job-{number}", processes, leaked, stacks, [module])
        (where / f"job-{number}.json").write_text(json.dumps(report))
    return measured([leftover, "report", str(where)])


def symbols(leftover, folder, count):
    """A program of so many functions, each at its own line."""
    lines = [f"int f{i}(int x) {{ return x * {i} + 1; }}" for i in range(count)]
    (folder / "functions.c").write_text("\n".join(lines) + "\nint main(void) { return 0; }\n")
    program = folder / "functions"
    subprocess.run(["cc", "-g", "-O0", "-Wl,--build-id", "-o", program, folder / "functions.c"], check=True)
    listed = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    offsets = [int(line.split()[0], 16) + 8 for line in listed.splitlines() if line.split()[-1].startswith("f")
               and line.split()[-1][1:].isdigit()]
    notes = subprocess.run(["readelf", "-n", program], capture_output=True, text=True, check=True).stdout
    build_id = notes.partition("Build ID: ")[2].split()[0]
    groups = [offsets[i:i + 10] for i in range(0, len(offsets), 10)]
    report = document("symbols", [], [leak("semaphore", f"/s{number}", 1, number) for number in range(len(groups))],
                      [{"id": number, "python": [], "native": [frame(offset, offset, None) for offset in group]}
                       for number, group in enumerate(groups)],
                      [{"id": 1, "path": str(program), "build_id": build_id, "base": "0x0"}])
    file = folder / "frames.json"
    file.write_text(json.dumps(report))
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    words = [leftover, "report", "--format", "folded", str(file)]
    return {"first": measured(words), "cached": measured(words)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there as well")
    options = parser.parse_args()
    if os.environ.get(INSIDE) is None:
        words = ["unshare", "--mount", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"]
        if os.geteuid() != 0:
            words += ["--user", "--map-root-user"]
        os.environ[INSIDE] = "1"
        os.execvp(words[0], words + [sys.executable, *sys.argv])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80%,nr_inodes=3000000", "tmpfs", "/dev/shm"], check=True)
    leftover = str(options.build.resolve() / "leftover")
    part = 10 if options.quick else 1
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leftover-bench-"))
    try:
        figures = {"million": million(leftover, folder, 1_000_000 // part),
                   "folder": folder_of_reports(leftover, folder, 10_000 // part, 100),
                   "symbols": symbols(leftover, folder, 20_000 // part)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if part != 1:
        print(f"one {part}th of everything")
    for name, figure in figures.items():
        for step, values in (figure.items() if "first" in figure else [("", figure)]):
            print(f"  {name + ' ' + step:20}{values['seconds']:8.2f} s {values['cpu_seconds']:8.2f} s of processor "
                  f"{values['megabytes']:8.0f} MB")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
