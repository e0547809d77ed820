/* Ids of threads that have ended, which the kernel has given to other threads. */
#include "check.h"

#include <fcntl.h>

DEFINE_PER_CPU(long, a_long) = 0;

static struct cpu_guard left;

static void *acquire_and_end(void *argument)
{
	left = cpu_guard_acquire_on(0);
	/* Nested, so that a count is left behind as well. */
	cpu_guard_acquire_on(0);
	return argument;
}

static void in_a_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	CHECK_EQUAL(pthread_create(&thread, NULL, function, argument), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

static void *acquire_as_heir(void *argument)
{
	int64_t owner = (int64_t)*left.word;
	struct cpu_guard guard;

	if (PERCPU_ID_OF(owner) != percpu_syscall(SYS_gettid))
		return argument;
	*(int *)argument = 1;
	guard = cpu_guard_acquire_on(0);
	/* Not nested in what it never acquired. */
	CHECK_EQUAL(guard.word[1], 0);
	CHECK_EQUAL(*guard.word, percpu_me());
	cpu_guard_release(guard);
	CHECK_EQUAL(*guard.word, 0);
	return argument;
}

/* The kernel is asked for the id, where this process may do that; else it is as if the owner had started earlier. */
static void an_id_is_given_to_another_thread(void)
{
	int64_t owner;
	int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	int was_given = 0;
	char text[32];

	in_a_thread(acquire_and_end, NULL);
	owner = (int64_t)*left.word;
	/* Start times are in hundredths of a second. */
	usleep(20000);
	for (int attempt = 0; attempt < 1000 && !was_given; attempt++) {
		int length = snprintf(text, sizeof(text), "%d", (int)PERCPU_ID_OF(owner) - 1);

		if (file < 0 || write(file, text, (size_t)length) != length)
			break;
		in_a_thread(acquire_as_heir, &was_given);
	}
	if (!was_given) {
		*left.word = (uint64_t) - ((PERCPU_START_TIME_OF(percpu_me()) - 1) << PERCPU_ID_BITS |
					   percpu_syscall(SYS_gettid));
		acquire_as_heir(&was_given);
		CHECK_EQUAL(was_given, 1);
	}
	close(file);
}

/* Whether a thread is the owner that has another start time. */
static int is_dead(int64_t owner)
{
	left.word[2] = 0;
	return percpu_is_dead(left.word, owner);
}

int main(void)
{
	int64_t me = (int64_t)percpu_me();
	int64_t id = percpu_syscall(SYS_gettid);
	int64_t other = -((PERCPU_START_TIME_OF(me) + 1) << PERCPU_ID_BITS | id);
	struct cpu_guard guard;

	CHECK_EQUAL(PERCPU_ID_OF(me), id);
	CHECK_EQUAL(PERCPU_START_TIME_OF(me) > 0, 1);
	an_id_is_given_to_another_thread();
	CHECK_EQUAL(is_dead(me), 0);
	CHECK_EQUAL(is_dead(other), 1);
	/* After a restore each thread has another start time. */
	percpu_process_start_time++;
	CHECK_EQUAL(is_dead(other), 0);
	percpu_process_start_time--;
	CHECK_EQUAL(is_dead(other), 1);
	/* Another library could not read this thread's start time. */
	CHECK_EQUAL(is_dead(-id), 0);
	*left.word = (uint64_t)-id;
	guard = cpu_guard_acquire_on(0);
	CHECK_EQUAL(guard.word[1], 1);
	cpu_guard_release(guard);
	CHECK_EQUAL((int64_t)*guard.word, -id);
	*left.word = 0;
	this_cpu_inc(a_long);
	printf("ok\n");
	return 0;
}
