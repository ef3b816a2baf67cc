#!/usr/bin/env python3
# leftover: shared_memory=1@make_scratch shared_memory=1@in_thread process=1@start_helper
"""Leaks of an ordinary program: in /dev/shm, in a thread, by subprocess."""

import os
import subprocess
import tempfile
import threading


def make_scratch():
    handle, _ = tempfile.mkstemp(dir="/dev/shm")
    os.close(handle)
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as removed:
        removed.write(b"gone")


def start_helper():
    subprocess.run(["true"], check=True)
    # Nobody waits for it.
    return subprocess.Popen(["sleep", "600"])


def in_thread(made):
    handle, path = tempfile.mkstemp(dir="/dev/shm")
    os.close(handle)
    made.append(path)


def main():
    make_scratch()
    helper = start_helper()
    made = []
    thread = threading.Thread(target=in_thread, args=(made,))
    thread.start()
    thread.join()
    print(len(made), helper.returncode)


if __name__ == "__main__":
    main()
