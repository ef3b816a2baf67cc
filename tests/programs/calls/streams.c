// calls: fopen fopen64 freopen freopen64 tmpfile tmpfile64 setmntent __setmntent endmntent __endmntent fclose
// calls: opendir closedir
#include "call.h"

#include <dirent.h>
#include <mntent.h>
#include <stdio_ext.h>

extern FILE* __setmntent(const char* path, const char* mode);
extern int __endmntent(FILE* stream);

static int number(FILE* stream) { return stream != NULL ? fileno(stream) : -1; }
static ssize_t swallow(void* cookie, const char* bytes, size_t size) { return (void)cookie, (void)bytes, (ssize_t)size; }

int main(void) {
    FILE* one = fopen("stream", "w");
    TRY("fopen", number(one));
    TRY_ANY("fopen of none", fopen("absent", "r"));
    TRY_ANY("fopen, bad mode", fopen("stream", "?"));
    fputs("text", one);
    TRY("fclose", fclose(one));
    FILE* two = fopen64("stream", "re");
    TRY("fopen64", number(two));
    TRY_ANY("fopen64 of none", fopen64("absent", "r"));
    two = freopen("other", "w", two);
    TRY("freopen", number(two));
    two = freopen64("other", "r", two);
    TRY("freopen64", number(two));
    two = freopen(NULL, "r", two);
    TRY("freopen without a name", number(two));
    TRY_ANY("freopen of none", freopen("absent", "r", two));
    two = fopen("other", "r");
    TRY_ANY("freopen64 of none", freopen64("absent", "r", two));
    int ends[2];
    pipe(ends);
    FILE* three = fdopen(ends[0], "r");
    TRY("fdopen", number(three));
    TRY("fclose of fdopen's", fclose(three));
    TRY("descriptor then", fcntl(ends[0], F_GETFD));
    FILE* memory = fmemopen(NULL, 100, "w");
    TRY("fclose without a descriptor", fclose(memory));
    FILE* cookie = fopencookie(NULL, "w", (cookie_io_functions_t){.write = swallow});
    TRY("fclose of a cookie", fclose(cookie));
    FILE* full = fopen("/dev/full", "w");
    fputs("text", full);
    TRY("fclose, no space", fclose(full));
    FILE* broken = fopen("stream", "r");
    close(fileno(broken));
    TRY("fclose, closed before", fclose(broken));
    FILE* nameless = tmpfile();
    TRY("tmpfile", number(nameless));
    TRY("fclose of tmpfile's", fclose(nameless));
    nameless = tmpfile64();
    TRY("tmpfile64", number(nameless));
    FILE* table = setmntent("/proc/self/mounts", "r");
    TRY("setmntent", number(table));
    TRY("endmntent", endmntent(table));
    table = __setmntent("/proc/self/mounts", "r");
    TRY("__setmntent", number(table));
    TRY("__endmntent", __endmntent(table));
    TRY_ANY("setmntent of none", setmntent("absent", "r"));
    TRY_ANY("__setmntent of none", __setmntent("absent", "r"));
    TRY("endmntent of none", endmntent(NULL));

    DIR* folder = opendir(".");
    TRY("opendir", dirfd(folder));
    TRY("closedir", closedir(folder));
    TRY_ANY("opendir of none", opendir("absent"));
    TRY_ANY("opendir of a file", opendir("stream"));
    TRY("closedir of none", closedir(NULL));
    folder = fdopendir(open(".", O_RDONLY | O_DIRECTORY));
    TRY("fdopendir", dirfd(folder));
    TRY("closedir of fdopendir's", closedir(folder));
    const int left = dup(1);
    fcloseall();
    dprintf(left, "fcloseall: %d\n", fcntl(ends[1], F_GETFD));
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    dprintf(left, "%d %d %d\n", fopen("stream", "r") == NULL, opendir(".") == NULL, tmpfile() == NULL);
    return 0;
}
