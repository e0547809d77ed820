/*
 * Nothing is lost and nothing doubled while threads are preempted, moved and signalled: exactness ROUNDS [guards]. With
 * -DMOVE the variables are moved meanwhile, as they are when Java comes after the C code.
 */
#include "check.h"

#include "threads.h"

uint64_t test_aborts = 0;

struct pair {
	long first;
	long second;
};

DEFINE_PER_CPU(long, longs) = 0;
DEFINE_PER_CPU(int, ints) = 1;
DEFINE_PER_CPU(short, shorts) = 0;
DEFINE_PER_CPU(unsigned char, bytes) = 0;
DEFINE_PER_CPU(long, returned) = 0;
DEFINE_PER_CPU(long, exchanged) = 0;
DEFINE_PER_CPU(long, pot) = 0;
DEFINE_PER_CPU(unsigned, bits) = 0;
DEFINE_PER_CPU(struct pair, pairs) = {0, 0};
DEFINE_PER_CPU(long, handled) = 0;

#define THREADS 8

static long rounds;
static int guards_only;
static long taken_from_pots;
static long signals_handled;

static void handle(int signal)
{
	struct cpu_guard guard;

	(void)signal;
	/* In the middle of whatever the thread does. */
	this_cpu_inc(handled);
	if (cpu_guard_try_acquire(&guard))
		cpu_guard_release(guard);
	__atomic_add_fetch(&signals_handled, 1, __ATOMIC_RELAXED);
}

/* While the guard is held, so that who moves the variables finds guards held. */
static void hold(void)
{
#ifdef PAUSE
	for (int i = 0; i < PAUSE; i++)
		__asm__ volatile("");
#endif
}

static void add_by_cmpxchg(long delta)
{
	for (;;) {
		long seen = this_cpu_read(exchanged);

		if (this_cpu_cmpxchg(exchanged, seen, seen + delta) == seen)
			return;
	}
}

static void update_numbers(int number)
{
	this_cpu_add(longs, 3);
	this_cpu_sub(ints, 5);
	this_cpu_add(shorts, 7);
	this_cpu_inc(bytes);
	this_cpu_add_return(returned, 11);
	add_by_cmpxchg(13);
	this_cpu_add(pot, 17);
	__atomic_add_fetch(&taken_from_pots, this_cpu_xchg(pot, 0), __ATOMIC_RELAXED);
	this_cpu_or(bits, 1U << (number % 32));
}

static int has_no_id(int number)
{
	return number % 4 == 3;
}

static void work(int number)
{
	if (has_no_id(number)) {
		/* As where the registration failed. */
#if PERCPU_RSEQ
		void *area = (char *)__builtin_thread_pointer() + __rseq_offset;

		if (__rseq_size > 0)
			CHECK_EQUAL(percpu_syscall(SYS_rseq, area, 32, 1 /* unregister */, RSEQ_SIG), 0);
#endif
	}
	for (long round = 0; round < rounds; round++) {
		struct pair *mine;

		if (!guards_only)
			update_numbers(number);
		mine = get_cpu_ptr(&pairs);
		mine->first++;
		if (round % 8 == 0) {
			struct pair *again = get_cpu_ptr(&pairs);

			again->first++;
			again->second++;
			put_cpu_ptr(again);
		}
		hold();
		mine->second++;
		put_cpu_ptr(mine);
	}
}

static void look_at_pairs(long *first)
{
	unsigned cpu;

	*first = 0;
	for_each_possible_cpu(cpu)
	{
		struct cpu_guard guard = cpu_guard_acquire_on(cpu);
		struct pair *pair = per_cpu_ptr(&pairs, cpu);

		CHECK_EQUAL(pair->second, pair->first);
		*first += pair->first;
		cpu_guard_release(guard);
	}
}

#ifdef MOVE
#define STRIDE (UINT64_C(1) << 20)

