#include "reporter/help/texts.h"

#include <algorithm>
#include <iterator>

namespace leftover::help {
namespace {

struct Text {
    std::string_view command, option, text;
};

constexpr Text texts[] = {
    {"run", "",
     "Runs COMMAND with the shim libleftover.so preloaded, adopts every process that descends from it "
     "(double forks and setsid included), waits for COMMAND, then at most the grace window for the rest, "
     "and asks the kernel what of all that they created is still there. Input, output, working folder, "
     "signals and exit status pass through unchanged: for whoever calls it, leftover run COMMAND is "
     "COMMAND.\n\n"
     "Nothing is printed when nothing is left over. Otherwise a summary goes to standard error, or, with "
     "-o, the report to a file. Records are kept in the state folder until nothing of the session is left.\n\n"
     "Every option can also be given as a variable: LEFTOVER_RUN_KILL_AFTER=2 is --kill-after 2. What stands "
     "on the command line comes first.\n\n"
     "Signals that are sent to leftover are passed on. What is typed at the terminal "
     "reaches the program once, as without leftover."},
    {"run", "--output",
     "The format is FORMAT if there is one, else that of --format, else that of the file's ending: .json, "
     ".html, .sarif, .xml (JUnit), .md, .txt, .ndjson, .folded. `-' is standard output. May be given many "
     "times. Notes are in the file, though they are not in the summary."},
    {"run", "--gate",
     "Exit 23 when COMMAND succeeded and left anything at or above --fail-on that is neither suppressed nor "
     "in a baseline. What was cleaned up counts, what others use does not. When nothing at all could be "
     "instrumented the gate cannot tell, and the exit status is 125."},
    {"run", "--suppressions",
     "One entry a line: kind:pattern [reason=\"...\"] [expires=YYYY-MM-DD], the kind or * for any; the pattern is "
     "a glob on the name, or top=GLOB on the first frame outside of the C library and the interpreter, or "
     "frame=GLOB on any frame (its function, file or module). What has blanks stands in quotes; # begins a "
     "comment. What is suppressed is neither counted, shown nor cleaned up."},
    {"run", "--baseline",
     "A file that leftover baseline wrote. The findings in it are neither counted, shown nor cleaned up."},
    {"run", "--show-suppressed",
     "Also what the built-in list suppresses: helpers that end by themselves, such as gpg-agent, Gradle's "
     "daemon or a git gc in the background."},
    {"run", "--clean",
     "First those helpers that would only complain (CPython's resource tracker), then every process of the "
     "session: TERM, after --kill-after KILL, until none is left; then semaphores, shared memory, message "
     "queues, System V objects, temporary files and folders, socket files.\n\n"
     "Only what the session created is touched, known by inode, id and creation time, pid and start time; "
     "nothing that a process outside of the session has open or mapped; nothing of another user's; nothing "
     "whose name the user chose himself. One line an item is printed, and one at the end."},
    {"run", "--kill-after",
     "Also how long COMMAND may take to end after a TERM, INT, HUP or QUIT that somebody sent to leftover "
     "with --clean."},
    {"run", "--timeout",
     "A COMMAND that still runs then is explained before it is ended: the call stacks of every thread of "
     "every process, native and Python, and what each waits for. The exit status is 124."},
    {"run", "--max-processes",
     "COMMAND counts, zombies do not. Further fork, vfork, clone, posix_spawn, system and popen calls of "
     "instrumented processes fail with EAGAIN. What programs without the shim fork cannot be refused, but "
     "counts a tenth of a second later."},
    {"run", "--capture",
     "DIR is made if it is missing; older files of these names are replaced when COMMAND runs. COMMAND's "
     "streams are pipes then, not the terminal or file that leftover was given; they are passed on all the "
     "same, but where both lead to one place, lines may come in another order. When the reader of a stream "
     "is gone COMMAND gets its SIGPIPE. All that COMMAND wrote is in the files when leftover ends. A process "
     "that outlives COMMAND and keeps a stream open does not keep leftover waiting; the report names it, and "
     "what it still writes goes into the file."},
    {"run", "--on-complete",
     "With LEFTOVER_SESSION, LEFTOVER_EXIT_CODE or LEFTOVER_EXIT_SIGNAL (as leftover run ends: SIGTERM), "
     "LEFTOVER_LEAKS (errors and warnings) and LEFTOVER_REPORT (the first -o) set. Runs once, when all "
     "reports are written, without the shim; what it starts in the background is not waited for. That it "
     "failed is said, and changes nothing about the exit status."},
    {"run", "--keep",
     "Such sessions live in /tmp/leftover-UID, which outlasts a login. The next session of that name takes "
     "the place of one that has ended."},
    {"run", "--detach",
     "Prints the session's id and returns as soon as COMMAND runs; 126 and 127 as ever. Implies --keep, and "
     "--capture into the session's own folder: COMMAND's output is the file itself then, its input is "
     "/dev/null, and it has no terminal. What leftover has to say goes into leftover.log there."},
    {"run", "--max-sessions",
     "While N sessions of this state folder live, refuses to start another one (125), or, with --wait, "
     "starts it when it is its turn: in the order in which they came, each when a session has ended."},
    {"report", "",
     "Reads JSON reports, records and folders of them, also of sessions that were killed together with "
     "leftover, merges them into one view and shows it. What a record tells is checked against this machine "
     "as it is now."},
    {"report", "--suggest-suppressions",
     "Each below a comment that says what it is; the reasons are left to be filled in."},
    {"report", "--debug-path",
     "Debug information is looked for in the file itself, beside it, below /usr/lib/debug and, if "
     "DEBUGINFOD_URLS is set, on those servers. A file with another build id than the one that ran is "
     "never used: it is said to be the wrong one."},
    {"gate", "",
     "Says whether reports hold anything that counts: at or above --fail-on, neither suppressed nor in a "
     "baseline. What was cleaned up counts, what others use does not. With --baseline, what is new is said, "
     "and what is gone.\n\n"
     "A gate that cannot tell does not pass: exit 2 when there was no report, when one could not be read or "
     "is not complete, or when nothing was instrumented."},
    {"gate", "--strict-suppressions",
     "Then exit 1, also when nothing is left over. Unused and expired entries are listed always."},
    {"diff", "", "Compares two reports, or folders of reports, by the fingerprints of their findings."},
    {"baseline", "",
     "Writes today's findings, one sorted line each, for --baseline of run and gate. Made for version "
     "control: two branches' baselines merge line by line."},
    {"sweep", "",
     "Lists what earlier sessions left on this machine, and orphans that never ran under leftover: Python "
     "multiprocessing's workers, fork servers and trackers whose program is gone, and the semaphores and "
     "shared memory of theirs that nobody has open. Nothing is touched without --clean.\n\n"
     "A helper counts as an orphan when no living program holds the other end of a pipe that multiprocessing "
     "keeps between the two; who its parent is now proves nothing. A session whose leftover died while its "
     "program runs on is listed as such and left alone."},
    {"ps", "",
     "Lists the sessions that live now, with --all also those that have ended and were kept. What is counted "
     "is what is alive at that moment."},
    {"wait", "",
     "Waits for a session's end and ends as its leftover run did: with the same exit status, or by the same "
     "signal. When the session's leftover was killed nobody knows how it ended: 125."},
    {"dump", "",
     "Shows what a session or process holds now and what each of its threads is doing. Each thread is paused "
     "for milliseconds and goes on; as after SIGSTOP and SIGCONT, epoll_wait, semtimedop and sigtimedwait "
     "may return EINTR, nothing else shows."},
    {"stop", "",
     "Ends a live session and cleans up after it. The program gets a TERM and can tidy up; after "
     "--kill-after it is killed; then all that is left of the session is ended and removed, as by run "
     "--clean."},
};

}  // namespace

std::string_view option_text(std::string_view command, std::string_view option) {
    const auto* at = std::find_if(std::begin(texts), std::end(texts), [&](const Text& text) {
        return text.command == command && text.option == option;
    });
    return at == std::end(texts) ? std::string_view{} : at->text;
}

std::string_view command_text(std::string_view command) { return option_text(command, ""); }

const Section common_sections[4] = {
    {"BY HAND",
     "LD_PRELOAD=libleftover.so LEFTOVER_OPTIONS=key=value:key=value ./program needs no leftover on the "
     "machine: each process writes a report of its own, leftover.PID.json, when something is left over. "
     "LEFTOVER_OPTIONS=help=1 lists the keys."},
    {"EXIT STATUS",
     "Of run: the program's own; 23 by the gate, 124 timed out, 125 leftover itself failed, 126 COMMAND could "
     "not be executed, 127 COMMAND not found. When the program was killed by a signal, leftover dies of the "
     "same one.\n\n"
     "Of the other commands: see each; 2 when something was wrong with how they were called or what they were "
     "given."},
    {"FILES",
     "A session's records are in a folder of its own below $LEFTOVER_STATE_DIR, else $XDG_RUNTIME_DIR/leftover, "
     "else /tmp/leftover-UID; that folder has to belong to the user, mode 0700."},
    {"ENVIRONMENT",
     "LEFTOVER_STATE_DIR, XDG_RUNTIME_DIR: see FILES. LEFTOVER_RUN_OPTION: any option of run. LEFTOVER_OPTIONS: "
     "by hand only. NO_COLOR: no colours, also on a terminal. DEBUGINFOD_URLS: where to ask for missing "
     "debug information."},
};

}  // namespace leftover::help
