"""The calls that leftover hooks, alone, mixed, and from many threads: calls.cpp."""

import json
import subprocess

from machine import run

# Name in calls.cpp -> the ratio wanted, and how many hooked calls a round holds.
ROWS = {
    "mixed": (1.05, 0),
    "sem_open+sem_close+sem_unlink": (1.05, 3),
    "shm_open+close+shm_unlink": (1.05, 3),
    "pthread_create+pthread_join": (1.05, 2),
    "open+close": (1.15, 2),
    "socket+close": (1.15, 2),
    "pipe+close+close": (1.15, 3),
    "dup+close": (1.15, 2),
    "fopen+fclose": (1.15, 2),
    "fork+waitpid": (1.05, 0),
    "vfork+waitpid": (1.10, 0),
    "posix_spawn+waitpid": (1.10, 0),
    "vfork+execve+waitpid": (1.10, 0),
    "64 threads, shm_open+close+shm_unlink": (1.10, 0),
}
SCALE = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}


def times(box, prefix, pattern, few=False, timeout=None, **environment):
    """name -> the smallest time of one round in microseconds, of what Google Benchmark measures."""
    out = "/tmp/work/benchmark.json"
    options = ["--benchmark_min_time=0.001", "--benchmark_repetitions=1"] if few else []
    run([*prefix, box.program, f"--benchmark_filter={pattern}", f"--benchmark_out={out}",
         "--benchmark_out_format=json", *options], env=dict(box.environment, **environment),
        stdout=subprocess.DEVNULL, timeout=timeout)
    found = {}
    with open(out, encoding="utf-8") as text:
        for entry in json.load(text)["benchmarks"]:
            if entry.get("run_type") == "iteration":
                name = entry["name"].split("/")[0]
                found[name] = min(found.get(name, float("inf")), entry["real_time"] * SCALE[entry["time_unit"]])
    return found


def measure(box, report, quick):
    report.section("calls, below ten frames", "plain", "leftover", "more/call us", "ratio", "aim")
    best = box.alternate(3 if quick else 16, lambda prefix: times(box, prefix, "-^many"),
                         lambda what: report.doing(f"calls: {what}"))
    for name, plain in best["plain"].items():
        aim, count = ROWS.get(name, (None, 0))
        report.pair(name, plain, best["leftover"][name], aim, calls=count)
    # Descriptors cost nothing where they are not asked for.
    report.section("descriptors off", "plain", "leftover", "more/call us", "ratio", "aim")
    ways = {"plain": [], "off": [*box.ways["leftover"][:-1], "--kinds=-file_descriptor", "--"]}
    best = box.alternate(3 if quick else 16, lambda prefix: times(box, prefix, "^(open|socket|pipe|dup|fopen)[+]"),
                         lambda what: report.doing(f"descriptors off: {what}"), ways)
    for name, plain in best["plain"].items():
        report.pair(f"{name}, off", plain, best["off"][name], 1.02, calls=ROWS[name][1])
