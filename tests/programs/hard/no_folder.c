// Removes the folder it works in.
// leaves: semaphore /hard-nowhere
#include "hard.h"

int main(void) {
    if (mkdir("gone", 0700) != 0 || chdir("gone") != 0 || rmdir("../gone") != 0) return 90;
    char text[200], file[] = "hard-XXXXXX", folder[] = "hard-XXXXXX";
    TELL(getcwd(text, sizeof text));
    TELL(mkstemp(file));
    TELL(mkdtemp(folder));
    TELL(open("name", O_CREAT | O_RDWR, 0600));
    SAY("%d\n", make_some());
    TELL(make_thread());
    SAY("%d\n", system("/bin/echo a shell; exit 3") >> 8);
    TELL(leave("/hard-nowhere"));
    TELL(chdir(".."));
    return 15;
}