/* What Java does when a library is declared that is in use already. */
static void share(uint32_t stays)
{
	struct percpu_library *library = percpu_variable_longs.library;
	uint64_t start = (uint64_t)(uintptr_t)library->start;
	uint64_t none[PERCPU_MOST_CPUS / 64] = {0};
	long area = percpu_syscall(SYS_mmap, NULL, (percpu_count() + 1) * STRIDE, 3, 0x4022, -1, 0);

	/* Fewer CPUs, and others. */
	CHECK_EQUAL(library->share((uint64_t)area, STRIDE, 4096 + start % 4096, percpu_count() - 1, percpu_possible,
				   PERCPU_SEQUENCES, stays),
		    PERCPU_OTHER_CPUS);
	CHECK_EQUAL(library->share((uint64_t)area, STRIDE, 4096 + start % 4096, percpu_count(), none, PERCPU_SEQUENCES,
				   stays),
		    PERCPU_OTHER_CPUS);
	CHECK_EQUAL(library->share((uint64_t)area, STRIDE, 4096 + start % 4096, percpu_count(), percpu_possible,
				   PERCPU_RSEQ && percpu_library.mode == PERCPU_SEQUENCES ? PERCPU_SEQUENCES : PERCPU_ATOMICS,
				   stays),
		    PERCPU_SHARED_NOW);
	CHECK_EQUAL(library->share((uint64_t)area, STRIDE, 8192, percpu_count(), percpu_possible, PERCPU_SEQUENCES,
				   stays),
		    stays ? PERCPU_SHARED_BEFORE : PERCPU_LENT);
	CHECK_EQUAL((uint64_t)(uintptr_t)per_cpu_ptr(&longs, 0) - (uint64_t)area < STRIDE, 1);
}

/* First copies of dev.percpu that are unloaded, then one that stays. The threads run for a while between two moves. */
static void move(void)
{
	usleep(1000 * (getpid() % 8));
	for (int unloaded = 0; unloaded < 20; unloaded++) {
		usleep(500);
		share(0);
		__atomic_store_n(&percpu_library.lender, 0, __ATOMIC_RELEASE);
	}
	share(1);
}
#else
static void move(void)
{
	long ignored;

	/* The owner of another CPU's guard sees both fields agree at any time. */
	for (int i = 0; i < 1000; i++)
		look_at_pairs(&ignored);
}
#endif

int main(int argc, char **argv)
{
	long moves;
	long total;
	long all;
	long updates;
	unsigned cpu;
	unsigned seen = 0;
	long possible = 0;
	struct percpu_place place;

	rounds = argc > 1 ? atol(argv[1]) : 100000;
	guards_only = argc > 2 && strcmp(argv[2], "guards") == 0;
	handle_signals(handle);
	this_cpu_add(longs, 0);
	moves = crowd_run(THREADS, work, move);
	all = rounds * THREADS;
	updates = guards_only ? 0 : all;
	for_each_possible_cpu(cpu)
	{
		possible++;
		seen |= *per_cpu_ptr(&bits, cpu);
	}
	percpu_look(&place);
	seen |= *(unsigned *)percpu_instance_in(&place, &bits, place.count);
	CHECK_EQUAL(per_cpu_sum(longs), 3 * updates);
	CHECK_EQUAL((int)per_cpu_sum(ints), (int)(possible - 5 * updates));
	CHECK_EQUAL((short)per_cpu_sum(shorts), (short)(7 * updates));
	CHECK_EQUAL((unsigned char)per_cpu_sum(bytes), (unsigned char)updates);
	CHECK_EQUAL(per_cpu_sum(returned), 11 * updates);
	CHECK_EQUAL(per_cpu_sum(exchanged), 13 * updates);
	CHECK_EQUAL(per_cpu_sum(pot) + taken_from_pots, 17 * updates);
	CHECK_EQUAL(seen, guards_only ? 0 : (1U << THREADS) - 1);
	CHECK_EQUAL(per_cpu_sum(handled), signals_handled);
	/* A thread without an id stays out of the CPUs' instances, which only sequences write. */
	CHECK_EQUAL(*(long *)percpu_instance_in(&place, &longs, place.count),
		    percpu_library.mode == PERCPU_SEQUENCES ? 3 * updates / 4 : 0);
	look_at_pairs(&total);
	CHECK_EQUAL(total, all + THREADS * ((rounds + 7) / 8));
	printf("%s: ok, %ld rounds by %d threads, %ld moves, %ld signals, %ld aborts\n",
	       percpu_library.mode == PERCPU_SEQUENCES ? "sequences" : "atomics", rounds, THREADS, moves, signals_handled,
	       (long)test_aborts);
	return 0;
}
