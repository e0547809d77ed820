/* ---------------------------------------------------------------------------------------------------------------- *
 * The guard's protocol
 *
 * Each CPU has a guard word: 0 if the guard is free, otherwise its owner. A Java thread is its positive id. A thread of
 * C code is a negative number, of which the lowest 22 bits, negated, are its kernel id, and the others its start time:
 * the kernel gives the id of a thread that has ended to another one some day. The word after it counts the nested
 * guards of an owner in C. Only the owner touches the count, and it is 0 when the guard is free. The outermost
 * guard is not counted. So a signal handler that interrupts the owner just after the commit, or just before the
 * release, nests and un-nests, and leaves everything as it was.
 *
 * This file is longer than others: a signal handler, a fork or the end of an owner may come between any two steps, and
 * what then holds is told beside the steps.
 * ---------------------------------------------------------------------------------------------------------------- */

PERCPU_SLOW int percpu_acquire_slowly(struct cpu_guard *guard, int cpu, int waits);

/*
 * ThreadSanitizer does not see what a sequence loads. Where it is on, these loads of the same tell it that the thread
 * has seen what the guard's last owner did, and what the thread did that moved the variables. Otherwise it would report
 * accesses to guarded data as races.
 */
#if defined(__SANITIZE_THREAD__)
#define PERCPU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PERCPU_TSAN 1
#endif
#endif
#ifdef PERCPU_TSAN
#define PERCPU_SHOW_ACQUIRE(cpu, word)                                                                                 \
	((void)__atomic_load_n(&percpu_guards[cpu], __ATOMIC_ACQUIRE), (void)__atomic_load_n(word, __ATOMIC_ACQUIRE))
#else
#define PERCPU_SHOW_ACQUIRE(cpu, word) ((void)0)
#endif

/*
 * One sequence, which stores this thread as the owner if the current CPU's word is 0. Returns 0 if it could not, or if
 * this thread has never needed a guard.
 */
PERCPU_HELPER int percpu_acquire(struct cpu_guard *guard)
{
#if PERCPU_RSEQ
	int64_t owner;
	uint64_t cpu;
	uint64_t *word;
	uint32_t done;

	PERCPU_LOAD_THREAD(owner);
	if (__builtin_expect(owner != 0, 1)) {
		__asm__ volatile(PERCPU_NOTE_UNDONE PERCPU_BEGIN(PERCPU_UNDONE, PERCPU_KEEP_CPU) PERCPU_DO_ACQUIRE
					 PERCPU_END PERCPU_NOTE_DONE
				 : [cpu] "=&r"(cpu), [word] "=&r"(word), [done] "=&r"(done)
				 : PERCPU_INPUTS(percpu_guards), [owner] "r"(owner)
				 : PERCPU_CLOBBERS);
		if (__builtin_expect(done, 1)) {
			PERCPU_SHOW_ACQUIRE(cpu, word);
			guard->word = word;
			guard->cpu = (unsigned)cpu;
			return 1;
		}
	}
#endif
	guard->word = NULL;
	return 0;
}

PERCPU_INLINE struct cpu_guard cpu_guard_acquire(void)
{
	struct cpu_guard guard;

	if (__builtin_expect(!percpu_acquire(&guard), 0))
		percpu_acquire_slowly(&guard, -1, 1);
	return guard;
}

PERCPU_INLINE int cpu_guard_try_acquire(struct cpu_guard *guard)
{
	return percpu_acquire(guard) || percpu_acquire_slowly(guard, -1, 0);
}

PERCPU_INLINE struct cpu_guard cpu_guard_acquire_on(unsigned cpu)
{
	struct cpu_guard guard;

	/* Among these are the ids that are negative as an int, which would mean the current CPU. */
	if (cpu >= PERCPU_MOST_CPUS)
		percpu_no_such_cpu(cpu, percpu_count());
	percpu_acquire_slowly(&guard, (int)cpu, 1);
	return guard;
}

