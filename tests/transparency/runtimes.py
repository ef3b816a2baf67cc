#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""Runtimes with processes and threads of their own: node, a JVM, Go, Chromium."""

import os
import pwd
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import full, prepared, seen, subject, write

harness.enter()

import sandbox

NODE = """
const child = require("child_process"), threads = require("worker_threads"), fs = require("fs");
console.log(child.execSync("echo sync; exit 0").toString(), child.spawnSync("sh", ["-c", "echo e >&2; exit 3"]).status);
console.log(child.spawnSync("no-such-program").error.code, child.spawnSync("kill -9 $$", {shell: true}).signal);
const asked = child.fork(process.argv[1], ["child"]);
if (process.argv[2] == "child") { process.on("message", m => { process.send(m * 2); process.disconnect(); }); } else {
    asked.send(21);
    asked.on("message", m => console.log("answer", m));
    asked.on("exit", code => {
        console.log("child ended", code);
        let left = 4;
        const shared = new SharedArrayBuffer(4);
        for (let i = 0; i < 4; i++)
            new threads.Worker("const {workerData} = require('worker_threads');"
                + "Atomics.add(new Int32Array(workerData), 0, 5); require('fs').readFileSync('/etc/passwd');"
                + "require('child_process').execSync('true')", {eval: true, workerData: shared})
                .on("exit", () => { if (--left == 0) {
                    console.log("workers", new Int32Array(shared)[0]);
                    const slow = child.spawn("sleep", ["600"]);
                    slow.on("exit", (code, signal) => { console.log(code, signal); process.exitCode = 6; });
                    slow.kill("SIGTERM"); } });
    });
}
"""


@subject("node", needs=["node"])
def node(way, parts):
    # The forked child must not fork again.
    script = write("a.js", NODE.replace("const asked =", "const asked = process.argv[2] == 'child' ? null :"))
    parts["processes and threads"] = seen(way.run(["node", script]))
    parts["thrown"] = way.run(["node", "-e", "setTimeout(() => { throw new Error('x') }, 1)"]).returncode
    parts["aborted"] = way.run(["node", "-e", "process.abort()"]).returncode
    parts["killed"] = way.run(["node", "-e", "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60000)"]).returncode


JAVA = """
import java.util.concurrent.*;
public class Forks {
    static int run(String... words) throws Exception {
        var process = new ProcessBuilder(words).redirectErrorStream(true).start();
        var text = new String(process.getInputStream().readAllBytes());
        int status = process.waitFor();
        synchronized (Forks.class) { System.out.print(text); }
        return status;
    }
    public static void main(String[] arguments) throws Exception {
        System.out.println(run("echo", "one") + " " + run("sh", "-c", "exit 3") + " " + run("env", "-i", "env"));
        try { run("/no/such/program"); } catch (java.io.IOException e) { System.out.println("refused"); }
        var pool = Executors.newFixedThreadPool(4);
        var all = new java.util.ArrayList<Future<Integer>>();
        for (int i = 0; i < 12; i++) { int n = i; all.add(pool.submit(() -> run("sh", "-c", "exit " + n))); }
        int sum = 0;
        for (var one : all) sum += one.get();
        pool.shutdown();
        System.out.println("sum " + sum);
        var slow = new ProcessBuilder("sleep", "600").start();
        slow.destroy();
        System.out.println("ended " + slow.waitFor());
        var file = java.nio.file.Files.createTempFile("forks", ".txt");
        java.nio.file.Files.delete(file);
        try { deep(0); } catch (StackOverflowError e) { System.out.println("deep enough"); }
        Object nothing = null;
        try { nothing.hashCode(); } catch (NullPointerException e) { System.out.println("nothing there"); }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("last words")));
        System.exit(7);
    }
    static int deep(int n) { return deep(n + 1) + 1; }
}
"""


