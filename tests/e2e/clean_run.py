#!/usr/bin/env python3
# ctest: timeout=300
"""leftover run --clean: what it removes, what it leaves alone, and when it ends what will not end."""

import contextlib
import glob
import json
import mmap
import os
import pty
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases, wait_for
from machine import Machine, message_queues, remove_sysv, shared_names, sysv_objects
from tool import Tool, line_of, state_of

TOOL = Tool(BUILD)
LITTER = os.path.abspath("litter")
subprocess.run(["gcc", "-O1", "-w", "-o", LITTER, os.path.join(HERE, os.pardir, "programs", "clean", "litter.c")],
               check=True)
KINDS = ["message_queue", "semaphore", "shared_memory", "socket_file", "sysv_message_queue", "sysv_semaphore",
         "sysv_shared_memory", "temporary_directory", "temporary_file"]
SCHEMA = os.path.join(HERE, os.pardir, os.pardir, "reporter", "schema", "leftover.report.schema.json")


def litter_there():
    return (shared_names() + message_queues() + sysv_objects() + sorted(glob.glob("/tmp/litter-*")))


def clear_litter():
    Machine().clear()
    subprocess.run("chmod -R u+w /tmp/litter-* 2>/dev/null; rm -rf /tmp/litter-*", shell=True, check=True)


def sessions():
    state = f"/tmp/leftover-{os.geteuid()}"
    return os.listdir(state) if os.path.isdir(state) else []


def read(file):
    with open(file, encoding="utf-8") as text:
        report = json.load(text)
    try:
        import jsonschema
    except ImportError:
        return report
    with open(SCHEMA, encoding="utf-8") as text:
        jsonschema.validate(report, json.load(text))
    return report


def clean(*words, **how):
    """The report and the run of `leftover run --clean`."""
    file = os.path.abspath(f"report-{time.monotonic_ns()}.json")
    done = TOOL.run("--clean", "-o", file, *words, **how)
    return read(file), done


def by_kind(report):
    return {leak["kind"]: leak for leak in report["leaks"] if leak["severity"] == "error"}


def statuses(report):
    return sorted((leak["kind"], leak["status"]) for leak in report["leaks"] if leak["severity"] == "error")


class Job:
    """Litter made and still being made use of, until `end`."""

    def __init__(self, *options, prefix=()):
        self.file = os.path.abspath("report.json")
        self.words = [*prefix, *TOOL.words("--clean", "-o", self.file, *options, LITTER, os.path.abspath("ready"), "wait")]
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line_of("ready", "it is there")

    def end(self):
        """Ends the program itself; leftover cleans up."""
        pids = [pid for pid in Machine().before if self.runs_litter(pid)]
        expect_equal(len(pids), 1, "one program")
        os.kill(pids[0], signal.SIGUSR1)
        self.out, self.err = self.process.communicate(timeout=60)
        return read(self.file)

    @staticmethod
    def runs_litter(pid):
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{pid}/exe") == LITTER
        return False


CHANGES_USER = os.path.join(HERE, os.pardir, "programs", "python", "changes_user.py")


def test_one_that_became_another_user():
    """Another user's process is never signalled, also one of the job's own: it is left alone, with the reason."""
    if not sandbox.has_other_users():
        return
    machine = Machine()
    done = TOOL.run("--clean", "--grace", "0", "-o", "report.json", sys.executable, CHANGES_USER)
    try:
        report = read("report.json")
        process = next(leak for leak in report["leaks"] if leak["kind"] == "process")
        pid = process["details"]["pid"]
        expect_equal((process["status"], process["error"]), ("in_use", "it belongs to another user"), "status")
        expect_equal([(action["result"], action["error"]) for action in report["cleanup"]["actions"] if action["pid"] == pid],
                     [("in_use", "it belongs to another user")], "action")
        expect_equal((report["summary"]["in_use"], report["summary"]["failed"]), (1, 0), "summary")
        expect(f"left alone process {process['name']} (pid {pid}): it belongs to another user" in done.stderr, "line", done.stderr)
        expect_equal(os.path.getsize("signals"), 0, "bytes about signals")
        expect(list(machine.new_processes()) == [pid] and len(sessions()) == 1, "it lives, and the records stay", sessions())
    finally:
        clear_litter()


