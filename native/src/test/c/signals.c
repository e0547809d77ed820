/* The header leaves the signals of faults as they are: blocked or not. */
#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

uint64_t test_aborts = 0;

DEFINE_PER_CPU(long, a_long) = 0;

static int trapped;

static void count(int signal)
{
	(void)signal;
	trapped++;
}

/* As in a sandbox that handles system calls itself. If SIGSYS were blocked, the kernel would end the process. */
static void trap_a_system_call_of_the_header(void)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(instructions) / sizeof(*instructions), instructions};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = count;
	CHECK_EQUAL(sigaction(SIGSYS, &action, NULL), 0);
	CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQUAL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

int main(void)
{
	sigset_t trap;
	sigset_t found;
	int taken = 0;

	/* As in a thread that takes this signal by sigwait. */
	CHECK_EQUAL(sigemptyset(&trap), 0);
	CHECK_EQUAL(sigaddset(&trap, SIGTRAP), 0);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &trap, NULL), 0);
	CHECK_EQUAL(raise(SIGTRAP), 0);
	trap_a_system_call_of_the_header();

	this_cpu_inc(a_long);
	cpu_guard_release(cpu_guard_acquire_on(0));
	CHECK_EQUAL(per_cpu_sum(a_long), 1);

	CHECK_EQUAL(trapped, 1);
	CHECK_EQUAL(sigwait(&trap, &taken), 0);
	CHECK_EQUAL(taken, SIGTRAP);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, NULL, &found), 0);
	CHECK_EQUAL(sigismember(&found, SIGTRAP), 1);
	CHECK_EQUAL(sigismember(&found, SIGUSR1), 0);
	printf("ok\n");
	return 0;
}
