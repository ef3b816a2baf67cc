#!/usr/bin/env python3
"""By hand: the first process waits and judges for the session, others for themselves, the last again."""

import os
import signal
import subprocess
import time

from hand_support import (clear_machine, compiled, end_process, leaks_of, names_of, read_report, reports, run,
                          sessions, start, the_report)
from cases import PATIENCE, expect, expect_equal, run_cases, wait_for
from tool import state_of

TREE = compiled("tree")


def go():
    with open("go", "w", encoding="utf-8"):
        pass


def pids(text):
    """The "NAME PID" lines of tree.c."""
    return [(line.split()[0], int(line.split()[1])) for line in text.splitlines()]


def run_to_file(words, options):
    """For programs that leave others behind, which would keep a pipe open."""
    with open("output", "w", encoding="utf-8") as output:
        return run(words, options, stdout=output, capture_output=False)


def printed():
    with open("output", encoding="utf-8") as output:
        return pids(output.read())


def ended(pid):
    state = state_of(pid)
    return state is None or state[0] == "Z"


def test_orphan():
    begin = time.monotonic()
    done = run_to_file([TREE, "orphan"], "grace=0.3")
    expect(time.monotonic() - begin >= 0.3, "the grace window passes")
    expect_equal(done.returncode, 0, "status")
    known = dict(printed())
    report = the_report()
    leak = leaks_of(report, "process")[0]
    expect_equal((leak["name"], leak["pid"]), ("sleep", known["parent"]), "what and whose")
    details = leak["details"]
    expect_equal((details["pid"], details["command"], details["state"]), (known["orphan"], ["sleep", "1000"], "S"),
                 "details")
    expect(details["resident_bytes"] > 0 and leak["stack"] is not None, "memory and stack", leak)
    shown = {process["pid"]: process for process in report["processes"]}
    expect_equal(set(shown), set(known.values()), "processes")
    expect_equal(shown[known["orphan"]]["exit"], {"running": True}, "it runs")
    expect_equal(shown[known["orphan"]]["ppid"], known["parent"], "its creator")
    expect(report["session"]["duration_seconds"] < 0.3, "the wait is not the session's")
    expect_equal(len(sessions()), 1, "records stay")
    end_process(known["orphan"])
    clear_machine()


def test_no_wait():
    begin = time.monotonic()
    run(["true"], "grace=100")
    run(["sh", "-c", "true; /bin/true"], "grace=100")
    run(["python3", "-c", "import subprocess; subprocess.run(['true'])"], "grace=100")
    expect(time.monotonic() - begin < 20, "an ordinary program ends without delay")
    child = start([TREE, "soon"], "grace=100")
    time.sleep(0.1)
    expect(child.poll() is None, "it waits for its child")
    go()
    child.communicate(timeout=20)
    expect_equal((child.returncode, reports(), sessions()), (0, [], []), "which was in time")


def test_helper_at_a_pipe():
    for more in ([], ["with output"]):
        begin = time.monotonic()
        done = run([TREE, "pipe-helper"] + more, "grace=1.5")
        expect_equal(done.returncode, 0, "status")
        # With output to be flushed the pipe is left alone.
        expect_equal(time.monotonic() - begin > 1.4, bool(more), f"waits {more}")
        expect_equal(len(reports()), len(more), "reports")
        for file in os.listdir("."):
            os.unlink(file)
        clear_machine()


def test_nothing_interrupts_the_wait():
    child = start([TREE, "soon"], "grace=20:report_always=1")
    wait_for(lambda: "nanosleep" in wait_channel(child.pid), "it waits")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        child.send_signal(number)
    time.sleep(0.1)
    expect(child.poll() is None, "it goes on waiting")
    go()
    child.communicate(timeout=20)
    expect_equal(child.returncode, 0, "it had ended before they came")
    expect_equal(the_report_of(child.pid)["session"]["exit"], {"code": 0}, "its report")


