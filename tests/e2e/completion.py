#!/usr/bin/env python3
"""Completion in bash, zsh and fish: each shell is asked, and offers what the tool knows."""

import os
import pty
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases, wait_for
from tool import Tool

BUILD = sandbox.enter()
TOOL = Tool(BUILD)
FORMATS = {"text", "json", "html", "sarif", "junit", "markdown", "gitlab", "ndjson", "folded"}

# What zsh would offer goes into a file: compadd is what every completion ends in.
ZSH = r"""
PROMPT=
fpath=(%(share)s/zsh/site-functions $fpath)
autoload -Uz compinit
compinit -u -D
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
finish() { print -r -- . >>finished }
comppostfuncs=(finish)
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return $?
    fi
    local -a hits
    local -A suffix
    zparseopts -E S:=suffix
    builtin compadd -A hits "$@"
    print -rl -- $hits >>hits
    builtin compadd "$@"
}
zmodload zsh/zutil
zle-line-init() { : >ready }
zle -N zle-line-init
"""


def install():
    """Where the scripts are installed below."""
    share = os.path.abspath("share")
    if not os.path.isdir(share):
        subprocess.run([TOOL.path, "manual", "--share", share], check=True)
    return share


def environment():
    folder = os.path.abspath("bin")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        for name in ("leftover", "libleftover.so"):
            os.symlink(os.path.join(BUILD, name), os.path.join(folder, name))
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": os.getcwd(), "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def with_bash(line):
    words = line.split(" ")
    script = os.path.join(install(), "bash-completion/completions/leftover")
    code = (f". '{script}'; COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1};"
            "compopt() { :; }; _leftover; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, env=environment(),
                          timeout=PATIENCE)
    expect_equal(done.stderr, "", f"bash's complaints about {line!r}")
    return set(done.stdout.split("\n")) - {""}


def with_zsh(line):
    for name in ("hits", "finished", "ready"):
        if os.path.exists(name):
            os.remove(name)
    with open("setup.zsh", "w", encoding="utf-8") as file:
        file.write(ZSH % {"share": install()})
    words = environment()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], words)
    try:
        os.set_blocking(terminal, False)
        said = []

        def heard(path):
            try:
                said.append(os.read(terminal, 65536).decode(errors="replace"))
            except (BlockingIOError, OSError):
                pass
            return os.path.exists(path)
        os.write(terminal, b"source ./setup.zsh\n")
        wait_for(lambda: heard("ready"), "zsh is there")
        os.write(terminal, line.encode() + b"\t")
        try:
            wait_for(lambda: heard("finished"), f"zsh completes {line!r}")
        except Exception as error:
            raise RuntimeError(f"{error}: {''.join(said)}") from None
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    if not os.path.exists("hits"):
        return set()
    with open("hits", encoding="utf-8") as file:
        return set(file.read().split("\n")) - {""}


def with_fish(line):
    script = os.path.join(install(), "fish/vendor_completions.d/leftover.fish")
    done = subprocess.run(["fish", "--no-config", "-c", f"source '{script}'; complete -C '{line}'"], capture_output=True,
                          text=True, check=True, env=environment(), timeout=PATIENCE)
    expect_equal(done.stderr, "", f"fish's complaints about {line!r}")
    return {row.split("\t")[0] for row in done.stdout.split("\n")} - {""}


SHELLS = {name: ask for name, ask in (("bash", with_bash), ("zsh", with_zsh), ("fish", with_fish))
          if shutil.which(name) is not None}


def help_of(command):
    words = "--help-all" if command == "run" else "--help"
    return subprocess.run([TOOL.path, command, words], capture_output=True, text=True, check=True).stdout


def commands():
    text = subprocess.run([TOOL.path, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  (\w+) ", text.partition("Commands:")[2].partition("Examples:")[0], re.M))


def options_of(command):
    return set(re.findall(r"^ +(?:-\w, ?)?(--[a-z][\w-]*)", help_of(command), re.M))


def offers(line, wanted, exactly=True):
    for name, ask in SHELLS.items():
        offered = ask(line)
        if exactly:
            expect_equal(offered, set(wanted), f"{name}: {line!r}")
        else:
            expect(set(wanted) <= offered, f"{name}: {line!r}", offered)


def test_all_shells_are_here():
    missing = {"bash", "zsh", "fish"} - set(SHELLS)
    if missing:
        print(f"  not asked, not here: {', '.join(sorted(missing))}")
    expect("bash" in SHELLS, "bash")


def test_commands():
    offers("leftover re", {"report"})
    offers("leftover ", commands(), exactly=False)
    for name, ask in SHELLS.items():
        extra = {word for word in ask("leftover ") - commands() if not word.startswith("-")}
        expect_equal(extra, set(), f"{name}: nothing but commands")


def test_options():
    offers("leftover run --cl", {"--clean"})
    for command in sorted(commands()):
        known = options_of(command)
        expect("--help" in known, "the help was understood", known)
        for name, ask in SHELLS.items():
            offered = {word for word in ask(f"leftover {command} --") if word.startswith("--")} - {"--"}
            expect_equal(offered - {"--help"}, known - {"--help"}, f"{name}: options of {command}")


def test_values():
    offers("leftover report --format ", FORMATS)
    offers("leftover run --fail-on ", {"error", "warning", "note"})
    offers("leftover completion ", {"bash", "zsh", "fish"})
    kinds = set(re.findall(r'"(\w+)"', re.search(r'"kind": \{\s*"enum": \[(.*?)\]', open(os.path.join(
        HERE, os.pardir, os.pardir, "reporter", "schema", "leftover.report.schema.json"), encoding="utf-8").read(), re.S)[1]))
    offers("leftover run --kinds ", kinds)


def test_files_and_folders():
    with open("some.json", "w", encoding="utf-8"):
        pass
    os.mkdir("something")
    offers("leftover report some.", {"some.json"})
    offers("leftover run -o some.", {"some.json"})
    for name, ask in SHELLS.items():
        expect_equal({word.rstrip("/") for word in ask("leftover run --capture some")}, {"something"}, f"{name}: folders")


def test_the_program_and_its_words():
    environment()
    for name in ("leftoverish", "leftoverish-too"):
        with open(f"bin/{name}", "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        os.chmod(f"bin/{name}", 0o755)
    with open("theirs.txt", "w", encoding="utf-8"):
        pass
    offers("leftover run --gate leftoveri", {"leftoverish", "leftoverish-too"})
    offers("leftover run --timeout 5 -- leftoverish-", {"leftoverish-too"})
    for line in ("leftover run leftoverish --gr", "leftover run --grace 3 -- leftoverish --gr"):
        for name, ask in SHELLS.items():
            expect("--grace" not in ask(line), f"{name}: {line!r}: its options are its own")
    for name, ask in SHELLS.items():
        if name != "bash":  # which has bash-completion for it, perhaps
            expect("theirs.txt" in ask("leftover run leftoverish thei"), f"{name}: files for the program")


def test_sessions():
    state = os.path.abspath("state")
    os.environ["LEFTOVER_STATE_DIR"] = state
    for session in ("nightly", "noon"):
        expect_equal(TOOL.run("--keep", "--session", session, "true").returncode, 0, session)
    original = environment

    def with_state():
        return {**original(), "LEFTOVER_STATE_DIR": state}
    globals()["environment"] = with_state
    try:
        for command in ("wait", "stop"):
            offers(f"leftover {command} ni", {"nightly"})
    finally:
        globals()["environment"] = original


run_cases(globals())
