// Leaves one thing, changes its root to an empty one, and tries more there.
// leaves: semaphore /hard-outside
// by hand: nothing
// needs: root
#include <dirent.h>

#include "hard.h"

int main(void) {
    SAY("%d\n", leave("/hard-outside"));
    if (mkdir("root", 0700) != 0 || chroot("root") != 0 || chdir("/") != 0) return 90;
    SAY("%d\n", leave("/hard-inside"));
    char file[] = "/hard-XXXXXX";
    TELL(mkstemp(file));
    TELL(unlink(file));
    TELL(make_thread());
    const pid_t child = fork();
    if (child == 0) {
        char mine[] = "/hard-XXXXXX";
        TELL(mkstemp(mine));
        TELL(unlink(mine));
        TELL(execl("/bin/sh", "sh", (char*)0));
        _exit(13);
    }
    SAY("%d\n", status_of(child));
    DIR* top = opendir("/");
    for (struct dirent* entry; (entry = readdir(top)) != NULL;)
        if (entry->d_name[0] != '.') SAY("%s\n", entry->d_name);
    return 13;
}
