// The library that loads_libraries loads: it makes things when it is loaded, when called and when it goes.
#include "hard.h"

int library_makes(const char* name);

__attribute__((constructor)) static void loaded(void) { make_some(); }
__attribute__((destructor)) static void unloaded(void) { make_some(); }

int library_makes(const char* name) {
    const int made = make_some() * 10 + make_thread();
    return name != NULL ? made + leave(name) : made;
}
