"""Where the measuring is done: a machine of its own, in which `leftover run` is put before a command."""

import os
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "tests", "support"))
import sandbox

# The tool where every user can read it, whatever the checkout is.
TOOL = "/tmp/tool"


class Machine:
    """The two ways to run a command, each with an environment that is as large as the other's."""

    def __init__(self, build):
        self.build = build
        os.makedirs(TOOL, mode=0o755)
        os.chmod("/tmp/work", 0o755)
        for file in ("leftover", "libleftover.so", "bench/leftover_bench", "bench/leftover_bench_child"):
            shutil.copy(os.path.join(build, file), TOOL)
        self.shim = f"{TOOL}/libleftover.so"
        self.program = f"{TOOL}/leftover_bench"
        # A session's records belong on a tmpfs, and so does XDG_RUNTIME_DIR, where they usually are.
        self.state = "/dev/shm/leftover-state"
        os.makedirs(self.state, mode=0o700)
        self.environment = dict(os.environ, LEFTOVER_STATE_DIR=self.state, LC_ALL="C.UTF-8", HOME="/tmp/work",
                                LEFTOVER_BENCH_CHILD=f"{TOOL}/leftover_bench_child")
        self.ways = {"plain": [], "leftover": [f"{TOOL}/leftover", "run", "-q", "--grace", "0", "--"]}

    def for_user(self, entry):
        """The environment of another user: a state folder is its owner's alone."""
        state = f"{self.state}-{entry.pw_uid}"
        if not os.path.isdir(state):
            os.makedirs(state, mode=0o700)
            os.chown(state, entry.pw_uid, entry.pw_gid)
        return dict(self.environment, LEFTOVER_STATE_DIR=state)

    def alternate(self, rounds, measure, doing, ways=None):
        """way -> name -> smallest of what `measure(prefix)` says. What the machine's other work adds is
        noise, and never negative; taking turns, both ways meet the same."""
        ways = ways or self.ways
        best = {way: {} for way in ways}
        for number in range(rounds):
            for way, prefix in ways.items():
                doing(f"round {number + 1} of {rounds}, {way}")
                for name, value in measure(prefix).items():
                    best[way][name] = min(best[way].get(name, float("inf")), value)
        return best


class Spent:
    """Seconds that went by, and of processor time in all children waited for meanwhile."""

    def __enter__(self):
        self._cpu = self._used()
        self._wall = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self._wall
        self.cpu = self._used() - self._cpu

    @staticmethod
    def _used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime


def run(words, **how):
    """Runs to the end; what it prints is the answer."""
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "check": True, **how}
    return (subprocess.run(words, **how).stdout or b"").decode(errors="replace")
