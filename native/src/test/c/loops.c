/* for_each_possible_cpu with a variable of each integer type. As in the kernel, int is the usual one. */
#include "check.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 5;

#define TRY_LOOP(type)                                                                                                 \
	do {                                                                                                           \
		type each;                                                                                             \
		long sum = 0;                                                                                          \
		for_each_possible_cpu(each) sum += *per_cpu_ptr(&a_long, each);                                        \
		CHECK_EQUAL(sum, per_cpu_sum(a_long));                                                                 \
	} while (0)

int main(void)
{
	int cpu;
	int last = -1;

	for_each_possible_cpu(cpu)
	{
		struct cpu_guard guard = cpu_guard_acquire_on(cpu);

		CHECK_EQUAL(*per_cpu_ptr(&a_long, cpu), 5);
		CHECK_EQUAL(cpu > last, 1);
		last = cpu;
		cpu_guard_release(guard);
	}
	CHECK_EQUAL(last, percpu_count() - 1);
	TRY_LOOP(int);
	TRY_LOOP(unsigned);
	TRY_LOOP(short);
	TRY_LOOP(long);
	TRY_LOOP(size_t);
	printf("ok\n");
	return 0;
}
