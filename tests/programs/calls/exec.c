// calls: execl execle execlp execv execve execvp execvpe fexecve execveat
#include "call.h"

static char* const words[] = {"sh", "-c", "echo \"  $0 $# $* A=$A\"; exit 8", "zero", "one", "two three", NULL};
static char* const own[] = {"A=own", "PATH=/usr/bin:/bin", NULL};
static char* const list[] = {"env", NULL};
static char* const nothing[] = {NULL};
static int script, plain, shell;

#define COMMAND "echo \"  $0 $# $* A=$A\"; exit 8"

// TRY_EXEC("what", call): in a child, which tells when the call comes back.
#define TRY_EXEC(what, call)                                   \
    do {                                                       \
        fflush(stdout);                                        \
        const pid_t child_ = fork();                           \
        if (child_ == 0) {                                     \
            TRY(what, call);                                   \
            _exit(99);                                         \
        }                                                      \
        reap(what, child_);                                    \
    } while (0)

static void write_file(const char* path, const char* text, mode_t mode) {
    FILE* file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

int main(void) {
    clearenv();
    setenv("A", "inherited", 1);
    setenv("PATH", "/usr/bin:/bin:.", 1);
    write_file("script", "#!/bin/sh\necho \"  script $# $*\"\nexit 6\n", 0755);
    write_file("nameless", "echo \"  nameless $# $*\"\nexit 5\n", 0755);
    write_file("orphaned", "#!/no/such/interpreter\n", 0755);
    write_file("plain", "text\n", 0644);
    shell = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    script = open("script", O_RDONLY);
    plain = open("plain", O_RDONLY | O_CLOEXEC);
    const int bin = open("/bin", O_PATH | O_DIRECTORY | O_CLOEXEC);

    TRY_EXEC("execl", execl("/bin/sh", "sh", "-c", COMMAND, "zero", "one", "two three", (char*)NULL));
    TRY_EXEC("execl, absent", execl("/no/such/program", "x", (char*)NULL));
    TRY_EXEC("execl, many", execl("/bin/echo", "echo", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", (char*)NULL));
    TRY_EXEC("execle", execle("/bin/sh", "sh", "-c", COMMAND, "zero", "one", (char*)NULL, own));
    TRY_EXEC("execle, no environment", execle("/usr/bin/env", "env", (char*)NULL, nothing));
    TRY_EXEC("execle, absent", execle("/no/such/program", "x", (char*)NULL, own));
    TRY_EXEC("execlp", execlp("sh", "sh", "-c", COMMAND, "zero", "one", (char*)NULL));
    TRY_EXEC("execlp, absent", execlp("no-such-program", "x", (char*)NULL));
    TRY_EXEC("execlp, nameless", execlp("nameless", "nameless", "one", (char*)NULL));
    TRY_EXEC("execlp, empty", execlp("", "x", (char*)NULL));
    TRY_EXEC("execv", execv("/bin/sh", words));
    TRY_EXEC("execv, script", execv("./script", words));
    TRY_EXEC("execv, nameless", execv("./nameless", words));
    TRY_EXEC("execv, orphaned", execv("./orphaned", words));
    TRY_EXEC("execv, not executable", execv("./plain", words));
    TRY_EXEC("execv, a folder", execv("/bin", words));
    TRY_EXEC("execv, below a file", execv("/bin/sh/x", words));
    TRY_EXEC("execv, environment", execv("/usr/bin/env", list));
    TRY_EXEC("execve", execve("/bin/sh", words, own));
    TRY_EXEC("execve, environment", execve("/usr/bin/env", list, own));
    TRY_EXEC("execve, no environment", execve("/usr/bin/env", list, nothing));
    TRY_EXEC("execve, none at all", execve("/usr/bin/env", list, NULL));
    TRY_EXEC("execve, absent", execve("/no/such/program", words, own));
    static char huge[300000];
    memset(huge, 'x', sizeof huge - 1);
    TRY_EXEC("execve, too big", execve("/bin/true", (char*[]){"true", huge, NULL}, own));
    TRY_EXEC("execvp", execvp("sh", words));
    TRY_EXEC("execvp, absent", execvp("no-such-program", words));
    TRY_EXEC("execvp, nameless", execvp("nameless", list));
    TRY_EXEC("execvp, not executable", execvp("plain", words));
    TRY_EXEC("execvpe", execvpe("sh", words, own));
    TRY_EXEC("execvpe, environment", execvpe("env", list, own));
    TRY_EXEC("execvpe, nameless", execvpe("nameless", list, own));
    TRY_EXEC("execvpe, absent", execvpe("no-such-program", words, own));
    TRY_EXEC("fexecve", fexecve(shell, words, own));
    TRY_EXEC("fexecve, script", fexecve(script, (char*[]){"script", "one", NULL}, own));
    TRY_EXEC("fexecve, not executable", fexecve(plain, words, own));
    TRY_EXEC("fexecve, no descriptor", fexecve(999, words, own));
    TRY_EXEC("fexecve, no words", fexecve(shell, NULL, own));
    TRY_EXEC("execveat", execveat(bin, "sh", words, own, 0));
    TRY_EXEC("execveat, by descriptor", execveat(shell, "", words, own, AT_EMPTY_PATH));
    TRY_EXEC("execveat, here", execveat(AT_FDCWD, "./script", words, own, 0));
    TRY_EXEC("execveat, absent", execveat(bin, "no-such-program", words, own, 0));
    TRY_EXEC("execveat, bad flags", execveat(bin, "sh", words, own, 0x7000));
    TRY_EXEC("execveat, empty", execveat(shell, "", words, own, 0));
    unsetenv("PATH");
    TRY_EXEC("execvp, without a path", execvp("env", list));
    return 0;
}
