/*
 * A fork leaves the child usable, whatever the other threads of the parent were doing: fork SCENARIO. Each child has to
 * come to its end in time, and a scenario prints nothing but "ok".
 */
static void at_move(int step);
#define PERCPU_TEST_MOVE(step) at_move(step)

#include "check.h"

#include "threads.h"

#include <sys/wait.h>

uint64_t test_aborts = 0;

struct pair {
	long first;
	long second;
};

DEFINE_PER_CPU(long, a_long) = 0;
DEFINE_PER_CPU(struct pair, a_pair) = {0, 0};

static int stopped;
static int ready;
static int begun;
static int forked;
static int preparing;
static int move_meets_fork;
static int gives_up;
static int given_up;
static int stops_at = -1;
static long done;

/* Runs in a child; returns when it has ended well. A child that hangs is ended by its alarm. */
static void in_a_child(void (*task)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		alarm(100);
		task();
		_exit(0);
	}
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
}

static pthread_t start(void *(*work)(void *))
{
	pthread_t thread;

	CHECK_EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
	return thread;
}

static void wait_until(int *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void all_guards_can_be_taken(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
	{
		struct cpu_guard guard = cpu_guard_acquire_on(cpu);
		struct cpu_guard inner = cpu_guard_acquire_on(cpu);

		CHECK_EQUAL(PERCPU_ID_OF(*guard.word), percpu_syscall(SYS_gettid));
		cpu_guard_release(inner);
		cpu_guard_release(guard);
		CHECK_EQUAL(*guard.word, 0);
		CHECK_EQUAL(guard.word[1], 0);
	}
}

/* All that a program does; at its end the variables move, for which nobody must be counted any more. */
static void everything_works(void)
{
	long before = (long)per_cpu_sum(a_long);
	struct pair *mine;

	if (move_meets_fork)
		CHECK_EQUAL(before, 3);
	this_cpu_inc(a_long);
	mine = get_cpu_ptr(&a_pair);
	mine->first++;
	put_cpu_ptr(mine);
	all_guards_can_be_taken();
	CHECK_EQUAL(per_cpu_sum(a_long), before + 1);
	if (percpu_library.state != PERCPU_SHARED) {
		move_variables();
		CHECK_EQUAL(per_cpu_sum(a_long), before + 1);
		this_cpu_inc(a_long);
		all_guards_can_be_taken();
		CHECK_EQUAL(per_cpu_sum(a_long), before + 2);
	}
}

static void *hold_nested_guards(void *argument)
{
	struct cpu_guard outer = cpu_guard_acquire_on(0);
	struct cpu_guard inner = cpu_guard_acquire_on(0);

	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	wait_until(&stopped);
	cpu_guard_release(inner);
	cpu_guard_release(outer);
	return argument;
}

/* Another thread's guard is free in the child, and still held in the parent. */
static void of_another_thread(void)
{
	pthread_t holder = start(hold_nested_guards);
	struct cpu_guard guard;

	wait_until(&ready);
	in_a_child(everything_works);
	guard.word = (uint64_t *)(uintptr_t)percpu_library.area;
	CHECK_EQUAL((int64_t)*guard.word != 0, 1);
	CHECK_EQUAL(guard.word[1], 1);
	__atomic_store_n(&stopped, 1, __ATOMIC_RELEASE);
	CHECK_EQUAL(pthread_join(holder, NULL), 0);
	all_guards_can_be_taken();
}

/* So is one of a thread of Java's, of which C code cannot find out that it does not exist in the child. */
static void of_java(void)
{
	uint64_t *word;

	percpu_count();
	move_variables();
	word = (uint64_t *)(uintptr_t)percpu_library.area;
	*word = 12345;
	in_a_child(everything_works);
	CHECK_EQUAL(*word, 12345);
}

static struct cpu_guard held_outer;
static struct cpu_guard held_inner;

static void goes_on_with_its_guards(void)
{
	struct cpu_guard guard = cpu_guard_acquire_on(held_outer.cpu);

	CHECK_EQUAL(PERCPU_ID_OF(*guard.word), percpu_syscall(SYS_gettid));
	CHECK_EQUAL(guard.word[1], 2);
	cpu_guard_release(guard);
	cpu_guard_release(held_inner);
	CHECK_EQUAL(PERCPU_ID_OF(*guard.word), percpu_syscall(SYS_gettid));
	cpu_guard_release(held_outer);
	CHECK_EQUAL(*guard.word, 0);
	everything_works();
}

/* The guards of the thread that forks are the child's too. */
static void of_the_forking_thread(void)
{
	held_outer = cpu_guard_acquire();
	held_inner = cpu_guard_acquire();
	in_a_child(goes_on_with_its_guards);
	goes_on_with_its_guards();
}

static void *move(void *argument)
{
	move_variables();
	return argument;
}

static void *acquire(void *argument)
{
	cpu_guard_release(cpu_guard_acquire());
	return argument;
}

/* The variables are about to move: the thread that moves them waits for a guard, and so does one that wants a guard. */
static void while_the_variables_are_about_to_move(void)
{
	pthread_t mover;
	pthread_t waiter;

	held_outer = cpu_guard_acquire();
	held_inner = cpu_guard_acquire();
	mover = start(move);
	while (__atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) != PERCPU_CLOSING)
		sched_yield();
	waiter = start(acquire);
	while ((uint32_t)__atomic_load_n(&percpu_library.waiting, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	in_a_child(goes_on_with_its_guards);
	goes_on_with_its_guards();
	CHECK_EQUAL(pthread_join(mover, NULL), 0);
	CHECK_EQUAL(pthread_join(waiter, NULL), 0);
	CHECK_EQUAL(percpu_library.state, PERCPU_SHARED);
}

/* What a thread that moves the variables waits for at a step of the move. */
static void at_move(int step)
{
	if (step == 2 && gives_up && !given_up) {
		__atomic_store_n(&given_up, 1, __ATOMIC_RELEASE);
		wait_until(&ready);
	}
	if (step != stops_at || ready)
		return;
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	if (step == 0) {
		wait_until(&forked);
	} else {
		wait_until(&preparing);
		usleep(2000);
	}
}

/* Runs before the header's own preparation for a fork. */
static void prepare_fork(void)
{
	__atomic_store_n(&preparing, 1, __ATOMIC_RELEASE);
}

/* Runs after the header's own preparation for a fork, and before the fork: what another thread does now. */
static void before_fork(void)
{
	struct timespec look = {0, 100000};

	if (!move_meets_fork)
		return;
	__atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
	if (stops_at == 0)
		wait_until(&ready);
	for (int i = 0; stops_at != 0 && i < 300; i++) {
		if (__atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_PLACING)
			break;
		nanosleep(&look, NULL);
	}
}

static void after_fork(void)
{
	__atomic_store_n(&forked, 1, __ATOMIC_RELEASE);
}

static __attribute__((constructor(101))) void register_before_the_header(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

static void *move_when_begun(void *argument)
{
	wait_until(&begun);
	move_variables();
	return argument;
}

/*
 * A move and a fork meet. The move comes as far as it can but not to its end, as a thread seems to be in the middle of
 * an update.
 */
static void meet(int step, int begins)
{
	uint64_t ticket;
	pthread_t mover;

	for (int i = 0; i < 3; i++)
		this_cpu_inc(a_long);
	ticket = percpu_count_in(&percpu_library.updating);
	move_meets_fork = 1;
	stops_at = step;
	begun = begins;
	/* Of these handlers the last one registered is the first one called. */
	CHECK_EQUAL(pthread_atfork(prepare_fork, NULL, NULL), 0);
	mover = start(move_when_begun);
	if (step == 1)
		wait_until(&ready);
	in_a_child(everything_works);
	percpu_count_out(&percpu_library.updating, ticket);
	CHECK_EQUAL(pthread_join(mover, NULL), 0);
	CHECK_EQUAL(percpu_library.state, PERCPU_SHARED);
	CHECK_EQUAL(per_cpu_sum(a_long), 3);
}

/* The move begins when the fork is prepared already. */
static void a_move_begins_at_a_fork(void)
{
	meet(-1, 0);
}

/* The fork happens while the mover knows nothing of it yet. */
static void a_move_that_looks_for_forks(void)
{
	meet(0, 0);
}

/* The fork begins when the mover has found that there is none. */
static void a_fork_begins_at_a_move(void)
{
	meet(1, 1);
}

/* Another thread may be first. */
static void *move_or_find_moved(void *argument)
{
	int answer = share_variables(1);

	CHECK_EQUAL(answer == PERCPU_SHARED_NOW || answer == PERCPU_SHARED_BEFORE, 1);
	return argument;
}

/*
 * One thread gives its move up, since there seems to be a fork. When it has opened the old place, another thread begins
 * a move, and finds no fork. Then a fork begins.
 */
static void a_fork_begins_at_a_move_after_one_that_gave_up(void)
{
	struct timespec look = {0, 100000};
	uint64_t updating;
	uint64_t forking;
	pthread_t movers[2];

	for (int i = 0; i < 3; i++)
		this_cpu_inc(a_long);
	updating = percpu_count_in(&percpu_library.updating);
	forking = percpu_count_in(&percpu_library.forking);
	move_meets_fork = 1;
	stops_at = 1;
	gives_up = 1;
	CHECK_EQUAL(pthread_atfork(prepare_fork, NULL, NULL), 0);
	movers[0] = start(move_or_find_moved);
	wait_until(&given_up);
	percpu_count_out(&percpu_library.forking, forking);
	movers[1] = start(move_or_find_moved);
	wait_until(&ready);
	/* The first thread goes on now. It must leave alone what the second one has set. */
	for (int i = 0; i < 50 && __atomic_load_n(&percpu_library.moving, __ATOMIC_ACQUIRE); i++)
		nanosleep(&look, NULL);
	in_a_child(everything_works);
	percpu_count_out(&percpu_library.updating, updating);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_join(movers[i], NULL), 0);
	CHECK_EQUAL(percpu_library.state, PERCPU_SHARED);
	CHECK_EQUAL(per_cpu_sum(a_long), 3);
}

static void *update(void *argument)
{
	while (!__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
		struct cpu_guard guard;

		this_cpu_inc(a_long);
		if (cpu_guard_try_acquire(&guard))
			cpu_guard_release(guard);
	}
	return argument;
}

/* Without sequences each thread is counted for nearly all of the time. */
static void while_others_update(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = start(update);
	for (int i = 0; i < 30; i++)
		in_a_child(everything_works);
	stopped = 1;
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
}

static pid_t parent;
#define FORKS_IN_HANDLER 50
static long handled;
static volatile sig_atomic_t is_child;

static void fork_in_handler(int signal)
{
	int status;
	pid_t child;

	(void)signal;
	/* Not after the last update: a child of that time would wait for a thread that it has not. */
	if (getpid() != parent || handled == FORKS_IN_HANDLER)
		return;
	handled++;
	child = fork();
	if (child == 0) {
		alarm(100);
		is_child = 1;
		return;
	}
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
}

static void *send_signals(void *argument)
{
	struct timespec pause = {0, 300000};

	while (!__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) {
		CHECK_EQUAL(pthread_kill(*(pthread_t *)argument, SIGPROF), 0);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* The thread that forks is itself in the middle of an update; in the child it ends the update, and is counted out. */
static void in_the_middle_of_an_update(void)
{
	pthread_t me = pthread_self();
	pthread_t sender;

	parent = getpid();
	handle_signals(fork_in_handler);
	CHECK_EQUAL(pthread_create(&sender, NULL, send_signals, &me), 0);
	while (handled < FORKS_IN_HANDLER && !is_child) {
		struct cpu_guard guard;

		percpu_thread = 0; /* finds its id out anew, so that many a fork comes in the middle of that */
		guard = cpu_guard_acquire();
		this_cpu_inc(a_long);
		done++;
		cpu_guard_release(guard);
	}
	CHECK_EQUAL(per_cpu_sum(a_long), done);
	if (is_child) {
		everything_works();
		_exit(0);
	}
	stopped = 1;
	CHECK_EQUAL(pthread_join(sender, NULL), 0);
}

static const struct scenario scenarios[] = {
	{"another", of_another_thread},
	{"java", of_java},
	{"own", of_the_forking_thread},
	{"about-to-move", while_the_variables_are_about_to_move},
	{"move-begins", a_move_begins_at_a_fork},
	{"move-looks", a_move_that_looks_for_forks},
	{"fork-begins", a_fork_begins_at_a_move},
	{"move-gave-up", a_fork_begins_at_a_move_after_one_that_gave_up},
	{"updates", while_others_update},
	{"handler", in_the_middle_of_an_update},
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, sizeof(scenarios) / sizeof(*scenarios), argc, argv);
}