def test_threads_wait_as_well():
    for more in ([], [str(int(signal.SIGTERM))]):
        child = start([TREE, "busy"] + more, "grace=20")
        wait_for(lambda pid=child.pid: "nanosleep" in wait_channel(pid) and os.path.exists("work"), "it waits")
        time.sleep(0.1)
        before = os.path.getsize("work")
        time.sleep(0.2)
        expect_equal(os.path.getsize("work"), before, "its thread does, too")
        go()
        child.communicate(timeout=20)
        expect_equal(child.returncode, -signal.SIGTERM if more else 0, "status")
        for file in os.listdir("."):
            os.unlink(file)


def wait_channel(pid):
    try:
        with open(f"/proc/{pid}/wchan", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def the_report_of(pid):
    return read_report(f"leftover.{pid}.json")


def test_daemon():
    done = run_to_file([TREE, "daemon"], "grace=0.2")
    known = dict(printed())
    expect_equal(done.returncode, 0, "status")
    first = the_report()
    expect_equal(first["processes"][0]["pid"], known["parent"], "the first process reports")
    expect_equal(names_of(first, "semaphore"), ["/by-daemon", "/by-parent"], "what both made")
    expect_equal([leak["details"]["pid"] for leak in leaks_of(first, "process")], [known["daemon"]], "it lives")
    expect_equal(len(sessions()), 1, "records stay")
    go()
    wait_for(lambda: ended(known["daemon"]), "the daemon ends")
    last = the_report_of(known["daemon"])
    expect_equal(names_of(last, "semaphore"), ["/by-daemon", "/by-parent", "/later"], "judged again by the last")
    expect_equal(leaks_of(last, "process"), [], "no process is left")
    expect_equal(last["session"]["id"], first["session"]["id"], "one session")
    expect_equal(last["session"]["exit"], {"code": 0}, "how the first process ended")
    expect_equal({process["pid"] for process in last["processes"]} >= set(known.values()), True, "processes")
    creators = {leak["name"]: leak["pid"] for leak in leaks_of(last, "semaphore")}
    expect_equal(creators, {"/by-daemon": known["daemon"], "/by-parent": known["parent"],
                            "/later": known["daemon"]}, "creators")
    clear_machine()


def test_daemon_that_cleans_up():
    run_to_file([TREE, "daemon-clean"], "grace=0.1")
    known = dict(printed())
    expect_equal(names_of(the_report(), "semaphore"), ["/passing"], "when its parent ended")
    go()
    wait_for(lambda: ended(known["daemon"]), "the daemon ends")
    expect_equal((len(reports()), sessions()), (1, []), "nothing to report, and no records stay")


def test_killed_as_a_group():
    """However they are scheduled, one of them is the last."""
    for _ in range(10):
        run_to_file([TREE, "group"], "grace=0")
        everybody = wait_for(lambda: printed() if len(printed()) == 5 else None, "all have begun")
        for file in os.listdir("."):
            os.unlink(file)
        leader = dict(everybody)["leader"]
        os.killpg(leader, signal.SIGTERM)
        for _, pid in everybody:
            wait_for(lambda pid=pid: ended(pid), "ended")
        report = the_report()
        expect_equal(names_of(report, "semaphore"), [f"/worker-{i}" for i in range(4)], "what all made")
        expect_equal(leaks_of(report, "process"), [], "nobody is left")
        os.unlink(f"leftover.{[pid for _, pid in everybody if os.path.exists(f'leftover.{pid}.json')][0]}.json")
        clear_machine()


def test_threads():
    run([TREE, "threads"])
    report = the_report()
    found = {(leak["name"], leak["kind"], leak["severity"], leak["details"]["state"]) for leak in report["leaks"]}
    expect_equal(found, {("over", "thread", "warning", "finished"), ("running", "thread", "note", "running"),
                         ("apart", "detached_thread", "note", "running")}, "threads")
    expect(all(leak["details"]["start_routine"].startswith("0x") for leak in report["leaks"]), "routines")
    expect_equal(report["processes"][0]["counts"]["thread"]["created"], 4, "created")
    expect_equal(sessions(), [], "what died with its process keeps no records")


def test_threads_of_a_child():
    done = run([TREE, "child-threads"])
    child = dict(pids(done.stdout))["child"]
    report = the_report()
    expect_equal([process["pid"] for process in report["processes"]], [child], "the child reports itself")
    expect_equal((report["processes"][0]["exit"], report["session"]["exit"]), ({"code": 4}, {"running": True}),
                 "ends")
    expect_equal(report["summary"]["by_kind"], {"thread": 1}, "what died with it")
    expect_equal(report["leaks"][0]["pid"], child, "its thread")


def test_named_objects():
    run([TREE, "shared"])
    report = the_report()
    expect_equal((names_of(report, "semaphore"), names_of(report, "shared_memory")), (["/stays"], ["/segment"]),
                 "what is there")
    segment = leaks_of(report, "shared_memory")[0]["details"]
    expect_equal((segment["bytes"], segment["path"]), (12345, "/dev/shm/segment"), "details")
    clear_machine()


def test_killed_child():
    done = run([TREE, "own-child"])
    child = dict(pids(done.stdout))["child"]
    report = the_report()
    expect_equal(names_of(report, "semaphore"), ["/by-child"], "found by its parent")
    expect_equal(report["leaks"][0]["pid"], child, "the child's")
    shown = {process["pid"]: process["exit"] for process in report["processes"]}
    expect_equal(shown[child], {"signal": "SIGKILL"}, "how it ended")
    clear_machine()


def test_zombies_of_a_child():
    """Who did not wait says so itself; the first process, which sees it in the records, as well."""
    done = run([TREE, "child-zombie"])
    known = dict(pids(done.stdout))
    own = read_report(f"leftover.{known['child']}.json")
    for report in (own, read_report(f"leftover.{known['parent']}.json")):
        leak = report["leaks"][0]
        expect_equal((report["summary"]["by_kind"], leak["pid"], leak["details"]["pid"]),
                     ({"zombie": 1}, known["child"], known["zombie"]), "one, and whose")
    expect_equal(own["session"]["exit"], {"running": True}, "the child's own")
    expect_equal(sessions(), [], "what died with its process keeps no records")


def test_half_made_semaphore():
    """Its creator was killed in the middle; that a process forked there has it mapped is no use of it."""
    process = start([compiled("half_made")], "grace=0.1", stdin=subprocess.PIPE)
    heir = int(process.stdout.readline())
    try:
        expect_equal(process.wait(PATIENCE), 0, "status")
        left = ["/" + name[4:] for name in os.listdir("/dev/shm")]
        expect(len(left) == 1 and left != ["/never-linked"], "a temporary name is left", left)
        first = the_report()
        expect_equal((names_of(first, "semaphore"), leaks_of(first, "process")[0]["details"]["pid"]), (left, heir),
                     "while that process lives")
        stack = next(stack for stack in first["stacks"] if stack["id"] == leaks_of(first, "semaphore")[0]["stack"])
        expect(any(module["path"].endswith("half_made") for module in first["modules"]
                   if module["id"] in {frame["module"] for frame in stack["native"]}), "its creator's stack", stack)
    finally:
        process.stdin.close()
    wait_for(lambda: ended(heir), "it ends")
    expect_equal(names_of(read_report(f"leftover.{heir}.json"), "semaphore"), left, "by itself, the last one")
    clear_machine()


def test_many_processes():
    done = run(["sh", "-c", "i=0; while [ $i -lt 300 ]; do (sh -c true; true); i=$((i+1)); done"],
               "report_always=1:report=%p.json", timeout=120)
    expect_equal((done.returncode, done.stderr), (0, ""), "status")
    expect_equal(sessions(), [], "no records stay")


def test_exec_keeps_the_session():
    run(["sh", "-c", f"exec env A=1 {TREE} shared"])
    report = the_report()
    expect_equal(names_of(report, "semaphore"), ["/stays"], "found")
    expect_equal(len(report["processes"]), 1, "one process, three programs")
    expect_equal(report["processes"][0]["executable"], TREE, "the last of them")
    expect_equal(report["session"]["command"][0], "sh", "what the user started")
    clear_machine()


run_cases(globals())