def test_nobody_reads_what_is_said():
    """A closed pipe as standard error costs neither the cleaning nor the exit status."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = TOOL.run("--clean", "--grace", "0", "sh", "-c", "sleep 1000 & sleep 1001 & exit 3", capture_output=False,
                        stdout=subprocess.DEVNULL, stderr=writing)
    finally:
        os.close(writing)
    expect_equal((done.returncode, sessions()), (3, []), "status, and what stays")
    done = TOOL.run("sh", "-c", "trap - PIPE; kill -PIPE $$")
    expect_equal(done.returncode, -signal.SIGPIPE, "the program's own SIGPIPE is as it was")


def test_every_kind():
    for how, status in (("exit", 4), ("abort", -signal.SIGABRT)):
        report, done = clean(LITTER, "ready", how)
        expect_equal(done.returncode, status, "the program's own status")
        expect_equal(statuses(report), [(kind, "cleaned") for kind in KINDS], "statuses")
        expect_equal(litter_there(), [], "nothing is left")
        expect_equal(sessions(), [], "no record stays")
        actions = report["cleanup"]["actions"]
        expect_equal({action["result"] for action in actions}, {"done"}, "results")
        expect_equal(len(actions), len(KINDS), "one each")
        expect(report["cleanup"]["reclaimed_bytes"] >= (1 << 20) + 8192, "memory", report["cleanup"])
        expect_equal((report["session"]["mode"], report["summary"]["cleaned"]), ("clean", len(KINDS)), "summary")
        lines = done.stderr.splitlines()
        expect_equal(len(lines), len(KINDS) + 1, f"one line an item, and a last one: {lines}")
        expect("cleaned up 9 things in" in lines[-1] and "of memory freed" in lines[-1], "the last line", lines[-1])


def test_what_is_said():
    done = TOOL.run("--clean", "true")
    expect_equal((done.returncode, done.stderr), (0, ""), "nothing to do, nothing to say")
    done = TOOL.run("--clean", "-q", LITTER, "ready", "exit")
    expect_equal((done.returncode, done.stderr, litter_there()), (4, "", []), "quiet")
    done = TOOL.run("--clean", "--gate", "sh", "-c", f"{LITTER} ready exit; exit 0")
    expect_equal(done.returncode, 23, "what was cleaned up counts for the gate")
    expect("all cleaned up" in done.stderr, "the summary says so", done.stderr)


def test_suppressed_is_left_alone():
    with open("list", "w", encoding="utf-8") as file:
        file.write("semaphore:/litter-*\ntemporary_directory:*\n")
    report, _ = clean("--suppressions", "list", LITTER, "ready", "exit")
    found = dict(statuses(report))
    expect_equal((found["semaphore"], found["temporary_directory"], found["shared_memory"]),
                 ("suppressed", "suppressed", "cleaned"), "statuses")
    expect_equal(shared_names(), ["sem.litter-semaphore"], "it is still there")
    expect_equal(len(glob.glob("/tmp/litter-folder*")), 1, "and so is the folder")
    clear_litter()


HOLD = """
import ctypes, mmap, os, sys
kept = []
for path in sys.argv[2:]:
    if path.startswith("id:"):
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        assert libc.shmat(int(path[3:]), None, 0) not in (None, ctypes.c_void_p(-1).value)
        continue
    if os.path.isdir(path):
        os.chdir(path)
        continue
    fd = os.open(path, os.O_RDONLY)
    if os.fstat(fd).st_size and not path.startswith("/dev/mqueue"):
        kept.append(mmap.mmap(fd, 0, prot=mmap.PROT_READ))
        os.close(fd)