@subject("java", needs=["java", "javac"])
def java(way, parts):
    write("Forks.java", JAVA)
    prepared(["javac", "-J-Xmx256m", "Forks.java"])
    starts = ["VFORK", "FORK", "POSIX_SPAWN"] if full() else ["VFORK", "POSIX_SPAWN"]
    for start in starts:
        parts[start] = seen(way.run(["java", "-Xmx256m", f"-Djdk.lang.Process.launchMechanism={start}", "-cp", ".", "Forks"]))
    if full():
        parts["javac"] = seen(way.run(["javac", "Forks.java"]))


GO = """
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)
%s
func main() {
	out, err := exec.Command("sh", "-c", "echo out; exit 3").CombinedOutput()
	fmt.Printf("%%s %%v\\n", out, err)
	_, err = exec.Command("/no/such/program").Output()
	fmt.Println(err)
	command := exec.Command("env")
	command.Env = []string{"A=b"}
	out, _ = command.Output()
	fmt.Printf("%%s", out)
	var all sync.WaitGroup
	var mutex sync.Mutex
	sum := 0
	for i := 0; i < 10; i++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			err := exec.Command("sh", "-c", fmt.Sprint("exit ", n)).Run()
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				sum += err.(*exec.ExitError).ExitCode()
			}
		}(i)
	}
	all.Wait()
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(sum, <-got, extra())
	file, _ := os.CreateTemp("", "go")
	os.Remove(file.Name())
	os.Exit(5)
}
"""
GO_PLAIN = "func extra() int { return 0 }\n"
GO_LIBC = '/*\n#include <stdlib.h>\nint twice(int n) { return system("exit 2") == 512 ? 2 * n : 0; }\n*/\nimport "C"\n' \
          "func extra() int { return int(C.twice(21)) }\n"


@subject("go", needs=["go"])
def go(way, parts):
    environment = dict(os.environ, GOCACHE="/tmp/go-cache", GOPATH="/tmp/go-path", GOPROXY="off", GOFLAGS="-mod=mod",
                       GO111MODULE="off")
    for name, libc, extra in (("static", "0", GO_PLAIN), ("with libc", "1", GO_LIBC)):
        if libc == "1" and not shutil.which("gcc"):
            continue
        source = write(f"program{libc}.go", GO % extra)
        words = ["go", "build", "-o", f"program{libc}", source]
        how = {"env": dict(environment, CGO_ENABLED=libc), "timeout": 300}
        if way.name == "plain" or full():
            parts["built"] = seen(way.run(words, **how))
        else:
            prepared(words, **how)
            parts["built"] = "status 0\n--- output\n\n--- errors\n"
        parts[name] = seen(way.run([f"./program{libc}"]))


PAGE = """<!doctype html><title>before</title><p id=a>before</p>
<script>
document.title = "after";
document.getElementById("a").textContent = [1, 2, 3].map(n => n * n).join(" ");
const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(6 * 7)"])));
</script>
"""


@subject("chromium", needs=["chromium"], quick=False)
def chromium(way, parts):
    page = write("page.html", PAGE)

    def render(who, *options):
        home = os.path.abspath(f"home-{len(parts)}")
        os.makedirs(home)
        os.chmod(home, 0o777)
        words = ["chromium", "--headless", "--disable-gpu", "--disable-crash-reporter", "--no-first-run",
                 f"--user-data-dir={home}/data", "--virtual-time-budget=2000", *options, "--dump-dom", f"file://{page}"]
        done = way.run(words, env=dict(os.environ, HOME=home, XDG_RUNTIME_DIR=home), timeout=90, **who)
        # What it says about a missing bus, graphics and fonts has pids and times in it.
        words = re.findall(r"(?i)leftover|ld\.so|seccomp|crash|received signal", done.stderr)
        return f"{done.returncode}\n{done.stdout}\n{sorted(set(words))}"

    parts["no sandbox"] = render({}, "--no-sandbox")
    parts["no zygote"] = render({}, "--no-sandbox", "--no-zygote")
    if sandbox.has_other_users():
        nobody = pwd.getpwnam("nobody")
        parts["sandboxed"] = render({"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []})


harness.main()
