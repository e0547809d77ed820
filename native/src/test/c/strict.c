/*
 * A file of somebody else's code: with names of its own for attributes and operations, and compiled with more warnings
 * than the other tests. It uses each part of the interface.
 */
#ifndef __cplusplus
#include <stdnoreturn.h>
#endif
#define always_inline __inline__ __attribute__((__always_inline__))
#define noinline __attribute__((__noinline__))
#define cold __attribute__((__cold__))
#define weak __attribute__((__weak__))
#define used __attribute__((__used__))
#define unused __attribute__((__unused__))
#define visibility(kind) __attribute__((__visibility__(kind)))
#define constructor __attribute__((__constructor__))
#define READ 'r'
#define WRITE 'w'
#define AND &&
#define OR ||
#define ADD_RETURN +
#define XCHG "xchg"
#define CMPXCHG "cmpxchg"
#include <resolv.h>
#ifndef ADD
#define ADD +
#endif

#include "percpu.h"

struct pair {
	long first;
	long second;
};

enum colour { RED, GREEN };

DECLARE_PER_CPU(long, a_long);
DEFINE_PER_CPU(long, a_long) = 0;
DEFINE_PER_CPU(int, an_int) = 0;
DEFINE_PER_CPU(unsigned, an_unsigned);
DEFINE_PER_CPU(short, a_short) = 0;
DEFINE_PER_CPU(unsigned char, a_byte) = 0;
DEFINE_PER_CPU(const char *, a_text) = NULL;
DEFINE_PER_CPU(enum colour, a_colour) = RED;
DEFINE_PER_CPU(void (*)(int), a_function) = NULL;
DEFINE_PER_CPU(volatile long, a_volatile) = 0;
DEFINE_PER_CPU(struct pair, a_pair) = {0, 0};
DEFINE_PER_CPU(long[4], many) = {0, 0, 0, 0};
DEFINE_STATIC_PER_CPU(int, unseen) = 0;

static const char *text(void)
{
	return "text";
}

static void hear(int number)
{
	(void)number;
}

static void update(int number, unsigned bits)
{
	this_cpu_add(a_long, number);
	this_cpu_sub(a_long, bits);
	this_cpu_add(a_byte, number);
	this_cpu_inc(a_short);
	this_cpu_dec(a_short);
	this_cpu_and(a_byte, 0x7f);
	this_cpu_or(an_unsigned, bits);
	this_cpu_write(an_int, number);
	this_cpu_write(a_text, "text");
	this_cpu_add(a_text, number);
	this_cpu_sub(a_text, number);
	this_cpu_xchg(a_text, NULL);
	this_cpu_write(a_text, text());
	this_cpu_write(a_text, 0);
	this_cpu_cmpxchg(a_text, NULL, this_cpu_xchg(a_text, text()));
	this_cpu_write(a_colour, GREEN);
	this_cpu_write(a_function, hear);
	this_cpu_write(a_volatile, number);
	this_cpu_inc(many[1]);
	this_cpu_inc(a_pair.second);
	this_cpu_inc(unseen);
	this_cpu_inc(a_volatile);
}

static long look(int number)
{
	long sum = this_cpu_read(a_text) != NULL;
	int cpu;
	unsigned other;

	sum += this_cpu_read(a_long) + this_cpu_add_return(an_int, number) + this_cpu_xchg(a_short, 1);
	sum += this_cpu_cmpxchg(an_int, number, 1);
	sum += (long)per_cpu_sum(a_byte) + (long)per_cpu_sum(a_colour);
	sum += this_cpu_read(a_volatile) + *per_cpu_ptr(&a_volatile, 0) + (long)per_cpu_sum(a_volatile);
	for_each_possible_cpu(cpu) sum += *per_cpu_ptr(&a_long, cpu);
	for_each_possible_cpu(other) sum += per_cpu_ptr(&a_pair, other)->first;
	return sum;
}

/* Through pointers that allow no change, and are constants themselves. */
static long look_only(const long *const number, const char *const *const text, const struct pair *const pairs)
{
	const struct pair *const mine = get_cpu_ptr(pairs);
	long sum = mine->first;

	put_cpu_ptr(mine);
	sum += this_cpu_read(*number) + this_cpu_read(pairs->second) + (this_cpu_read(*text) != NULL);
	return sum + *per_cpu_ptr(number, 0) + (long)per_cpu_sum(*number);
}

static void guard(void)
{
	struct cpu_guard held = cpu_guard_acquire();
	struct pair *mine = get_cpu_ptr(&a_pair);

	get_cpu_var(a_pair).first++;
	put_cpu_var(*mine);
	put_cpu_ptr(mine);
	cpu_guard_release(held);
	held = cpu_guard_acquire_on(0);
	cpu_guard_release(held);
	if (cpu_guard_try_acquire(&held))
		cpu_guard_release(held);
}

int main(void)
{
	update(1, 1);
	guard();
	return look(1) + look_only(&a_long, &a_text, &a_pair) < 0;
}
