/*
 * Variables that move while a thread on another CPU is in the middle of a sequence, which with a long PAUSE it always
 * is: move TIMES. Each time in a process of its own, as variables move once.
 */
static void linger(void);
#define PERCPU_TEST_MOVE(step) linger()

#include "check.h"

#include "threads.h"

#include <sys/wait.h>

uint64_t test_aborts = 0;

struct pair {
	long first;
	long second;
};

DEFINE_PER_CPU(long, longs) = 0;
DEFINE_PER_CPU(struct pair, pairs) = {0, 0};

#define ADDERS 2

/*
 * Keeps the mover waiting for a while that is different each time. To take the guards it has just restarted the
 * sequences of all CPUs: without a wait it would go on while all others are at the beginning of one.
 */
static void linger(void)
{
	usleep((unsigned)getpid() * 2654435761u % 150);
}

static int stopped;
static long done[2 * ADDERS];

static void *work(void *argument)
{
	int number = (int)(intptr_t)argument;

	bind_to(1);
	for (; !__atomic_load_n(&stopped, __ATOMIC_ACQUIRE); __atomic_add_fetch(&done[number], 1, __ATOMIC_RELEASE)) {
		if (number < ADDERS) {
			this_cpu_add(longs, 1);
		} else {
			struct pair *mine = get_cpu_ptr(&pairs);

			mine->first++;
			__asm__ volatile("" ::: "memory");
			mine->second++;
			put_cpu_ptr(mine);
		}
	}
	return NULL;
}

/* Keeps the mover waiting for a while that is different each time, so that it finds the others anywhere. */
static void *hold(void *argument)
{
	unsigned random = (unsigned)getpid();

	(void)argument;
	while (!__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
		struct cpu_guard guard = cpu_guard_acquire_on(0);

		random = random * 1103515245 + 12345;
		usleep((random >> 8) % 100);
		cpu_guard_release(guard);
		usleep(10);
	}
	return NULL;
}

/* In which only threads of one kind run, or those of the other would use up their CPU's time. */
static void move_once(int first)
{
	pthread_t threads[ADDERS];
	pthread_t holder;
	long pair_sum[2] = {0, 0};
	unsigned cpu;

	for (int i = 0; i < ADDERS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)(first + i)), 0);
	for (int i = 0; i < ADDERS; i++)
		while (__atomic_load_n(&done[first + i], __ATOMIC_ACQUIRE) < 3)
			sched_yield();
	bind_to(0);
	CHECK_EQUAL(pthread_create(&holder, NULL, hold, NULL), 0);
	usleep(200);
	move_variables();
	usleep(2000);
	__atomic_store_n(&stopped, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < ADDERS; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	CHECK_EQUAL(pthread_join(holder, NULL), 0);
	CHECK_EQUAL(per_cpu_sum(longs), done[0] + done[1]);
	for_each_possible_cpu(cpu)
	{
		pair_sum[0] += per_cpu_ptr(&pairs, cpu)->first;
		pair_sum[1] += per_cpu_ptr(&pairs, cpu)->second;
	}
	CHECK_EQUAL(pair_sum[0], done[ADDERS] + done[ADDERS + 1]);
	CHECK_EQUAL(pair_sum[1], pair_sum[0]);
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 100;

	for (int i = 0; i < times; i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			move_once(i % 2 * ADDERS);
			_exit(0);
		}
		CHECK_EQUAL(waitpid(child, &status, 0), child);
		CHECK_EQUAL(status, 0);
	}
	printf("moved %d times: ok\n", times);
	return 0;
}
