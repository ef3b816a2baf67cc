// Loads a library that makes things and unloads it again, two hundred times, from threads too.
// leaves: semaphore /hard-loaded, semaphore /hard-loaded-thread
// links: -ldl
// library: created_by_library.c
#define _GNU_SOURCE
#include <dlfcn.h>

#include "hard.h"

static char library[4200];

static int use(const char* name) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        SAY("%s\n", dlerror());
        return -1;
    }
    int (*makes)(const char*) = (int (*)(const char*))dlsym(handle, "library_makes");
    const int made = makes(name);
    return dlclose(handle) != 0 ? -2 : made;
}

static void* uses(void* argument) {
    long sum = 0;
    for (int i = 0; i < 50; i++) sum += use(i == 20 ? argument : NULL);
    return (void*)sum;
}

int main(int count, char** words) {
    (void)count;
    snprintf(library, sizeof library, "%s.library.so", words[0]);
    SAY("%d %d\n", use(NULL), use("/hard-loaded"));
    SAY("gone: %d\n", dlopen(library, RTLD_NOW | RTLD_NOLOAD) == NULL);
    SAY("%ld\n", (long)uses(NULL));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, uses, i == 1 ? (void*)"/hard-loaded-thread" : NULL);
    for (int i = 0; i < 3; i++) {
        void* sum;
        pthread_join(threads[i], &sum);
        SAY("%ld\n", (long)sum);
    }
    // A namespace of its own, with a C library of its own.
    void* apart = dlmopen(LM_ID_NEWLM, library, RTLD_NOW);
    SAY("apart: %d\n", apart != NULL);
    if (apart != NULL) {
        int (*makes)(const char*) = (int (*)(const char*))dlsym(apart, "library_makes");
        SAY("%d\n", makes(NULL));
        SAY("%d\n", dlclose(apart));
    }
    SAY("%s\n", dlopen("/no/such/library.so", RTLD_NOW) == NULL ? dlerror() : "loaded");
    return 28;
}
