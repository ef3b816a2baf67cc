// Preloaded behind the shim: the calls that create IPC objects kill the process, before or after the
// object is made, as KILL_IN_CALL says. That is the instant between a call and its confirmation.
#include <dlfcn.h>
#include <mqueue.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <unistd.h>

static void kill_if(const char* when) {
    const char* wanted = getenv("KILL_IN_CALL");
    if (wanted != NULL && strcmp(wanted, when) == 0) kill(getpid(), SIGKILL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define AROUND(result, call)      \
    kill_if("before");            \
    const int result = (call);    \
    kill_if("after");             \
    return result

int shmget(key_t key, size_t size, int flags) { AROUND(id, REAL(shmget)(key, size, flags)); }
int semget(key_t key, int count, int flags) { AROUND(id, REAL(semget)(key, count, flags)); }
int msgget(key_t key, int flags) { AROUND(id, REAL(msgget)(key, flags)); }
mqd_t mq_open(const char* name, int flags, ...) {
    AROUND(queue, ((mqd_t(*)(const char*, int, ...))dlsym(RTLD_NEXT, "mq_open"))(name, flags, 0600, NULL));
}
