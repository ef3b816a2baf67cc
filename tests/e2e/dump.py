#!/usr/bin/env python3
"""leftover dump: stacks of every thread, what each waits for, and a program that goes on as if nothing had been."""

import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases, wait_for
from hangs import compile_program, dump, dump_until, dump_words, functions_of, thread_named, threads_of
from machine import Machine
from pythons import name_of, pythons
from tool import Tool, name_of as comm_of, state_of

TOOL = Tool(BUILD)
MACHINE = Machine()
NOBODY = 65534

JOINS = """
import os, threading, time
def deep(n):
    if n:
        return deep(n - 1)
    time.sleep(1000)
def join(thread):
    thread.join()
def lock():
    with held: pass
held = threading.RLock()
held.acquire()
def start(target, *arguments):
    thread = threading.Thread(target=target, args=arguments)
    thread.daemon = True
    thread.start()
    return thread
sleeper = start(deep, 3)
joiner = start(join, sleeper)
start(lock)
os.write(1, b"ready\\n")
joiner.join()
"""


def started(words, **how):
    """A program that says when it is ready."""
    program = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how)
    line = program.stdout.readline()
    while line != "ready\n":
        expect(line != "", "the program is ready")
        line = program.stdout.readline()
    return program


def end(program):
    program.kill()
    program.wait()
    program.stdout.close()
    program.stdin.close()


def has_words(report, *words):
    texts = [thread["waiting_on"] or "" for thread in threads_of(report)]
    return all(any(text.startswith(word) for text in texts) for word in words)


def test_each_python():
    for path, version in pythons():
        program = started([path, "-c", JOINS])
        try:
            report = dump_until(TOOL, program.pid,
                                lambda seen: has_words(seen, "RLock", "sleep") and has_words(seen, "the end of"))
            sleeper = next(one for one in threads_of(report) if ("deep", 6) in functions_of(one))
            joiner = next(one for one in threads_of(report) if ("join", 8) in functions_of(one))
            locker = next(one for one in threads_of(report) if ("lock", 10) in functions_of(one))
            first = threads_of(report)[0]
            name = name_of(path, version)
            deep = [frame for frame in functions_of(sleeper) if frame[0] == "deep"]
            expect_equal(deep, [("deep", 6)] + [("deep", 5)] * 3, f"{name}: frames")
            expect_equal(functions_of(first)[-1], ("<module>", 22), f"{name}: outermost frame")
            expect(sleeper["waiting_on"].startswith("sleep"), f"{name}: sleeps", sleeper["waiting_on"])
            expect_equal(first["waiting_on"], f"the end of thread {joiner['tid']}", f"{name}: joins the joiner")
            expect_equal(joiner["waiting_on"], f"the end of thread {sleeper['tid']}", f"{name}: joins the sleeper")
            expect(locker["waiting_on"].endswith(f"held by thread {program.pid}"), f"{name}: RLock", locker["waiting_on"])
            expect(len(sleeper["native"]) > 3, f"{name}: native stack", sleeper["native"])
        finally:
            end(program)


WAITS = {
    "reads": "read from pipe:[{pipe}], written by pid {pid} (itself)",
    "receives": "recvfrom socket:[{socket}], connected to pid {pid} (itself)",
    "accepts": "accept on tcp:127.0.0.1:{port}",
    "polls": "poll of pipe:[{pipe}], written by pid {pid} (itself), at most 1000 s",
    "selects": "select of pipe:[{pipe}], written by pid {pid} (itself)",
    "locks": "mutex {address}, held by thread {pid}",
    "rwlocks": "read-write lock {address}, held by thread {pid}",
    "conditions": "condition variable, futex {address}",
    "joins": "the end of thread {reads}",
    "flocks": "flock of {folder}/locked, held by pid {pid} (itself)",
    "waiter": "wait4 for pid {child}",
}


def matches(text, pattern, values):
    """As the pattern has it; what is not known may be anything without blanks."""
    words, wanted = text.split(" "), pattern.split(" ")
    if len(words) != len(wanted):
        return False
    for got, want in zip(words, wanted):
        for key, value in values.items():
            want = want.replace("{" + key + "}", str(value))
        head, _, tail = want.partition("{")
        if got != want and not (tail and got.startswith(head) and got.endswith(tail.partition("}")[2])):
            return False
    return True


