/* Two copies of dev.percpu declare a library's variables at the same time. */
static void at_move(int step);
#define PERCPU_TEST_MOVE(step) at_move(step)

#include "check.h"

#include "threads.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

static int met;

static void *share_before(void *argument)
{
	CHECK_EQUAL(share_variables(0), PERCPU_SHARED_NOW);
	return argument;
}

/* When the first copy has looked where the variables are, the second one moves them, to an area that it lends. */
static void at_move(int step)
{
	pthread_t other;

	if (step != 3 || met)
		return;
	met = 1;
	CHECK_EQUAL(pthread_create(&other, NULL, share_before, NULL), 0);
	CHECK_EQUAL(pthread_join(other, NULL), 0);
	this_cpu_inc(a_long);
}

int main(void)
{
	this_cpu_inc(a_long);
	CHECK_EQUAL(share_variables(1), PERCPU_LENT);
	CHECK_EQUAL(met, 1);
	CHECK_EQUAL(per_cpu_sum(a_long), 2);
	/* The second copy is unloaded. */
	__atomic_store_n(&percpu_library.lender, 0, __ATOMIC_SEQ_CST);
	CHECK_EQUAL(share_variables(1), PERCPU_SHARED_NOW);
	CHECK_EQUAL(per_cpu_sum(a_long), 2);
	printf("ok\n");
	return 0;
}