#ifdef PERCPU_CHECK
PERCPU_SLOW void percpu_check_held(const uint64_t *word);
#else
#define percpu_check_held(word) ((void)0)
#endif

PERCPU_INLINE void cpu_guard_release(struct cpu_guard guard)
{
	percpu_check_held(guard.word);
	if (guard.word[1] == 0)
		__atomic_store_n(guard.word, 0, __ATOMIC_RELEASE);
	else
		guard.word[1]--;
}

PERCPU_INLINE void *percpu_get(void *image)
{
	struct cpu_guard guard = cpu_guard_acquire();

	/* Variables don't move while a guard is held. */
	return (void *)((uint64_t)(uintptr_t)image + percpu_library.delta + guard.cpu * percpu_library.stride);
}

PERCPU_INLINE void percpu_put(uint64_t instance)
{
	uint64_t place = (instance - percpu_library.area) & -percpu_library.stride;
	struct cpu_guard guard = {(uint64_t *)(uintptr_t)(percpu_library.area + place), 0};

	/* The kernel's form passes the variable. Without this look it would change memory of something else. */
	if (__builtin_expect(place >= percpu_library.count * percpu_library.stride, 0))
		percpu_fatal("put_cpu_ptr or put_cpu_var of what is no CPU's instance: pass what get_cpu_ptr returned");
	cpu_guard_release(guard);
}

PERCPU_HELPER uint64_t *percpu_word(const struct percpu_place *place, unsigned cpu)
{
	return (uint64_t *)(uintptr_t)(place->area + cpu * place->stride);
}

#define PERCPU_ID_BITS 22 /* the kernel's limit */
#define PERCPU_ID_OF(owner) (-(int64_t)(owner) & ((1 << PERCPU_ID_BITS) - 1))
#define PERCPU_START_TIME_OF(owner) (-(int64_t)(owner) >> PERCPU_ID_BITS)

PERCPU_SLOW void percpu_read_file(const char *path, char *text, long size);

/*
 * The start time of a thread of this process, in hundredths of a second since the system started; 0 if /proc does not
 * tell it. It is the 22nd field of a text in which the second, in parentheses, can contain anything. The third field,
 * one letter, tells the thread's state; `state` can be NULL.
 */
PERCPU_SLOW int64_t percpu_start_time(int64_t id, char *state)
{
	char path[64] = "/proc/self/task/";
	char text[1024];
	char digits[20];
	char *at = path + __builtin_strlen(path);
	int length = 0;

	do
		digits[length++] = (char)('0' + id % 10);
	while ((id /= 10) != 0);
	while (length > 0)
		*at++ = digits[--length];
	__builtin_memcpy(at, "/stat", sizeof("/stat"));
	percpu_read_file(path, text, sizeof(text));
	at = __builtin_strrchr(text, ')');
	if (state)
		*state = at && at[1] == ' ' ? at[2] : 0;
	for (int field = 2; at && field < 22; field++)
		at = __builtin_strchr(at + 1, ' ');
	return at ? (int64_t)strtoll(at, NULL, 10) : 0;
}

/*
 * The process's start time, as it was when the library was loaded; 0 if start times are not to be compared. They are
 * not if /proc is that of another PID namespace: its ids are other threads'.
 */
PERCPU_ONCE(int64_t percpu_process_start_time, percpu_process_start_time, 8);

PERCPU_SLOW void percpu_note_start_time(void)
{
	int64_t id = percpu_syscall(SYS_getpid);
	char self[24] = {0};

	percpu_syscall(SYS_readlinkat, -100 /* AT_FDCWD */, "/proc/self", self, sizeof(self) - 1);
	percpu_process_start_time = strtoll(self, NULL, 10) == id ? percpu_start_time(id, NULL) : 0;
}

/*
 * What this thread stores in a guard word. A signal handler that forks must not come in the middle:
 *
 *     this thread                                  its signal handler
 *     1. asks for its id
 *                                                  2. forks; in the child it stores the child's id
 *     3. in the child: stores the parent's id
 */
