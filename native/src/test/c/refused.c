/* What is right, and, with one of the definitions, something that is wrong. */
#ifdef ON_UNKNOWN_ARCHITECTURE
/* The system's headers have to know it; percpu.h comes to them again, and finds them included. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>
#undef __x86_64__
#undef __aarch64__
#endif

#include "percpu.h"

#include <stdbool.h>

struct wide {
	char bytes[16];
};

#if defined(ON_CONSTRUCTED) && defined(__cplusplus)
struct constructed {
	constructed() {}
	constructed(const constructed &) {}
};
DEFINE_PER_CPU(constructed, a_constructed);
#endif

#if defined(ON_COMPUTED) && defined(__cplusplus)
DEFINE_PER_CPU(long, a_computed) = random();
#endif

#ifdef ON_COMPLEX
DEFINE_PER_CPU(float _Complex, a_complex) = 0;
#endif

#if defined(ON_CLASS) && defined(__cplusplus)
struct money {
	double amount;
	constexpr money(double value) : amount(value) {}
	constexpr operator double() const { return amount; }
};
DEFINE_PER_CPU(money, some_money) = 0.0;
#endif

#ifdef ON_ALIGNED
struct aligned {
	char byte;
} __attribute__((aligned(8192)));
DEFINE_PER_CPU(struct aligned, an_aligned);
#endif

#ifdef ON_STATIC
static DEFINE_PER_CPU(long, a_static);
#endif

#ifdef ON_BRACKETS
DEFINE_PER_CPU(long, brackets_behind_the_name[4]);
#endif

#ifdef ON_CONST
DEFINE_PER_CPU(const long, a_const) = 0;
#endif

DEFINE_PER_CPU(long, a_long) = 0;
DEFINE_PER_CPU(bool, a_bool) = false;
DEFINE_PER_CPU(double, a_double) = 0;
DEFINE_PER_CPU(int, an_int) = 0;
DEFINE_PER_CPU(struct wide *, a_pointer) = NULL;
DEFINE_PER_CPU(struct wide, a_wide);
DEFINE_PER_CPU(char[8], an_array);

long ordinary = 0;
const struct wide unchanged = {{0}};

int main(void)
{
	unsigned cpu;
	double sum = 0;

	this_cpu_inc(a_long);
	this_cpu_write(a_bool, true);
	this_cpu_write(an_int, 5);
	this_cpu_write(a_pointer, per_cpu_ptr(&a_wide, 0));
#ifdef ON_DOUBLE
	this_cpu_add(a_double, 1);
#endif
#ifdef ON_WIDE
	this_cpu_inc(a_wide);
#endif
#ifdef ON_COMPLEX
	this_cpu_write(a_complex, 1);
#endif
#ifdef ON_POINTER_TO_CONST
	this_cpu_xchg(*(const long *)&a_long, 1);
#endif
#ifdef ON_CLASS
	this_cpu_add(some_money, 1.0);
#endif
#ifdef ON_STATEMENTS
#include ON_STATEMENTS
#endif
#ifdef ON_BYTE
	ON_BYTE byte;

	for_each_possible_cpu(byte) sum++;
#endif
#ifdef ON_ORDINARY
	this_cpu_inc(ordinary);
#endif
#ifdef ON_PUT_VARIABLE
	get_cpu_var(a_long)++;
	put_cpu_var(a_long);
#endif
#ifdef ON_PUT_TWICE
	put_cpu_var(*per_cpu_ptr(&a_long, 0));
#endif
#ifdef ON_INSTANCE
	sum += *per_cpu_ptr(&a_double, ON_INSTANCE);
#endif
#ifdef ON_CPU
	cpu_guard_release(cpu_guard_acquire_on((unsigned)ON_CPU));
#endif
	for_each_possible_cpu(cpu) sum += *per_cpu_ptr(&a_double, cpu) + per_cpu_ptr(&a_wide, cpu)->bytes[0];
	return sum + unchanged.bytes[0] != 0;
}
