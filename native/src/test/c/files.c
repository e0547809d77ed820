/* A program of two files that include the header, see other.c. */
#include "check.h"

#include "other.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, of_both) = 5;
DEFINE_STATIC_PER_CPU(int, of_each) = 1;

int main(void)
{
	struct cpu_guard guard;
	long cpus = 0;
	int cpu;

	for_each_possible_cpu(cpu) cpus++;
	this_cpu_inc(of_both);
	this_cpu_inc(of_each);
	update_in_other();
	CHECK_EQUAL(per_cpu_sum(of_both), 5 * cpus + 11);
	CHECK_EQUAL(per_cpu_sum(of_each), cpus + 1);
	/* One guard, and not one in each file. */
	guard = cpu_guard_acquire_on(0);
	CHECK_EQUAL(nests_in_other(0), 1);
	cpu_guard_release(guard);
	CHECK_EQUAL(nests_in_other(0), 0);
	printf("ok\n");
	return 0;
}
