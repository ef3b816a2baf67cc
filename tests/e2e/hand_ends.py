#!/usr/bin/env python3
"""By hand: a program ends as it would have without us, however it ends, and leaves its report."""

import os
import resource
import signal

from hand_support import (clear_machine, compiled, names_of, run, sessions, start, the_report)
from cases import expect, expect_equal, run_cases, wait_for

ENDS = compiled("ends")

# In its own words, and how the report says it; None: no report can be made.
CODES = [("return", 0), ("return", 3), ("exit", 0), ("exit", 23), ("exit", 256 + 7), ("_exit", 4),
         ("_Exit", 5), ("quick_exit", 6), ("thread-exit", 8), ("thread-_exit", 9), ("last-thread", 0),
         ("small-thread", 0), ("no-descriptors", 0), ("child", int(signal.SIGTERM))]
SIGNALS = [("abort", 0, "SIGABRT"), ("null", 0, "SIGSEGV"), ("divide", 0, "SIGFPE"),
           ("trap", 0, "SIGILL"), ("breakpoint", 0, "SIGTRAP"), ("overflow", 0, None),
           ("overflow-on-alternate-stack", 0, "SIGSEGV"), ("small-thread", int(signal.SIGTERM), "SIGTERM"),
           ("alarm", 0, "SIGALRM"), ("pipe", 0, "SIGPIPE")]
SIGNALS += [("raise", int(getattr(signal, name)), name) for name in (
    "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGSEGV", "SIGXCPU", "SIGVTALRM",
    "SIGPROF", "SIGSYS", "SIGSTKFLT" if hasattr(signal, "SIGSTKFLT") else "SIGTERM", "SIGPWR")]
SIGNALS += [("kill", int(signal.SIGTERM), "SIGTERM"), ("kill", int(signal.SIGSEGV), "SIGSEGV"),
            ("kill", int(signal.SIGKILL), None), ("kill", int(signal.SIGRTMIN) + 1, None),
            ("thread-raise", int(signal.SIGTERM), "SIGTERM"), ("blocked", int(signal.SIGTERM), "SIGTERM"),
            ("handled", int(signal.SIGTERM), "SIGTERM"), ("handled", int(signal.SIGSEGV), "SIGSEGV")]


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def compare(words):
    plain = run(words, shim=False, preexec_fn=no_core)
    clear_machine()
    shim = run(words, preexec_fn=no_core)
    expect_equal((shim.returncode, shim.stdout, shim.stderr),
                 (plain.returncode, plain.stdout, plain.stderr), str(words[1:]))
    return shim


def expect_report(ends):
    report = the_report()
    expect_equal(report["session"]["exit"], ends, "the session's end")
    expect_equal(report["processes"][0]["exit"], ends, "the process's end")
    expect_equal(names_of(report, "semaphore"), ["/ends"], "what is left over")
    expect_equal(len(sessions()), 1, "its records stay")
    os.unlink(f"leftover.{report['processes'][0]['pid']}.json")
    clear_machine()


def test_by_a_code():
    for how, code in CODES:
        compare([ENDS, how, str(code)])
        expect_report({"code": 0 if how == "child" else code & 0xff})


def test_by_a_signal():
    for how, number, name in SIGNALS:
        compare([ENDS, how, str(number)])
        if name is None:
            expect_equal([file for file in os.listdir(".") if file.endswith(".json")], [], f"{how} {number}")
            clear_machine()
        else:
            expect_report({"signal": name})


def test_own_handlers_stay():
    done = compare([ENDS, "handled", str(-signal.SIGTERM)])
    expect_equal((done.returncode, "handled" in done.stdout), (9, True), "its own handler ran")
    expect_report({"code": 9})
    done = compare([ENDS, "ignored", str(int(signal.SIGTERM))])
    expect_equal((done.returncode, "went on" in done.stdout), (0, True), "ignored by the program")
    expect_report({"code": 0})


def test_ignored_from_outside():
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    done = run([ENDS, "raise", str(int(signal.SIGHUP))], preexec_fn=ignore)
    expect_equal(done.returncode, 0, "as under nohup")
    expect_report({"code": 0})


def core_flag(words, environment):
    pid = os.posix_spawn(words[0], words, environment)
    status = os.waitpid(pid, 0)[1]
    return status, os.WCOREDUMP(status)


def test_core_flag():
    from hand_support import environment
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    for how, number in (("null", 0), ("abort", 0), ("raise", int(signal.SIGQUIT)),
                        ("raise", int(signal.SIGTERM))):
        plain = core_flag([ENDS, how, str(number)], dict(os.environ))
        shim = core_flag([ENDS, how, str(number)], environment())
        expect_equal(shim, plain, how)
        for file in os.listdir("."):
            os.unlink(file)
        clear_machine()


def test_signal_sent_from_outside():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        for how in ("wait", "thread-wait"):
            child = start([ENDS, how])
            wait_for(lambda: os.path.exists("/dev/shm/sem.ends"), "it has begun")
            child.send_signal(number)
            child.communicate()
            expect_equal(child.returncode, -number, "status")
            expect_report({"signal": number.name})


def test_nothing_left_over():
    done = run(["true"])
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "an ordinary program")
    done = run(["sh", "-c", "ls / | wc -l; exit 7"])
    expect_equal(done.returncode, 7, "a shell")
    expect_equal((os.listdir("."), sessions()), ([], []), "nothing written, nothing kept")


run_cases(globals())
