/* ---------------------------------------------------------------------------------------------------------------- *
 * The library in its process: loading, unloading, fork
 * ---------------------------------------------------------------------------------------------------------------- */

/* The child's only thread has another id than the thread that called fork. */
PERCPU_SLOW void percpu_forked(void)
{
	percpu_thread = 0;
}

/*
 * Runs when the library is loaded, and keeps it loaded for good, also after a dlclose: a thread's rseq_cs can point at
 * one of the library's descriptors long after the thread left the sequence, and the kernel ends a process in which it
 * cannot read that descriptor.
 */
static __attribute__((constructor, unused)) void percpu_loaded(void)
{
	struct percpu_dl_info info = {NULL, NULL, NULL, NULL};

	if (percpu_library.file[0] != 0)
		return; /* each file that includes this header has a constructor of its own */
	/* With a place before each fork, no child is left with one that was half made. */
	pthread_atfork(percpu_settle, NULL, percpu_forked);
	percpu_library.file = "this program";
	if (!percpu_dladdr || percpu_dladdr(&percpu_library, &info) == 0 || !info.file)
		return;
	percpu_library.file = info.file;
#if defined(__PIC__) && !defined(__PIE__) && defined(RTLD_NODELETE) /* a program is never unloaded */
	if (percpu_dlopen)
		percpu_dlopen(info.file, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}