open(sys.argv[1], "w").write("there\\n")
sys.stdin.read()
"""


@contextlib.contextmanager
def holder(*paths, prefix=()):
    """An unrelated process that has these open or mapped."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink("holds")
    process = subprocess.Popen([*prefix, sys.executable, "-c", HOLD, os.path.abspath("holds"), *paths],
                               stdin=subprocess.PIPE)
    line_of("holds", "the holder has them")
    yield process
    process.stdin.close()
    process.wait(timeout=30)


def held_paths():
    segment = next(number for kind, number in sysv_objects() if kind == "sysv_shared_memory")
    paths = ["/dev/shm/litter-memory", "/dev/shm/sem.litter-semaphore", glob.glob("/tmp/litter-folder*")[0] + "/below",
             f"id:{segment}"]
    return paths + (["/dev/mqueue/litter-queue"] if message_queues() else [])


def expect_held(report, job):
    kinds = ["semaphore", "shared_memory", "sysv_shared_memory", "temporary_directory"]
    if os.path.isdir("/dev/mqueue") and message_queues():
        kinds.insert(0, "message_queue")
    expect_equal([kind for kind, status in statuses(report) if status == "in_use"], kinds, f"in use; {job.err}")
    expect_equal({status for kind, status in statuses(report) if kind not in kinds}, {"cleaned"}, "the rest")
    leak = by_kind(report)["shared_memory"]
    expect("in use" in (leak["error"] or ""), "it is said why", leak)
    expect_equal(report["summary"]["in_use"], len(kinds), "summary")
    expect("litter-memory" in shared_names() and "sem.litter-semaphore" in shared_names(), "they are there")
    expect_equal(len(glob.glob("/tmp/litter-folder*/below/file")), 1, "nothing of the folder is touched")
    expect_equal(len(sessions()), 1, "the record stays")


def test_in_use():
    """By an unrelated process."""
    job = Job()
    with holder(*held_paths()) as process:
        report = job.end()
        expect_held(report, job)
        expect(f"pid {process.pid} (" in by_kind(report)["shared_memory"]["error"], "by whom", by_kind(report))
    clear_litter()


