/* ---------------------------------------------------------------------------------------------------------------- *
 * The slow functions, which a thread calls when a sequence found a 0 in its table or the thread has no CPU id
 *
 * All of them keep errno.
 * ---------------------------------------------------------------------------------------------------------------- */

/* Whether this thread has a CPU id with which sequences work. */
PERCPU_HELPER int percpu_has_cpu(void)
{
#if PERCPU_RSEQ
	uint32_t id;

	PERCPU_LOAD_CPU_ID(id);
	return id < percpu_library.count;
#else
	return 0;
#endif
}

PERCPU_HELPER unsigned percpu_current(void)
{
	int cpu = percpu_getcpu();

	return cpu < 0 ? 0 : (unsigned)cpu % percpu_library.count;
}

/* Where the variables are; all fields are of the same moment. */
struct percpu_place {
	uint64_t area;
	uint64_t stride;
	uint64_t delta;
	uint64_t lender;
	uint32_t count;
};

PERCPU_SLOW int percpu_try_place(void);
PERCPU_SLOW int percpu_try_settle(void);
PERCPU_SLOW void percpu_settle(void);

/*
 * Fills `place` if the variables have one. A move increments `moves` before it changes the first field, and is in the
 * state PLACING until it has changed the last. So if neither was different after the reads, all that was read belongs
 * to one place. The state alone would not do: it is the same again after a move. The fields are read with acquire and
 * written with release, without a fence, which ThreadSanitizer does not know.
 */
PERCPU_SLOW int percpu_glance(struct percpu_place *place)
{
	uint32_t moves = __atomic_load_n(&percpu_library.moves, __ATOMIC_ACQUIRE);
	uint32_t state = __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE);

	place->area = __atomic_load_n(&percpu_library.area, __ATOMIC_ACQUIRE);
	place->stride = __atomic_load_n(&percpu_library.stride, __ATOMIC_ACQUIRE);
	place->delta = __atomic_load_n(&percpu_library.delta, __ATOMIC_ACQUIRE);
	place->lender = __atomic_load_n(&percpu_library.lender, __ATOMIC_ACQUIRE);
	place->count = __atomic_load_n(&percpu_library.count, __ATOMIC_ACQUIRE);
	return state >= PERCPU_MOVABLE && __atomic_load_n(&percpu_library.state, __ATOMIC_RELAXED) == state &&
	       __atomic_load_n(&percpu_library.moves, __ATOMIC_RELAXED) == moves;
}

/*
 * The lower half of a counter is a number of threads. The upper half is a generation: the child of a fork has only one
 * thread, so there each counter starts again at 0, in the next generation (process.h). That one thread may itself have
 * been counted in, if it called fork in a signal handler. The child must not count it out:
 *
 *     the thread                                   its signal handler
 *     1. is counted in: 1
 *                                                  2. forks; in the child the counter is 0
 *     3. goes on in the child, and would make
 *        the counter -1
 *
 * So a thread that is counted in gets a ticket with the generation. In another generation counting out does nothing.
 */
#define PERCPU_ONE_FORK (UINT64_C(1) << 32)

/*
 * What percpu_enter() returns. A ticket has its counter's generation in the upper half, and PERCPU_COUNTED in the lower
 * half: so it is neither of the other two.
 */
enum percpu_admission { PERCPU_REFUSED, PERCPU_UNCOUNTED, PERCPU_COUNTED };

PERCPU_HELPER uint64_t percpu_count_in(uint64_t *counter)
{
	return (__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST) & -PERCPU_ONE_FORK) | PERCPU_COUNTED;
}

