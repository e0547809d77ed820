/* A thread that waits for the current CPU's guard and is moved between two CPUs, whose owners both take long. */
#include "check.h"

#include <poll.h>

#include "threads.h"

#define BETWEEN_MOVES 500 /* milliseconds: less than it takes until a wait is reported */

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

static int held;
static int is_reported;

/* Two owners: a thread that owned both guards would look the same wherever the waiting thread is. */
static void *hold(void *nth)
{
	struct cpu_guard guard = cpu_guard_acquire_on(bind_to(*(int *)nth));

	__atomic_add_fetch(&held, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&is_reported, __ATOMIC_ACQUIRE))
		usleep(1000);
	cpu_guard_release(guard);
	return NULL;
}

static void *wait_for_any(void *argument)
{
	cpu_guard_release(cpu_guard_acquire());
	return argument;
}

int main(void)
{
	int both[] = {0, 1};
	int owners = 2;
	int ends[2];
	cpu_set_t all;
	cpu_set_t cpus[2];
	pthread_t owner[2];
	pthread_t waiting;
	struct pollfd report = {0, POLLIN, 0};

	alarm(60);
	CHECK_EQUAL(sched_getaffinity(0, sizeof(all), &all), 0);
	for (int i = 0; i < 2; i++) {
		unsigned cpu = bind_to(i);

		CPU_ZERO(&cpus[i]);
		CPU_SET(cpu, &cpus[i]);
		CHECK_EQUAL(sched_setaffinity(0, sizeof(all), &all), 0);
	}
	/* Where there is only one CPU, the other owner would wait too. */
	if (CPU_EQUAL(&cpus[0], &cpus[1]))
		owners = 1;
	for (int i = 0; i < owners; i++)
		CHECK_EQUAL(pthread_create(&owner[i], NULL, hold, &both[i]), 0);
	while (__atomic_load_n(&held, __ATOMIC_ACQUIRE) < owners)
		usleep(1000);
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(dup2(ends[1], 2), 2);
	report.fd = ends[0];
	CHECK_EQUAL(pthread_create(&waiting, NULL, wait_for_any, NULL), 0);
	for (int move = 0; poll(&report, 1, BETWEEN_MOVES) == 0; move++)
		CHECK_EQUAL(pthread_setaffinity_np(waiting, sizeof(cpu_set_t), &cpus[move % 2]), 0);
	__atomic_store_n(&is_reported, 1, __ATOMIC_RELEASE);
	CHECK_EQUAL(pthread_join(waiting, NULL), 0);
	for (int i = 0; i < owners; i++)
		CHECK_EQUAL(pthread_join(owner[i], NULL), 0);
	CHECK_EQUAL(close(2), 0);
	CHECK_EQUAL(close(ends[1]), 0);
	for (char text[256];;) {
		long length = read(ends[0], text, sizeof(text));

		if (length <= 0)
			break;
		fwrite(text, 1, (size_t)length, stdout);
	}
	printf("ok\n");
	return 0;
}