PERCPU_SLOW uint64_t percpu_me(void)
{
	if (percpu_thread == 0) {
		uint64_t mask;
		int64_t id;

		PERCPU_BLOCK_SIGNALS(mask);
		id = percpu_syscall(SYS_gettid);
		percpu_thread = -((percpu_process_start_time ? percpu_start_time(id, NULL) : 0) << PERCPU_ID_BITS | id);
		PERCPU_RESTORE_SIGNALS(mask);
	}
	return (uint64_t)percpu_thread;
}

/*
 * Whether two owners are the same thread. One library of the process may have found /proc readable and another not, for
 * example because the process had too many files open. Then the ids have to do.
 */
PERCPU_SLOW int percpu_is_same(uint64_t owner, uint64_t other)
{
	return owner == other ||
	       ((int64_t)owner < 0 && (int64_t)other < 0 && PERCPU_ID_OF(owner) == PERCPU_ID_OF(other) &&
		(PERCPU_START_TIME_OF(owner) == 0 || PERCPU_START_TIME_OF(other) == 0));
}

#ifdef PERCPU_CHECK
/* Ends the program unless this is the word of a guard that this thread owns. */
PERCPU_SLOW void percpu_check_held(const uint64_t *word)
{
	struct percpu_place place;

	percpu_look(&place);
	for (unsigned cpu = 0; cpu < place.count; cpu++)
		if (percpu_word(&place, cpu) == word &&
		    percpu_is_same(__atomic_load_n(word, __ATOMIC_RELAXED), percpu_me()))
			return;
	percpu_fatal("release of a guard that this thread does not hold");
}
#endif

/* A CPU whose guard this thread owns; -1 if there is none. */
PERCPU_SLOW int percpu_owned(const struct percpu_place *place)
{
	for (unsigned cpu = 0; cpu < place->count; cpu++)
		if (percpu_is_same(__atomic_load_n(percpu_word(place, cpu), __ATOMIC_ACQUIRE), percpu_me()))
			return (int)cpu;
	return -1;
}

#define PERCPU_COMPARE_EVERY 10000000 /* nanoseconds: to read a file costs more than the system call before it */

/*
 * Whether an owner has ended although the kernel still finds a thread with its id. The process's first thread keeps its
 * id, as a zombie, until all others have ended too. The id of any other thread can be given to a new one:
 *
 *     thread A                                     thread B
 *     1. acquires the guard, and ends
 *                                                  2. begins, and gets A's id
 *                                                  3. would find itself the owner, nest, and so never be
 *                                                     alone with the data: or others would wait for B
 *
 * A checkpoint and restore gives all threads new start times with their old ids, and an owner that lives would seem to
 * be another thread. But then the process has a new start time as well, and we compare nothing.
 */
PERCPU_SLOW int percpu_has_left_its_id(uint64_t *word, int64_t owner)
{
	int64_t now = percpu_now();
	int64_t start_time;
	char state;
	int ended;

	if (PERCPU_START_TIME_OF(owner) == 0 ||
	    now - (int64_t)__atomic_load_n(&word[2], __ATOMIC_RELAXED) < PERCPU_COMPARE_EVERY)
		return 0;
	__atomic_store_n(&word[2], (uint64_t)now, __ATOMIC_RELAXED);
	start_time = percpu_start_time(PERCPU_ID_OF(owner), &state);
	ended = start_time == PERCPU_START_TIME_OF(owner) ? state == 'Z' : start_time != 0;
	return ended && percpu_process_start_time != 0 &&
	       percpu_start_time(percpu_syscall(SYS_getpid), NULL) == percpu_process_start_time;
}

/*
 * Whether an owner has ended. Only Java can tell whether one of its own threads has, as long as there is a copy of
 * dev.percpu that has this area. When that copy is gone, none of its guards is open any more: what it has left in the
 * words, nobody will release.
 */
