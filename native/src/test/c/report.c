/* A thread that has something to report, while it can be cancelled and while another thread has locked stderr. */
#include "check.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

static void *leave_guard(void *argument)
{
	(void)cpu_guard_acquire_on(0);
	return argument;
}

static void *take_over(void *argument)
{
	struct cpu_guard guard;

	CHECK_EQUAL(pthread_cancel(pthread_self()), 0);
	guard = cpu_guard_acquire_on(0);
	CHECK_EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL), 0);
	cpu_guard_release(guard);
	return argument;
}

static void *run(void *(*work)(void *))
{
	pthread_t thread;
	void *result;

	CHECK_EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
	CHECK_EQUAL(pthread_join(thread, &result), 0);
	return result;
}

int main(void)
{
	/* If a thread waits for stderr, or for a thread that was cancelled. */
	alarm(60);
	run(leave_guard);
	CHECK_EQUAL(run(take_over) == PTHREAD_CANCELED, 0);
	CHECK_EQUAL(percpu_counted(&percpu_library.acquiring), 0);
	run(leave_guard);
	flockfile(stderr);
	run(take_over);
	funlockfile(stderr);
	printf("ok\n");
	return 0;
}
