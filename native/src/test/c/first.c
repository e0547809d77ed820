/* The process's first thread ends before another one, and leaves a guard behind. */
#include "check.h"

DEFINE_PER_CPU(long, a_long) = 0;

static void *acquire_after_it(void *argument)
{
	struct cpu_guard guard = cpu_guard_acquire_on(0);

	CHECK_EQUAL(guard.word[1], 0);
	CHECK_EQUAL(*guard.word, percpu_me());
	cpu_guard_release(guard);
	CHECK_EQUAL(*guard.word, 0);
	this_cpu_inc(a_long);
	CHECK_EQUAL(per_cpu_sum(a_long), 1);
	printf("ok\n");
	exit(0);
	return argument;
}

int main(void)
{
	pthread_t thread;

	/* If the guard is never taken over. */
	alarm(60);
	/* Nested, so that a count is left behind as well. */
	cpu_guard_acquire_on(0);
	cpu_guard_acquire_on(0);
	CHECK_EQUAL(pthread_create(&thread, NULL, acquire_after_it, NULL), 0);
	pthread_exit(NULL);
}