def test_in_use_in_another_pid_namespace():
    """leftover in a pid namespace of its own, in which the user does not show."""
    job = Job(prefix=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"))
    paths = held_paths()
    with holder(*[path for path in paths if not os.path.isdir(path)]):
        report = job.end()
        folder = ("temporary_directory", "cleaned")
        expect(folder in statuses(report), "a folder that nobody has", statuses(report))
        found = dict(statuses(report))
        for kind in ("semaphore", "shared_memory", "sysv_shared_memory"):
            expect_equal(found[kind], "in_use", f"{kind}; {job.err}")
        expect("litter-memory" in shared_names(), "it is there")
    clear_litter()


def test_gate_does_not_count_what_is_in_use():
    with open("make.py", "w", encoding="utf-8") as file:
        file.write("from multiprocessing import resource_tracker\nimport _posixshmem, os, time\n"
                   "os.close(_posixshmem.shm_open('/ours', os.O_CREAT | os.O_EXCL | os.O_RDWR))\n"
                   "open('made', 'w').write('yes\\n')\n"
                   "while not os.path.exists('holds'): time.sleep(0.01)\n")
    process = TOOL.start("--clean", "--gate", sys.executable, "make.py")
    line_of("made", "it is made")
    with holder("/dev/shm/ours"):
        process.communicate(timeout=60)
    expect_equal((process.returncode, shared_names()), (0, ["ours"]), "not counted, left alone")
    clear_litter()


def test_folders():
    """With something of somebody else's, or a mount, nothing of it is touched."""
    def folder_of(change):
        script = "import tempfile, os, sys; d = tempfile.mkdtemp(prefix='litter-'); os.mkdir(d + '/a'); " \
                 "open(d + '/a/file', 'w').close(); os.mkdir(d + '/b'); print(d)"
        report, done = clean("sh", "-c", f'd=$({sys.executable} -c "{script}"); {change}')
        leaks = [leak for leak in report["leaks"] if leak["kind"] == "temporary_directory"]
        expect_equal(len(leaks), 1, f"one folder; {done.stderr}")
        return leaks[0], leaks[0]["name"]

    leak, path = folder_of("true")
    expect_equal((leak["status"], os.path.exists(path)), ("cleaned", False), "a plain one")
    leak, path = folder_of("mkdir -p /tmp/kept; touch /tmp/kept/file; ln -s /tmp/kept $d/a/link; ln -s /tmp/kept $d/link")
    expect_equal((leak["status"], os.path.exists(path), os.path.exists("/tmp/kept/file")), ("cleaned", False, True),
                 "links are not followed")
    leak, path = folder_of("mount --bind /tmp/kept $d/b")
    expect_equal((leak["status"], os.path.exists("/tmp/kept/file"), os.path.exists(path + "/a/file")),
                 ("in_use", True, True), f"a mount {leak}")
    subprocess.run(["umount", path + "/b"], check=True)
    if sandbox.has_other_users():
        leak, path = folder_of("touch $d/a/theirs; chown 12345 $d/a/theirs")
        expect_equal((leak["status"], os.path.exists(path + "/a/file")), ("in_use", True), "another user's file")
        expect("another user" in leak["error"], "why", leak)
    clear_litter()


def test_files_by_their_makers_name_only():
    """A name that was given to another file meanwhile is another file."""
    report, _ = clean("sh", "-c", f"{LITTER} ready exit; rm /dev/shm/litter-memory /tmp/litter-socket; "
                                  "echo mine > /dev/shm/litter-memory; echo mine > /tmp/litter-socket")
    expect("shared_memory" not in by_kind(report) and "socket_file" not in by_kind(report), "not leaks")
    expect_equal((shared_names(), os.path.exists("/tmp/litter-socket")), (["litter-memory"], True), "left alone")
    clear_litter()


STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    open("stubborn", "w").write("%d\\n" % os.getpid())
    while True: time.sleep(100)
while not os.path.exists("stubborn"): time.sleep(0.01)
"""


def test_who_ignores_term_is_killed():
    begin = time.monotonic()
    report, done = clean("--grace", "0.1", "--kill-after", "0.5", sys.executable, "-c", STUBBORN)
    pid = int(line_of("stubborn", "its pid"))
    expect(state_of(pid) is None or state_of(pid)[0] == "Z", "it is gone", state_of(pid), done.stderr)
    actions = [(action["action"], action["result"]) for action in report["cleanup"]["actions"] if action["pid"] == pid]
    expect_equal(actions, [("terminate", "failed"), ("kill", "done")], "both")
    expect_equal(by_kind(report)["process"]["status"], "cleaned", "status")
    expect(time.monotonic() - begin < 0.1 + 0.5 + 20, "in time")


MULTIPLYING = """
import os, signal, time
def again(*_):
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
        while True: time.sleep(100)
    os._exit(0)
signal.signal(signal.SIGTERM, again)
if os.fork() == 0:
    os.close(0)
    open("ready", "w").write("yes\\n")
    while True: time.sleep(100)
while not os.path.exists("ready"): time.sleep(0.01)
"""


def test_who_is_started_meanwhile_ends_too():
    machine = Machine()
    report, done = clean("--grace", "0.1", "--kill-after", "0.5", sys.executable, "-c", MULTIPLYING)
    expect_equal(machine.new_processes(), {}, f"none is left; {done.stderr}")
    processes = [leak for leak in report["leaks"] if leak["kind"] == "process"]
    expect(len(processes) >= 2, "the new ones are in the report", [leak["status"] for leak in processes])
    expect_equal({leak["status"] for leak in processes}, {"cleaned"}, "statuses")


def test_handlers_of_the_processes_run_first():
    """A TERM is a request: who tidies up by itself is let."""
    script = "import os, signal, time, sys\n" \
             "if os.fork() == 0:\n" \
             "    signal.signal(signal.SIGTERM, lambda *_: (open('tidied', 'w').close(), sys.exit(0)))\n" \
             "    open('child', 'w').write('yes\\n')\n" \
             "    while True: time.sleep(100)\n" \
             "while not os.path.exists('child'): time.sleep(0.01)\n"
    report, _ = clean("--grace", "0.1", sys.executable, "-c", script)
    expect(os.path.exists("tidied"), "its handler ran")
    expect_equal(by_kind(report)["process"]["status"], "cleaned", "status")


DEAF = "import signal, time\nfor n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):\n" \
       "    signal.signal(n, signal.SIG_IGN)\nopen('deaf', 'w').write('yes\\n')\nwhile True: time.sleep(100)\n"


def test_the_clock():
    """A program still there when --kill-after has passed since a signal was sent is killed, with its session."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink("deaf")
        process = TOOL.start("--clean", "--kill-after", "0.3", sys.executable, "-c", DEAF)
        line_of("deaf", "it is there")
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=60)
        expect_equal(process.returncode, -signal.SIGKILL, name)
    os.unlink("deaf")
    process = TOOL.start("--kill-after", "0.3", sys.executable, "-c", DEAF)
    line_of("deaf", "it is there")
    process.send_signal(signal.SIGTERM)
    time.sleep(1)
    expect(process.poll() is None, "without --clean it is the program's own decision")
    for pid in [child for child in Machine().before if parent_is(child, process.pid)]:
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)


