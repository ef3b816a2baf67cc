#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""stress-ng: each of its stressors does one thing to the system as hard as it can, and checks what it gets."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import subject

harness.enter()

from machine import message_queues, shared_names, sysv_objects

# So many rounds of each take a tenth of a second or less.
COUNTED = {"fork": 150, "vfork": 300, "clone": 20, "daemon": 60, "exit-group": 10, "pthread": 100,
         "zombie": 300, "wait": 200, "session": 30, "kill": 2000, "sigchld": 200, "sigsegv": 2000,
         "shm": 4, "shm-sysv": 8, "sem-sysv": 2000, "msg": 2000, "mq": 2000, "timer": 2000, "dup": 2, "close": 500,
         "fifo": 1000, "sockfd": 200, "sockpair": 200, "pty": 2, "seccomp": 30, "rlimit": 5, "bad-altstack": 50,
         # Where there is none it says so, and stops its group at once.
         "dccp": 1}

# A second of each of these, too.
TIMED = """
    access af-alg aio aiol alarm cap chdir chmod chown copy-file dev-shm dir dirmany dnotify dynlib enosys env epoll eventfd
    fallocate fanotify fault fcntl file-ioctl filename flock fstat full futex get getdent getrandom handle
    hrtimers inotify io iomix itimer key landlock lease link locka lockf lockofd madvise malloc memfd mincore
    mknod mlock mmap mmapaddr mmapfixed mmapfork mmapmany mprotect mremap msync msyncmany munmap mutex nanosleep null
    open pagemove personality pidfd pipe pipeherd plugin poll prctl ptrace readahead remap rename resched resources
    ring-pipe rmap schedpolicy seal seek sem sendfile set sigabrt sigfd sigfpe sigio signal signest sigpending sigpipe sigq
    sigrt sigsuspend sigtrap sleep sock sockabuse sockmany splice stackmmap switch symlink sync-file sysinfo tee
    timerfd tmpfs touch udp unshare urandom userfaultfd utime vforkmany vm-segv vm-splice xattr yield zero
""".split()

# What it says of speed, of its own progress and of the machine.
CHANCE = re.compile(r"info:|metrc:|debug:|successful run|^$")


def stress(way, name, *options):
    done = way.run(["stress-ng", f"--{name}", "2", "--verify", "--temp-path", os.getcwd(), *options])
    told = sorted({re.sub(r"\[\d+\]|\d+", "N", line) for line in (done.stdout + done.stderr).splitlines()
                   if not CHANCE.search(line)})
    return [done.returncode, told, os.listdir("."), shared_names(), message_queues(), sysv_objects()]


# Not beside other tests: they would wait for their turn.
@subject("stress-ng", needs=["stress-ng"], quick=False)
def stress_ng(way, parts):
    for name, rounds in COUNTED.items():
        # At its end, whenever that is, it tells its whole group.
        parts[name] = stress(way, name, f"--{name}-ops", str(rounds), "--timeout", "20")
    for name in TIMED:
        parts[name] = stress(way, name, "--timeout", "1")


harness.main()
