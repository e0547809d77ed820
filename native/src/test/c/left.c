/* A signal handler leaves an operation of the header by siglongjmp. The variables cannot move any more. */
static void interrupt(void);
#define PERCPU_TEST_UPDATE() interrupt()
#define PERCPU_ATTEMPTS 3

#include "check.h"

#include "threads.h"

#include <setjmp.h>

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

static sigjmp_buf out;
static int interrupts;

static void leave(int signal)
{
	(void)signal;
	siglongjmp(out, 1);
}

static void interrupt(void)
{
	if (interrupts)
		raise(SIGPROF);
}

static void go_on(void)
{
	CHECK_EQUAL(percpu_library.state, PERCPU_MOVABLE);
	cpu_guard_release(cpu_guard_acquire_on(0));
	this_cpu_inc(a_long);
}

int main(void)
{
	this_cpu_inc(a_long);
	handle_signals(leave);
	interrupts = 1;
	if (sigsetjmp(out, 1) == 0) {
		this_cpu_inc(a_long);
		/* Only a slow function can be left, and here threads have sequences. */
		percpu_count_in(&percpu_library.updating);
		this_cpu_inc(a_long);
	}
	interrupts = 0;
	CHECK_EQUAL(share_variables(1), PERCPU_BUSY);
	go_on();
	/* The same of a thread that waited for the end of a move. */
	percpu_count_in(&percpu_library.waiting);
	CHECK_EQUAL(share_variables(1), PERCPU_BUSY);
	go_on();
	percpu_library.updating = 0;
	CHECK_EQUAL(share_variables(1), PERCPU_SHARED_NOW);
	this_cpu_inc(a_long);
	CHECK_EQUAL(per_cpu_sum(a_long) >= 4, 1);
	printf("ok\n");
	return 0;
}