def parent_is(pid, parent):
    state = state_of(pid)
    return state is not None and state[1] == parent and "python" in os.readlink(f"/proc/{pid}/exe")


def test_also_while_it_is_stopped():
    process = TOOL.start("--clean", "--kill-after", "0.5", sys.executable, "-c", DEAF)
    line_of("deaf", "it is there")
    process.send_signal(signal.SIGTERM)
    child = next(pid for pid in Machine().before if parent_is(pid, process.pid))
    os.kill(child, signal.SIGSTOP)
    process.communicate(timeout=60)
    expect_equal(process.returncode, -signal.SIGKILL, "killed all the same")


def test_what_is_typed_starts_no_clock():
    import fcntl
    import termios

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    control, terminal = pty.openpty()
    process = subprocess.Popen(TOOL.words("--clean", "--kill-after", "0.3", sys.executable, "-c", DEAF), stdin=terminal,
                               stdout=terminal, stderr=terminal, preexec_fn=own_terminal)
    os.close(terminal)
    line_of("deaf", "it is there")
    os.write(control, b"\x03\x03")
    time.sleep(1)
    expect(process.poll() is None, "it goes on")
    os.kill(process.pid, signal.SIGTERM)
    wait_for(lambda: process.poll() is not None, "a signal that is sent does")
    expect_equal(process.returncode, -signal.SIGKILL, "status")
    os.close(control)


def test_somebody_is_impatient():
    """A second signal while leftover waits for who ignores TERM: KILL at once."""
    process = TOOL.start("--clean", "--grace", "0.1", "--kill-after", "60", sys.executable, "-c", STUBBORN)
    pid = int(line_of("stubborn", "its pid"))
    wait_for(lambda: state_of(pid)[1] == process.pid, "leftover has adopted it")
    # The first one may come before it has begun with that.
    wait_for(lambda: state_of(pid) is None or process.send_signal(signal.SIGTERM) or time.sleep(0.2),
             "it is killed long before the minute is over")
    process.communicate(timeout=60)
    expect_equal(sessions(), [], "nothing stays")


def test_nested():
    inner = " ".join(TOOL.words("--clean", "-o", os.path.abspath("inner.json"), LITTER, "ready", "exit"))
    report, done = clean("sh", "-c", f"{inner}; exit 0")
    expect_equal(statuses(report), [], "the outer one finds nothing")
    expect_equal(len(read("inner.json")["cleanup"]["actions"]), len(KINDS), "the inner one did it")
    expect_equal((litter_there(), sessions()), ([], []), "nothing is left")
    inner = " ".join(TOOL.words("-q", LITTER, "ready", "exit"))
    report, done = clean("sh", "-c", f"{inner}; exit 0")
    expect_equal(statuses(report), [(kind, "cleaned") for kind in KINDS], "what the inner one left")
    expect_equal((litter_there(), sessions()), ([], []), f"nothing is left; {done.stderr}")


