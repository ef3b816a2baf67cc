// The shim is linked without the compiler's start files: what these run at a program's end would write to a page of
// ours, in each process, to call nothing. What pthread_atfork() knows a library by they would have defined.

extern "C" {
__attribute__((visibility("hidden"))) void* __dso_handle = &__dso_handle;
}
