// calls: prctl
#include <sys/prctl.h>

#include "call.h"

int main(void) {
    char name[16] = "";
    TRY("set a name", prctl(PR_SET_NAME, "renamed", 0, 0, 0));
    TRY("get it", prctl(PR_GET_NAME, name, 0, 0, 0));
    printf("  %s\n", name);
    int number = -1;
    TRY("signal of a parent's death", prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0));
    TRY("get it", prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0));
    printf("  %d\n", number);
    TRY("none", prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
    TRY("no such signal", prctl(PR_SET_PDEATHSIG, 999, 0, 0, 0));
    TRY("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    TRY("dumpable, badly", prctl(PR_SET_DUMPABLE, 77, 0, 0, 0));
    TRY("no such thing", prctl(7777, 1, 2, 3, 4));
    TRY("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    TRY("get it", prctl(PR_GET_CHILD_SUBREAPER, &number, 0, 0, 0));
    printf("  %d\n", number);
    TRY("no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    TRY("get it", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    TRY("no new privileges, badly", prctl(PR_SET_NO_NEW_PRIVS, 1, 2, 3, 4));
    return 0;
}