def test_each_way_to_wait_and_nothing_shows():
    program = started([compile_program("waits")])
    try:
        wait_for(lambda: os.path.exists("port"), "it listens")
        with open("port", encoding="utf-8") as file:
            port = file.read().strip()
        with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="utf-8") as file:
            child = file.read().split()
        report = dump_until(TOOL, program.pid, lambda seen: all(
            one["waiting_on"] for one in threads_of(seen, program.pid) if one["name"] in WAITS))
        # Again: some calls are begun anew by the kernel, which gives them another number then.
        for _ in range(8):
            report = dump(TOOL, program.pid)
        values = {"pid": program.pid, "port": port, "folder": os.getcwd(),
                  "child": next(one["pid"] for one in report["hang"]["processes"] if one["pid"] != program.pid),
                  "reads": thread_named(report, "reads", program.pid)["tid"]}
        wrong = {name: thread_named(report, name, program.pid)["waiting_on"] for name, pattern in WAITS.items()
                 if not matches(thread_named(report, name, program.pid)["waiting_on"], pattern, values)}
        expect_equal(wrong, {}, f"waits, {values}")
        expect(thread_named(report, "sleeps", program.pid)["waiting_on"].startswith("sleep"), "sleeps",
               thread_named(report, "sleeps", program.pid)["waiting_on"])
        named = thread_named(report, "named", program.pid)["waiting_on"]  # the child may have it, too
        expect_equal(named.split(",")[0], "semaphore /waits", "named semaphore")
        runs = thread_named(report, "runs", program.pid)
        expect_equal((runs["waiting_on"], runs["state"]), (None, "R"), "one that runs")
        expect_equal(runs["native"][0]["function"], "runs", "its function")
        for pid in child:
            os.kill(int(pid), signal.SIGKILL)
        rest, _ = program.communicate("", timeout=30)
        returned = [line for line in rest.splitlines() if "returned" in line and not line.startswith("waiter ")]
        expect_equal(returned, [], "calls that came back")
    finally:
        program.kill()
        program.wait()


MORE_WAITS = {
    "epolls": "epoll_wait of pipe:[NUMBER], written by pid {pid} (itself)",
    "fifo": "read from {folder}/fifo, written by pid {peer}",
    "opens": "open of lonely, until its other end is opened",
    "semops": "semop on id:NUMBER",
    "msgrcvs": "msgrcv on id:NUMBER",
    "mqueues": "mq_receive on /waits",
    "recordlock": "fcntl of {folder}/record-lock, held by pid {peer}",
    "events": "read from [eventfd]",
    "receives": "recvfrom tcp:127.0.0.1:NUMBER, connected to tcp:127.0.0.1:NUMBER of pid {peer}",
}


def test_more_ways_to_wait():
    program = started([compile_program("other_waits")])
    try:
        values = {"pid": program.pid, "folder": os.getcwd(), "peer": program.stdout.readline().strip()}
        report = dump_until(TOOL, program.pid, lambda seen: all(
            one["waiting_on"] for one in threads_of(seen, program.pid) if one["name"] in MORE_WAITS))
        for _ in range(8):
            report = dump(TOOL, program.pid)
        told = {name: thread_named(report, name, program.pid)["waiting_on"] for name in MORE_WAITS}
        wrong = {name: text for name, text in told.items()
                 if not re.fullmatch(re.escape(MORE_WAITS[name].format(**values)).replace("NUMBER", r"\d+"), text)}
        expect_equal(wrong, {}, f"waits, {values}")
        rest, _ = program.communicate("", timeout=30)
        expect_equal(rest, "", "calls that came back")
    finally:
        program.kill()
        program.wait()


LOCK_WAITS = {
    "inherits": "mutex ADDRESS, held by thread {pid}",
    "robusts": "mutex ADDRESS, held by thread {pid}",
    "shares": "mutex ADDRESS, held by thread {peer} of pid {peer}",
    "rdlocks": "read-write lock ADDRESS, held by thread {pid}",
    "barriers": "pthread_barrier_wait, futex ADDRESS",
    "nameless_": "futex ADDRESS",
    "ofdlock": "fcntl of {folder}/ofd-lock, held by pid {peer}",
    "msgsnds": "msgsnd on id:NUMBER",
    "sigwaits": "a signal (sigwait)",
    "waitids": "waitid for pid {peer}",
    "pidpolls": "poll of the end of pid {peer}",
    "inotifies": "read from inotify",
    "timers": "read from [timerfd]",
    "signalfds": "read from [signalfd]",
    "waitvs": "futex_waitv",
    "unixaccept": "accept on unix:door",
}


