#!/usr/bin/env python3
"""Preloaded by hand with mode=clean: what the session leaves is cleaned up when its first process ends, or its
last, in whatever way; the report says what was done."""

import os
import signal
import subprocess
import sys

from hand_support import BUILD, HERE, environment, read_report, run, sandbox, sessions, start
from cases import expect, expect_equal, run_cases, wait_for
from machine import Machine, message_queues, shared_names, sysv_objects
from tool import line_of, state_of

LITTER = os.path.abspath("litter")
subprocess.run(["gcc", "-O1", "-w", "-o", LITTER, os.path.join(HERE, os.pardir, "programs", "clean", "litter.c")],
               check=True)
JOB = os.path.join(HERE, os.pardir, "programs", "python", "clean_job.py")
OPTIONS = "mode=clean:kill_after=2:report=report.json"
KINDS = ["message_queue", "semaphore", "shared_memory", "socket_file", "sysv_message_queue", "sysv_semaphore",
         "sysv_shared_memory", "temporary_directory", "temporary_file"]


def temporary():
    return sorted(name for name in os.listdir("/tmp") if name.startswith(("litter-", "pymp-", "tmp")))


def there():
    return shared_names() + message_queues() + sysv_objects() + temporary()


def statuses(report):
    return sorted((leak["kind"], leak["status"]) for leak in report["leaks"] if leak["severity"] == "error")


def end(words, ending, number=None):
    """Runs to its end, by a signal if one is given; status, what it wrote on standard error."""
    for name in ("ready", "report.json"):
        if os.path.exists(name):
            os.unlink(name)
    with open("stderr", "w", encoding="utf-8") as err:
        process = start([*words, os.path.abspath("ready"), ending] if words[0] == LITTER else
                        [*words, ending, os.path.abspath("ready")], OPTIONS, stderr=err, stdout=subprocess.DEVNULL)
    main = int(line_of("ready", "it is ready"))
    if number is not None:
        os.kill(main, number)
    process.wait(timeout=60)
    with open("stderr", encoding="utf-8") as err:
        return process.returncode, err.read()


CHANGES_USER = os.path.join(HERE, os.pardir, "programs", "python", "changes_user.py")


def test_one_that_became_another_user():
    if not sandbox.has_other_users():
        return
    machine = Machine()
    done = subprocess.run([sys.executable, CHANGES_USER], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env=environment(OPTIONS + ":grace=0.2"))
    try:
        expect_equal((done.returncode, done.stderr, os.path.getsize("signals")), (0, "", 0), "status, output, bytes about signals")
        processes = [leak for leak in read_report("report.json")["leaks"] if leak["kind"] == "process"]
        expect_equal([(leak["status"], leak["error"]) for leak in processes], [("in_use", "it belongs to another user")], "leaks")
    finally:
        machine.clear()


def test_every_kind():
    for ending, number, status in (("exit", None, 4), ("abort", None, -signal.SIGABRT),
                                   ("wait", signal.SIGTERM, -signal.SIGTERM), ("wait", signal.SIGHUP, -signal.SIGHUP),
                                   ("wait", signal.SIGINT, -signal.SIGINT), ("wait", signal.SIGSEGV, -signal.SIGSEGV)):
        got, err = end([LITTER], ending, number)
        expect_equal((got, err), (status, ""), f"{ending} {number}")
        report = read_report("report.json")
        expect_equal(statuses(report), [(kind, "cleaned") for kind in KINDS], "statuses")
        expect_equal({action["result"] for action in report["cleanup"]["actions"]}, {"done"}, "results")
        expect_equal((report["summary"]["cleaned"], report["session"]["mode"]), (len(KINDS), "clean"), "summary")
        expect(report["cleanup"]["reclaimed_bytes"] >= (1 << 20) + 8192, "memory", report["cleanup"])
        expect_equal((there(), sessions()), ([], []), "nothing is left")


def test_python():
    machine = Machine()
    for method, ending, number, status in (("fork", "wait", signal.SIGTERM, -signal.SIGTERM), ("spawn", "os_exit", None, 3),
                                           ("spawn", "exception", None, 1), ("forkserver", "wait", signal.SIGHUP, -signal.SIGHUP)):
        got, err = end([sys.executable, JOB, method], ending, number)
        expect_equal(got, status, f"{method} {ending}: {err}")
        expect("leaked" not in err, "nobody complains", err)
        expect_equal(machine.new_processes(), {}, f"no process: {method} {ending} {err}")
        expect_equal((there(), sessions()), ([], []), f"nothing is left: {method} {ending}")


