/* What the benchmarks execute: linked statically, so that the loader's work is not measured. */
int main(void) { return 0; }
