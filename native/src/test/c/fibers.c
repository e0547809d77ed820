/*
 * A user-level thread that goes on in another kernel thread each time, in the middle of a function. Compilers assume
 * that this does not happen, and may keep the address of what belongs to a thread. The header must not.
 */
#include "check.h"

#include <semaphore.h>
#include <ucontext.h>

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

#define ROUNDS 1000

static ucontext_t home;
static ucontext_t fiber;
static char stack[256 * 1024];
static sem_t turns[2];

/* The thread that runs now, which the compiler must ask for each time. */
static long thread_id(void)
{
	return percpu_syscall(SYS_gettid);
}

static void update(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct cpu_guard guard = cpu_guard_acquire();

		CHECK_EQUAL(PERCPU_ID_OF(*guard.word), thread_id());
		cpu_guard_release(guard);
		this_cpu_inc(a_long);
		CHECK_EQUAL(swapcontext(&fiber, &home), 0);
		this_cpu_inc(a_long);
		guard = cpu_guard_acquire();
		CHECK_EQUAL(PERCPU_ID_OF(*guard.word), thread_id());
		cpu_guard_release(guard);
	}
}

static void *run(void *argument)
{
	int number = (int)(intptr_t)argument;

	cpu_guard_release(cpu_guard_acquire());
	for (int round = number; round <= ROUNDS; round += 2) {
		while (sem_wait(&turns[number]) != 0)
			;
		CHECK_EQUAL(swapcontext(&home, &fiber), 0);
		CHECK_EQUAL(sem_post(&turns[!number]), 0);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[2];

	CHECK_EQUAL(getcontext(&fiber), 0);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = sizeof(stack);
	fiber.uc_link = &home;
	makecontext(&fiber, update, 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(sem_init(&turns[i], 0, i == 0), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	CHECK_EQUAL(per_cpu_sum(a_long), 2 * ROUNDS);
	printf("ok\n");
	return 0;
}
