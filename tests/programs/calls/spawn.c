// calls: posix_spawn posix_spawnp posix_spawn_file_actions_addchdir_np posix_spawn_file_actions_addfchdir_np
#include <spawn.h>

#include "call.h"

typedef int Spawn(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                  const posix_spawnattr_t* attributes, char* const* words, char* const* environment);

// The child speaks before its parent does.
#define TRY_SPAWN(what, call)                     \
    do {                                          \
        fflush(stdout);                           \
        errno = 77;                               \
        const int result_ = (call);               \
        const int error_ = errno;                 \
        reap(what, child);                        \
        tell(what, result_, error_);              \
    } while (0)

static void try_spawn(const char* what, Spawn* call) {
    puts(what);
    char* words[] = {"sh", "-c", "echo \"$0 $A $# $*\"; exit 9", "name", "x", "y z", NULL};
    char* own[] = {"A=own", NULL};
    char* nothing[] = {NULL};
    pid_t child = -5;
    TRY_SPAWN("spawned", call(&child, "/bin/sh", NULL, NULL, words, environ));
    TRY_SPAWN("own environment", call(&child, "/bin/sh", NULL, NULL, words, own));
    TRY_SPAWN("empty environment", call(&child, "/usr/bin/env", NULL, NULL, (char*[]){"env", NULL}, nothing));
    child = -5;
    TRY("absent", call(&child, "/no/such/program", NULL, NULL, words, environ));
    TRY("a folder", call(&child, "/dev/shm", NULL, NULL, words, environ));
    printf("  untouched %d\n", child == -5);
    TRY("no number wanted", call(NULL, "/bin/true", NULL, NULL, (char*[]){"true", NULL}, environ));
    int status;
    tell_status("no number wanted", wait(&status) > 0 ? status : -1);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "spawned.txt", O_CREAT | O_WRONLY | O_TRUNC, 0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    TRY_SPAWN("with actions", call(&child, "/bin/sh", &actions, &attributes, words, own));
    char line[64] = "";
    FILE* file = fopen("spawned.txt", "r");
    printf("  %s", fgets(line, sizeof line, file));
    fclose(file);
    posix_spawn_file_actions_addclose(&actions, 999);
    posix_spawn_file_actions_addopen(&actions, 1, "/no/such/file", O_WRONLY, 0);
    TRY("actions that fail", call(&child, "/bin/sh", &actions, NULL, words, own));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);

    mkdir("folder", 0700);
    symlink("/bin/sh", "folder/shell");
    posix_spawn_file_actions_init(&actions);
    TRY("a folder first", posix_spawn_file_actions_addchdir_np(&actions, "folder"));
    TRY_SPAWN("there", call(&child, "./shell", &actions, NULL, words, environ));
    TRY_SPAWN("from there", call(&child, "/bin/sh", &actions, NULL, (char*[]){"sh", "-c", "basename $PWD", NULL}, environ));
    TRY("one folder more", posix_spawn_file_actions_addfchdir_np(&actions, 999));
    TRY("a folder that is none", call(&child, "./shell", &actions, NULL, words, environ));
    posix_spawn_file_actions_destroy(&actions);
    unlink("folder/shell");
    rmdir("folder");

    file = fopen("script", "w");
    fputs("echo a script without a first line\n", file);
    fclose(file);
    chmod("script", 0755);
    TRY("no format", call(&child, "./script", NULL, NULL, (char*[]){"script", NULL}, environ));
    chmod("script", 0644);
    TRY("not executable", call(&child, "./script", NULL, NULL, (char*[]){"script", NULL}, environ));
    TRY("by name", call(&child, "true", NULL, NULL, (char*[]){"true", NULL}, environ));
    while (wait(&status) > 0) tell_status("by name", status);
}

int main(void) {
    try_spawn("posix_spawn", posix_spawn);
    try_spawn("posix_spawnp", posix_spawnp);
    pid_t child = -5;
    if (forbid_processes()) TRY("no more", posix_spawn(&child, "/bin/true", NULL, NULL, (char*[]){"true", NULL}, environ));
    return 0;
}
