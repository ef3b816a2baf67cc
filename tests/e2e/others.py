#!/usr/bin/env python3
# ctest: timeout=300
"""Other people's programs under leftover: the same output, the same end, nothing found, nothing said."""

import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from machine import Machine, shared_names
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCES = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "others"))
MACHINE = Machine()


def have(*names):
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        print(f"  skipped: no {', '.join(missing)} here")
    return not missing


def same(text):
    return text


def compare(words, instrumented=None, prepare=lambda: None, normal=same, hand=True):
    """Runs it by itself, under leftover and preloaded by hand, each in a fresh folder."""
    def once(folder, run, **how):
        os.makedirs(folder)
        here = os.getcwd()
        os.chdir(folder)
        try:
            prepare()
            done = run(**how)
            return done.returncode, normal(done.stdout), normal(done.stderr)
        finally:
            os.chdir(here)
            shutil.rmtree(folder)

    def plain(**how):
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              **how)

    seen = {}

    def watched():
        seen["report"], done = TOOL.report("--grace", "5", *words)
        return done

    first = once("/tmp/folder", plain)
    second = once("/tmp/folder", watched)
    expect_equal(second, first, "under run: status, output, errors")
    report = seen["report"]
    bad = [leak for leak in report["leaks"] if leak["severity"] != "note"]
    expect_equal((report["summary"]["leaks"], bad), (0, []), "no leak")
    expect_equal(report["session"]["complete"], True, "complete")
    if instrumented is not None:
        program = report["processes"][0]
        expect_equal((program["instrumented"], program["reason"]), (instrumented is True,
                     None if instrumented is True else instrumented), "instrumented")
    if hand:
        environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=/tmp/hand/%p.json")
        third = once("/tmp/folder", plain, env=environment)
        expect_equal(third, first, "by hand: status, output, errors")
        found = os.listdir("/tmp/hand") if os.path.isdir("/tmp/hand") else []
        expect_equal(found, [], "by hand: nothing to report")
    expect_equal((shared_names(), sorted(MACHINE.new_processes())), ([], []), "nothing on the machine")
    return first


def shell(script, **how):
    return compare(["sh", "-c", script], **how)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_pipeline():
    status, out, _ = shell("seq 5000 | sort -rn | grep 7 | head -n 3 | (read a; echo \"$a\"; cat); exit 3")
    expect_equal((status, out), (3, "4997\n4987\n4979\n"), "what it does by itself")
    shell("yes | head -n 2; echo ${PIPESTATUS-none}; (exit 5) & wait $!; echo $?")
    if have("bash"):
        compare(["bash", "-o", "pipefail", "-c", "yes | head -n 1; echo ${PIPESTATUS[*]}; "
                 "for i in 1 2 3; do (exit $i) & done; wait; cat <(echo substituted); echo $(date +%Y)"])


def test_make():
    def prepare():
        write("Makefile", "all: a b c\n\t@echo all\na b c:\n\t@sleep 0.05; echo made > $@\nfail:\n\t@exit 3\n")
    if have("make"):
        compare(["make", "-s", "-j2"], prepare=prepare)
        compare(["make", "-j2", "-k", "fail", "a"], prepare=prepare)


def test_git():
    if not have("git"):
        return
    script = ("export HOME=$PWD GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'; "
              "git init -q -b main one && cd one && echo text > file && git add file && "
              "git -c user.name=a -c user.email=a@b commit -q -m first && git log --format='%H %s' && "
              "cd .. && git clone -q one two && cd two && git gc -q && git status --short --branch && "
              "git diff --exit-code HEAD; git checkout no-such-branch")
    shell(script)


def test_gcc():
    def prepare():
        write("a.c", '#include <stdio.h>\nint other(void);\nint main(void) { printf("%d\\n", other()); return 5; }\n')
        write("b.c", "int other(void) { return 42; }\n")
        write("bad.c", "int main( { return x; }\n")
    if have("gcc"):
        shell("gcc -O2 -pipe -o program a.c b.c && ./program", prepare=prepare)
        shell("gcc -c bad.c", prepare=prepare)
    if have("clang"):
        shell("clang -O1 -o program a.c b.c && ./program", prepare=prepare)


