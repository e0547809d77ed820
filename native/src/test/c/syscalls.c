/*
 * The kernel refuses what it did not refuse before: syscalls SCENARIO. As a kernel cannot be made to forget that the
 * process is registered for membarrier, for one thing, the C library's syscall() is the program's own here.
 */
static void at_move(int step);
#define PERCPU_TEST_MOVE(step) at_move(step)

#include "check.h"

#include "threads.h"

#include <stdarg.h>
#include <sys/wait.h>

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 7;

#define RESTART (1 << 7)
#define REGISTER (1 << 8)

static int refuses_membarrier;
static int registered;
static int registrations;

static int refuses_memory;
/* 1 for a thread that places the variables to stop there; 2 once it has. */
static int stops_placing;

/* 1 for a thread that finds no memory to stop then, until others have found some and begin a move; 2 once it has. */
static int moves_meanwhile;
static void move_meanwhile(void);

static long (*system_call)(long number, ...);

static int is_refused(long number, int command)
{
	if (number == SYS_mmap)
		return __atomic_load_n(&refuses_memory, __ATOMIC_ACQUIRE);
	if (number != SYS_membarrier)
		return 0;
	if (command == REGISTER && !refuses_membarrier) {
		registered = 1;
		registrations++;
	}
	return refuses_membarrier || (command == RESTART && !registered);
}