def test_locks_and_other_ends():
    program = started([compile_program("lock_waits")])
    try:
        values = {"pid": program.pid, "folder": os.getcwd(), "peer": program.stdout.readline().strip()}
        report = dump_until(TOOL, program.pid, lambda seen: all(
            one["waiting_on"] for one in threads_of(seen, program.pid) if one["name"] in LOCK_WAITS))
        for _ in range(8):
            report = dump(TOOL, program.pid)
        told = {name: thread_named(report, name, program.pid)["waiting_on"] for name in LOCK_WAITS}
        wrong = {name: text for name, text in told.items() if not re.fullmatch(
            re.escape(LOCK_WAITS[name].format(**values)).replace("NUMBER", r"\d+").replace("ADDRESS", "0x[0-9a-f]+"), text)}
        expect_equal(wrong, {}, f"waits, {values}")
        ring = thread_named(report, "urings", program.pid)["waiting_on"]
        expect(ring in ("io_uring_enter", "a signal (pause)"), "what nobody can tell has its name, at least", ring)
        rest, _ = program.communicate("", timeout=30)
        expect_equal(rest, "", "calls that came back")
    finally:
        program.kill()
        program.wait()
        MACHINE.clear()


def test_a_session():
    script = ("import multiprocessing, sys, time; lock = multiprocessing.get_context('spawn').Lock();"
              "print('ready', flush=True); time.sleep(1000)")
    run = TOOL.start("--session", "job", sys.executable, "-c", script, stdin=subprocess.PIPE)
    expect_equal(run.stdout.readline(), "ready\n", "it runs")
    try:
        report = dump(TOOL, "job")
        expect_equal((report["session"]["id"], report["session"]["exit"]), ("job", {"running": True}), "session")
        expect("semaphore" in report["summary"]["by_kind"], "what it holds", report["summary"])
        first = report["hang"]["processes"][0]
        expect_equal(first["command"][1:], ["-c", script], "the program comes first")
        expect_equal(first["threads"][0]["python"][-1]["function"], "<module>", "its stack")
        text = dump_words(TOOL, "job")
        expect("still running" in text.splitlines()[0] and "holds" in text and "left over" not in text, "text", text)
        launcher = dump(TOOL, run.pid)
        expect_equal(launcher["session"]["id"], "job", "the launcher's pid stands for the session")
        inner = dump(TOOL, first["pid"])
        expect_equal(inner["session"]["id"], "job", "a process of a session")
    finally:
        os.kill(first["pid"], signal.SIGKILL)
        run.communicate(timeout=30)


