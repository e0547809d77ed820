/*
 * What does this_cpu_add cost beside the same sequence written by hand for one array, with everything that the header
 * has to look up in registers?
 *
 *     gcc -std=c11 -O2 -Wall -Wextra -D_GNU_SOURCE -Inative/include -o add native/src/bench/c/add.c && ./add
 *
 * Each round runs the variants one after the other; each variant's result is the median of its processor time. The
 * loop's own cost is in all of them. An argument is the number of additions in a round.
 */
#include "percpu.h"

#include <time.h>

#ifndef __x86_64__
#error "the sequence by hand is written for x86-64"
#endif

#define ROUNDS 31
#define BY_HAND_SHIFT 12

DEFINE_PER_CPU(long, hits) = 0;

struct pair {
	long first;
	long second;
};

DEFINE_PER_CPU(struct pair, pairs) = {0, 0};

static char *slots;
static long atomic_hits;
static __thread long thread_hits;

__attribute__((noinline)) static void by_header(long times)
{
	for (long i = 0; i < times; i++)
		this_cpu_add(hits, 1);
}

__attribute__((noinline)) static void by_hand(long times)
{
	long rseq = __rseq_offset;
	unsigned cpus = percpu_count();
	char *base = slots;

	for (long i = 0; i < times; i++) {
		__asm__ goto(".pushsection by_hand_cs, \"aw\"\n\t"
			     ".balign 32\n"
			     "1:\n\t"
			     ".long 0, 0\n\t"
			     ".quad 3f, 4f - 3f, 5f\n\t"
			     ".popsection\n"
			     "2:\n\t"
			     "leaq 1b(%%rip), %%rax\n\t"
			     "movq %%rax, %%fs:8(%[rseq])\n"
			     "3:\n\t"
			     "movl %%fs:4(%[rseq]), %%eax\n\t"
			     "cmpl %[cpus], %%eax\n\t"
			     "jae %l[none]\n\t"
			     "shlq %[shift], %%rax\n\t"
			     "addq %[delta], (%[base],%%rax)\n"
			     "4:\n\t"
			     ".pushsection by_hand_abort, \"ax\"\n\t"
			     ".long 0x53053053\n"
			     "5:\n\t"
			     "jmp 2b\n\t"
			     ".popsection\n"
			     :
			     : [rseq] "r"(rseq), [cpus] "r"(cpus), [base] "r"(base), [delta] "er"(1L),
			       [shift] "i"(BY_HAND_SHIFT)
			     : "rax", "cc", "memory"
			     : none);
	}
	return;
none:
	percpu_fatal("this thread has no CPU id");
}

__attribute__((noinline)) static void by_atomic(long times)
{
	for (long i = 0; i < times; i++)
		__atomic_fetch_add(&atomic_hits, 1, __ATOMIC_RELAXED);
}

__attribute__((noinline)) static void by_thread(long times)
{
	for (long i = 0; i < times; i++) {
		thread_hits++;
		__asm__ volatile("" ::: "memory");
	}
}

__attribute__((noinline)) static void by_guard(long times)
{
	for (long i = 0; i < times; i++) {
		struct pair *mine = get_cpu_ptr(&pairs);

		mine->first++;
		mine->second++;
		put_cpu_ptr(mine);
	}
}

static const struct variant {
	const char *name;
	void (*run)(long times);
} variants[] = {
	{"sequence by hand", by_hand},
	{"this_cpu_add", by_header},
	{"atomic addition, one thread", by_atomic},
	{"plain addition, thread-local", by_thread},
	{"guarded update of two fields", by_guard},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	static double nanos[VARIANTS][ROUNDS];
	long times = argc > 1 ? atol(argv[1]) : 10000000;
	long sum = 0;

	slots = (char *)aligned_alloc(4096, (size_t)percpu_count() << BY_HAND_SHIFT);
	if (!slots)
		percpu_fatal("no memory");
	memset(slots, 0, (size_t)percpu_count() << BY_HAND_SHIFT);
	for (int round = -1; round < ROUNDS; round++) {
		for (size_t i = 0; i < VARIANTS; i++) {
			struct timespec start;
			struct timespec end;

			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
			variants[i].run(times);
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
			if (round >= 0) /* the first is to warm up */
				nanos[i][round] = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
						   (double)(end.tv_nsec - start.tv_nsec)) /
						  (double)times;
		}
	}
	for (unsigned cpu = 0; cpu < percpu_count(); cpu++)
		sum += *(long *)(slots + ((size_t)cpu << BY_HAND_SHIFT));
	if (sum != times * (ROUNDS + 1) || per_cpu_sum(hits) != sum || atomic_hits != sum || thread_hits != sum)
		percpu_fatal("the variants did not count the same");
	for (size_t i = 0; i < VARIANTS; i++) {
		qsort(nanos[i], ROUNDS, sizeof(nanos[i][0]), compare);
		printf("%-30s %6.2f ns  %5.2f\n", variants[i].name, nanos[i][ROUNDS / 2],
		       nanos[i][ROUNDS / 2] / nanos[0][ROUNDS / 2]);
	}
	return 0;
}
