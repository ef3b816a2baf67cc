/* A program that Python is a library of.
 *
 *     embedder PROBE            linked to libpython (built with -DLINKED)
 *     embedder PROBE LIBPYTHON  loads it itself, invisible to everybody else
 *
 * Everything of Python is looked up by name, so that this file needs no headers of any version. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LINKED
/* Where a program refers to a library's variables, the linker moves them into the program: types
 * included, if it is not position-independent. */
extern char PyFrame_Type[], PyCode_Type[], _Py_NoneStruct[];
const char* volatile moved;
#endif

static void* python;
static int failures;

static void* of_python(const char* name) {
    void* found = dlsym(python, name);
    if (found == NULL) {
        fprintf(stderr, "libpython lacks %s\n", name);
        exit(2);
    }
    return found;
}
#define PY(result, name, ...) ((result(*)(__VA_ARGS__))of_python(#name))

static int (*detect)(const char*);
static int (*probe)(char*, size_t);
static char buffer[1 << 16];

static void expect(const char* what, long got, long want) {
    if (got == want) return;
    ++failures;
    printf("FAILED %s: got %ld, want %ld\n", what, got, want);
}

static long captured(void) { return probe(buffer, sizeof buffer); }

/* What the scripts call. */

struct Method {
    const char* name;
    void* function;
    int flags;
    const char* doc;
};

static void* text(void) {
    captured();
    return PY(void*, Py_BuildValue, const char*, ...)("s", buffer);
}

static void* text_held(void* self, void* none) {
    (void)self;
    (void)none;
    return text();
}

static void* text_free(void* self, void* none) {
    (void)self;
    (void)none;
    void* state = PY(void*, PyEval_SaveThread, void)();
    captured();
    PY(void, PyEval_RestoreThread, void*)(state);
    return PY(void*, Py_BuildValue, const char*, ...)("s", buffer);
}

static void run(const char* what, const char* script);
static void* in_subinterpreter(void* self, void* none);

static struct Method methods[] = {{"probe_held", text_held, 4, NULL},
                                  {"probe_free", text_free, 4, NULL},
                                  {"in_subinterpreter", in_subinterpreter, 4, NULL}};

static const char script[] =
    "import sys\n"
    "def chain(f):\n"
    "  text = ''\n"
    "  while f is not None:\n"
    "    text += '%s\\x1f%s\\x1f%d\\x1e' % (f.f_code.co_name, f.f_code.co_filename, f.f_lineno)\n"
    "    f = f.f_back\n"
    "  return text\n"
    "def compare(probe):\n"
    "  got, want = probe(), chain(sys._getframe())\n"
    "  if got != want: raise RuntimeError('got %r, want %r' % (got, want))\n"
    "def generate():\n"
    "  yield compare(probe_held)\n"
    "  yield compare(probe_free)\n"
    "list(generate())\n";

static const char nested[] =
    "def around():\n"
    "  in_subinterpreter()\n"
    "  compare(probe_held)\n"
    "  compare(probe_free)\n"
    "around()\n";

static void run(const char* what, const char* source) {
    void* module = PY(void*, PyImport_AddModule, const char*)("__main__");
    void* names = PY(void*, PyModule_GetDict, void*)(module);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; ++i) {
        void* function =
            PY(void*, PyCFunction_NewEx, struct Method*, void*, void*)(&methods[i], NULL, NULL);
        PY(int, PyDict_SetItemString, void*, const char*, void*)(names, methods[i].name, function);
    }
    expect(what, PY(int, PyRun_SimpleString, const char*)(source), 0);
}

static void* in_subinterpreter(void* self, void* none) {
    (void)self;
    (void)none;
    void* outer = PY(void*, PyThreadState_Get, void)();
    void* inner = PY(void*, Py_NewInterpreter, void)();
    expect("new subinterpreter has no frames", captured(), 0);
    run("subinterpreter", script);
    PY(void, Py_EndInterpreter, void*)(inner);
    PY(void*, PyThreadState_Swap, void*)(outer);
    return PY(void*, Py_BuildValue, const char*, ...)("");
}

static void* foreign(void* unused) {
    (void)unused;
    expect("thread without Python", captured(), 0);
    return NULL;
}

static void* visitor(void* unused) {
    (void)unused;
    expect("thread before it calls Python", captured(), 0);
    int state = PY(int, PyGILState_Ensure, void)();
    run("thread that calls Python", script);
    PY(void, PyGILState_Release, int)(state);
    expect("thread after it called Python", captured(), 0);
    return NULL;
}

static void in_thread(void* (*function)(void*)) {
    pthread_t thread;
    pthread_create(&thread, NULL, function, NULL);
    pthread_join(thread, NULL);
}

static void session(void) {
    expect("before Python is initialised", captured(), 0);
    PY(void, Py_Initialize, void)();
    expect("without a Python function", captured(), 0);
    void (*init_threads)(void) = (void (*)(void))dlsym(python, "PyEval_InitThreads");
    if (init_threads != NULL) init_threads(); /* needed up to 3.6 */
    run("main thread", script);
    in_thread(foreign);

    void* state = PY(void*, PyEval_SaveThread, void)();
    expect("without a Python function and the GIL", captured(), 0);
    in_thread(foreign);
    in_thread(visitor);
    PY(void, PyEval_RestoreThread, void*)(state);

    run("main thread in a subinterpreter", nested);
    run("main thread after it", script);
    PY(void, Py_Finalize, void)();
    expect("after Python is finalised", captured(), 0);
    in_thread(foreign);
}

int main(int argc, char** argv) {
    void* library = argc < 2 ? NULL : dlopen(argv[1], RTLD_NOW);
    if (library == NULL) return 2;
    detect = (int (*)(const char*))dlsym(library, "probe_detect");
    probe = (int (*)(char*, size_t))dlsym(library, "probe");
    if (detect == NULL || probe == NULL) return 2;
#ifdef LINKED
    moved = PyFrame_Type;
    moved = PyCode_Type;
    moved = _Py_NoneStruct;
#endif

    if (argc > 2) {
        expect("detected without Python", detect(NULL), 0);
        expect("captured without Python", captured(), 0);
        python = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        if (python == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
        expect("detected in another module", detect("/nowhere/libpython.so"), 0);
        expect("detected by its path", detect(argv[2]), 1);
    } else {
        python = dlopen(NULL, RTLD_NOW);
        expect("detected", detect(NULL), 1);
    }
    expect("detected again", detect(NULL), 1);
    int (*version)(void) = (int (*)(void))dlsym(library, "probe_version");
    expect("its structures are known", version() > 0, 1);

    session();
    session();

    dlclose(python);
    expect("after Python is closed", captured(), 0);
    return failures != 0;
}
