#!/usr/bin/env python3
# ctest: timeout=300
"""Programs that make files, through temporary ones: never a leak, and the same files as without leftover;
and that many temporary files, made and removed, leave no trace."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
PREPARE = """
mkdir from to && printf 'one\\ntwo\\nthree\\n' > from/a && printf 'b\\n' > from/b && ln -s a from/link &&
find from -exec touch -h -d @1700000000 {} +
"""


def tree(folder):
    """{path: type and rights, content}; git's index holds times and inodes."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(top, name)
            status = os.lstat(path)
            content = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode) and not path.endswith(".git/index"):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[os.path.relpath(path, folder)] = (oct(status.st_mode), content)
    return found


def once(words, **how):
    """Status, output, errors and the files made, in a folder of the same name each time; TMPDIR is its own."""
    folder = "/tmp/makers"
    os.makedirs(folder + "/work")
    os.makedirs(folder + "/tmp")
    environment = dict(how.pop("env", os.environ), TMPDIR=folder + "/tmp", HOME=folder, LC_ALL="C", TZ="UTC",
                       SOURCE_DATE_EPOCH="1700000000", GIT_AUTHOR_DATE="2026-01-02T03:04:05Z",
                       GIT_COMMITTER_DATE="2026-01-02T03:04:05Z")
    try:
        subprocess.run(["sh", "-ec", PREPARE], cwd=folder + "/work", check=True)
        done = subprocess.run(words, cwd=folder + "/work", env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr, tree(folder)
    finally:
        shutil.rmtree(folder)


def check(*words, wanted=None):
    if shutil.which(words[0]) is None:
        print(f"  skipped: no {words[0]} here")
        return
    plain = once(words)
    expect_equal(plain[0], 0, f"it works by itself: {plain}")
    if wanted is not None:
        expect(all(name in plain[3] for name in wanted), "it makes what it should", wanted, sorted(plain[3]))
    report_file = os.path.abspath("report.json")
    watched = once(TOOL.words("-o", report_file, "--grace", "5", *words))
    expect_equal(watched, plain, "under run")
    with open(report_file, encoding="utf-8") as file:
        report = json.load(file)
    expect_equal([leak for leak in report["leaks"] if leak["severity"] != "note"], [], "no leak")
    expect_equal(report["processes"][0]["instrumented"], True, "instrumented")
    expect_equal(once(TOOL.words("--clean", "--grace", "5", *words)), plain, "under run --clean")
    reports = os.path.abspath("hand")
    by_hand = once(words, env=dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS=f"mode=clean:report={reports}/%p.json"))
    expect_equal(by_hand, plain, "by hand")
    expect_equal(os.listdir(reports) if os.path.isdir(reports) else [], [], "by hand: nothing to report")


def shell(script, wanted=None):
    check("sh", "-ec", script, wanted=wanted)


def python(script, wanted=None):
    check(sys.executable, "-c", script, wanted=wanted)


def needs(name):
    if shutil.which(name) is None:
        print(f"  skipped: no {name} here")
        return False
    return True


def test_cp_and_install():
    shell("cp -a from copy; cp --backup=numbered -f from/a to/; cp from/b to/a; install -D -m 644 from/a made/by/install; "
          "install from/b made/by/install; ln -f from/a to/hard; mv from/b to/moved", wanted=["work/to/moved"])


def test_tar():
    shell("tar cf all.tar from; cd to; tar xf ../all.tar; tar xf ../all.tar --overwrite; tar uf ../all.tar -C .. from/a",
          wanted=["work/to/from/a"])


def test_git():
    if needs("git"):
        shell("git init -q -b main one; cd one; cp ../from/a .; git add a; "
              "git -c user.name=a -c user.email=a@b commit -q -m first; cd ..; git clone -q one two; "
              "git -C two status --short", wanted=["work/two/a"])


def test_in_place():
    shell("sed -i s/one/1/ from/a; sort -r -o from/a from/a; cat from/a", wanted=["work/from/a"])
    if needs("perl"):
        shell("perl -i -pe 's/two/2/' from/a; perl -i.old -pe 's/three/3/' from/a", wanted=["work/from/a.old"])


def test_sort_in_pieces():
    shell("seq 20000 -1 1 > numbers; sort -n -S 64k --parallel=1 -o sorted numbers; head -n 2 sorted")


def test_mktemp_then_mv():
    shell("f=$(mktemp); echo text > $f; mv $f to/final; d=$(mktemp -d); touch $d/inner; mv $d to/folder",
          wanted=["work/to/final", "work/to/folder/inner"])


