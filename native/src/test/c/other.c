/* The second file of the program files.c. */
#include "other.h"

DEFINE_STATIC_PER_CPU(int, of_each) = 7;

void update_in_other(void)
{
	this_cpu_add(of_both, 10);
	this_cpu_dec(of_each);
}

int nests_in_other(unsigned cpu)
{
	struct cpu_guard guard = cpu_guard_acquire_on(cpu);
	int nests = guard.word[1] != 0;

	cpu_guard_release(guard);
	return nests;
}
