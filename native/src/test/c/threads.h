/* Threads that are moved between CPUs and sent signals, as fast as that goes, while they work. */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#define MOST_THREADS 16

struct crowd {
	pthread_t threads[MOST_THREADS];
	int count;
	int done; /* how many have ended their work */
	int left_alone; /* nobody moves or signals the threads any more */
	void (*work)(int number);
	void (*meanwhile)(void);
};

struct member {
	struct crowd *crowd;
	int number;
};

static inline void *crowd_member(void *argument)
{
	struct member member = *(struct member *)argument;

	free(argument);
	if (member.number == member.crowd->count)
		member.crowd->meanwhile();
	else
		member.crowd->work(member.number);
	__atomic_add_fetch(&member.crowd->done, 1, __ATOMIC_RELEASE);
	/* Nobody can move a thread that has ended: the kernel no longer knows its id, or has given it to another. */
	while (!__atomic_load_n(&member.crowd->left_alone, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

/* So many threads work, and one more does what is to be done meanwhile. Returns how often a thread was moved. */
static inline long crowd_run(int count, void (*work)(int number), void (*meanwhile)(void))
{
	struct crowd crowd;
	long moves = 0;
	unsigned random = 12345;
	cpu_set_t allowed;

	CHECK_EQUAL(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	crowd.count = count;
	crowd.done = 0;
	crowd.left_alone = 0;
	crowd.work = work;
	crowd.meanwhile = meanwhile;
	for (int i = 0; i <= count; i++) {
		struct member *member = (struct member *)malloc(sizeof(*member));

		member->crowd = &crowd;
		member->number = i;
		CHECK_EQUAL(pthread_create(&crowd.threads[i], NULL, crowd_member, member), 0);
	}
	while (__atomic_load_n(&crowd.done, __ATOMIC_ACQUIRE) <= count) {
		for (int i = 0; i <= count; i++) {
			cpu_set_t one;
			int cpu;

			do {
				random = random * 1103515245 + 12345;
				cpu = (int)((random >> 16) % CPU_SETSIZE % percpu_count());
			} while (!CPU_ISSET(cpu, &allowed));
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			CHECK_EQUAL(pthread_setaffinity_np(crowd.threads[i], sizeof(one), &one), 0);
			CHECK_EQUAL(pthread_kill(crowd.threads[i], SIGPROF), 0);
			moves++;
		}
	}
	__atomic_store_n(&crowd.left_alone, 1, __ATOMIC_RELEASE);
	for (int i = 0; i <= count; i++)
		CHECK_EQUAL(pthread_join(crowd.threads[i], NULL), 0);
	return moves;
}

/* Moves the variables to an area of the test's own, as Java moves them to its area. Returns share()'s answer. */
static inline int share_variables(int stay)
{
	uint64_t stride = 1 << 20;
	uint64_t start = (uint64_t)(uintptr_t)percpu_library.start;
	long area = percpu_syscall(SYS_mmap, NULL, (percpu_count() + 1) * stride, 3, 0x4022, -1, 0);

	return percpu_library.share((uint64_t)area, stride, 4096 + start % 4096, percpu_count(), percpu_possible,
				    percpu_library.mode, (uint32_t)stay);
}

static inline void move_variables(void)
{
	CHECK_EQUAL(share_variables(1), PERCPU_SHARED_NOW);
}

/* Binds the thread to one of the CPUs that it may use, and returns which. */
static inline unsigned bind_to(int nth)
{
	cpu_set_t allowed;
	cpu_set_t one;
	unsigned cpu = 0;

	CHECK_EQUAL(sched_getaffinity(getpid(), sizeof(allowed), &allowed), 0);
	nth %= CPU_COUNT(&allowed);
	while (!CPU_ISSET(cpu, &allowed) || nth-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK_EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
	return cpu;
}

static inline void handle_signals(void (*handler)(int signal))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	CHECK_EQUAL(sigaction(SIGPROF, &action, NULL), 0);
}

#endif
