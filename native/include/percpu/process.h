/* ---------------------------------------------------------------------------------------------------------------- *
 * The library in its process: loading, unloading, fork
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * Fork. The child has a copy of the parent's memory (the variables' areas are private memory, so it has its own ones),
 * but only the thread that called fork. What the other threads were doing is never finished there:
 *
 *   - A guard word may hold the id of a thread that the child does not have. We free it. What that thread was changing
 *     may be half done in the child, as with any data that a fork copies. The guards of the thread that called fork
 *     stay its own, under its new id. Java's ids are freed as well, since no Java code can run in the child.
 *   - Threads that were counted in never count themselves out. The counters start again (percpu_count_in).
 *   - In the state CLOSING the thread that moves the variables waited for guards. The old place is as it was, and the
 *     child opens it again.
 *   - In the state PLACING we could put nothing back: some threads may use the new place already. So no thread forks in
 *     that state:
 *
 *     thread F forks                               thread M moves the variables, in the state CLOSING
 *     1. counts itself in as forking
 *                                                  2. sets `moving`
 *     3. reads `moving`: if it is set, F counts    4. reads the counter: if F is in it, M clears
 *        itself out, waits, and goes to 1             `moving`, opens the old place again, and tries
 *                                                     again later
 *     5. forks, and counts itself out              6. stores the state PLACING, copies, publishes the
 *                                                     new place, and clears `moving`
 *
 *     If 1 is before 2, M sees F in 4. If 2 is before 1, F sees `moving` in 3. Both may happen, and then both start
 *     over. If F forks between 2 and 4, the state in the child is still CLOSING.
 *
 * The first place is made in the state PLACING too. Before 1, F makes it or waits until it is made. If there is no
 * memory for it, F forks without a place. Another thread may find memory just then, and leave the child in the state
 * PLACING. The child then goes back to UNPLACED: its only thread has never used the variables. F does all the other
 * steps without a place too, since another thread may have found memory, and the variables may already move again.
 */
PERCPU_ONCE_IN_THREAD(uint64_t percpu_fork_ticket, percpu_fork_ticket);

PERCPU_SLOW void percpu_before_fork(void)
{
	int saved_errno = errno;

	/* The id, by which the child recognizes its guards: another library may have acquired them. */
	percpu_me();
	for (int round = 0;; round++) {
		uint64_t ticket;

		percpu_try_settle();
		ticket = percpu_count_in(&percpu_library.forking);
		percpu_fork_ticket = ticket;
		if (!__atomic_load_n(&percpu_library.moving, __ATOMIC_SEQ_CST))
			break;
		percpu_count_out(&percpu_library.forking, ticket);
		percpu_pause(round);
	}
	errno = saved_errno;
}

PERCPU_SLOW void percpu_after_fork(void)
{
	percpu_count_out(&percpu_library.forking, percpu_fork_ticket);
}

/* The counter is another process's now, see percpu_count_in. */
PERCPU_HELPER void percpu_restart_counter(uint64_t *counter)
{
	*counter = (*counter & -PERCPU_ONE_FORK) + PERCPU_ONE_FORK;
}

PERCPU_SLOW void percpu_after_fork_in_child(void)
{
	uint64_t before = percpu_me();
	struct percpu_place place;
	uint64_t me;
	uint64_t mask;

	/* Until the words are converted, a handler would not find the guards that this thread owns. */
	PERCPU_BLOCK_SIGNALS(mask);
	percpu_thread = 0;
	percpu_note_start_time();
	me = percpu_me();
	percpu_restart_counter(&percpu_library.updating);
	percpu_restart_counter(&percpu_library.acquiring);
	percpu_restart_counter(&percpu_library.waiting);
	percpu_restart_counter(&percpu_library.forking);
	percpu_library.moving = 0;
	if (percpu_library.state == PERCPU_PLACING) {
		percpu_fill(percpu_guards, percpu_library.count, 0, 0);
		percpu_fill(percpu_distances, percpu_library.count, 0, 0);
		percpu_library.state = PERCPU_UNPLACED;
	}
	if (percpu_glance(&place)) {
		for (uint32_t cpu = 0; cpu < place.count; cpu++) {
			uint64_t *word = percpu_word(&place, cpu);

			if (percpu_is_same(*word, before)) {
				*word = me;
			} else if (*word != 0 && !percpu_is_same(*word, me)) { /* `me` if another library's handler was here first */
				word[1] = 0;
				*word = 0;
			}
		}
		if (percpu_library.state == PERCPU_CLOSING)
			percpu_open(&place, PERCPU_MOVABLE);
	}
	PERCPU_RESTORE_SIGNALS(mask);
}

/*
 * The objects and functions of the library are those of one of its files, and all of its files use them. So each file
 * compares what it expects with what there is.
 */
#define PERCPU_HEADER_OF_FILE ((uint64_t)PERCPU_VERSION << 33 | (uint64_t)PERCPU_CHECKSUM << 1 | PERCPU_RSEQ)
#define PERCPU_MIXED                                                                                                   \
	"its files include different versions of percpu.h, or only some are compiled with PERCPU_NO_RSEQ\n"
PERCPU_OF_LIBRARY uint64_t percpu_header = PERCPU_HEADER_OF_FILE;

/*
 * Runs when the library is loaded, and keeps it loaded for good, also after a dlclose: a thread's rseq_cs can point at
 * one of the library's descriptors long after the thread left the sequence, and the kernel ends a process in which it
 * cannot read that descriptor.
 */
static __attribute__((__constructor__, __unused__)) PERCPU_BASELINE void percpu_loaded(void)
{
	struct percpu_dl_info info = {NULL, NULL, NULL, NULL};

	__asm__ volatile("" : : "r"(percpu_anchor));
	if (percpu_library.file && percpu_header == PERCPU_HEADER_OF_FILE)
		return; /* each file that includes this header has a constructor of its own */
	if (!percpu_dladdr || percpu_dladdr(&percpu_library, &info) == 0 || !info.file)
		info.file = PERCPU_NO_FILE;
	if (percpu_header != PERCPU_HEADER_OF_FILE) {
		percpu_print("percpu: %.500s: " PERCPU_MIXED, info.file);
		abort();
	}
	percpu_library.start = __start_percpu_data;
	percpu_library.stop = __stop_percpu_data;
	percpu_library.file = info.file;
	percpu_library.share = percpu_share;
	percpu_note_start_time();
	pthread_atfork(percpu_before_fork, percpu_after_fork, percpu_after_fork_in_child);
#if defined(__PIC__) && !defined(__PIE__) && defined(RTLD_NODELETE) /* a program is never unloaded */
	if (percpu_dlopen && info.base)
		percpu_dlopen(info.file, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}
