#!/usr/bin/env python3
# ctest: serial
"""Message queues and System V objects of a program without the shim, found from outside."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect_equal, run_cases
from machine import Machine, remove_sysv, sysv_objects
from tool import Tool

TOOL = Tool(BUILD)
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "others", "static_ipc.c"))
PROGRAM = os.path.abspath("static_ipc")
MACHINE = Machine()


# What stays behind would keep a pipe open.
SILENT = {"capture_output": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def found(report):
    return {leak["kind"]: (leak["severity"], leak["pid"] is not None, leak["details"].get("attribution"))
            for leak in report["leaks"] if leak["kind"] != "process"}


def test_the_kernel_names_the_creator_of_memory_only():
    report, done = TOOL.report(PROGRAM)
    expect_equal(done.returncode, 0, "status")
    guess = ("note", False, "window")
    expect_equal(found(report), {"sysv_shared_memory": ("error", True, None), "sysv_semaphore": guess,
                                 "sysv_message_queue": guess, "message_queue": guess}, "what it left")
    MACHINE.clear()


def test_a_queue_that_a_process_of_the_session_has_open():
    report, _ = TOOL.report("--grace", "0.1", PROGRAM, "stay", **SILENT)
    expect_equal(found(report)["message_queue"], ("error", False, None), "the queue")
    MACHINE.clear()


def test_what_a_process_that_became_another_user_has_open():
    """As squid does, whose workers cannot have the shim then."""
    if not sandbox.has_other_users():
        print("  skipped: no other users here")
        return
    report, done = TOOL.report("--grace", "0.1", PROGRAM, "other", **SILENT)
    expect_equal(done.returncode, 0, "status")
    expect_equal([(leak["name"], leak["severity"]) for leak in report["leaks"] if leak["kind"] == "shared_memory"],
                 [("/theirs", "error")], "that of the one who stays")
    MACHINE.clear()


def test_what_was_there_before_is_not_the_programs():
    subprocess.run([PROGRAM], check=True)
    before = sysv_objects()
    report, _ = TOOL.report("true")
    expect_equal(found(report), {}, "nothing")
    expect_equal(sysv_objects(), before, "nothing was removed")
    for kind, number in before:
        remove_sysv(kind, number)
    MACHINE.clear()


def test_removed_and_still_attached_is_gone():
    """By a process that has no record of its making."""
    code = ("import ctypes\n"
            "libc = ctypes.CDLL(None)\n"
            "id = libc.shmget(0, 4096, 0o600)\n"
            "libc.shmat.restype = ctypes.c_void_p\n"
            "libc.shmat(id, None, 0)\n"
            "import os, time\n"
            "assert os.spawnv(os.P_WAIT, '/usr/bin/ipcrm', ['ipcrm', '-m', str(id)]) == 0\n"
            "if os.fork() == 0: time.sleep(60)\n")
    report, done = TOOL.report("--grace", "0.1", sys.executable, "-c", code, **SILENT)
    expect_equal(done.returncode, 0, "status")
    expect_equal([leak["kind"] for leak in report["leaks"] if leak["severity"] == "error"], ["process"], "left over")
    MACHINE.clear()


DEEP = """
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
int make(void) { return shmget(IPC_PRIVATE, 4096, 0600) < 0 || semget(IPC_PRIVATE, 1, 0600) < 0; }
"""


def test_calls_of_a_library_that_looks_up_names_in_itself_first():
    """As PHP loads its extensions: no preloaded library sees its calls."""
    with open("deep.c", "w", encoding="utf-8") as file:
        file.write(DEEP)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "deep.so", "deep.c"], check=True)
    words = [sys.executable, "-c", "import ctypes, os; exit(ctypes.CDLL('./deep.so', os.RTLD_NOW | os.RTLD_DEEPBIND).make())"]
    report, done = TOOL.report(*words)
    expect_equal(done.returncode, 0, "status")
    expect_equal(found(report), {"sysv_shared_memory": ("error", True, None), "sysv_semaphore": ("note", False, "window")},
                 "what it left")
    MACHINE.clear()
    done = TOOL.run("--gate", "--clean", *words)
    expect_equal((done.returncode, [kind for kind, _ in sysv_objects()]), (23, ["sysv_semaphore"]), "without a report")
    MACHINE.clear()


subprocess.run(["gcc", "-static", "-O1", "-D_GNU_SOURCE", "-o", PROGRAM, SOURCE, "-lrt"], check=True)
run_cases(globals())
