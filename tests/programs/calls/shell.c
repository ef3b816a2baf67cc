// calls: system popen pclose
#include "call.h"

static void read_all(FILE* pipe) {
    char line[64];
    while (pipe != NULL && fgets(line, sizeof line, pipe) != NULL) printf("  %s", line);
}

int main(void) {
    setenv("A", "variable", 1);
    TRY("system, is there a shell", system(NULL));
    TRY("system", system("echo said; exit 3"));
    TRY("system, not found", system("/no/such/program 2>/dev/null"));
    TRY("system, killed", system("kill -TERM $$"));
    TRY("system, environment", system("echo $A; env | grep -c -e LEFTOVER -e LD_PRELOAD"));
    FILE* pipe = TRY_ANY("popen, read", popen("echo from the shell; exit 4", "r"));
    read_all(pipe);
    TRY("pclose", pclose(pipe));
    pipe = TRY_ANY("popen, write", popen("sed 's/^/  got /'", "w"));
    fputs("this\n", pipe);
    TRY("pclose", pclose(pipe));
    pipe = TRY_ANY("popen, close-on-exec", popen("echo $A", "re"));
    printf("  %d\n", fcntl(fileno(pipe), F_GETFD));
    read_all(pipe);
    TRY("pclose", pclose(pipe));
    TRY("popen, both", popen("true", "rw"));
    TRY("popen, neither", popen("true", "x"));
    pipe = TRY_ANY("popen, killed", popen("kill -KILL $$", "r"));
    TRY("pclose, killed", pclose(pipe));
    FILE* two[] = {popen("cat; exit 1", "w"), popen("cat; exit 2", "w")};
    TRY("pclose, the first", pclose(two[0]));
    TRY("pclose, the second", pclose(two[1]));
    signal(SIGCHLD, SIG_IGN);
    pipe = popen("true", "r");
    read_all(pipe);
    TRY("pclose, nobody to wait for", pclose(pipe));
    TRY("system, nobody to wait for", system("exit 3"));
    signal(SIGCHLD, SIG_DFL);
    if (!forbid_processes()) return 0;
    TRY("system, no more", system("true"));
    TRY("popen, no more", popen("true", "r"));
    return 0;
}
