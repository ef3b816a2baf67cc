#!/usr/bin/env python3
"""By hand: a running process writes a report on the dump signal, and goes on."""

import os
import signal

from hand_support import (clear_machine, compiled, end_process, leaks_of, names_of, read_report, run, sessions,
                          start)
from cases import expect, expect_equal, run_cases, wait_for
from tool import children_of

TREE = compiled("tree")
ACTIONS = compiled("actions")


def begin(how, options):
    child = start([TREE, how], options, stdin=-1)
    name, pid = child.stdout.readline().split()
    return child, name, int(pid)


def dumped(pid):
    file = f"leftover.{pid}.json"
    wait_for(lambda: os.path.exists(file), "the report")
    report = read_report(file)
    os.unlink(file)
    return report


def test_goes_on():
    for name in ("USR1", "SIGUSR2", "HUP", "RTMIN+3"):
        child, _, pid = begin("dump", f"dump_signal={name}")
        number = signal.SIGRTMIN + 3 if "RT" in name else getattr(signal, "SIG" + name.replace("SIG", ""))
        for _ in range(3):
            child.send_signal(number)
            report = dumped(pid)
            expect_equal((report["session"]["exit"], report["processes"][0]["exit"]),
                         ({"running": True}, {"running": True}), "it runs")
            expect_equal(report["processes"][0]["ended_at"], None, "no end")
            expect_equal(names_of(report, "semaphore"), ["/held"], "what it holds")
        output, errors = child.communicate("x", timeout=30)
        expect_equal((child.returncode, output, errors), (6, "read 1\n", ""), "its read went on")
        expect_equal(read_report(f"leftover.{pid}.json")["session"]["exit"], {"code": 6}, "the last report")
        clear_machine()


def test_written_when_nothing_is_left_over():
    child, _, pid = begin("dump-own", "dump_signal=USR1")
    child.send_signal(signal.SIGUSR1)  # the program has set it to its default, which is ours
    expect_equal(dumped(pid)["summary"]["leaks"], 0, "empty")
    child.send_signal(signal.SIGTERM)
    child.communicate()
    expect_equal(child.returncode, -signal.SIGTERM, "status")


def test_other_signals_still_end_it():
    child, _, pid = begin("dump-own", "dump_signal=USR2")
    child.send_signal(signal.SIGUSR1)
    child.communicate()
    expect_equal(child.returncode, -signal.SIGUSR1, "status")
    expect(not os.path.exists(f"leftover.{pid}.json"), "nothing was left over")


def test_own_handler_wins():
    script = "import signal, os, time\n" \
             "signal.signal(signal.SIGUSR1, lambda *_: print('mine', flush=True))\n" \
             "os.kill(os.getpid(), signal.SIGUSR1)\n"
    done = run(["python3", "-c", script], "dump_signal=USR1")
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "mine\n", ""), "its own handler")
    expect_equal(os.listdir("."), [], "no report")


def test_the_program_is_told_the_truth():
    for options in (None, "dump_signal=USR1", "dump_signal=CHLD", "dump_signal=RTMIN"):
        plain, shim = run([ACTIONS], shim=False), run([ACTIONS], options)
        expect_equal((shim.returncode, shim.stderr), (0, ""), "status")
        for one, other in zip(plain.stdout.splitlines(), shim.stdout.splitlines()):
            expect_equal(other, one, f"with {options}")
        expect_equal(shim.stdout.count("\n"), plain.stdout.count("\n"), "lines")


def test_ignored_at_first():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    child = start([TREE, "dump"], "dump_signal=HUP", stdin=-1, preexec_fn=ignore)
    pid = int(child.stdout.readline().split()[1])
    child.send_signal(signal.SIGHUP)
    expect_equal(names_of(dumped(pid), "semaphore"), ["/held"], "it was asked for")
    child.communicate("x")
    clear_machine()


def test_child_and_parent():
    child, name, pid = begin("dump-forks", "dump_signal=USR1:report_always=0")
    expect_equal(name, "child", "the child speaks")
    os.kill(pid, signal.SIGUSR1)
    report = dumped(pid)
    expect_equal([process["pid"] for process in report["processes"]], [pid], "of itself")
    expect_equal(names_of(report, "semaphore"), ["/child-held"], "what it holds")
    expect_equal(report["session"]["exit"], {"running": True}, "the session runs")
    os.kill(child.pid, signal.SIGUSR1)
    report = dumped(child.pid)
    expect_equal(names_of(report, "semaphore"), ["/child-held"], "the session's")
    expect_equal([leak["details"]["pid"] for leak in leaks_of(report, "process")], [pid], "its child")
    with open("go", "w", encoding="utf-8"):
        pass
    child.communicate(timeout=30)
    expect_equal((child.returncode, os.listdir("."), sessions()), (0, ["go"], []), "the end")


def test_busy_python():
    """Signals come at any instant of an interpreter at work in threads and forks."""
    script = """if True:
        import multiprocessing, os, threading, time
        until = time.monotonic() + 3
        def work():
            while time.monotonic() < until:
                lock = multiprocessing.Semaphore()
                thread = threading.Thread(target=lambda: None)
                thread.start()
                thread.join()
        def fork():
            while time.monotonic() < until:
                pid = os.fork()
                if pid == 0: os._exit(0)
                os.waitpid(pid, 0)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        print('ready', flush=True)
        fork()
        for thread in threads: thread.join()
        print('done', flush=True)
    """
    child = start(["python3", "-W", "ignore", "-c", script], "dump_signal=USR1")
    expect_equal(child.stdout.readline(), "ready\n", "it works")
    count = 0
    while child.poll() is None and count < 400:
        child.send_signal(signal.SIGUSR1)
        for pid in children_of(child.pid) if os.path.exists(f"/proc/{child.pid}/task") else []:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                pass
        count += 1
        try:
            child.wait(0.01)
        except Exception:  # pylint: disable=broad-except
            pass
    try:
        output, errors = child.communicate(timeout=60)
    finally:
        end_process(child.pid)
    expect_equal((child.returncode, output, errors), (0, "done\n", ""), "it went on")
    expect(os.path.exists(f"leftover.{child.pid}.json"), "reports were written")
    read_report(f"leftover.{child.pid}.json")


run_cases(globals())