def test_in_use():
    """What an unrelated process has mapped, also one that this /proc does not show."""
    hold = "import mmap, os, sys\nfd = os.open('/dev/shm/litter-memory', os.O_RDONLY)\n" \
           "m = mmap.mmap(fd, 0, prot=mmap.PROT_READ); os.close(fd)\nopen('holds', 'w').write('yes\\n')\nsys.stdin.read()"
    for prefix in ((), ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", '"$@"; true', "sh")):
        for name in ("ready", "report.json", "holds"):
            if os.path.exists(name):
                os.unlink(name)
        job = start([*prefix, "env", "LD_PRELOAD=" + environment()["LD_PRELOAD"], "LEFTOVER_OPTIONS=" + OPTIONS, LITTER,
                     os.path.abspath("ready"), "wait"], env=dict(os.environ))
        line_of("ready", "it is ready")
        holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE)
        line_of("holds", "it is held")
        program = next(pid for pid in Machine().before if is_litter(pid))
        os.kill(program, signal.SIGTERM)
        job.communicate(timeout=60)
        report = read_report("report.json")
        expect_equal([entry for entry in statuses(report) if entry[1] != "cleaned"], [("shared_memory", "in_use")],
                     f"in use, behind {prefix}")
        expect_equal(shared_names(), ["litter-memory"], "it is still there")
        expect_equal(len(sessions()), 1, "the record stays")
        holder.stdin.close()
        holder.wait(timeout=30)
        Machine().clear()


def is_litter(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe") == LITTER
    except OSError:
        return False


def test_who_ignores_term_is_killed():
    script = "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\npid = os.fork()\n" \
             "if pid == 0:\n    os.setsid()\n    while True: time.sleep(100)\n" \
             "open('child', 'w').write('%d\\n' % pid)\n"
    done = run([sys.executable, "-c", script], "mode=clean:grace=0.1:kill_after=0.3:report=report.json")
    expect_equal((done.returncode, done.stderr), (0, ""), "status")
    child = int(line_of("child", "the child"))
    expect(state_of(child) is None or state_of(child)[0] == "Z", "it is gone", state_of(child))
    actions = [(action["action"], action["result"]) for action in read_report("report.json")["cleanup"]["actions"]]
    expect_equal(actions, [("terminate", "failed"), ("kill", "done")], "TERM, then KILL")


def test_the_root_ended_first():
    """A daemon's parent: the last process of the session cleans up after all."""
    script = "import os, sys, tempfile, time\nif os.fork(): os._exit(0)\nos.setsid()\n" \
             "import _posixshmem\nos.close(_posixshmem.shm_open('/daemons', os.O_CREAT | os.O_EXCL | os.O_RDWR))\n" \
             "tempfile.mkstemp(prefix='litter-')\nopen('pid', 'w').write('%d\\n' % os.getpid())\n" \
             "while not os.path.exists('end'): time.sleep(0.01)\n"
    done = run([sys.executable, "-c", script], "mode=clean:grace=0.1:kill_after=5:report=%p.json")
    # The daemon was left over when its root had ended: it has been ended, or ends now, and its things go.
    expect_equal(done.returncode, 0, "status")
    with open("end", "w", encoding="utf-8"):
        pass
    wait_for(lambda: there() == [], f"nothing is left {there()}")
    wait_for(lambda: sessions() == [], "no record stays")


def test_mode_report_leaves_all():
    got = run([LITTER, "ready", "exit"], "report=report.json")
    expect_equal(got.returncode, 4, "status")
    report = read_report("report.json")
    expect_equal({status for _, status in statuses(report)}, {"leaked"}, "statuses")
    expect_equal(report["cleanup"], None, "no cleanup")
    expect(len(there()) >= 8, "all of it is there", there())
    Machine().clear()
    subprocess.run("chmod -R u+w /tmp/litter-*; rm -rf /tmp/litter-*", shell=True, check=True)


run_cases(globals())
