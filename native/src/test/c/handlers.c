/* Signals come just where the handler of one would go wrong, and are handled later. */
static void signal_here(void);
#define PERCPU_TEST_NO_HANDLER() signal_here()

#include "check.h"

#include "threads.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 7;

static long sent;
static long handled;

static void handle(int signal)
{
	struct cpu_guard guard = cpu_guard_acquire();

	(void)signal;
	cpu_guard_release(guard);
	handled++;
}

static void signal_here(void)
{
	sigset_t pending;

	/* A move acquires guards: by then the signal that came when it began waits already, as it should. */
	CHECK_EQUAL(sigpending(&pending), 0);
	if (sigismember(&pending, SIGPROF))
		return;
	CHECK_EQUAL(raise(SIGPROF), 0);
	sent++;
	CHECK_EQUAL(handled, sent - 1);
}

int main(void)
{
	percpu_count(); /* so that they have a place to move from */
	handle_signals(handle);
	/* While another CPU is claimed, and it is not sure yet whose it is. */
	cpu_guard_release(cpu_guard_acquire_on(0));
	CHECK_EQUAL(sent, 1);
	CHECK_EQUAL(handled, sent);
	/* While the variables move. */
	move_variables();
	CHECK_EQUAL(sent, 2);
	CHECK_EQUAL(handled, sent);
	CHECK_EQUAL(*per_cpu_ptr(&a_long, 0), 7);
	printf("ok\n");
	return 0;
}
