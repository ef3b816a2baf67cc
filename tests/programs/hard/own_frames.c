// Looks at the stacks of its threads: each begins in libc, goes on in the program, and leads nowhere else.
#include <dlfcn.h>
#include <execinfo.h>
#include <threads.h>

#include "hard.h"

static void tell(const char* who) {
    void* frames[32];
    const int count = backtrace(frames, 32);
    SAY("%s:", who);
    for (int i = 0; i < count; i++) {
        Dl_info info = {0};
        const char* name = dladdr((char*)frames[i] - 1, &info) != 0 ? strrchr(info.dli_fname, '/') : NULL;
        SAY(" %s", name != NULL ? name + 1 : "program");
    }
    SAY("\n");
}

static void* look(void* argument) {
    tell("thread");
    return argument;
}

static int look_c11(void* argument) {
    tell("thread of C11");
    return argument != NULL;
}

int main(void) {
    tell("main");
    pthread_t thread;
    const int created = pthread_create(&thread, NULL, look, NULL);
    const int joined = pthread_join(thread, NULL);  // it says what it has to say before we do
    SAY("%d, %d\n", created, joined);
    thrd_t other;
    const int created_c11 = thrd_create(&other, look_c11, NULL);
    const int joined_c11 = thrd_join(other, NULL);
    SAY("%d, %d\n", created_c11, joined_c11);
    return 8;
}
