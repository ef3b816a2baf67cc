// calls: mkstemp mkstemp64 mkostemp mkostemp64 mkstemps mkstemps64 mkostemps mkostemps64
#include "call.h"

static int by_mkstemp(char* path, int flags) { (void)flags; return mkstemp(path); }
static int by_mkstemp64(char* path, int flags) { (void)flags; return mkstemp64(path); }
static int by_mkostemp(char* path, int flags) { return mkostemp(path, flags); }
static int by_mkostemp64(char* path, int flags) { return mkostemp64(path, flags); }
static int by_mkstemps(char* path, int flags) { (void)flags; return mkstemps(path, 4); }
static int by_mkstemps64(char* path, int flags) { (void)flags; return mkstemps64(path, 4); }
static int by_mkostemps(char* path, int flags) { return mkostemps(path, 4, flags); }
static int by_mkostemps64(char* path, int flags) { return mkostemps64(path, 4, flags); }

static void try_one(const char* what, int (*call)(char*, int), const char* template) {
    char path[128];
    snprintf(path, sizeof path, "%s", template);
    char line[200];
    snprintf(line, sizeof line, "%s %s", what, template);
    const int fd = TRY(line, call(path, O_CLOEXEC | O_APPEND));
    if (fd < 0) {
        printf("  %s\n", strcmp(path, template) == 0 ? "as it was" : "changed");
        return;
    }
    struct stat status;
    fstat(fd, &status);
    printf("  descriptor %d, mode %o, flags %o, close-on-exec %d, %s\n", fd, status.st_mode & 07777,
           (unsigned)fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), strcmp(path, template) == 0 ? "as it was" : "changed");
    close(fd);
    TRY("  unlink", unlink(path));
}

static void try_all(const char* what, int (*call)(char*, int), const char* suffix) {
    static const char* const starts[] = {"/dev/shm/call-XXXXXX", "call-XXXXXX", "/dev/shm/no/XXXXXX",
                                         "/dev/shm/call-XXXXX", "/dev/shm/call-XXXXXXno", "", "XXXXXX"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        char template[64];
        snprintf(template, sizeof template, "%s%s", starts[i], suffix);
        try_one(what, call, template);
    }
}

int main(void) {
    try_all("mkstemp", by_mkstemp, "");
    try_all("mkstemp64", by_mkstemp64, "");
    try_all("mkostemp", by_mkostemp, "");
    try_all("mkostemp64", by_mkostemp64, "");
    try_all("mkstemps", by_mkstemps, ".end");
    try_all("mkstemps64", by_mkstemps64, ".end");
    try_all("mkostemps", by_mkostemps, ".end");
    try_all("mkostemps64", by_mkostemps64, ".end");
    char short_one[] = "XXXXXX";
    TRY("mkstemps, longer than the name", mkstemps(short_one, 40));
    TRY("mkstemps, negative", mkstemps(short_one, -1));
    return 0;
}
