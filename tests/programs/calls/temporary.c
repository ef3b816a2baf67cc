// calls: mkdtemp mktemp tempnam tmpnam tmpnam_r mkstemp mkstemp64 mkostemp mkostemp64 mkstemps mkstemps64 mkostemps mkostemps64
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

static void try_folder(const char* template) {
    char path[128];
    char line[200];
    snprintf(path, sizeof path, "%s", template);
    snprintf(line, sizeof line, "mkdtemp %s", template);
    errno = 77;
    char* const made = mkdtemp(path);
    tell(line, made == NULL ? 0 : made == path ? 1 : 2, errno);
    printf("  %s\n", strcmp(path, template) == 0 ? "as it was" : "changed");
    if (made == NULL) return;
    struct stat status;
    TRY("  stat", stat(path, &status));
    printf("  a folder %d, mode %o\n", S_ISDIR(status.st_mode), status.st_mode & 07777);
    TRY("  rmdir", rmdir(path));
}

// Only names: whether there is one, and what can be done with it.
static void try_name(const char* what, char* name) {
    tell(what, name != NULL && *name != 0, errno);
    if (name == NULL || *name == 0) return;
    TRY("  there", access(name, F_OK));
    const int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    printf("  created %d\n", fd >= 0);
    close(fd);
    TRY("  unlink", unlink(name));
    TRY("  mkdir", mkdir(name, 0700));
    TRY("  remove", remove(name));
}

static void try_names(void) {
    char buffer[L_tmpnam];
    char path[64];
    static const char* const patterns[] = {"call-XXXXXX", "/dev/shm/call-XXXXXX", "call-XXXXX", "", "/nowhere/XXXXXX"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        snprintf(path, sizeof path, "%s", patterns[i]);
        char line[100];
        snprintf(line, sizeof line, "mktemp %s", patterns[i]);
        errno = 77;
        char* const name = mktemp(path);
        const int error = errno;
        printf("%d ", name == path);
        if (i == 4) unlink(path);
        errno = error;
        if (i != 4) try_name(line, name);
    }
    errno = 77;
    char* name = tempnam(".", "call");
    try_name("tempnam", name);
    free(name);
    errno = 77;
    name = tempnam(NULL, NULL);
    try_name("tempnam, anywhere", name);
    free(name);
    errno = 77;
    name = tempnam("/nowhere", "call");
    try_name("tempnam, nowhere", name);
    free(name);
    errno = 77;
    try_name("tmpnam", tmpnam(NULL));
    errno = 77;
    name = tmpnam(buffer);
    printf("%d ", name == buffer);
    try_name("tmpnam, buffer", name);
    errno = 77;
    try_name("tmpnam_r", tmpnam_r(buffer));
    errno = 77;
    try_name("tmpnam_r, no buffer", tmpnam_r(NULL));
}

static void try_folders(void) {
    try_folder("/dev/shm/call-XXXXXX");
    try_folder("call-XXXXXX");
    try_folder("./call-XXXXXX");
    try_folder("/dev/shm/no/XXXXXX");
    try_folder("call-XXXXX");
    try_folder("");
    try_folder("XXXXXX");
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
    try_folders();
    try_names();
    umask(0777);
    try_one("mkstemp, no rights", by_mkstemp, "call-XXXXXX");
    try_folder("call-XXXXXX");
    umask(022);
    char twins[2][16] = {"call-XXXXXX", "call-XXXXXX"};
    close(mkstemp(twins[0]));
    close(mkstemp(twins[1]));
    printf("two names: %d\n", strcmp(twins[0], twins[1]) != 0);
    unlink(twins[0]);
    unlink(twins[1]);
    // In a folder that is gone.
    mkdir("gone", 0700);
    TRY("chdir", chdir("gone"));
    TRY("rmdir", rmdir("../gone"));
    try_one("mkstemp, in no folder", by_mkstemp, "call-XXXXXX");
    try_folder("call-XXXXXX");
    return 0;
}
