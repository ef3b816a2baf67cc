// leftover: temporary_file=3@by_mkstemp temporary_directory=1@by_mkdtemp temporary_file=2@by_name temporary_directory=1@by_name
// Temporary files and folders that nobody removes, between others that are removed, renamed or linked.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(char* pattern) {
    int fd = mkstemp(pattern);
    assert(fd >= 0);
    close(fd);
}

static void by_mkstemp(void) {
    char absolute[] = "/tmp/sample-XXXXXX";
    char relative[] = "sample-XXXXXX";
    char suffix[] = "./sample-XXXXXX.txt";
    close(mkstemp(absolute));
    close(mkstemp(relative));
    close(mkostemps(suffix, 4, O_CLOEXEC));
}

static void by_mkdtemp(void) {
    char folder[] = "/tmp/sample-XXXXXX";
    assert(mkdtemp(folder) == folder);
    char file[64];
    // What lies in it is the program's own.
    snprintf(file, sizeof file, "%s/note", folder);
    close(open(file, O_CREAT | O_WRONLY, 0600));
}

static void create(const char* path) {
    assert(path != NULL);
    FILE* file = fopen(path, "w");
    assert(file != NULL);
    fclose(file);
}

// Only names; of one of them nothing is made.
static void by_name(void) {
    char* name = tempnam(".", "sampl");
    create(name);
    free(name);
    create(tmpnam(NULL));
    char pattern[] = "sample-XXXXXX";
    assert(mkdir(mktemp(pattern), 0700) == 0);
    free(tempnam(NULL, NULL));
    name = tempnam(NULL, NULL);
    create(name);
    unlink(name);
    free(name);
}

static void removed(void) {
    char one[] = "/tmp/sample-XXXXXX";
    char two[] = "sample-XXXXXX";
    char folder[] = "sample-XXXXXX";
    make(one);
    make(two);
    assert(mkdtemp(folder) == folder);
    char other[64];
    snprintf(other, sizeof other, "./%s", two);
    assert(unlink(one) == 0 && remove(other) == 0 && rmdir(folder) == 0);
    assert(chdir("/tmp") == 0);
    fclose(tmpfile());
}

static void the_users_own(void) {
    remove("sample-linked");
    remove("sample-linked-elsewhere");
    remove("sample-own");
    remove("sample-own-folder");
    char renamed[] = "/tmp/sample-XXXXXX";
    char linked[] = "/tmp/sample-XXXXXX";
    char elsewhere[] = "/tmp/sample-XXXXXX";
    char folder[] = "/tmp/sample-XXXXXX";
    make(renamed);
    make(linked);
    make(elsewhere);
    assert(mkdtemp(folder) == folder);
    assert(rename(renamed, "sample-renamed") == 0);
    assert(link(linked, "sample-linked") == 0);
    // In a spelling that nobody keeps books of.
    char spelling[64];
    snprintf(spelling, sizeof spelling, "/tmp/../%s", elsewhere + 1);
    assert(link(spelling, "sample-linked-elsewhere") == 0);
    assert(rename(folder, "sample-folder") == 0);
    // Made by the program under a name of its own.
    close(open("sample-own", O_CREAT | O_EXCL | O_RDWR, 0600));
    assert(mkdir("sample-own-folder", 0700) == 0);
}

int main(void) {
    by_mkstemp();
    by_mkdtemp();
    by_name();
    removed();
    the_users_own();
    puts("seven are left, and some files that are nobody's business");
    return 0;
}
