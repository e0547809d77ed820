/* ---------------------------------------------------------------------------------------------------------------- *
 * Java's call: share() puts the variables into Java's area, at the same position in each CPU's place
 *
 * They stay there for good if that copy of dev.percpu does. A copy that may be unloaded lends its area. Once it is
 * gone, the JVM has kept the pages that hold the variables and the guard words, and everything goes on in them, until
 * another copy calls share().
 *
 * If C code has used the variables before, they move. Guards come first: an owner must be able to go on until it
 * releases its guard.
 *
 *     1. state CLOSING, all guards' entries 0, restart of sequences: from now on nobody acquires a guard, except
 *        nested ones
 *     2. acquire each guard
 *     3. state PLACING, all distances 0, restart of sequences: nobody updates any more, and all updates are visible
 *     4. copy, publish the new place, and release the guards of the old one
 *
 *     thread A                                     this thread
 *     a. reads the distance, and the value 7
 *                                                  b. 3: stores 0 as the distance
 *                                                  c. 3: restarts. A starts again, reads 0, and waits
 *                                                  d. copies 7
 *
 * If A commits before c, then d copies 8.
 *
 * To see each guard word 0 once, in 2, is not enough where a copy of dev.percpu that is gone had lent its area to other
 * libraries too, since these go on using the same words:
 *
 *     thread A                                     this thread
 *                                                  a. 2: the word is 0
 *     b. acquires the guard, by another library's
 *        function
 *     c. calls this library: it owns the guard,
 *        so it nests in it, and updates a pair
 *                                                  d. 4: copies the pair, half of it new
 *
 * Two threads that each move a library acquire the guards in the same order, so neither waits for the other for ever.
 *
 * In 1 and 3 this thread also waits for the threads in the slow functions. One of those may wait itself, in a
 * signal handler:
 *
 *     thread A                                     this thread
 *     a. is counted as updating
 *                                                  b. stores the state PLACING, and waits for A
 *     c. its signal handler updates a variable,
 *        and waits for a place
 *
 * So after a while this thread puts everything back, lets the threads that waited for it go on, and tries again. It
 * blocks its own signals meanwhile: a handler would wait for the thread that it interrupted. After PERCPU_ATTEMPTS it
 * gives up: if a handler left A's function by siglongjmp(), A stays counted for good.
 *
 * It also starts over when another thread is in the middle of a fork (process.h), or if the kernel refuses to restart
 * sequences. Until the new place is published all of this can be put back: nothing of the old place was changed.
 * ---------------------------------------------------------------------------------------------------------------- */

/* With the waits of each attempt this takes about half a minute. */
#ifndef PERCPU_ATTEMPTS
#define PERCPU_ATTEMPTS 200
#endif

/* Waits until nobody is counted any more. Returns 0 if that takes too long. */
PERCPU_SLOW int percpu_drained(const uint64_t *counter)
{
	int64_t since = percpu_now();

	for (int round = 0; percpu_counted(counter) != 0; round++) {
		if (percpu_now() - since > 50000000)
			return 0;
		percpu_pause(round);
	}
	return 1;
}

/* Releases the guards of the old place: those of them that this thread has taken. */
PERCPU_SLOW void percpu_release_guards(const struct percpu_place *old)
{
	for (unsigned cpu = 0; cpu < old->count; cpu++)
		if (__atomic_load_n(percpu_word(old, cpu), __ATOMIC_RELAXED) == percpu_me())
			__atomic_store_n(percpu_word(old, cpu), 0, __ATOMIC_RELEASE);
}

/* For tests: what other threads do between two steps of a move. */
#ifndef PERCPU_TEST_MOVE
#define PERCPU_TEST_MOVE(step)
#endif

/*
 * Gives a move up, and waits a while until all threads that waited for its end have gone on. Among those, one may wait
 * until it can fork. So this thread clears `moving` before it waits, and also before it stores the state MOVABLE: from
 * then on another thread can move the variables, and `moving` is that thread's.
 *
 *     this thread                                  thread M                          thread F
 *     1. stores the state MOVABLE
 *                                                  2. state CLOSING, `moving` 1,
 *                                                     nobody forks
 *     3. clears M's `moving`
 *                                                                                    4. `moving` is 0
 *                                                  5. stores the state PLACING
 *                                                                                    6. forks in that state
 *
 * The state PLACING ends before `moving` does, since no thread may fork in it. CLOSING comes between: a child that
 * finds it opens the old place.
 */