TRACKER = """
import sys, warnings
def main(fd=0):
    warnings.warn("resource_tracker: There appear to be 2 leaked semaphore objects to clean up at shutdown")
    print(sys.orig_argv[1:] if hasattr(sys, "orig_argv") else "")
"""

START = """
import os, subprocess, sys
from multiprocessing import util
code = "from loky.backend.resource_tracker import main; main(5)"
words = [sys.executable, "-c", code]
subprocess.run(words)
os.waitpid(os.posix_spawn(words[0], words, os.environ), 0)
if os.fork() == 0:
    os.execv(words[0], words)
os.wait()
subprocess.run([sys.executable, "-c", "import warnings; warnings.warn('mine')"])
"""


def test_trackers_are_started_quiet():
    """By subprocess (vfork), posix_spawn and exec; nobody else's warnings are."""
    os.makedirs("modules/loky/backend")
    for name in ("modules/loky/__init__.py", "modules/loky/backend/__init__.py"):
        open(name, "w", encoding="utf-8").close()
    with open("modules/loky/backend/resource_tracker.py", "w", encoding="utf-8") as file:
        file.write(TRACKER)
    env = dict(os.environ, PYTHONPATH=os.path.abspath("modules"))
    done = TOOL.run("--clean", sys.executable, "-c", START, env=env)
    expect_equal((done.stderr.count("leaked"), done.stderr.count("UserWarning: mine")), (0, 1), done.stderr)
    done = TOOL.run(sys.executable, "-c", START, env=env)
    expect_equal((done.stderr.count("UserWarning: resource_tracker"), "-W" in done.stdout), (3, False), done.stderr + done.stdout)


def test_kinds_that_are_not_tracked_are_left_alone():
    script = "import os, time\n" \
             "if os.fork() == 0:\n    null = os.open('/dev/null', os.O_RDWR)\n    os.dup2(null, 1)\n    os.dup2(null, 2)\n" \
             "    open('child', 'w').write('%d\\n' % os.getpid())\n    time.sleep(1000)\n" \
             "while not os.path.exists('child'): time.sleep(0.01)\n"
    report, _ = clean("--kinds", "semaphore", "--grace", "0.1", sys.executable, "-c", script)
    child = int(line_of("child", "its child"))
    expect_equal((report["leaks"], report["cleanup"]["actions"]), ([], []), "nothing to do")
    expect(state_of(child)[0] != "Z", "it lives")
    os.kill(child, signal.SIGKILL)


TWINS = """
import os, time
pids = []
for _ in range(2):
    pids.append(os.fork())
    if pids[-1] == 0:
        while True: time.sleep(100)
open("twins", "w").write("%d %d %d\\n" % (os.getpid(), *pids))
while True: time.sleep(100)
"""


def test_pid_of_somebody_else():
    """A pid that the record names was given to an unrelated process meanwhile: that is never signalled."""
    process = TOOL.start("--clean", "--grace", "60", sys.executable, "-c", TWINS)
    parent, child, keeper = map(int, line_of("twins", "two children").split())
    # Nothing says that the child has ended: its creator is killed before it can wait for it.
    os.kill(parent, signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    os.kill(parent, signal.SIGKILL)
    wait_for(lambda: state_of(child) is None, "leftover has taken note of the child's end")
    # The other one keeps the session alive meanwhile.
    for _ in range(3000):
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="utf-8") as last:
            last.write(str(child - 1))
        stranger = subprocess.Popen(["sleep", "1000"])
        if stranger.pid == child:
            break
        stranger.kill()
        stranger.wait()
    os.kill(keeper, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    expect_equal(stranger.pid, child, "the number was given again")
    expect(stranger.poll() is None and state_of(child)[0] != "Z", "the stranger lives", err)
    expect(f"pid {child}" not in err, "nothing was tried", err)
    stranger.kill()
    stranger.wait()


run_cases(globals())
