"""What is on the sandbox's machine: names in /dev/shm, message queues, System V objects, and processes."""

import ctypes
import os
import shutil
import signal

from cases import wait_for


def shared_names():
    return sorted(os.listdir("/dev/shm"))


def message_queues():
    """Their names, without the slash."""
    return sorted(os.listdir("/dev/mqueue")) if os.path.isdir("/dev/mqueue") else []


SYSV_FILES = {"sysv_shared_memory": "shm", "sysv_semaphore": "sem", "sysv_message_queue": "msg"}


def sysv_objects():
    """[(kind, id)], sorted; without shared memory that only waits for the last process to let go of it."""
    found = []
    for kind, file in SYSV_FILES.items():
        with open(f"/proc/sysvipc/{file}", encoding="utf-8") as text:
            for line in text.readlines()[1:]:
                words = line.split()
                if kind != "sysv_shared_memory" or not int(words[2], 8) & 0o1000:
                    found.append((kind, int(words[1])))
    return sorted(found)


def remove_sysv(kind, number):
    remove = 0  # IPC_RMID
    libc = ctypes.CDLL(None)
    if kind == "sysv_semaphore":
        libc.semctl(number, 0, remove)
    elif kind == "sysv_shared_memory":
        libc.shmctl(number, remove, None)
    else:
        libc.msgctl(number, remove, None)


def processes():
    """{pid: start time} of every process that lives; zombies do not, nor who has given its memory back already."""
    found = {}
    for word in os.listdir("/proc"):
        if word.isdigit():
            try:
                with open(f"/proc/{word}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] not in "ZX" and fields[20] != "0":
                found[int(word)] = fields[19]
    return found


class Machine:
    """As it was when the case began; `clear` takes away what came since."""

    def __init__(self):
        self.before = processes()
        self.state = f"/tmp/leftover-{os.geteuid()}"

    def new_processes(self):
        return {pid: start for pid, start in processes().items() if self.before.get(pid) != start}

    def end_processes(self):
        """Those that came since: in the sandbox no other can be among them."""
        def gone():
            new = self.new_processes()
            for pid in new:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not new
        wait_for(gone, "what the case left behind ends")

    def clear(self):
        self.end_processes()
        for name in os.listdir("/dev/shm"):
            path = os.path.join("/dev/shm", name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        for name in message_queues():
            os.unlink(os.path.join("/dev/mqueue", name))
        for kind, number in sysv_objects():
            remove_sysv(kind, number)
        shutil.rmtree(self.state, ignore_errors=True)