PERCPU_SLOW void percpu_reopen(const struct percpu_place *old)
{
	__atomic_store_n(&percpu_library.state, PERCPU_CLOSING, __ATOMIC_SEQ_CST);
	__atomic_store_n(&percpu_library.moving, 0, __ATOMIC_SEQ_CST);
	percpu_open(old, PERCPU_MOVABLE);
	percpu_release_guards(old);
	PERCPU_TEST_MOVE(2);
	percpu_drained(&percpu_library.waiting);
}

/* Takes each guard of the old place, and waits for it if need be. Returns 0 if the kernel refuses membarrier. */
PERCPU_SLOW int percpu_take_guards(const struct percpu_place *old)
{
	int64_t since = percpu_now();
	int reported = 0;

	for (unsigned cpu = 0; cpu < old->count; cpu++) {
		uint64_t *word = percpu_word(old, cpu);
		int acquired;

		for (int round = 0; (acquired = percpu_acquire_remotely(word, cpu, 0)) <= 0; round++) {
			uint64_t owner = __atomic_load_n(word, __ATOMIC_ACQUIRE);

			if (acquired < 0)
				return 0;
			if (percpu_take_over(word, cpu, owner))
				break;
			percpu_pause(round);
			if (!reported && owner != 0 && percpu_now() - since > PERCPU_LONG_WAIT) {
				reported = 1;
				percpu_report(cpu, "keeps Java from moving the variables: for over 2 s it is held by",
					      (int64_t)owner, PERCPU_MUST_NOT_BLOCK);
			}
		}
	}
	return 1;
}

/* Takes over Java's answer to which CPUs are possible. */
PERCPU_SLOW void percpu_adopt_possible(const uint64_t *possible, uint32_t cpus)
{
	for (uint32_t word = 0; word < (cpus + 63) / 64; word++)
		__atomic_store_n(&percpu_possible[word], possible[word], __ATOMIC_RELAXED);
}

/*
 * Whether Java finds the same CPUs possible, or some behind them too: those then begin with the initial values. A CPU
 * that only one side knows, among those that have a place already, has no instance that both sides could agree on.
 */
PERCPU_SLOW int percpu_has_same_cpus(const struct percpu_place *old, const uint64_t *possible, uint32_t cpus)
{
	for (uint32_t cpu = 0; cpu < old->count; cpu++)
		if (cpu >= cpus || percpu_is_in(percpu_possible, cpu) != percpu_is_in(possible, cpu))
			return 0;
	return 1;
}

/*
 * Steps 1 to 3. Returns PERCPU_SHARED_NOW if nobody updates the variables any more. Otherwise it returns why the move
 * has to be given up, and the caller reopens the old place.
 */
PERCPU_SLOW int percpu_stop(const struct percpu_place *old)
{
	PERCPU_TEST_NO_HANDLER();
	percpu_fill(percpu_guards, old->count, 0, 0);
	if (percpu_library.mode == PERCPU_SEQUENCES && !percpu_restart_sequences(-1))
		return PERCPU_NO_MEMBARRIER;
	if (!percpu_drained(&percpu_library.acquiring))
		return PERCPU_BUSY;
	if (!percpu_take_guards(old))
		return PERCPU_NO_MEMBARRIER;

	__atomic_store_n(&percpu_library.moving, 1, __ATOMIC_SEQ_CST);
	PERCPU_TEST_MOVE(0);
	if (percpu_counted(&percpu_library.forking) != 0)
		return PERCPU_BUSY;
	PERCPU_TEST_MOVE(1);
	__atomic_store_n(&percpu_library.state, PERCPU_PLACING, __ATOMIC_SEQ_CST);
	percpu_fill(percpu_distances, old->count, 0, 0);
	if (percpu_library.mode == PERCPU_SEQUENCES && !percpu_restart_sequences(-1))
		return PERCPU_NO_MEMBARRIER;
	if (!percpu_drained(&percpu_library.updating))
		return PERCPU_BUSY;
	return PERCPU_SHARED_NOW;
}

