// Becomes somebody else, for whom the state folder is closed, and so do its children.
// leaves: semaphore /hard-before, semaphore /hard-dropped, semaphore /hard-dropped-child
// needs: other users
// incomplete: by hand
#include <grp.h>

#include "hard.h"

int main(void) {
    SAY("%d\n", leave("/hard-before"));
    if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) return 90;
    SAY("%d %d\n", make_some(), leave("/hard-dropped"));
    const pid_t child = fork();
    if (child == 0) {
        SAY("%d %d\n", make_some(), make_thread());
        _exit(leave("/hard-dropped-child"));
    }
    SAY("%d\n", status_of(child));
    SAY("%d\n", system("/bin/echo a shell"));
    TELL(open("/etc/shadow", O_RDONLY));
    return 14;
}