PERCPU_HELPER void percpu_count_out(uint64_t *counter, uint64_t ticket)
{
	uint64_t now = __atomic_load_n(counter, __ATOMIC_RELAXED);

	while ((now & -PERCPU_ONE_FORK) == (ticket & -PERCPU_ONE_FORK) &&
	       !__atomic_compare_exchange_n(counter, &now, now - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

PERCPU_HELPER uint32_t percpu_counted(const uint64_t *counter)
{
	return (uint32_t)__atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

/* Fills `place`, and waits for one if necessary. */
PERCPU_SLOW void percpu_look(struct percpu_place *place)
{
	int saved_errno = errno;
	uint64_t ticket;

	if (percpu_glance(place))
		return;
	ticket = percpu_count_in(&percpu_library.waiting);
	do
		percpu_settle();
	while (!percpu_glance(place));
	percpu_count_out(&percpu_library.waiting, ticket);
	errno = saved_errno;
}

/* The number of CPUs that have a place: the highest possible id + 1. */
PERCPU_SLOW unsigned percpu_count(void)
{
	struct percpu_place place;

	percpu_look(&place);
	return place.count;
}

/* Whether a CPU is in a mask of CPUs. */
PERCPU_HELPER int percpu_is_in(const uint64_t *mask, uint32_t cpu)
{
	return (int)(__atomic_load_n(&mask[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1);
}

PERCPU_SLOW unsigned percpu_next_possible(unsigned cpu)
{
	unsigned count = percpu_count();

	while (cpu < count && !percpu_is_in(percpu_possible, cpu))
		cpu++;
	return cpu;
}

/* The instance in a CPU's place or, if `cpu` is the number of CPUs, in the spare place. */
PERCPU_HELPER void *percpu_instance_in(const struct percpu_place *place, void *image, unsigned cpu)
{
	return (void *)((uint64_t)(uintptr_t)image + place->delta + cpu * place->stride);
}

PERCPU_SLOW void *percpu_instance(void *image, unsigned cpu)
{
	struct percpu_place place;

	percpu_look(&place);
	if (cpu >= place.count)
		percpu_no_such_cpu(cpu, place.count);
	return percpu_instance_in(&place, image, cpu);
}

/*
 * Admits this thread if the state is SHARED, or is MOVABLE or CLOSING and at most `last`. A thread that moves the
 * variables waits until those that were admitted have left:
 *
 *     thread A                                     thread B moves the variables
 *     1. increments the counter
 *                                                  2. stores the state
 *     3. reads the state: it has changed, so       4. waits until the counter is 0
 *        A decrements the counter again
 *
 * If 1 is before 2, B waits for A. If 2 is before 1, A reads the new state and leaves again. Shared variables never
 * move, so there nobody is counted: where there are no sequences, the updates of all CPUs would contend for the
 * counter's line.
 *
 * Returns a ticket, PERCPU_UNCOUNTED if the variables are shared, or PERCPU_REFUSED. percpu_leave() takes each.
 */
PERCPU_HELPER uint64_t percpu_enter(uint64_t *counter, uint32_t last)
{
	uint64_t ticket;
	uint32_t state;

	if (__atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_SHARED)
		return PERCPU_UNCOUNTED;
	ticket = percpu_count_in(counter);
	state = __atomic_load_n(&percpu_library.state, __ATOMIC_SEQ_CST);
	if (state == PERCPU_SHARED || (state >= PERCPU_MOVABLE && state <= last))
		return ticket;
	percpu_count_out(counter, ticket);
	return PERCPU_REFUSED;
}

/* Waits until this thread is admitted. */
PERCPU_SLOW uint64_t percpu_join(uint64_t *counter, uint32_t last)
{
	uint64_t admission = percpu_enter(counter, last);
	uint64_t ticket;

	if (admission != PERCPU_REFUSED)
		return admission;
	ticket = percpu_count_in(&percpu_library.waiting);
	for (int round = 0; (admission = percpu_enter(counter, last)) == PERCPU_REFUSED; round++) {
		percpu_settle();
		percpu_pause(round);
	}
	percpu_count_out(&percpu_library.waiting, ticket);
	return admission;
}

PERCPU_HELPER void percpu_leave(uint64_t *counter, uint64_t admission)
{
	if (admission != PERCPU_UNCOUNTED && admission != PERCPU_REFUSED)
		percpu_count_out(counter, admission);
}

#define PERCPU_ATOMICALLY(type)                                                                                        \
	do {                                                                                                           \
		type *at = (type *)instance;                                                                           \
		type old;                                                                                              \
		switch (op) {                                                                                          \
		case PERCPU_READ: *value = __atomic_load_n(at, __ATOMIC_RELAXED); break;                               \
		case PERCPU_WRITE: __atomic_store_n(at, (type)operand, __ATOMIC_RELAXED); break;                       \
		case PERCPU_ADD: __atomic_fetch_add(at, (type)operand, __ATOMIC_RELAXED); break;                       \
		case PERCPU_AND: __atomic_fetch_and(at, (type)operand, __ATOMIC_RELAXED); break;                       \
		case PERCPU_OR: __atomic_fetch_or(at, (type)operand, __ATOMIC_RELAXED); break;                         \
		case PERCPU_ADD_RETURN: *value = __atomic_add_fetch(at, (type)operand, __ATOMIC_RELAXED); break;       \
		case PERCPU_XCHG: *value = __atomic_exchange_n(at, (type)operand, __ATOMIC_RELAXED); break;            \
		default:                                                                                               \
			old = (type)*value;                                                                            \
			__atomic_compare_exchange_n(at, &old, (type)operand, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);   \
			*value = old;                                                                                  \
		}                                                                                                      \
	} while (0)

/* For tests: a delay between looking for the instance and updating it. */
#ifndef PERCPU_TEST_UPDATE
#define PERCPU_TEST_UPDATE()
#endif

/*
 * Where there are no sequences, all threads update the instance of their current CPU atomically. Where there are, a
 * thread without a CPU id updates the spare place: a sequence that loads, adds and stores the same word at the same
 * time would overwrite an atomic addition.
 */
PERCPU_SLOW int percpu_update_slowly(int op, unsigned size, void *image, uint64_t operand, uint64_t *value)
{
	int saved_errno = errno;
	int again = 1;
	uint64_t admission = percpu_join(&percpu_library.updating, PERCPU_CLOSING);

	if (percpu_library.mode == PERCPU_ATOMICS || !percpu_has_cpu()) {
		unsigned cpu = percpu_library.mode == PERCPU_ATOMICS ? percpu_current() : percpu_library.count;
		uint64_t instance = (uint64_t)(uintptr_t)image + percpu_library.delta + cpu * percpu_library.stride;

		PERCPU_TEST_UPDATE();
		switch (size) {
		case 1: PERCPU_ATOMICALLY(uint8_t); break;
		case 2: PERCPU_ATOMICALLY(uint16_t); break;
		case 4: PERCPU_ATOMICALLY(uint32_t); break;
		default: PERCPU_ATOMICALLY(uint64_t); break;
		}
		again = 0;
	}
	percpu_leave(&percpu_library.updating, admission);
	errno = saved_errno;
	return again;
}