#define PERCPU_AGAIN (-1)

/* One attempt, with signals blocked. Returns PERCPU_AGAIN if another thread was, or is, moving the variables. */
PERCPU_SLOW int percpu_try_share(const struct percpu_place *next, const uint64_t *possible, uint32_t mode,
				 uint32_t settled)
{
	uint32_t state = __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE);
	struct percpu_place old;
	int answer;

	if (state == PERCPU_SHARED)
		return PERCPU_SHARED_BEFORE;
	if (state == PERCPU_UNPLACED) {
		if (!__atomic_compare_exchange_n(&percpu_library.state, &state, PERCPU_PLACING, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			return PERCPU_AGAIN;
		percpu_adopt_possible(possible, next->count);
		percpu_initialize(next, 0);
		percpu_publish(next, mode, settled);
		return PERCPU_SHARED_NOW;
	}
	if (!percpu_glance(&old) || __atomic_load_n(&percpu_library.state, __ATOMIC_RELAXED) != state)
		return PERCPU_AGAIN;
	if (old.lender != 0)
		return PERCPU_LENT;
	if (!percpu_has_same_cpus(&old, possible, next->count))
		return PERCPU_OTHER_CPUS;
	/*
	 * This check comes before the next one: another thread that moves the variables now waits for this
	 * thread's guard.
	 */
	if (percpu_owned(&old) >= 0)
		return PERCPU_GUARD_HELD;
	PERCPU_TEST_MOVE(3);
	state = PERCPU_MOVABLE;
	if (!__atomic_compare_exchange_n(&percpu_library.state, &state, PERCPU_CLOSING, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return PERCPU_AGAIN;
	/* Another thread may have moved the variables since the look at them, to an area that its copy only lends. */
	if (__atomic_load_n(&percpu_library.area, __ATOMIC_RELAXED) != old.area) {
		__atomic_store_n(&percpu_library.state, PERCPU_MOVABLE, __ATOMIC_SEQ_CST);
		return PERCPU_AGAIN;
	}

	answer = percpu_stop(&old);
	if (answer != PERCPU_SHARED_NOW) {
		percpu_reopen(&old);
		return answer;
	}
	for (uint32_t cpu = 0; cpu < old.count; cpu++)
		percpu_copy(percpu_bytes(next, cpu), percpu_bytes(&old, cpu), PERCPU_BYTES);
	percpu_copy(percpu_bytes(next, next->count), percpu_bytes(&old, old.count), PERCPU_BYTES);
	percpu_adopt_possible(possible, next->count);
	percpu_initialize(next, old.count);
	__atomic_add_fetch(&percpu_library.moves, 1, __ATOMIC_SEQ_CST);
	percpu_publish(next, mode, settled);
	__atomic_store_n(&percpu_library.moving, 0, __ATOMIC_SEQ_CST);
	percpu_release_guards(&old);
	return PERCPU_SHARED_NOW;
}

PERCPU_SLOW int percpu_share(uint64_t area, uint64_t stride, uint64_t position, uint32_t cpus, const uint64_t *possible,
			     uint32_t mode, uint32_t stays)
{
	struct percpu_place next = {area, stride, area + position - (uint64_t)(uintptr_t)__start_percpu_data, area, cpus};
	int attempts = 0;

	if (cpus > PERCPU_MOST_CPUS)
		return PERCPU_OTHER_CPUS;
	/* The naps get longer: the thread that was in the way may need this CPU. */
	for (int64_t nap = 1000000;; nap = nap < 100000000 ? 2 * nap : nap) {
		uint64_t mask;
		int answer;

		PERCPU_BLOCK_SIGNALS(mask);
		answer = percpu_try_share(&next, possible, mode, stays ? PERCPU_SHARED : PERCPU_MOVABLE);
		PERCPU_RESTORE_SIGNALS(mask);
		if (answer != PERCPU_AGAIN && (answer != PERCPU_BUSY || ++attempts == PERCPU_ATTEMPTS))
			return answer;
		percpu_nap(nap);
	}
}
