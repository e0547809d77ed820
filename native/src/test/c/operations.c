/*
 * Every operation on every width, one thread: what it does to the instance, to its neighbours, and what it returns.
 * Compiled as C11 without any extension of the library's headers, and as C++17.
 */
#include "check.h"

#include <limits.h>
#include <stdbool.h>

uint64_t test_aborts = 0;

DEFINE_PER_CPU(signed char, a_char) = -3;
DEFINE_PER_CPU(unsigned char, a_byte) = 200;
DEFINE_PER_CPU(short, a_short) = -300;
DEFINE_PER_CPU(unsigned short, an_unsigned_short) = 65000;
DEFINE_PER_CPU(int, an_int) = -70000;
DEFINE_PER_CPU(unsigned, an_unsigned) = 4000000000U;
DEFINE_PER_CPU(long, a_long) = -5000000000;
DEFINE_PER_CPU(unsigned long, an_unsigned_long) = 5;
DEFINE_PER_CPU(void *, a_pointer) = &a_long;
DEFINE_PER_CPU(bool, a_bool) = false;
DEFINE_PER_CPU(long[3], an_array) = {1, 2, 3};
DEFINE_STATIC_PER_CPU(int, unseen) = 17;

#ifdef __cplusplus
enum class colour : unsigned char { red, green = 2 };
DEFINE_PER_CPU(colour, a_colour) = colour::red;
#endif

struct wide {
	char first;
	long second;
} __attribute__((aligned(256)));

DEFINE_PER_CPU(struct wide, a_struct) = {'x', 42};
DEFINE_PER_CPU(char, after) = 'y';

/* In one thread, so on one CPU, or else the results of two operations are of two CPUs. */
static void stay_here(void)
{
	uint64_t mask[PERCPU_MOST_CPUS / 64] = {0};
	unsigned cpu = (unsigned)percpu_getcpu();

	mask[cpu / 64] = UINT64_C(1) << (cpu % 64);
	CHECK_EQUAL(percpu_syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask), 0);
}

#define TRY_ALL(type, var, initial)                                                                                    \
	do {                                                                                                           \
		type model = (type)(initial);                                                                          \
		CHECK_EQUAL(this_cpu_read(var), model);                                                                \
		for (int round = -300; round < 300; round++) {                                                         \
			type value = (type)(round * 7919);                                                             \
			this_cpu_add(var, value);                                                                      \
			model = (type)(model + value);                                                                 \
			CHECK_EQUAL(this_cpu_read(var), model);                                                        \
			this_cpu_add(var, 100);                                                                        \
			this_cpu_sub(var, 1);                                                                          \
			this_cpu_inc(var);                                                                             \
			this_cpu_dec(var);                                                                             \
			model = (type)(model + 99);                                                                    \
			CHECK_EQUAL(this_cpu_read(var), model);                                                        \
			this_cpu_or(var, value);                                                                       \
			model = (type)(model | value);                                                                 \
			CHECK_EQUAL(this_cpu_read(var), model);                                                        \
			this_cpu_and(var, (type)(0x5555555555555555 ^ round));                                         \
			model = (type)(model & (type)(0x5555555555555555 ^ round));                                    \
			CHECK_EQUAL(this_cpu_read(var), model);                                                        \
			model = (type)(model + value);                                                                 \
			CHECK_EQUAL(this_cpu_add_return(var, value), model);                                           \
			CHECK_EQUAL(this_cpu_xchg(var, value), model);                                                 \
			CHECK_EQUAL(this_cpu_cmpxchg(var, (type)(value + 1), 55), value);                              \
			CHECK_EQUAL(this_cpu_read(var), value);                                                        \
			CHECK_EQUAL(this_cpu_cmpxchg(var, value, 55), value);                                          \
			CHECK_EQUAL(this_cpu_read(var), 55);                                                           \
			this_cpu_write(var, value);                                                                    \
			model = value;                                                                                 \
			CHECK_EQUAL(this_cpu_read(var), model);                                                        \
		}                                                                                                      \
		this_cpu_write(var, (type)(initial));                                                                  \
		CHECK_EQUAL(var, (type)(initial)); /* nobody wrote the variable itself */                              \
	} while (0)

static void initial_values_are_on_each_cpu(void)
{
	unsigned cpu;
	unsigned cpus = 0;

	for_each_possible_cpu(cpu)
	{
		cpus++;
		CHECK_EQUAL(*per_cpu_ptr(&a_char, cpu), -3);
		CHECK_EQUAL(*per_cpu_ptr(&an_unsigned, cpu), 4000000000U);
		CHECK_EQUAL((*per_cpu_ptr(&an_array, cpu))[2], 3);
		CHECK_EQUAL(per_cpu_ptr(&a_struct, cpu)->second, 42);
		CHECK_EQUAL((uint64_t)(uintptr_t)per_cpu_ptr(&a_struct, cpu) % 256, 0);
		CHECK_EQUAL(*per_cpu_ptr(&after, cpu), 'y');
		CHECK_EQUAL(*per_cpu_ptr(&unseen, cpu), 17);
	}
	CHECK_EQUAL(cpus >= 1 && cpus <= percpu_count(), 1);
	CHECK_EQUAL(per_cpu_sum(unseen), 17 * (long)cpus);
}

/* For a bool each bit of a register counts, also those that the instance has no room for. */
static void only_the_instance_is_in_the_result(void)
{
	for (int i = 0; i < 2; i++) {
		CHECK_EQUAL(this_cpu_read(a_bool), false);
		CHECK_EQUAL(this_cpu_xchg(a_bool, true), false);
		CHECK_EQUAL(this_cpu_cmpxchg(a_bool, false, true), true);
		CHECK_EQUAL(this_cpu_cmpxchg(a_bool, true, false), true);
	}
}