def test_mktemp_by_itself():
    """coreutils makes its file with an open of its own: the script's, for better or worse."""
    for words in (["mktemp", "-p", "."], ["mktemp", "-d", "-p", "."]):
        done = subprocess.run(TOOL.words("-o", "report.json", *words), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)
        expect(done.returncode == 0 and os.path.exists(done.stdout.strip()), "it was made", done)
        with open("report.json", encoding="utf-8") as file:
            expect_equal(json.load(file)["leaks"], [], "no leak")


def test_python_replace():
    python("import tempfile, os, json\n"
           "with tempfile.NamedTemporaryFile('w', dir='.', delete=False) as f: json.dump([1], f)\n"
           "os.replace(f.name, 'settings.json')\n"
           "d = tempfile.mkdtemp(dir='.'); os.rename(d, 'kept')\n"
           "h, p = tempfile.mkstemp(); os.close(h); os.link(p, 'linked'); os.unlink(p)\n"
           "with tempfile.TemporaryDirectory() as t: os.mkdir(t + '/x'); open(t + '/x/y', 'x').close()\n"
           "with tempfile.SpooledTemporaryFile(max_size=1) as s: s.write(b'much more')\n",
           wanted=["work/settings.json", "work/kept", "work/linked"])


def test_sqlite():
    python("import sqlite3\n"
           "for mode in ('delete', 'wal', 'truncate'):\n"
           "    db = sqlite3.connect(mode + '.db'); db.execute('pragma journal_mode=' + mode)\n"
           "    db.execute('create table t(x)'); db.executemany('insert into t values(?)', [(i,) for i in range(500)])\n"
           "    db.execute('pragma temp_store=file'); db.execute('create temp table s as select x from t order by x desc')\n"
           "    db.commit(); db.execute('vacuum'); print(db.execute('select sum(x) from s').fetchone()); db.close()\n",
           wanted=["work/wal.db"])


def test_dpkg_deb():
    if needs("dpkg-deb"):
        shell("mkdir -p p/DEBIAN p/usr/share/one; cp from/a p/usr/share/one/; chmod -R go-w p; find p -exec touch -d @1700000000 {} +; "
              "printf 'Package: one\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: one\\n' > p/DEBIAN/control; "
              "touch -d @1700000000 p/DEBIAN p/DEBIAN/control; "
              "dpkg-deb --root-owner-group -b p one.deb >/dev/null; dpkg-deb -x one.deb out; dpkg-deb -I one.deb >/dev/null",
              wanted=["work/one.deb", "work/out/usr/share/one/a"])


MANY = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 100000; i++) {
        char file[] = "many-XXXXXX", folder[] = "many-XXXXXX", name[] = "many-XXXXXX";
        close(mkstemp(file));
        unlink(file);
        if (i % 10 == 0 && (mkdtemp(folder) == NULL || rmdir(folder) != 0)) return 1;
        // Names of which nothing is made.
        mktemp(name);
    }
    char kept[] = "kept-XXXXXX";
    close(mkstemp(kept));
    puts(kept);
    return 0;
}
"""


def test_many():
    """The record of a program that makes and removes a hundred thousand stays as small as that of one."""
    with open("many.c", "w", encoding="utf-8") as file:
        file.write(MANY)
    subprocess.run(["gcc", "-O1", "-w", "-o", "many", "many.c"], check=True, stderr=subprocess.DEVNULL)
    report, done = TOOL.report(os.path.abspath("many"), env=dict(os.environ, LEFTOVER_STATE_DIR=os.path.abspath("state")))
    expect_equal(done.returncode, 0, "status")
    expect_equal([(leak["kind"], leak["name"]) for leak in report["leaks"]],
                 [("temporary_file", os.path.abspath(done.stdout.strip()))], "the one that is left")
    expect_equal(report["session"]["complete"], True, "complete")
    counts = report["processes"][0]["counts"]
    expect_equal(counts["temporary_file"], {"created": 100001, "released": 100000, "peak": 1}, "files")
    expect_equal(counts["temporary_directory"], {"created": 10000, "released": 10000, "peak": 1}, "folders")
    sizes = [os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk("state") for name in names
             if name.endswith(".record")]
    expect(all(size < 1024 * 1024 for size in sizes), "the record has not grown", sizes)
    print(f"  records: {sizes}")


run_cases(globals())
