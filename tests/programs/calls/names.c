// calls: mkdir mkdirat rmdir unlink unlinkat remove rename renameat renameat2 link linkat
#include "call.h"

static void make(const char* path) {
    unlink(path);
    const int fd = open(path, O_CREAT | O_RDWR, 0600);
    if (fd < 0) abort();
    close(fd);
}

// On what leftover knows, and in every way to write its name.
static void temporary(const char* folder) {
    char file[80], inner[80], other[80];
    snprintf(file, sizeof file, "%s/call-XXXXXX", folder);
    snprintf(inner, sizeof inner, "%s/call-XXXXXX", folder);
    snprintf(other, sizeof other, "%s/call-other", folder);
    int fd = mkstemp(file);
    printf("mkstemp %d\n", fd >= 0);
    close(fd);
    printf("mkdtemp %d\n", mkdtemp(inner) == inner);
    TRY("rmdir, a file", rmdir(file));
    TRY("unlink, a folder", unlink(inner));
    TRY("mkdir, there", mkdir(inner, 0700));
    TRY("mkdirat, there", mkdirat(AT_FDCWD, file, 0700));
    TRY("rename a folder to a file", rename(inner, file));
    TRY("rename to itself", rename(file, file));
    TRY("link", link(file, other));
    TRY("rename, both the same file", rename(file, other));
    TRY("unlink", unlink(other));
    TRY("unlink", unlink(file));
    TRY("unlink, absent", unlink(file));
    TRY("rename a folder", rename(inner, other));
    TRY("rmdir, absent", rmdir(inner));
    TRY("rmdir", rmdir(other));
}

static void in_folder(const char* folder) {
    char a[64], b[64], inner[64];
    snprintf(a, sizeof a, "%s/call-a", folder);
    snprintf(b, sizeof b, "%s/call-b", folder);
    snprintf(inner, sizeof inner, "%s/call-folder", folder);
    printf("%s\n", folder);
    make(a);
    TRY("unlink", unlink(a));
    TRY("unlink, absent", unlink(a));
    TRY("unlink, a folder", unlink(folder));
    make(a);
    TRY("unlinkat", unlinkat(AT_FDCWD, a, 0));
    TRY("unlinkat, absent", unlinkat(AT_FDCWD, a, 0));
    TRY("unlinkat, bad flags", unlinkat(AT_FDCWD, a, 0x7000));
    mkdir(inner, 0700);
    TRY("unlinkat, a folder", unlinkat(AT_FDCWD, inner, 0));
    TRY("unlinkat, folder asked for", unlinkat(AT_FDCWD, inner, AT_REMOVEDIR));
    const int fd = open(folder, O_PATH | O_DIRECTORY);
    make(a);
    TRY("unlinkat, relative", unlinkat(fd, "call-a", 0));
    TRY("unlinkat, no descriptor", unlinkat(999, "call-a", 0));
    TRY("mkdir", mkdir(inner, 0751));
    TRY("mkdir, there", mkdir(inner, 0700));
    TRY("mkdir, nowhere", mkdir("/dev/shm/no/where", 0700));
    TRY("rmdir", rmdir(inner));
    TRY("rmdir, absent", rmdir(inner));
    TRY("mkdirat", mkdirat(fd, "call-folder", 0700));
    TRY("mkdirat, there", mkdirat(fd, "call-folder", 0700));
    TRY("mkdirat, no descriptor", mkdirat(999, "call-folder", 0700));
    TRY("mkdirat, absolute", mkdirat(999, inner, 0700));
    make(a);
    TRY("rmdir, a file", rmdir(a));
    TRY("rmdir", rmdir(inner));
    TRY("remove", remove(a));
    TRY("remove, absent", remove(a));
    mkdir(inner, 0700);
    TRY("remove, a folder", remove(inner));
    make(a);
    TRY("rename", rename(a, b));
    TRY("rename, absent", rename(a, b));
    TRY("rename to itself", rename(b, b));
    TRY("rename, no folder", rename(b, "/dev/shm/no/where"));
    TRY("renameat", renameat(fd, "call-b", fd, "call-a"));
    TRY("renameat, absent", renameat(AT_FDCWD, b, AT_FDCWD, a));
    make(b);
    TRY("renameat2, there", renameat2(AT_FDCWD, a, AT_FDCWD, b, 1 /* RENAME_NOREPLACE */));
    TRY("renameat2, exchanged", renameat2(AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */));
    TRY("renameat2, bad flags", renameat2(AT_FDCWD, a, AT_FDCWD, b, 0x700));
    TRY("renameat2", renameat2(AT_FDCWD, a, AT_FDCWD, b, 0));
    TRY("link", link(b, a));
    TRY("link, there", link(b, a));
    TRY("link, absent", link("/dev/shm/no-such", a));
    unlink(a);
    TRY("linkat", linkat(AT_FDCWD, b, fd, "call-a", 0));
    TRY("linkat, bad flags", linkat(AT_FDCWD, b, fd, "call-c", 0x7000));
    char path[64];
    const int nameless = open(folder, O_TMPFILE | O_RDWR, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", nameless);
    unlink(a);
    TRY("linkat, nameless", linkat(AT_FDCWD, path, AT_FDCWD, a, AT_SYMLINK_FOLLOW));
    close(nameless);
    TRY("unlink it", unlink(a));
    TRY("unlink the other", unlink(b));
    close(fd);
}

int main(void) {
    mkdir("plain", 0700);
    in_folder("/dev/shm");
    in_folder("plain");
    // From here on there is something left, and the names are looked at.
    char left[] = "left-XXXXXX";
    close(mkstemp(left));
    temporary("plain");
    temporary("/dev/shm");
    in_folder("/dev/shm");
    in_folder("plain");
    unlink(left);
    return 0;
}