long syscall(long number, ...)
{
	long arguments[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (!system_call)
		*(void **)&system_call = dlsym(RTLD_NEXT, "syscall");
	if (is_refused(number, (int)arguments[0])) {
		errno = EPERM;
		return -1;
	}
	if (number == SYS_madvise && __atomic_load_n(&stops_placing, __ATOMIC_ACQUIRE) == 1) {
		__atomic_store_n(&stops_placing, 2, __ATOMIC_RELEASE);
		while (__atomic_load_n(&stops_placing, __ATOMIC_ACQUIRE) != 0)
			sched_yield();
	}
	/* The thread restores its signals as the last that it does when there is no memory. */
	if (number == SYS_rt_sigprocmask && arguments[0] == SIG_SETMASK && moves_meanwhile == 1)
		move_meanwhile();
	return system_call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

static int cpus(void)
{
	int cpu;
	int count = 0;

	for_each_possible_cpu(cpu) count++;
	return count;
}

/* All that needs no other CPU. */
static void the_rest_works(void)
{
	struct cpu_guard outer = cpu_guard_acquire();
	struct cpu_guard inner;

	CHECK_EQUAL(cpu_guard_try_acquire(&inner), 1);
	cpu_guard_release(inner);
	cpu_guard_release(outer);
	CHECK_EQUAL(*outer.word, 0);
	this_cpu_inc(a_long);
	CHECK_EQUAL(per_cpu_sum(a_long), 7 * cpus() + 1);
	this_cpu_dec(a_long);
}

static void take_each_guard(void)
{
	int cpu;

	errno = 12345;
	for_each_possible_cpu(cpu) cpu_guard_release(cpu_guard_acquire_on(cpu));
	CHECK_EQUAL(errno, 12345);
}

/* As after a checkpoint and restore. */
static void lose_registration(void)
{
	percpu_count();
	CHECK_EQUAL(registrations, 1);
	registered = 0;
}

static void guard_after_lost_registration(void)
{
	lose_registration();
	take_each_guard();
	CHECK_EQUAL(registrations, 2);
	the_rest_works();
}

static void move_after_lost_registration(void)
{
	lose_registration();
	move_variables();
	CHECK_EQUAL(registrations, 2);
	take_each_guard();
	CHECK_EQUAL(registrations, 2);
	the_rest_works();
}

/* A move is refused with an answer, and everything stays where it is. */
static void move_without_membarrier(void)
{
	lose_registration();
	refuses_membarrier = 1;
	CHECK_EQUAL(percpu_library.share(percpu_library.area, percpu_library.stride, 4096, percpu_count(),
					 percpu_possible, percpu_library.mode, 1),
		    PERCPU_NO_MEMBARRIER);
	CHECK_EQUAL(percpu_library.state, PERCPU_MOVABLE);
	the_rest_works();
	refuses_membarrier = 0;
	move_variables();
	the_rest_works();
}

#ifdef RSEQ_SIG
static void *try_without_cpu(void *argument)
{
	struct cpu_guard guard;

	CHECK_EQUAL(percpu_syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, 32, 1 /* unregister */,
				   RSEQ_SIG),
		    0);
	CHECK_EQUAL(cpu_guard_try_acquire(&guard), 0);
	refuses_membarrier = 0;
	CHECK_EQUAL(cpu_guard_try_acquire(&guard), 1);
	cpu_guard_release(guard);
	CHECK_EQUAL(*guard.word, 0);
	return argument;
}
#endif

/*
 * A thread without a CPU id acquires each guard as if from another CPU. To try fails then, and leaves the guard free.
 */
static void try_without_membarrier(void)
{
#ifdef RSEQ_SIG
	pthread_t thread;

	lose_registration();
	refuses_membarrier = 1;
	CHECK_EQUAL(pthread_create(&thread, NULL, try_without_cpu, NULL), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	take_each_guard();
#endif
}

/* There is no answer that could say so. */
static void acquire_without_membarrier(void)
{
	lose_registration();
	refuses_membarrier = 1;
	take_each_guard();
}

static void try_without_memory(void)
{
	struct cpu_guard guard;

	refuses_memory = 1;
	CHECK_EQUAL(cpu_guard_try_acquire(&guard), 0);
	refuses_memory = 0;
	the_rest_works();
}

static pthread_t placer;
static int place_at_fork;

static void *place(void *argument)
{
	CHECK_EQUAL(percpu_count() > 0, 1);
	return argument;
}

/* Starts a thread that places the variables, and stops in the middle. */
static void begin_to_place(void)
{
	__atomic_store_n(&stops_placing, 1, __ATOMIC_RELEASE);
	CHECK_EQUAL(pthread_create(&placer, NULL, place, NULL), 0);
	while (__atomic_load_n(&stops_placing, __ATOMIC_ACQUIRE) != 2)
		sched_yield();
}

/* To try does not wait for another thread that places the variables. */
static void try_while_placing(void)
{
	struct cpu_guard guard;

	alarm(60);
	begin_to_place();
	CHECK_EQUAL(cpu_guard_try_acquire(&guard), 0);
	__atomic_store_n(&stops_placing, 0, __ATOMIC_RELEASE);
	CHECK_EQUAL(pthread_join(placer, NULL), 0);
	CHECK_EQUAL(cpu_guard_try_acquire(&guard), 1);
	cpu_guard_release(guard);
	the_rest_works();
}

static pthread_t mover;
static uint64_t updating;
static int is_moving;
static int is_prepared;

/* The move does not come to its end, as a thread seems to be in the middle of an update. */
static void *use_and_move(void *argument)
{
	for (int i = 0; i < 3; i++)
		this_cpu_inc(a_long);
	updating = percpu_count_in(&percpu_library.updating);
	move_variables();
	return argument;
}

static void move_meanwhile(void)
{
	moves_meanwhile = 2;
	__atomic_store_n(&refuses_memory, 0, __ATOMIC_RELEASE);
	CHECK_EQUAL(pthread_create(&mover, NULL, use_and_move, NULL), 0);
	while (!__atomic_load_n(&is_moving, __ATOMIC_ACQUIRE))
		sched_yield();
}

/* A move that has found no fork gives one the time to begin. */
static void at_move(int step)
{
	if (step != 1 || is_moving)
		return;
	__atomic_store_n(&is_moving, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < 50 && !__atomic_load_n(&is_prepared, __ATOMIC_ACQUIRE); i++)
		usleep(100);
}

/*
 * After the header's own preparation for a fork: another thread begins to place the variables, or, if the fork has not
 * seen that it moves them, goes on with that.
 */
static void before_fork(void)
{
	__atomic_store_n(&is_prepared, 1, __ATOMIC_RELEASE);
	for (int i = 0; moves_meanwhile == 2 && i < 300; i++) {
		if (__atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_PLACING)
			break;
		usleep(100);
	}
	if (!place_at_fork)
		return;
	__atomic_store_n(&refuses_memory, 0, __ATOMIC_RELEASE);
	begin_to_place();
}

static void after_fork(void)
{
	__atomic_store_n(&stops_placing, 0, __ATOMIC_RELEASE);
}

static __attribute__((constructor(101))) void register_before_the_header(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

/* A fork needs no memory for variables that nobody uses; and the child finds its own, whatever others were doing. */
static void fork_without_memory(void)
{
	int status;
	pid_t child;

	refuses_memory = 1;
	place_at_fork = 1;
	child = fork();
	place_at_fork = 0;
	if (child == 0) {
		alarm(100);
		the_rest_works();
		take_each_guard();
		_exit(0);
	}
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
	CHECK_EQUAL(pthread_join(placer, NULL), 0);
	the_rest_works();
}

/* While one thread finds no memory and forks, others find some, use the variables, and move them. */
static void fork_without_memory_while_moving(void)
{
	int status;
	pid_t child;

	percpu_me();
	refuses_memory = 1;
	moves_meanwhile = 1;
	child = fork();
	if (child == 0) {
		alarm(100);
		CHECK_EQUAL(per_cpu_sum(a_long), 7 * cpus() + 3);
		_exit(0);
	}
	CHECK_EQUAL(moves_meanwhile, 2);
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
	percpu_count_out(&percpu_library.updating, updating);
	CHECK_EQUAL(pthread_join(mover, NULL), 0);
	CHECK_EQUAL(per_cpu_sum(a_long), 7 * cpus() + 3);
}

static const struct scenario scenarios[] = {
	{"guard-after-lost-registration", guard_after_lost_registration},
	{"move-after-lost-registration", move_after_lost_registration},
	{"move-without-membarrier", move_without_membarrier},
	{"try-without-membarrier", try_without_membarrier},
	{"acquire-without-membarrier", acquire_without_membarrier},
	{"try-without-memory", try_without_memory},
	{"try-while-placing", try_while_placing},
	{"fork-without-memory", fork_without_memory},
	{"fork-without-memory-while-moving", fork_without_memory_while_moving},
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, sizeof(scenarios) / sizeof(*scenarios), argc, argv);
}
