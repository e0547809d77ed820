/* A thread that is moved while it holds a guard, to a CPU whose guard another thread holds. */
#include "check.h"

#include "threads.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

static unsigned second;
static int is_held;
static int is_done;

static void *hold_second(void *argument)
{
	struct cpu_guard guard = cpu_guard_acquire_on(second);

	__atomic_store_n(&is_held, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE))
		sched_yield();
	cpu_guard_release(guard);
	return argument;
}

int main(void)
{
	cpu_set_t all;
	unsigned first;
	struct cpu_guard guard;
	struct cpu_guard nested;
	pthread_t other;

	CHECK_EQUAL(sched_getaffinity(0, sizeof(all), &all), 0);
	first = bind_to(0);
	CHECK_EQUAL(sched_setaffinity(0, sizeof(all), &all), 0);
	guard = cpu_guard_acquire_on(first);
	second = bind_to(1);
	if (second != first) {
		CHECK_EQUAL(pthread_create(&other, NULL, hold_second, NULL), 0);
		while (!__atomic_load_n(&is_held, __ATOMIC_ACQUIRE))
			sched_yield();
	}
	/* If it waited for the other thread, and that one for this, neither would ever go on. */
	nested = cpu_guard_acquire();
	CHECK_EQUAL(nested.cpu, first);
	CHECK_EQUAL(nested.word[1], 1);
	cpu_guard_release(nested);
	CHECK_EQUAL(*guard.word, percpu_me());
	cpu_guard_release(guard);
	__atomic_store_n(&is_done, 1, __ATOMIC_RELEASE);
	if (second != first)
		CHECK_EQUAL(pthread_join(other, NULL), 0);
	CHECK_EQUAL(per_cpu_sum(a_long), 0);
	printf("ok\n");
	return 0;
}