/* Counted up here and down there, as by a thread that was moved in between. */
static void sums_are_those_of_the_type(void)
{
	unsigned last = percpu_next_possible(percpu_count() - 1);

	*per_cpu_ptr(&a_byte, 0) = 2;
	*per_cpu_ptr(&a_byte, last) = 255;
	for (unsigned cpu = 1; cpu < last; cpu++)
		*per_cpu_ptr(&a_byte, cpu) = 0;
	CHECK_EQUAL(per_cpu_sum(a_byte), last == 0 ? 255 : 1);
	*per_cpu_ptr(&a_char, 0) = 100;
	*per_cpu_ptr(&a_char, last) = 101;
	for (unsigned cpu = 1; cpu < last; cpu++)
		*per_cpu_ptr(&a_char, cpu) = 0;
	CHECK_EQUAL(per_cpu_sum(a_char), last == 0 ? 101 : 201);
}

static void other_values_are_those_of_the_type(void)
{
#ifdef __cplusplus
	CHECK_EQUAL(this_cpu_xchg(a_colour, colour::green), colour::red);
	CHECK_EQUAL(this_cpu_cmpxchg(a_colour, colour::green, colour::green), colour::green);
	CHECK_EQUAL(per_cpu_sum(a_colour), 2);
#endif
#if defined(__cplusplus) || (__STDC_VERSION__ > 201710L && __GNUC__ >= 13)
	this_cpu_write(a_pointer, nullptr);
	CHECK_EQUAL(this_cpu_cmpxchg(a_pointer, nullptr, &a_long) == nullptr, 1);
#endif
	CHECK_EQUAL(this_cpu_read(a_pointer) == &a_long, 1);
}

static void of_an_operand_only_the_bits_of_the_type_count(void)
{
	this_cpu_write(a_byte, 255);
	this_cpu_add(a_byte, 1000);
	this_cpu_sub(a_byte, 1000);
	this_cpu_and(a_byte, -1000);
	CHECK_EQUAL(this_cpu_xchg(a_byte, 200), 0x18);
	this_cpu_sub(a_short, 70000);
	CHECK_EQUAL(this_cpu_add_return(a_short, 70000), -300);
}

static void an_argument_is_computed_once(void)
{
	int index = 0;

	CHECK_EQUAL(per_cpu_sum(an_array[index++]) > 0, 1);
	CHECK_EQUAL(index, 1);
	this_cpu_add(an_array[index++], 0);
	CHECK_EQUAL(index, 2);
	CHECK_EQUAL(this_cpu_cmpxchg(an_array[index--], -1, 5), 3);
	CHECK_EQUAL(index, 1);
}

static void guards_nest(void)
{
	struct cpu_guard outer = cpu_guard_acquire();
	struct cpu_guard middle;
	struct cpu_guard inner;

	CHECK_EQUAL(PERCPU_ID_OF(*outer.word), percpu_syscall(SYS_gettid));
	CHECK_EQUAL(cpu_guard_try_acquire(&middle), 1);
	inner = cpu_guard_acquire_on(outer.cpu);
	CHECK_EQUAL(middle.cpu, outer.cpu);
	cpu_guard_release(inner);
	cpu_guard_release(middle);
	CHECK_EQUAL(PERCPU_ID_OF(*outer.word), percpu_syscall(SYS_gettid));
	cpu_guard_release(outer);
	CHECK_EQUAL(*outer.word, 0);
	get_cpu_var(a_struct).second++;
	{
		struct wide *mine = get_cpu_ptr(&a_struct);

		CHECK_EQUAL(mine->second, 43);
		mine->second--;
		put_cpu_var(*mine);
		put_cpu_ptr(mine);
	}
	CHECK_EQUAL(*outer.word, 0);
}

int main(void)
{
	int negative = -5;

	stay_here();
	initial_values_are_on_each_cpu();
	TRY_ALL(signed char, a_char, -3);
	TRY_ALL(unsigned char, a_byte, 200);
	TRY_ALL(short, a_short, -300);
	TRY_ALL(unsigned short, an_unsigned_short, 65000);
	TRY_ALL(int, an_int, -70000);
	TRY_ALL(unsigned, an_unsigned, 4000000000U);
	TRY_ALL(long, a_long, -5000000000);
	TRY_ALL(unsigned long, an_unsigned_long, 5);
	TRY_ALL(long, an_array[1], 2);
	CHECK_EQUAL(this_cpu_xchg(a_pointer, (void *)&after) == &a_long, 1);
	CHECK_EQUAL(this_cpu_read(a_pointer) == &after, 1);
	this_cpu_write(a_pointer, &a_long);
	this_cpu_inc(a_pointer);
	this_cpu_sub(a_pointer, 1);
	this_cpu_add(a_pointer, negative);
	this_cpu_sub(a_pointer, negative);
	CHECK_EQUAL(this_cpu_read(a_pointer) == &a_long, 1);
	other_values_are_those_of_the_type();
	of_an_operand_only_the_bits_of_the_type_count();
	this_cpu_write(a_long, 0);
	this_cpu_sub(a_long, LONG_MIN);
	CHECK_EQUAL(this_cpu_xchg(a_long, -5000000000), LONG_MIN);
	only_the_instance_is_in_the_result();
	/* All that a sequence could have touched beside what it should is as it was. */
	initial_values_are_on_each_cpu();
	an_argument_is_computed_once();
	guards_nest();
	sums_are_those_of_the_type();
	errno = 12345;
	this_cpu_inc(unseen);
	CHECK_EQUAL(errno, 12345);
	printf("%s: ok\n", percpu_library.mode == PERCPU_SEQUENCES ? "sequences" : "atomics");
	return 0;
}