PERCPU_SLOW int percpu_is_dead(uint64_t *word, int64_t owner)
{
	if (owner >= 0)
		return owner > 0 && __atomic_load_n(&percpu_library.lender, __ATOMIC_ACQUIRE) == 0;
	if (percpu_syscall(SYS_tgkill, percpu_syscall(SYS_getpid), PERCPU_ID_OF(owner), 0) != 0)
		return errno == ESRCH;
	return percpu_has_left_its_id(word, owner);
}

/* Prints a line about a guard and its owner. */
PERCPU_SLOW void percpu_report(unsigned cpu, const char *what, int64_t owner, const char *consequence)
{
	percpu_print("percpu: %.500s: the guard of CPU %u %s %s%lld%s\n", percpu_file(), cpu, what,
		     owner < 0 ? "thread " : "Java thread #",
		     (long long)(owner < 0 ? PERCPU_ID_OF(owner) : owner), consequence);
}

/*
 * Takes a guard over from an owner that has ended. The nested guards of that owner end too: the count is cleared while
 * this thread owns the word. No sequence in flight has read a 0 that it relies on: the dead owner's own acquisition
 * restarted all of them.
 */
PERCPU_SLOW int percpu_take_over(uint64_t *word, unsigned cpu, uint64_t owner)
{
	if (!percpu_is_dead(word, (int64_t)owner) ||
	    !__atomic_compare_exchange_n(word, &owner, percpu_me(), 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return 0;
	word[1] = 0;
	percpu_report(cpu, "was never released by", (int64_t)owner,
		      ", which has ended; it is taken over, and what the thread was changing may be half done");
	return 1;
}

/*
 * Acquires the guard of another CPU, or a guard without a CPU id.
 *
 *     thread L on the CPU                          this thread R
 *     1. acquires: the word is 0
 *                                                  2. compare-and-set: the word becomes R
 *     3. commits: the word becomes L
 *                                                  4. membarrier: L's sequence has ended, or restarts
 *                                                  5. the word is not R, so R does not own it
 *
 * Returns -1 if the kernel refuses 4 and the caller does not wait.
 *
 * Between 2 and 5 a signal handler of R would find R as the owner, and nest in a guard that may become L's. So signals
 * are blocked. Where there are no sequences, step 2 decides.
 *
 * If the kernel refuses 4, a compare-and-set makes R a 0 again. If L commits before that, L owns the word and the
 * compare-and-set fails; if L commits after it, then as if R had never come.
 */
PERCPU_SLOW int percpu_acquire_remotely(uint64_t *word, unsigned cpu, int waits)
{
	uint64_t me = percpu_me();
	uint64_t found = 0;
	uint64_t mask;
	int acquired = 0;
	int refused = 0;

	if (percpu_library.mode == PERCPU_ATOMICS)
		return __atomic_compare_exchange_n(word, &found, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	PERCPU_BLOCK_SIGNALS(mask);
	while (!acquired && !refused &&
	       __atomic_compare_exchange_n(word, &found, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		PERCPU_TEST_NO_HANDLER();
		refused = !percpu_restart_sequences((int)cpu);
		found = refused ? me : 0;
		if (refused)
			__atomic_compare_exchange_n(word, &found, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		else
			acquired = __atomic_load_n(word, __ATOMIC_SEQ_CST) == me;
	}
	PERCPU_RESTORE_SIGNALS(mask);
	if (refused && waits)
		percpu_fatal("the kernel refuses membarrier, without which another CPU's guard cannot be taken");
	return refused ? -1 : acquired;
}

/* One attempt, while the words do not move. If it fails, *owner is who owns the guard of guard->cpu. */
PERCPU_SLOW int percpu_attempt(struct cpu_guard *guard, int wanted, int waits, const struct percpu_place *place,
			       int64_t *owner)
{
	unsigned cpu = wanted >= 0 ? (unsigned)wanted : percpu_current();
	uint64_t *word = percpu_word(place, cpu);
	int owned;

	if (wanted < 0 && percpu_library.mode == PERCPU_SEQUENCES && percpu_has_cpu()) {
		percpu_me();
		if (percpu_acquire(guard))
			return 1;
	} else if (percpu_acquire_remotely(word, cpu, waits) > 0) {
		goto acquired;
	}
	*owner = (int64_t)__atomic_load_n(word, __ATOMIC_ACQUIRE);
	if (percpu_is_same((uint64_t)*owner, percpu_me())) {
		word[1]++;
		goto acquired;
	}
	/*
	 * A thread that was moved while it held a guard nests in that guard. It never waits, so there is no deadlock.
	 */
	if (wanted < 0 && (owned = percpu_owned(place)) >= 0) {
		cpu = (unsigned)owned;
		word = percpu_word(place, cpu);
		word[1]++;
		goto acquired;
	}
	guard->cpu = cpu;
	if (!percpu_take_over(word, cpu, (uint64_t)*owner))
		return 0;
acquired:
	guard->word = word;
	guard->cpu = cpu;
	return 1;
}

#define PERCPU_LONG_WAIT 2000000000 /* nanoseconds */
#define PERCPU_MUST_NOT_BLOCK "; a thread must not block while it holds a guard"

/*
 * Which owner of a CPU's guard a waiting thread has seen, since when, and when last. A thread that waits for the
 * current CPU's guard sees another owner whenever it is moved. So it remembers some CPUs: otherwise a thread that is
 * moved often would begin anew each time, and never report anything. CPUs with the same remainder share a place. The
 * number is a prime, so that the two CPUs of one core do not: their ids differ by the number of cores.
 */
#define PERCPU_REMEMBERED 17
struct percpu_seen {
	int64_t owner;
	int64_t since;
	int64_t last;
	unsigned cpu;
	int reported;
};

/* Reports an owner that this thread has seen for long. If it has not looked for long, others may have come and gone. */
PERCPU_SLOW void percpu_note_owner(struct percpu_seen *seen, unsigned cpu, int64_t owner)
{
	int64_t now = percpu_now();

	if (seen->cpu != cpu || seen->owner != owner || now - seen->last > PERCPU_LONG_WAIT) {
		seen->cpu = cpu;
		seen->owner = owner;
		seen->since = now;
		seen->reported = 0;
	} else if (owner != 0 && !seen->reported && now - seen->since > PERCPU_LONG_WAIT) {
		seen->reported = 1;
		percpu_report(cpu, "has been held for over 2 s by", owner, PERCPU_MUST_NOT_BLOCK);
	}
	seen->last = now;
}

/* Takes the guard of a given CPU, or of the current one if `cpu` is negative, when percpu_acquire could not. */
PERCPU_SLOW int percpu_acquire_slowly(struct cpu_guard *guard, int cpu, int waits)
{
	int saved_errno = errno;
	int acquired = 0;
	struct percpu_seen seen[PERCPU_REMEMBERED];

	__builtin_memset(seen, 0, sizeof(seen));
	for (int round = 0;; round++) {
		struct percpu_place place;
		int64_t owner = 0;
		uint64_t admission;

		if (waits)
			percpu_look(&place);
		else if (!percpu_glance(&place) && !(percpu_try_place() && percpu_glance(&place)))
			break;
		if (cpu >= (int)place.count)
			percpu_no_such_cpu((unsigned)cpu, place.count);
		/*
		 * Whoever moves the variables waits for the guards that this thread owns, and so for those that nest
		 * in them.
		 */
		admission = percpu_enter(&percpu_library.acquiring, PERCPU_MOVABLE);
		if (admission == PERCPU_REFUSED && percpu_owned(&place) < 0) {
			if (!waits)
				break;
			admission = percpu_join(&percpu_library.acquiring, PERCPU_MOVABLE);
		}
		percpu_look(&place);
		acquired = percpu_attempt(guard, cpu, waits, &place, &owner);
		percpu_leave(&percpu_library.acquiring, admission);
		if (acquired || !waits)
			break;
		percpu_pause(round);
		percpu_note_owner(&seen[guard->cpu % PERCPU_REMEMBERED], guard->cpu, owner);
	}
	errno = saved_errno;
	return acquired;
}
