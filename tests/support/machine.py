"""What is on the sandbox's machine: names in /dev/shm, and processes."""

import os
import shutil
import signal

from cases import wait_for


def shared_names():
    return sorted(os.listdir("/dev/shm"))


def processes():
    """{pid: start time} of every process that lives; zombies do not."""
    found = {}
    for word in os.listdir("/proc"):
        if word.isdigit():
            try:
                with open(f"/proc/{word}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] not in "ZX":
                found[int(word)] = fields[19]
    return found


class Machine:
    """As it was when the case began; `clear` takes away what came since."""

    def __init__(self):
        self.before = processes()
        self.state = f"/tmp/leftover-{os.geteuid()}"

    def new_processes(self):
        return {pid: start for pid, start in processes().items() if self.before.get(pid) != start}

    def clear(self):
        def gone():
            new = self.new_processes()
            for pid in new:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not new
        wait_for(gone, "what the case left behind ends")
        for name in os.listdir("/dev/shm"):
            path = os.path.join("/dev/shm", name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        shutil.rmtree(self.state, ignore_errors=True)
