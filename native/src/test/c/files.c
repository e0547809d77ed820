/* A program of two files that include the header, see other.c. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"

#include <link.h>

#include "other.h"

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, of_both) = 5;
DEFINE_STATIC_PER_CPU(int, of_each) = 1;

/* What the header needs is there once, and not in each file: two tables, two words of a thread, less than a page. */
static int measure(struct dl_phdr_info *program, size_t size, void *argument)
{
	size_t zeroes = 0;

	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &program->dlpi_phdr[i];

		if (part->p_type == PT_TLS)
			CHECK_EQUAL(part->p_memsz, 2 * sizeof(uint64_t));
		else if (part->p_type == PT_LOAD)
			zeroes += part->p_memsz - part->p_filesz;
	}
	CHECK_EQUAL(zeroes >= 2 * sizeof(percpu_guards), 1);
	CHECK_EQUAL(zeroes < 2 * sizeof(percpu_guards) + 4096, 1);
	(void)size;
	(void)argument;
	return 1; /* the program itself comes first */
}

int main(void)
{
	struct cpu_guard guard;
	long cpus = 0;
	int cpu;

	CHECK_EQUAL(dl_iterate_phdr(measure, NULL), 1);
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