def test_perl():
    if have("perl"):
        compare(["perl", "-e", 'my $p = fork(); if (!$p) { exit 4 } waitpid($p, 0); print $? >> 8, "\\n"; '
                 'print `echo hi`; system("exit 3"); print $?, "\\n"; open(F, "-|", "echo pipe"); print <F>; '
                 'close F; print join(",", sort grep /LEFTOVER|LD_/, keys %ENV), "\\n"; die "in the end\\n"'])


def test_python():
    compare([sys.executable, "-c", "import subprocess, os, threading, tempfile, sys\n"
             "p = os.popen('echo p'); print(subprocess.run(['echo', 'a'], capture_output=True).stdout, p.read(), p.close())\n"
             "t = threading.Thread(target=print, args=('t',)); t.start(); t.join()\n"
             "with tempfile.TemporaryDirectory() as d, tempfile.TemporaryFile() as f: print(len(os.listdir(d)))\n"
             "sys.exit(9)"])


def test_node():
    if have("node"):
        compare(["node", "-e", 'const c = require("child_process"); '
                 'console.log(c.execSync("echo hi").toString(), c.spawnSync("sh", ["-c", "exit 3"]).status); '
                 'new (require("worker_threads").Worker)("console.log(1)", {eval: true})'
                 '.on("exit", () => process.exit(6))'])


def test_gdb():
    def prepare():
        write("a.c", "int twice(int x) { return 2 * x; }\nint main(void) { return twice(4); }\n")
        subprocess.run(["gcc", "-g", "-O0", "-o", "program", "a.c"], check=True)

    def normal(text):
        text = re.sub(r"process \d+", "process N", text)
        return re.sub(r"0x[0-9a-f]+", "ADDRESS", text)
    if have("gdb", "gcc"):
        status, out, _ = compare(["gdb", "-nx", "-batch", "-ex", "break twice", "-ex", "run", "-ex", "bt", "-ex", "finish",
                                  "-ex", "continue", "./program"], prepare=prepare, normal=normal)
        expect("twice (x=4)" in out, "gdb debugs by itself", status, out)


def test_xargs():
    shell("seq 40 | xargs -P4 -n1 sh -c 'exit 0' && seq 20 | xargs -P4 -n2 echo | sort -n; "
          "echo 1 | xargs -I{} sh -c 'exit 255'; echo $?")


def test_openssl():
    if have("openssl"):
        shell("echo text | openssl dgst -sha256; openssl enc -aes-128-cbc -pass pass:x -pbkdf2 -nosalt -in a | "
              "openssl enc -d -aes-128-cbc -pass pass:x -pbkdf2 -nosalt; openssl x509 -in /dev/null; echo $?",
              prepare=lambda: write("a", "secret\n"), normal=lambda text: re.sub(r"^[0-9A-F]{12,}:", "", text,
                                                                                flags=re.MULTILINE))


def test_tar():
    shell("mkdir d && for i in 1 2 3; do echo $i > d/$i; done && tar cf - --sort=name --mtime=@0 d | gzip -n | "
          "gzip -d | tar tf - && tar czf d.tgz d && tar xzf d.tgz -O && tar tf no-such-file")


def test_env():
    status, out, _ = compare(["env"])
    expect("LEFTOVER" not in out and "LD_PRELOAD" not in out, "neither by itself", status, out)
    compare(["env", "-i", "A=b", "sh", "-c", "env | grep -v -e ^_= -e ^SHLVL= -e ^PWD="])
    compare(["sh", "-c", "cat /proc/self/environ | tr '\\0' '\\n' | grep -c -v -e LEFTOVER -e LD_PRELOAD -e ^_= > /dev/null"])


def test_its_own_preload_stays():
    """The user's own LD_PRELOAD is still there, and still works."""
    write("own.c", "#include <unistd.h>\nuid_t getuid(void) { return 4242; }\n")
    own = os.path.abspath("own.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", own, "own.c"], check=True)
    os.environ["LD_PRELOAD"] = own
    try:
        status, out, _ = compare(["sh", "-c", "echo $LD_PRELOAD; id -ru"], hand=False)
    finally:
        del os.environ["LD_PRELOAD"]
    expect_equal((status, out), (0, f"{own}\n4242\n"), "what it does by itself")


def built(compiler, name, *options):
    program = f"/tmp/work/{name}"
    done = subprocess.run([*compiler, "-O1", "-o", program, os.path.join(SOURCES, "plain.c"), *options],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"  skipped: {' '.join(compiler)} makes no programs here")
        return None
    return program


