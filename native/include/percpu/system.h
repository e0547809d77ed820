/* ---------------------------------------------------------------------------------------------------------------- *
 * What the rest asks of the system: time, signals, membarrier
 * ---------------------------------------------------------------------------------------------------------------- */

/* Declared under names of our own: what the C library's headers declare depends on macros of the including file. */
extern long percpu_syscall(long number, ...) __asm__("syscall");
extern int percpu_getcpu(void) __asm__("sched_getcpu");
struct percpu_dl_info {
	const char *file;
	void *base;
	const char *symbol;
	void *address;
};
extern int percpu_dladdr(const void *address, struct percpu_dl_info *info) __asm__("dladdr")
	__attribute__((__weak__));
extern void *percpu_dlopen(const char *file, int flags) __asm__("dlopen") __attribute__((__weak__));

/*
 * Prints a line on stderr, by a system call. Another thread that waits for a guard may hold the lock of the stream, and
 * the stream's functions end a thread that is to be cancelled, here in the middle of its work.
 */
PERCPU_SLOW __attribute__((__format__(__printf__, 1, 2))) void percpu_print(const char *format, ...)
{
	char line[1024];
	va_list values;
	int length;

	va_start(values, format);
	length = __builtin_vsnprintf(line, sizeof(line), format, values);
	va_end(values);
	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	if (length > 0)
		percpu_syscall(SYS_write, 2, line, (long)length);
}

/* The name in messages before percpu_loaded() has run, as in an earlier constructor, and where dladdr() tells none. */
#define PERCPU_NO_FILE "this program"
PERCPU_HELPER const char *percpu_file(void)
{
	return percpu_library.file ? percpu_library.file : PERCPU_NO_FILE;
}

PERCPU_SLOW void percpu_fatal(const char *what)
{
	percpu_print("percpu: %.500s: %s\n", percpu_file(), what);
	abort();
}

PERCPU_SLOW __attribute__((__noreturn__)) void percpu_no_such_cpu(unsigned cpu, unsigned count)
{
	percpu_print("percpu: %.500s: there is no CPU %d here, where ids are less than %u: see for_each_possible_cpu\n",
		     percpu_file(), (int)cpu, count);
	abort();
}

/* The kernel's struct timespec, which the C library's headers hide in strict C11. */
struct percpu_timespec {
	int64_t seconds;
	int64_t nanos;
};

PERCPU_SLOW int64_t percpu_now(void)
{
	struct percpu_timespec now;

	percpu_syscall(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
	return now.seconds * 1000000000 + now.nanos;
}

PERCPU_SLOW void percpu_nap(int64_t nanos)
{
	struct percpu_timespec nap = {0, nanos};

	percpu_syscall(SYS_nanosleep, &nap, NULL);
}

/*
 * A waiter's pause, longer from round to round: the other thread may be nearly done, may need this CPU, or may be slow.
 */
PERCPU_SLOW void percpu_pause(int round)
{
	if (round < 32)
		PERCPU_RELAX();
	else if (round < 96)
		percpu_syscall(SYS_sched_yield);
	else
		percpu_nap(round < 160 ? 20000 : 200000);
}

PERCPU_SLOW void percpu_signals(int how, uint64_t *mask)
{
	percpu_syscall(SYS_rt_sigprocmask, how, mask, mask, sizeof(*mask));
}
#define PERCPU_SIGNAL(number) (UINT64_C(1) << ((number) - 1))
#define PERCPU_FAULTS                                                                                                  \
	(PERCPU_SIGNAL(4 /* SIGILL */) | PERCPU_SIGNAL(5 /* SIGTRAP */) | PERCPU_SIGNAL(7 /* SIGBUS */) |              \
	 PERCPU_SIGNAL(8 /* SIGFPE */) | PERCPU_SIGNAL(11 /* SIGSEGV */) | PERCPU_SIGNAL(31 /* SIGSYS */))

/* Tests mark by this the places where no handler may run. */
#ifndef PERCPU_TEST_NO_HANDLER
#define PERCPU_TEST_NO_HANDLER()
#endif

/*
 * Blocks all signals, so that no handler waits for what this thread is about to finish. Only the signals of faults stay
 * as they are: the kernel ends a process in which a blocked one occurs. SIGSYS is one of them, since a seccomp filter
 * can send it at any system call, also at ours.
 */
#define PERCPU_BLOCK_SIGNALS(mask) (mask = ~PERCPU_FAULTS, percpu_signals(0 /* SIG_BLOCK */, &mask))
#define PERCPU_RESTORE_SIGNALS(mask) percpu_signals(2 /* SIG_SETMASK */, &mask)

#define PERCPU_MEMBARRIER_RSEQ (1 << 7)
#define PERCPU_MEMBARRIER_REGISTER_RSEQ (1 << 8)

PERCPU_SLOW int percpu_register_for_membarrier(void)
{
	return percpu_syscall(SYS_membarrier, PERCPU_MEMBARRIER_REGISTER_RSEQ, 0, 0) == 0;
}

/*
 * Restarts each sequence in flight, on one CPU or, for -1, on all of them. It is also a full memory barrier for every
 * thread. Returns 0 if the kernel refuses.
 *
 * The kernel refuses with EPERM if the process is not registered. A process that a checkpoint has saved comes back
 * without the registration that it had, so we register once more. A fork keeps the registration.
 */
PERCPU_SLOW int percpu_restart_sequences(int cpu)
{
	for (int renewed = 0;; renewed = 1) {
		if (percpu_syscall(SYS_membarrier, PERCPU_MEMBARRIER_RSEQ, cpu >= 0, cpu >= 0 ? cpu : 0) == 0)
			return 1;
		if (renewed || errno != EPERM || !percpu_register_for_membarrier())
			return 0;
	}
}
