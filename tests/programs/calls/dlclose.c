// calls: dlclose
#include <dlfcn.h>

#include "call.h"

int main(void) {
    for (int round = 0; round < 3; round++) {
        void* library = dlopen("libutil.so.1", RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
        printf("dlopen %d\n", library != NULL);
        TRY("dlclose", dlclose(library));
    }
    void* itself = dlopen(NULL, RTLD_NOW);
    TRY("dlclose of itself", dlclose(itself));
    printf("error %d\n", dlerror() != NULL);
    return 0;
}