def not_instrumented(program, reason, bits):
    if program is None:
        return
    _, out, _ = compare([program, "x"], instrumented=reason, hand=False)
    expect_equal(out, f"{bits} bits, 2 words, preloaded no\nchild of {program}\n", "what it says")
    # As the child of an instrumented one, in each way to start it.
    shell(f"{program} a b; {program} | cat; echo $?", hand=False)
    compare([sys.executable, "-c", f"import subprocess, os; p = {program!r}\n"
             "print(subprocess.run([p]).returncode, subprocess.run([p], env={}).returncode, flush=True)\n"
             "print(os.spawnv(os.P_WAIT, p, [p]), os.system(p), flush=True); os.execv(p, [p])"], hand=False)


def test_32_bits():
    not_instrumented(built(["gcc", "-m32"], "bits32", "-pthread"), "architecture", 32)


def test_musl():
    if have("musl-gcc"):
        not_instrumented(built(["musl-gcc"], "musl"), "libc", 64)
        not_instrumented(built(["musl-gcc", "-static"], "musl_static"), "static", 64)


def test_static():
    not_instrumented(built(["gcc", "-static"], "static", "-pthread"), "static", 64)
    not_instrumented(built(["gcc", "-static-pie"], "static_pie", "-pthread"), "static", 64)


def test_why_a_child_that_has_ended_was_not_instrumented():
    program = built(["gcc", "-static"], "static", "-pthread")
    if program is None:
        return
    spawn = f'import os; os.posix_spawn("{program}", ["x"], {{}}); os._exit(os.wait()[1] >> 8)'
    script = f"{program} a; {program} b & wait; {sys.executable} -c '{spawn}'"
    report, _ = TOOL.report("sh", "-c", script)
    subprocess.run(["sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                   env=dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report_always=1:report=hand-%p.json"))
    hand = []
    for name in os.listdir("."):
        if name.startswith("hand-") and name.endswith(".json"):
            with open(name, encoding="utf-8") as file:
                hand.append(json.load(file))
    for way, processes in (("run", report["processes"]),
                           ("hand", max((each["processes"] for each in hand), key=len))):
        told = [(process["reason"], process["exit"]) for process in processes if not process["instrumented"]]
        expect_equal(told, [("static", {"code": 34})] * 3, way)


def test_leaks_of_a_static_program():
    """What it leaves is still found, from outside."""
    program = built(["gcc", "-static"], "static_sleeper", "-pthread")
    if program is None:
        return
    write("sleeper.c", "#include <unistd.h>\nint main(void) { if (fork() == 0) { close(1); close(2); sleep(600); } return 2; }\n")
    subprocess.run(["gcc", "-static", "-o", "sleeper", "sleeper.c"], check=True)
    report, done = TOOL.report("--grace", "0.3", os.path.abspath("sleeper"))
    left = sorted(MACHINE.new_processes())
    MACHINE.clear()
    expect_equal((done.returncode, done.stdout, done.stderr), (2, "", ""), "status, output, errors")
    expect_equal(sorted(leak["details"]["pid"] for leak in report["leaks"] if leak["kind"] == "process"), left, "found")
    expect_equal(len(left), 1, "one process")


def test_dropped_privileges():
    if os.geteuid() != 0:
        print("  skipped: not root")
        return
    os.chmod("/tmp/work", 0o755)
    program = "/tmp/work/dropped"
    subprocess.run(["gcc", "-O1", "-w", "-o", program, os.path.join(SOURCES, "dropped.c")], check=True)
    status, out, _ = compare([program])
    if status != 50:
        print("  skipped: no other users here", out)
    # The shim where nobody else may read it.
    os.makedirs("/tmp/private", mode=0o700)
    for file in ("leftover", "libleftover.so"):
        shutil.copy(os.path.join(BUILD, file), "/tmp/private")
    plain = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    private = Tool("/tmp/private").run(program)
    expect_equal((private.returncode, private.stdout, private.stderr), (plain.returncode, plain.stdout, plain.stderr),
                 "from a folder that is closed to others")


def test_closed_descriptors():
    """Programs that close and count what they have open."""
    compare([sys.executable, "-c", "import os\nprint(sorted(os.listdir('/proc/self/fd')))\nos.closerange(3, 4096)\n"
             "print(os.open('/dev/null', os.O_RDONLY), len(os.listdir('/proc/self/task')))"])
    compare(["sh", "-c", "ls /proc/self/fd; exec 2>&-; echo x >&2"])


run_cases(globals())