def test_a_stopped_process_stays_stopped():
    program = started([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(1000)"])
    try:
        dump_until(TOOL, program.pid, lambda seen: has_words(seen, "sleep"))
        program.send_signal(signal.SIGSTOP)
        wait_for(lambda: state_of(program.pid)[0] == "T", "it stops")
        for _ in range(3):
            thread = threads_of(dump(TOOL, program.pid))[0]
            expect_equal((thread["state"], functions_of(thread)), ("T", [("<module>", 1)]), "state and frames")
            expect(thread["waiting_on"].startswith("stopped by a signal, in sleep"), "what it does", thread["waiting_on"])
            expect_equal(state_of(program.pid)[0], "T", "state afterwards")
        program.send_signal(signal.SIGCONT)
        wait_for(lambda: state_of(program.pid)[0] == "S", "it goes on")
    finally:
        end(program)


TRACER = """
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
if libc.ptrace(0x4206, int(sys.argv[1]), None, None) != 0: sys.exit(1)
print("ready", flush=True)
time.sleep(1000)
"""


def test_one_that_is_traced():
    program = started([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(1000)"])
    tracer = started([sys.executable, "-c", TRACER, str(program.pid)])
    try:
        report = dump(TOOL, program.pid)
        process = report["hang"]["processes"][0]
        thread = process["threads"][0]
        expect_equal(process["error"], f"no stacks: it is traced by pid {tracer.pid} ({comm_of(tracer.pid)})", "error")
        expect_equal((thread["python"], thread["native"]), ([], []), "stacks")
        expect("traced by" in dump_words(TOOL, program.pid), "the text says so")
    finally:
        end(tracer)
        end(program)


def refused(target, **how):
    done = subprocess.run([TOOL.path, "dump", str(target)], capture_output=True, text=True, timeout=30, check=False,
                          stdin=subprocess.DEVNULL, **how)
    expect_equal((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), f"dump {target}: {done.stderr}")
    return done.stderr


def test_what_is_not_there():
    zombie = subprocess.Popen(["true"])
    wait_for(lambda: state_of(zombie.pid)[0] == "Z", "it ends")
    expect("has ended" in refused(zombie.pid), "a zombie")
    zombie.wait()
    expect(f"there is no process {zombie.pid}" in refused(zombie.pid), "no process")
    expect("no live session 'nowhere'" in refused("nowhere"), "no session")
    expect("neither a session's id nor a pid" in refused("../x"), "no name")
    TOOL.run("--session", "gone", "sh", "-c", "sleep 1000 >/dev/null 2>&1 &")
    expect("has ended" in refused("gone") or "processes" in dump_words(TOOL, "gone"), "one that left something")
    MACHINE.clear()


def test_somebody_elses():
    if not sandbox.has_other_users():
        return
    os.chmod(".", 0o755)

    def become_nobody():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    program = started([sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(1000)"])
    try:
        expect("belongs to user root: only root" in refused(program.pid, preexec_fn=become_nobody), "says whose it is")
    finally:
        end(program)


def test_the_launcher_does_it_where_only_it_may():
    """Without capabilities nobody may trace who has some: as with yama, but for all who are no launcher."""
    if not sandbox.has_other_users():
        return
    weak = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    run = TOOL.start("--session", "closed", sys.executable, "-c",
                     "import time; print('ready', flush=True); time.sleep(1000)", stdin=subprocess.PIPE)
    expect_equal(run.stdout.readline(), "ready\n", "it runs")
    try:
        words = weak + [TOOL.path, "dump", "closed", "--format", "text"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        expect_equal((done.returncode, done.stderr), (0, ""), "dump")
        expect("<module> at <string>:1" in done.stdout and "no stacks" not in done.stdout, "stacks", done.stdout)
        left = [name for name in os.listdir(f"/tmp/leftover-{os.geteuid()}/closed") if name.startswith("dump-")]
        expect_equal(left, [], "requests and answers that stay")
    finally:
        os.kill(dump(TOOL, "closed")["hang"]["processes"][0]["pid"], signal.SIGKILL)
        run.communicate(timeout=30)


WEAK = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def timed_dump(words, target):
    begin = time.monotonic()
    done = subprocess.run([*words, TOOL.path, "dump", str(target)], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    expect(time.monotonic() - begin < 8, "the answer comes at once", time.monotonic() - begin)
    return done


def test_in_the_grace_window():
    """The launcher answers for what is left of its session, too."""
    if not sandbox.has_other_users():
        return
    script = "import os, time\nchild = os.fork()\nif child == 0:\n    time.sleep(1000)\nprint(child, flush=True)"
    run = TOOL.start("--session", "grace", "--grace", "60", sys.executable, "-c", script)
    try:
        child = int(run.stdout.readline())
        wait_for(lambda: state_of(child)[1] == run.pid, "its program has ended")
        done = timed_dump(WEAK, "grace")
        expect_equal((done.returncode, done.stderr), (0, ""), "dump")
        expect("<module> at <string>:4" in done.stdout and "no stacks" not in done.stdout, "stacks", done.stdout)
    finally:
        MACHINE.end_processes()
        run.communicate(timeout=30)


CLOSED = """
import ctypes, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
print("ready", flush=True)
time.sleep(1000)
"""


def test_where_nobody_may():
    """The launcher may not look into it, either, as under yama's scopes 2 and 3: words, at once, and no stacks."""
    if not sandbox.has_other_users():
        return
    run = subprocess.Popen([*WEAK, *TOOL.words("--session", "nobody", sys.executable, "-c", CLOSED)], text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        expect_equal(run.stdout.readline(), "ready\n", "it runs")
        done = timed_dump(WEAK, "nobody")
        expect_equal((done.returncode, done.stderr), (0, ""), "dump of the session")
        expect("no stacks: this user may not trace it" in done.stdout and "python3" in done.stdout, "words", done.stdout)
        pid = dump(TOOL, "nobody")["hang"]["processes"][0]["pid"]  # by who may
        done = timed_dump(WEAK, pid)
        expect_equal((done.returncode, done.stdout), (2, ""), "dump of the process")
        expect(f"this user may not look into process {pid}: " in done.stderr, "words", done.stderr)
    finally:
        MACHINE.end_processes()
        run.communicate(timeout=30)


MANY = """
import os, threading, time
for _ in range(200):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
children = []
for _ in range(60):
    if os.fork() == 0:
        time.sleep(1000)
        os._exit(0)
print("ready", flush=True)
time.sleep(1000)
"""


def test_many_threads_and_processes():
    program = started([sys.executable, "-W", "ignore", "-c", MANY], start_new_session=True)
    try:
        begin = time.monotonic()
        text = dump_words(TOOL, program.pid)
        took = time.monotonic() - begin
        expect(": 61 processes, 261 threads" in text.splitlines()[0], "all are there", text.splitlines()[0])
        expect("200 threads: " in text and "60 threads: " in text and text.count("call stack") <= 4, "equal ones together", text)
        expect(took < 20, "it is fast", took)
        print(f"  261 threads of 61 processes: {took:.2f} s")
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        end(program)


run_cases(globals())
