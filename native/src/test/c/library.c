/* A library whose variables Java declares, with threads of its own. Compiled several times, as several libraries. */
#include "check.h"

#include "threads.h"

#ifndef INITIAL
#define INITIAL 0
#endif

uint64_t test_aborts = 0;

struct pair {
	long first;
	long second;
};

struct mixed {
	char letter;
	double fraction;
	int numbers[3];
} __attribute__((aligned(128)));

DEFINE_PER_CPU(long, a_long) = INITIAL;
DEFINE_PER_CPU(int, an_int) = INITIAL;
DEFINE_PER_CPU(short, a_short) = INITIAL;
DEFINE_PER_CPU(signed char, a_byte) = INITIAL;
DEFINE_PER_CPU(struct pair, a_pair) = {0, 0};
DEFINE_PER_CPU(struct mixed, a_mixed) = {'m', 0.5, {1, 2, 3}};

#ifdef LARGE
DEFINE_PER_CPU(char[LARGE], a_large) = {1};
#endif

/* No per-CPU variable, though exported. */
long ordinary = 1;

/* Made by somebody else's header. */
const struct percpu_variable percpu_variable_of_the_future = {PERCPU_MAGIC, 77, &a_long, sizeof(long), &percpu_library};
const struct percpu_variable percpu_variable_forged = {1, 1, &a_long, sizeof(long), &percpu_library};
const struct percpu_variable percpu_variable_unaligned = {PERCPU_MAGIC, PERCPU_VERSION, (char *)&a_pair + 1,
							  sizeof(long), &percpu_library};
const struct percpu_variable percpu_variable_elsewhere = {PERCPU_MAGIC, PERCPU_VERSION, &ordinary, sizeof(long),
							  &percpu_library};
const struct percpu_variable percpu_variable_too_long = {PERCPU_MAGIC, PERCPU_VERSION, &a_long, 1 << 20,
							 &percpu_library};

struct order {
	long numbers;
	long pairs;
	char name[16];
};

/* Adds 1 to each number and counts each pair up, so often. */
static void *work(void *argument)
{
	const struct order *order = (const struct order *)argument;
	long most = order->numbers > order->pairs ? order->numbers : order->pairs;

	pthread_setname_np(pthread_self(), order->name);
	for (long i = 0; i < most; i++) {
		if (i < order->numbers) {
			this_cpu_add(a_long, 1);
			this_cpu_inc(an_int);
			this_cpu_add_return(a_short, 1);
			this_cpu_sub(a_byte, -1);
		}
		if (i < order->pairs) {
			struct pair *mine = get_cpu_ptr(&a_pair);

			mine->first++;
			/* A thread that got in here would find the two different, and leave them so. */
			__asm__ volatile("" ::: "memory");
			mine->second++;
			put_cpu_ptr(mine);
		}
	}
	return NULL;
}

/* Returns when the threads are done. */
int run_threads(int threads, long numbers, long pairs, const char *name)
{
	pthread_t running[MOST_THREADS];
	struct order order = {numbers, pairs, ""};

	snprintf(order.name, sizeof(order.name), "%s", name);
	for (int i = 0; i < threads; i++)
		CHECK_EQUAL(pthread_create(&running[i], NULL, work, &order), 0);
	for (int i = 0; i < threads; i++)
		CHECK_EQUAL(pthread_join(running[i], NULL), 0);
	return 0;
}

/* What C sees of a number, over all CPUs. */
long sum_of_longs(void)
{
	return (long)per_cpu_sum(a_long);
}

long get_long(void)
{
	return this_cpu_read(a_long);
}

/* How often C sees the two fields of a pair differ, in so many looks at each CPU's. */
long disagreements(long looks)
{
	long found = 0;

	for (long i = 0; i < looks; i++) {
		unsigned cpu;

		for_each_possible_cpu(cpu)
		{
			struct cpu_guard guard = cpu_guard_acquire_on(cpu);

			found += per_cpu_ptr(&a_pair, cpu)->first != per_cpu_ptr(&a_pair, cpu)->second;
			cpu_guard_release(guard);
		}
	}
	return found;
}

static void *acquire_and_die(void *argument)
{
	struct cpu_guard guard = cpu_guard_acquire_on(*(unsigned *)argument);

	/* Nested, so that a count is left behind as well. */
	guard = cpu_guard_acquire_on(guard.cpu);
	(void)guard;
	return NULL;
}

/* A thread that ends with a guard in its hands. */
int die_with_guard_of(unsigned cpu)
{
	pthread_t thread;

	CHECK_EQUAL(pthread_create(&thread, NULL, acquire_and_die, &cpu), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	return 0;
}

static void (*visited)(void);
static int visit_ends;
static pthread_t visitor;

static void *visit(void *argument)
{
	visited();
	while (!__atomic_load_n(&visit_ends, __ATOMIC_ACQUIRE))
		usleep(1000);
	return argument;
}

/* A thread of C code calls back once, and then lives on until the visit is to end. */
int start_visit(void (*callback)(void))
{
	visited = callback;
	__atomic_store_n(&visit_ends, 0, __ATOMIC_RELEASE);
	return pthread_create(&visitor, NULL, visit, NULL);
}

int end_visit(void)
{
	__atomic_store_n(&visit_ends, 1, __ATOMIC_RELEASE);
	return pthread_join(visitor, NULL);
}

/* Calls back with the guard held. */
int with_guard_of(unsigned cpu, void (*callback)(void))
{
	struct cpu_guard guard = cpu_guard_acquire_on(cpu);

	callback();
	cpu_guard_release(guard);
	return 0;
}

/* 1 if nobody owns the CPU. */
int try_guard_of_this_cpu(void)
{
	struct cpu_guard guard;

	if (!cpu_guard_try_acquire(&guard))
		return 0;
	cpu_guard_release(guard);
	return 1;
}

/* Where Java has put a variable, as C sees it. */
void *address_of_mixed(unsigned cpu)
{
	return per_cpu_ptr(&a_mixed, cpu);
}

/* How many CPUs are possible, as C sees it. */
int possible_cpus(void)
{
	int cpus = 0;
	int cpu;

	for_each_possible_cpu(cpu) cpus++;
	return cpus;
}

static uint64_t ticket;

/* As if a thread were in the middle of an update. */
int begin_update(void)
{
	ticket = percpu_count_in(&percpu_library.updating);
	return 0;
}

int end_update(void)
{
	percpu_count_out(&percpu_library.updating, ticket);
	return 0;
}

/* 1 while somebody waits for guards, to move the variables then. */
int is_closing(void)
{
	return __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_CLOSING;
}

int is_shared(void)
{
	return percpu_library.state == PERCPU_SHARED;
}
