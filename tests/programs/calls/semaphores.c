// calls: sem_open sem_unlink
#include <limits.h>
#include <semaphore.h>

#include "call.h"

// The errno of a success as well: what glibc's first attempts left there.
#define TRY_MADE(what, expression)                  \
    ({                                              \
        errno = 77;                                 \
        sem_t* made_ = (expression);                \
        const int errno_ = errno;                   \
        tell(what, made_ != SEM_FAILED, errno_);    \
        made_;                                      \
    })

static void tell_value(sem_t* semaphore) {
    int value = -1;
    if (semaphore == SEM_FAILED) return;
    sem_getvalue(semaphore, &value);
    printf("  value %d\n", value);
}

int main(void) {
    umask(022);
    TRY("sem_open, absent", sem_open("/call", 0));
    sem_t* made = TRY_MADE("sem_open, created", sem_open("/call", O_CREAT, 0666, 7));
    tell_value(made);
    struct stat status;
    stat("/dev/shm/sem.call", &status);
    printf("  mode %o, size %ld\n", status.st_mode & 07777, (long)status.st_size);
    sem_t* again = TRY_MADE("sem_open, there", sem_open("/call", O_CREAT, 0600, 3));
    tell_value(again);
    printf("  the same: %d\n", made == again);
    TRY("sem_open, exclusive", sem_open("/call", O_CREAT | O_EXCL, 0600, 1));
    tell_value(TRY_MADE("sem_open, without flags", sem_open("/call", 0)));
    tell_value(TRY_MADE("sem_open, without slash", sem_open("call", 0)));
    TRY("sem_open, too big", sem_open("/big", O_CREAT, 0600, (unsigned)INT_MAX + 1U));
    TRY_MADE("sem_open, there and too big", sem_open("/call", O_CREAT, 0600, (unsigned)INT_MAX + 1U));
    TRY("sem_open, no name", sem_open("/", O_CREAT, 0600, 1));
    TRY("sem_open, empty", sem_open("", O_CREAT, 0600, 1));
    TRY("sem_open, a path", sem_open("/a/b", O_CREAT, 0600, 1));
    char name[400];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = 0;
    TRY("sem_open, too long", sem_open(name, O_CREAT, 0600, 1));
    name[252] = 0;
    TRY_MADE("sem_open, longer", sem_open(name, O_CREAT, 0600, 1));
    name[251] = 0;
    TRY_MADE("sem_open, just short enough", sem_open(name, O_CREAT, 0600, 1));
    TRY("sem_unlink, long", sem_unlink(name));
    TRY("sem_close", sem_close(made));
    TRY("sem_unlink", sem_unlink("/call"));
    TRY("sem_unlink, absent", sem_unlink("/call"));
    TRY("sem_unlink, no name", sem_unlink("/"));
    TRY("sem_unlink, a path", sem_unlink("/a/b"));
    tell_value(TRY_MADE("sem_open, exclusive, absent", sem_open("/call", O_CREAT | O_EXCL, 0600, 0)));
    TRY("sem_unlink, without slash", sem_unlink("call"));
    return 0;
}
