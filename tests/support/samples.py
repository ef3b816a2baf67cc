"""What the first comment of a sample says that leftover must find.

    // leftover: semaphore=3@make_semaphores thread=1(warning)@start
    # leftover spawn: nothing

`kind=count(severity)@function`: so many leaks of that kind (error, if nothing else is said), whose
first frame in the sample itself is that function; without one, no frame is in the sample. Between
`leftover` and the colon stand arguments to run it with; each such line is a run of its own. Notes
are compared only for kinds that the line names.
"""

import collections
import os
import re

RUN = re.compile(r"^(?://|#) leftover((?: [\w.-]+)*): (.+)$", re.MULTILINE)
ITEM = re.compile(r"^(\w+)=(\d+)(?:\((\w+)\))?(?:@([\w:~]+))?$")


def runs_of(source):
    """[(arguments, Counter of (kind, severity, function))] of a sample."""
    with open(source, encoding="utf-8") as file:
        found = RUN.findall(file.read())
    return [(arguments.split(), wanted_of(items)) for arguments, items in found]


def wanted_of(items):
    wanted = collections.Counter()
    for item in items.split():
        if item == "nothing":
            continue
        match = ITEM.match(item)
        if match is None:
            raise ValueError(f"not understood: {item}")
        kind, count, severity, function = match.groups()
        wanted[kind, severity or "error", function] += int(count)
    return wanted


def user_frame(report, leak, source, language=None):
    """The innermost frame of a leak's stack that lies in that source file, or None."""
    if leak["stack"] is None:
        return None
    stack = next(stack for stack in report["stacks"] if stack["id"] == leak["stack"])
    if language is None:
        language = "python" if source.endswith(".py") else "native"
    name = os.path.basename(source)
    for frame in stack[language]:
        if frame["file"] and os.path.basename(frame["file"]) == name:
            return frame
    return None


def function_of(frame):
    """Its name without parameters and return type."""
    if frame is None:
        return None
    name = re.sub(r"\[abi:\w+\]|\(anonymous namespace\)::", "", frame["function"] or "?")
    return re.sub(r"\(.*", "", name).split(" ")[-1]


def found_in(report, source, kinds_of_notes=()):
    found = collections.Counter()
    for leak in report["leaks"]:
        if leak["details"].get("attribution") == "window" or (
                leak["severity"] == "note" and leak["kind"] not in kinds_of_notes):
            continue
        function = function_of(user_frame(report, leak, source))
        found[leak["kind"], leak["severity"], function] += 1
    return found


def difference(found, wanted):
    """Both Counters in words, for a failure."""
    missing = wanted - found
    surplus = found - wanted
    return f"missing {dict(missing)}, too much {dict(surplus)}"
