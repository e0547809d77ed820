/*
 * percpu.h - per-CPU variables for C and C++, in a program of its own or shared with Java.
 *
 *     DEFINE_PER_CPU(long, hits) = 0;
 *
 *     this_cpu_add(hits, 1);                            one restartable sequence: no lock, no atomic instruction
 *
 *     struct pair *mine = get_cpu_ptr(&pairs);          the guard: alone with this CPU's instance
 *     mine->first++;
 *     mine->second++;
 *     put_cpu_ptr(mine);
 *
 * Include it in as many files of a library as you like; there is nothing to link. Linux with glibc 2.35 or newer has
 * restartable sequences; elsewhere the same operations are atomic instructions. C11 or C++17, GCC 11 or Clang 14 or
 * newer, x86-64 or AArch64. docs/native.md has the protocol and draws the memory.
 *
 * Copyright the Percpu authors. Licensed under the Apache License, Version 2.0.
 */
#ifndef PERCPU_H
#define PERCPU_H

#if !defined(__linux__) || !(defined(__x86_64__) || defined(__aarch64__)) || !defined(__LP64__)
#error "percpu.h is written for 64-bit Linux on x86-64 and AArch64"
#endif

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* PERCPU_NO_RSEQ leaves the sequences out, as if the C library had none: for all files of a library, or for none. */
#if !defined(PERCPU_NO_RSEQ) && defined(__has_include)
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define PERCPU_RSEQ 1
#endif
#endif
#ifndef PERCPU_RSEQ
#define PERCPU_RSEQ 0
#endif

#ifdef __cplusplus
#define PERCPU_C_LINKAGE extern "C"
#define PERCPU_ASSERT(condition, message) static_assert(condition, message)
extern "C" {
#else
#define PERCPU_C_LINKAGE extern
#define PERCPU_ASSERT(condition, message) _Static_assert(condition, message)
#endif

/* One in each library, however many of its files include this; and no other library's. */
#define PERCPU_OF_LIBRARY __attribute__((weak, visibility("hidden")))
#define PERCPU_SLOW PERCPU_OF_LIBRARY __attribute__((noinline, cold))
#define PERCPU_INLINE static inline __attribute__((always_inline, unused))

/* ---------------------------------------------------------------------------------------------------------------- *
 * Variables
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * Defines a variable of which every CPU has an instance. The name itself is the initial value, in a section of its own;
 * it is only ever used through the macros below. An alignment of up to 4096 bytes is kept.
 *
 * The first object is what Java looks up: it is exported, while the variable is hidden, as its place is known in its
 * own library only.
 */
#define DEFINE_PER_CPU(type, name)                                                                                     \
	PERCPU_ASSERT_COPYABLE(type);                                                                                  \
	DECLARE_PER_CPU(type, name);                                                                                   \
	PERCPU_C_LINKAGE __attribute__((visibility("default"))) const struct percpu_variable percpu_variable_##name;   \
	__attribute__((used)) const struct percpu_variable percpu_variable_##name = {                                  \
		PERCPU_MAGIC, PERCPU_VERSION, &name, sizeof(name), &percpu_library};                                   \
	__attribute__((section("percpu_data"), used)) PERCPU_CONSTANT __typeof__(type) name

/* One that only its own file sees, and Java doesn't. */
#define DEFINE_STATIC_PER_CPU(type, name)                                                                              \
	PERCPU_ASSERT_COPYABLE(type);                                                                                  \
	static __attribute__((section("percpu_data"), used)) PERCPU_CONSTANT __typeof__(type) name

/* Declares a variable that another file of the same library defines. */
#define DECLARE_PER_CPU(type, name) PERCPU_C_LINKAGE __attribute__((visibility("hidden"))) __typeof__(type) name

#ifdef __cplusplus
#define PERCPU_ASSERT_COPYABLE(type)                                                                                   \
	static_assert(__is_trivially_copyable(__typeof__(type)), "instances begin as a copy of the variable's bytes")
/*
 * A value that is computed when the program starts would come after the copies. Clang's word for this refuses variables
 * without an initial value too.
 */
#ifdef __clang__
#define PERCPU_CONSTANT
#else
#define PERCPU_CONSTANT __constinit
#endif
#else
#define PERCPU_ASSERT_COPYABLE(type) _Static_assert(sizeof(type) > 0, "an instance needs a size")
#define PERCPU_CONSTANT
#endif

#define PERCPU_MAGIC 0x75706370U
#define PERCPU_VERSION 1U

/* What Java finds of a variable. Java knows the order of the fields; a change needs a new PERCPU_VERSION. */
struct percpu_variable {
	uint32_t magic;
	uint32_t version;
	const void *image;
	uint64_t size;
	struct percpu_library *library;
};

/* What a library knows of where its variables are: an instance lies at (variable + delta + cpu * stride). */
struct percpu_library {
	/* Java reads these, */
	const char *start;
	const char *stop;
	const char *file;
	int (*share)(uint64_t area, uint64_t stride, uint64_t position, uint32_t cpus, uint32_t mode);

	uint32_t state;
	uint32_t mode;
	/* and these, when share() says that the variables are shared before. */
	uint64_t area;   /* CPU 0's place; at its start is CPU 0's guard word */
	uint64_t stride; /* a power of two */
	uint64_t delta;
	uint32_t count; /* of places that CPUs have; one more has no CPU */

	/* How many threads are on a slow way right now, and how many wait for the variables to have a place. */
	uint32_t updating __attribute__((aligned(64)));
	uint32_t acquiring;
	uint32_t waiting;
};

enum percpu_state {
	PERCPU_UNPLACED,
	PERCPU_PLACING, /* nobody has a guard, and everybody waits */
	PERCPU_OWN,     /* on an area of this library's own */
	PERCPU_CLOSING, /* still there; who has a guard keeps it, and nobody gets one */
	PERCPU_SHARED   /* on Java's area, for good */
};

/* How a word of the area is updated. All who update it must do it in the same way. */
enum percpu_mode { PERCPU_SEQUENCES, PERCPU_ATOMICS };

/* What share() returns. */
enum percpu_refusal { PERCPU_SHARED_NOW, PERCPU_SHARED_BEFORE, PERCPU_GUARD_HELD, PERCPU_OTHER_CPUS };

extern char __start_percpu_data[] __attribute__((visibility("hidden")));
extern char __stop_percpu_data[] __attribute__((visibility("hidden")));

PERCPU_OF_LIBRARY int percpu_share(uint64_t area, uint64_t stride, uint64_t position, uint32_t cpus, uint32_t mode);

/* There is a section even if there is no variable. */
PERCPU_OF_LIBRARY __attribute__((section("percpu_data"), aligned(64))) char percpu_anchor[64] = {0};

PERCPU_OF_LIBRARY struct percpu_library percpu_library = {
	__start_percpu_data, __stop_percpu_data, "", percpu_share, PERCPU_UNPLACED, PERCPU_SEQUENCES, 0, 0, 0, 0, 0, 0, 0};

/* As many as the kernel can be built for. Of the pages of what follows, only those exist that are written. */
#define PERCPU_MOST_CPUS 8192

/*
 * What the sequences read: how far each CPU's instances are from the variables, and where its guard word is. They are 0
 * until there are places, while those move, and for ever where there are no sequences; a 0 sends everyone the slow way.
 */
PERCPU_OF_LIBRARY uint64_t percpu_distances[PERCPU_MOST_CPUS] = {0};
PERCPU_OF_LIBRARY uint64_t percpu_guards[PERCPU_MOST_CPUS] = {0};

/* The kernel's list of possible CPUs. */
PERCPU_OF_LIBRARY uint64_t percpu_possible[PERCPU_MOST_CPUS / 64] = {0};

/* The kernel's number of this thread; 0 until it is asked for. */
#ifdef __GLIBC__
/* glibc keeps room for a few of these, also for libraries that are loaded later, and this way they are one load. */
#define PERCPU_TLS __attribute__((tls_model("initial-exec"))) __thread
#else
#define PERCPU_TLS __thread
#endif
PERCPU_OF_LIBRARY PERCPU_TLS int percpu_thread = 0;

/* Says what cannot go on, and ends the process. */
PERCPU_SLOW __attribute__((noreturn)) void percpu_fatal(const char *what);

/* ---------------------------------------------------------------------------------------------------------------- *
 * The sequences
 *
 * Between start and end (22 and 33) the thread is alone on its CPU, or the kernel sends it to abort (44), which starts
 * over. So everything is read inside: the CPU's id, where its instances are, and the old value. There is
 * exactly one store, the last instruction.
 *
 *     thread A on the CPU                          thread B on the CPU
 *     1. reads the value: 7
 *     (preempted)                                  2. reads 7, stores 8
 *     3. does not store 8 once more: it goes on
 *        at abort, and reads 8
 *
 * As the place is read inside, a library's variables can move (percpu_share): once the distances are 0 and every
 * sequence in flight was restarted, none is left that knows the old place. And whoever reads a distance that is not 0
 * reaches the instance by it, so also sees what was there before the distance was stored.
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * An operation without a result jumps out of its sequence with "asm goto". One with results cannot: several releases of
 * GCC 11, 12 and 13 lose the outputs of such a statement. It tells by PERCPU_NOTE_DONE that it came to its end, and
 * otherwise leaves at 66.
 */
#define PERCPU_OUT "%l[slow]"
#define PERCPU_UNDONE "66f"

/* For tests: delays between two steps, in r11 or x11, and a count of the aborts. */
#ifndef PERCPU_TEST_PAUSE
#define PERCPU_TEST_PAUSE ""
#endif
#ifndef PERCPU_TEST_ABORT
#define PERCPU_TEST_ABORT ""
#endif

/* The section's descriptor. The question mark: if an inline function's code is thrown away, this goes with it. */
#define PERCPU_DESCRIPTOR                                                                                              \
	".pushsection percpu_rseq_cs, \"aw?\"\n\t"                                                                     \
	".balign 32\n"                                                                                                 \
	"11:\n\t"                                                                                                      \
	".long 0, 0\n\t"                                                                                               \
	".quad 22f, 33f - 22f, 44f\n\t"                                                                                \
	".popsection\n"

#if defined(__x86_64__)

#define PERCPU_CLOBBERS "rax", "r11", "cc", "memory"

/* Up to this CPU's entry of a table, in rax: an id of -1 or -2 is a huge unsigned number. */
#define PERCPU_BEGIN(out, with_cpu)                                                                                    \
	PERCPU_DESCRIPTOR                                                                                              \
	"55:\n\t"                                                                                                      \
	"leaq 11b(%%rip), %%rax\n\t"                                                                                   \
	"movq %%rax, %%fs:8(%[rseq])\n"                                                                                \
	"22:\n\t"                                                                                                      \
	"movl %%fs:4(%[rseq]), %%eax\n\t" PERCPU_TEST_PAUSE                                                            \
	"cmpl %[bound], %%eax\n\t"                                                                                     \
	"jae " out "\n\t" PERCPU_TEST_PAUSE with_cpu                                                                   \
	"movq (%[table],%%rax,8), %%rax\n\t" PERCPU_TEST_PAUSE                                                         \
	"testq %%rax, %%rax\n\t"                                                                                       \
	"jz " out "\n\t" PERCPU_TEST_PAUSE

/* The abort address lies outside, after the signature that the kernel wants in front of it. */
#define PERCPU_END                                                                                                     \
	"33:\n\t"                                                                                                      \
	".pushsection percpu_rseq_abort, \"ax?\"\n\t"                                                                  \
	".long 0x53053053\n"                                                                                           \
	"44:\n\t" PERCPU_TEST_ABORT                                                                                    \
	"jmp 55b\n\t"                                                                                                  \
	".popsection\n"

#define PERCPU_NOTE_UNDONE "xorl %k[done], %k[done]\n"
#define PERCPU_NOTE_DONE                                                                                               \
	"movl $1, %k[done]\n"                                                                                          \
	"66:\n\t"

#define PERCPU_RSEQ_AREA ((uint64_t)__rseq_offset)
#define PERCPU_OPERAND "er"

/* One instruction loads, computes and stores: it is the commit. */
#define PERCPU_DO(size, suffix, modifier, instruction)                                                                 \
	instruction suffix " %" modifier "[operand], (%[image],%%rax)\n"
#define PERCPU_DO_ADD(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "add")
#define PERCPU_DO_AND(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "and")
#define PERCPU_DO_OR(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "or")
#define PERCPU_DO_WRITE(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "mov")
#define PERCPU_DO_READ(size, suffix, modifier) "mov" suffix " (%[image],%%rax), %" modifier "[value]\n"
#define PERCPU_DO_ADD_RETURN(size, suffix, modifier)                                                                   \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"add" suffix " %" modifier "[operand], %" modifier "[value]\n\t" PERCPU_TEST_PAUSE                             \
	"mov" suffix " %" modifier "[value], (%[image],%%rax)\n"
#define PERCPU_DO_XCHG(size, suffix, modifier)                                                                         \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	PERCPU_DO_WRITE(size, suffix, modifier)
#define PERCPU_DO_CMPXCHG(size, suffix, modifier)                                                                      \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"cmp" suffix " %" modifier "[expected], %" modifier "[value]\n\t"                                              \
	"jne 33f\n\t" PERCPU_TEST_PAUSE                                                                                \
	PERCPU_DO_WRITE(size, suffix, modifier)

#define PERCPU_KEEP_CPU "movl %%eax, %k[cpu]\n\t"

/* Loads are acquiring here by themselves. */
#define PERCPU_DO_ACQUIRE                                                                                              \
	"movq %%rax, %[word]\n\t"                                                                                      \
	"cmpq $0, (%[word])\n\t"                                                                                       \
	"jne 66f\n\t" PERCPU_TEST_PAUSE                                                                                \
	"movq %[owner], (%[word])\n"

#define PERCPU_FOR_EACH_SIZE(define, op) define(1, "b", "b", op) define(2, "w", "w", op) define(4, "l", "k", op) define(8, "q", "q", op)

#define PERCPU_LOAD_CPU_ID(id) __asm__ volatile("movl %%fs:4(%1), %0" : "=r"(id) : "r"(PERCPU_RSEQ_AREA))
#define PERCPU_RELAX() __builtin_ia32_pause()

#else /* AArch64 */

#define PERCPU_CLOBBERS "x9", "x10", "x11", "cc", "memory"

#define PERCPU_BEGIN(out, with_cpu)                                                                                    \
	PERCPU_DESCRIPTOR                                                                                              \
	"55:\n\t"                                                                                                      \
	"adrp x9, 11b\n\t"                                                                                             \
	"add x9, x9, :lo12:11b\n\t"                                                                                    \
	"str x9, [%[rseq], #8]\n"                                                                                      \
	"22:\n\t"                                                                                                      \
	"ldr w9, [%[rseq], #4]\n\t" PERCPU_TEST_PAUSE                                                                  \
	"mov w10, %[bound]\n\t"                                                                                        \
	"cmp w9, w10\n\t"                                                                                              \
	"b.hs " out "\n\t" PERCPU_TEST_PAUSE with_cpu                                                                  \
	"ldr x9, [%[table], x9, lsl #3]\n\t" PERCPU_TEST_PAUSE                                                         \
	"cbz x9, " out "\n\t" PERCPU_TEST_PAUSE

#define PERCPU_END                                                                                                     \
	"33:\n\t"                                                                                                      \
	".pushsection percpu_rseq_abort, \"ax?\"\n\t"                                                                  \
	".inst 0xd428bc00\n"                                                                                           \
	"44:\n\t" PERCPU_TEST_ABORT                                                                                    \
	"b 55b\n\t"                                                                                                    \
	".popsection\n"

#define PERCPU_NOTE_UNDONE "mov %w[done], wzr\n"
#define PERCPU_NOTE_DONE                                                                                               \
	"mov %w[done], #1\n"                                                                                           \
	"66:\n\t"

#define PERCPU_RSEQ_AREA ((uint64_t)__builtin_thread_pointer() + (uint64_t)__rseq_offset)
#define PERCPU_OPERAND "r"

#define PERCPU_DO_READ(size, suffix, modifier) "ldr" suffix " %" modifier "[value], [%[image], x9]\n\t"
#define PERCPU_DO_WRITE(size, suffix, modifier) "str" suffix " %" modifier "[operand], [%[image], x9]\n"
#define PERCPU_DO(size, suffix, modifier, instruction)                                                                 \
	"ldr" suffix " " PERCPU_X10_##size ", [%[image], x9]\n\t" PERCPU_TEST_PAUSE                                    \
	instruction " x10, x10, %[operand]\n\t" PERCPU_TEST_PAUSE                                                      \
	"str" suffix " " PERCPU_X10_##size ", [%[image], x9]\n"
#define PERCPU_DO_ADD(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "add")
#define PERCPU_DO_AND(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "and")
#define PERCPU_DO_OR(size, suffix, modifier) PERCPU_DO(size, suffix, modifier, "orr")
#define PERCPU_DO_ADD_RETURN(size, suffix, modifier)                                                                   \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"add %[value], %[value], %[operand]\n\t" PERCPU_TEST_PAUSE                                                     \
	"str" suffix " %" modifier "[value], [%[image], x9]\n"
#define PERCPU_DO_XCHG(size, suffix, modifier)                                                                         \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	PERCPU_DO_WRITE(size, suffix, modifier)
#define PERCPU_DO_CMPXCHG(size, suffix, modifier)                                                                      \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"cmp %[value], %[expected]\n\t"                                                                                \
	"b.ne 33f\n\t" PERCPU_TEST_PAUSE                                                                               \
	PERCPU_DO_WRITE(size, suffix, modifier)

#define PERCPU_KEEP_CPU "mov %w[cpu], w9\n\t"

/* The word is read with load-acquire: what its last owner did is seen by the next one. */
#define PERCPU_DO_ACQUIRE                                                                                              \
	"mov %[word], x9\n\t"                                                                                          \
	"ldar x10, [%[word]]\n\t"                                                                                      \
	"cbnz x10, 66f\n\t" PERCPU_TEST_PAUSE                                                                          \
	"str %[owner], [%[word]]\n"

#define PERCPU_X10_1 "w10"
#define PERCPU_X10_2 "w10"
#define PERCPU_X10_4 "w10"
#define PERCPU_X10_8 "x10"
#define PERCPU_FOR_EACH_SIZE(define, op) define(1, "b", "w", op) define(2, "h", "w", op) define(4, "", "w", op) define(8, "", "x", op)

#define PERCPU_LOAD_CPU_ID(id) __asm__ volatile("ldr %w0, [%1, #4]" : "=r"(id) : "r"(PERCPU_RSEQ_AREA))
#define PERCPU_RELAX() __asm__ volatile("yield" ::: "memory")

#endif

/* Compiled with PERCPU_CHECK, the operations refuse what was not defined by DEFINE_PER_CPU in this library. */
PERCPU_INLINE void *percpu_image(const volatile void *variable)
{
#ifdef PERCPU_CHECK
	if ((const volatile char *)variable < __start_percpu_data || (const volatile char *)variable >= __stop_percpu_data)
		percpu_fatal("a this_cpu operation on what is no per-CPU variable of this library");
#endif
	return (void *)(uintptr_t)variable;
}

#define PERCPU_INPUTS(entries) [rseq] "r"(PERCPU_RSEQ_AREA), [bound] "i"(PERCPU_MOST_CPUS), [table] "r"(entries)

/* What an operation does, for the slow way. */
enum percpu_op {
	PERCPU_READ,
	PERCPU_WRITE,
	PERCPU_ADD,
	PERCPU_AND,
	PERCPU_OR,
	PERCPU_ADD_RETURN,
	PERCPU_XCHG,
	PERCPU_CMPXCHG
};

/* Does an operation as a thread does it that has no sequences; or returns 1, and it is to be tried again. */
PERCPU_SLOW int percpu_update_slowly(int op, unsigned size, void *image, uint64_t operand, uint64_t *value);

#if PERCPU_RSEQ
#define PERCPU_IF_RSEQ(...) __VA_ARGS__
#else
#define PERCPU_IF_RSEQ(...)
#endif

/* An operation without a result. */
#define PERCPU_DEFINE_UPDATE(size, suffix, modifier, op)                                                               \
	PERCPU_INLINE void percpu_do_##op##_##size(void *image, uint64_t operand)                                      \
	{                                                                                                              \
		do {                                                                                                   \
			PERCPU_IF_RSEQ(__asm__ goto(PERCPU_BEGIN(PERCPU_OUT, "")                                       \
							    PERCPU_DO_##op(size, suffix, modifier) PERCPU_END          \
						    :                                                                  \
						    : PERCPU_INPUTS(percpu_distances), [image] "r"(image),             \
						      [operand] PERCPU_OPERAND(operand)                                \
						    : PERCPU_CLOBBERS                                                  \
						    : slow);                                                           \
				       return;)                                                                        \
slow:                                                                                                                  \
			__attribute__((unused));                                                                       \
		} while (percpu_update_slowly(PERCPU_##op, size, image, operand, NULL));                               \
	}

/* An operation with a result, of which the lowest bits count. */
#define PERCPU_DEFINE_RETURN(size, suffix, modifier, op)                                                               \
	PERCPU_INLINE uint64_t percpu_do_##op##_##size(void *image, uint64_t operand, uint64_t expected)               \
	{                                                                                                              \
		uint64_t value;                                                                                        \
		do {                                                                                                   \
			PERCPU_IF_RSEQ(uint32_t done;                                                                  \
				       __asm__ volatile(PERCPU_NOTE_UNDONE PERCPU_BEGIN(PERCPU_UNDONE, "")             \
								PERCPU_DO_##op(size, suffix, modifier)                 \
									PERCPU_END PERCPU_NOTE_DONE                    \
							: [value] "=&r"(value), [done] "=&r"(done)                     \
							: PERCPU_INPUTS(percpu_distances), [image] "r"(image),         \
							  [operand] "r"(operand), [expected] "r"(expected)             \
							: PERCPU_CLOBBERS);                                            \
				       if (__builtin_expect(done, 1)) return value;)                                   \
			value = expected;                                                                              \
		} while (percpu_update_slowly(PERCPU_##op, size, image, operand, &value));                             \
		return value;                                                                                          \
	}

PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_UPDATE, ADD)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_UPDATE, AND)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_UPDATE, OR)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_UPDATE, WRITE)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_RETURN, READ)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_RETURN, ADD_RETURN)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_RETURN, XCHG)
PERCPU_FOR_EACH_SIZE(PERCPU_DEFINE_RETURN, CMPXCHG)

#define PERCPU_DEFINE_CHOICE_UPDATE(op)                                                                                \
	PERCPU_INLINE void percpu_do_##op(unsigned size, void *image, uint64_t operand)                                \
	{                                                                                                              \
		switch (size) {                                                                                        \
		case 1: percpu_do_##op##_1(image, operand); break;                                                     \
		case 2: percpu_do_##op##_2(image, operand); break;                                                     \
		case 4: percpu_do_##op##_4(image, operand); break;                                                     \
		default: percpu_do_##op##_8(image, operand); break;                                                    \
		}                                                                                                      \
	}
#define PERCPU_DEFINE_CHOICE_RETURN(op)                                                                                \
	PERCPU_INLINE uint64_t percpu_do_##op(unsigned size, void *image, uint64_t operand, uint64_t expected)         \
	{                                                                                                              \
		switch (size) {                                                                                        \
		case 1: return percpu_do_##op##_1(image, operand, expected);                                           \
		case 2: return percpu_do_##op##_2(image, operand, expected);                                           \
		case 4: return percpu_do_##op##_4(image, operand, expected);                                           \
		default: return percpu_do_##op##_8(image, operand, expected);                                          \
		}                                                                                                      \
	}
PERCPU_DEFINE_CHOICE_UPDATE(ADD)
PERCPU_DEFINE_CHOICE_UPDATE(AND)
PERCPU_DEFINE_CHOICE_UPDATE(OR)
PERCPU_DEFINE_CHOICE_UPDATE(WRITE)
PERCPU_DEFINE_CHOICE_RETURN(READ)
PERCPU_DEFINE_CHOICE_RETURN(ADD_RETURN)
PERCPU_DEFINE_CHOICE_RETURN(XCHG)
PERCPU_DEFINE_CHOICE_RETURN(CMPXCHG)

/* ---------------------------------------------------------------------------------------------------------------- *
 * Operations on numbers of 8, 16, 32 and 64 bits, and on pointers. Each is exact: it happens once, on the instance of a
 * CPU that the thread runs on meanwhile. It orders nothing else. What the guard protects must not be changed by these.
 * ---------------------------------------------------------------------------------------------------------------- */

#define this_cpu_read(var) PERCPU_RESULT(var, READ, 0, 0)
#define this_cpu_write(var, value) PERCPU_UPDATE(var, WRITE, value)
#define this_cpu_add(var, value) PERCPU_UPDATE(var, ADD, value)
#define this_cpu_sub(var, value) PERCPU_UPDATE_BITS(var, ADD, UINT64_C(0) - PERCPU_BITS(var, value))
#define this_cpu_inc(var) this_cpu_add(var, 1)
#define this_cpu_dec(var) this_cpu_sub(var, 1)
#define this_cpu_and(var, value) PERCPU_UPDATE(var, AND, value)
#define this_cpu_or(var, value) PERCPU_UPDATE(var, OR, value)
#define this_cpu_add_return(var, value) PERCPU_RESULT(var, ADD_RETURN, value, 0)
#define this_cpu_xchg(var, value) PERCPU_RESULT(var, XCHG, value, 0)

/* Sets it if it is as expected; what it was. */
#define this_cpu_cmpxchg(var, expected, value) PERCPU_RESULT(var, CMPXCHG, value, expected)

#define PERCPU_UPDATE(var, op, value) PERCPU_UPDATE_BITS(var, op, PERCPU_BITS(var, value))
#define PERCPU_UPDATE_BITS(var, op, bits)                                                                              \
	__extension__({                                                                                                \
		PERCPU_ASSERT_NUMBER(var);                                                                             \
		percpu_do_##op(sizeof(var), percpu_image(&(var)), bits);                                               \
	})
#define PERCPU_RESULT(var, op, value, expected)                                                                        \
	__extension__({                                                                                                \
		PERCPU_ASSERT_NUMBER(var);                                                                             \
		(__typeof__(var))(percpu_do_##op(sizeof(var), percpu_image(&(var)), PERCPU_BITS(var, value),           \
						 PERCPU_BITS(var, expected) & PERCPU_MASK(var)) &                      \
				  PERCPU_MASK(var));                                                                   \
	})
#define PERCPU_BITS(var, value) ((uint64_t)(__typeof__(var))(value))
#define PERCPU_MASK(var) (~UINT64_C(0) >> (64 - 8 * sizeof(var)))
#define PERCPU_ASSERT_NUMBER(var)                                                                                      \
	PERCPU_ASSERT(sizeof(var) == 1 || sizeof(var) == 2 || sizeof(var) == 4 || sizeof(var) == 8,                    \
		      "an operation is on 1, 2, 4 or 8 bytes");                                                        \
	PERCPU_ASSERT(__builtin_classify_type((__typeof__(var))0) != 8 /* real */, "an operation is on integers and pointers")

/* ---------------------------------------------------------------------------------------------------------------- *
 * Instances
 * ---------------------------------------------------------------------------------------------------------------- */

/* A given CPU's instance, to look at. It is that CPU's to change, or the owner's of its guard. */
#define per_cpu_ptr(pointer, cpu) ((__typeof__(pointer))percpu_instance(percpu_image(pointer), (cpu)))

/* Ids that no possible CPU has are left out. */
#define for_each_possible_cpu(cpu)                                                                                     \
	for ((cpu) = percpu_next_possible(0); (cpu) < percpu_count(); (cpu) = percpu_next_possible((cpu) + 1))

/*
 * The sum over all CPUs, and what threads without a CPU id did. It is of no one moment: it holds every update that
 * happened before, and some of those that happen meanwhile. That of signed numbers has 64 bits. That of unsigned ones
 * has the variable's: counted up on one CPU and down on another, a number is below 0 there.
 */
#define per_cpu_sum(var)                                                                                               \
	__extension__({                                                                                                \
		PERCPU_ASSERT_NUMBER(var);                                                                             \
		uint64_t percpu_sum_ = 0;                                                                              \
		for (unsigned percpu_at_ = 0; percpu_at_ <= percpu_count(); percpu_at_++)                              \
			percpu_sum_ += (uint64_t)__atomic_load_n(                                                      \
				(__typeof__(&(var)))percpu_instance(percpu_image(&(var)), percpu_at_), __ATOMIC_RELAXED); \
		(long long)(PERCPU_IS_UNSIGNED(var) ? percpu_sum_ & PERCPU_MASK(var) : percpu_sum_);                   \
	})
#define PERCPU_IS_UNSIGNED(var) ((__typeof__(var))-1 > (__typeof__(var))1)

/* ---------------------------------------------------------------------------------------------------------------- *
 * The guard
 *
 * Each CPU has a guard word: 0 if it is free, otherwise its owner. Java's owners are positive, C's are the negative
 * number of the thread. The word after it counts C's nested guards; only the owner touches it, and it is 0 when the CPU
 * is free. The outermost guard is not counted: so a signal handler that comes just after the commit, or just before the
 * release, nests and un-nests, and leaves everything as it was.
 *
 * Who holds a guard goes on owning the CPU that it was acquired on, wherever the thread is moved. It must not block, nor
 * call Java code that takes a guard, nor be called from Java code that holds one: the two don't know each other's. C code
 * that Java called releases its guards before it returns; a signal handler on a thread of Java's only tries for one.
 * ---------------------------------------------------------------------------------------------------------------- */

struct cpu_guard {
	uint64_t *word;
	unsigned cpu;
};

PERCPU_SLOW int percpu_acquire_slowly(struct cpu_guard *guard, int cpu, int waits);

/* One sequence: finds the current CPU's word 0 and stores the owner. 0 if it could not. */
PERCPU_INLINE int percpu_acquire(struct cpu_guard *guard, int64_t owner)
{
#if PERCPU_RSEQ
	uint64_t cpu;
	uint64_t *word;
	uint32_t done;

	__asm__ volatile(PERCPU_NOTE_UNDONE PERCPU_BEGIN(PERCPU_UNDONE, PERCPU_KEEP_CPU) PERCPU_DO_ACQUIRE PERCPU_END
				 PERCPU_NOTE_DONE
			 : [cpu] "=&r"(cpu), [word] "=&r"(word), [done] "=&r"(done)
			 : PERCPU_INPUTS(percpu_guards), [owner] "r"(owner)
			 : PERCPU_CLOBBERS);
	if (__builtin_expect(done, 1)) {
		guard->word = word;
		guard->cpu = (unsigned)cpu;
		return 1;
	}
#else
	(void)owner;
#endif
	guard->word = NULL;
	return 0;
}

/* Makes the thread the owner of the CPU that it runs on, and waits while another thread owns it. Guards nest. */
PERCPU_INLINE struct cpu_guard cpu_guard_acquire(void)
{
	struct cpu_guard guard;

	if (__builtin_expect(percpu_thread == 0 || !percpu_acquire(&guard, -(int64_t)percpu_thread), 0))
		percpu_acquire_slowly(&guard, -1, 1);
	return guard;
}

/* The same, but never waits: 0 if another thread owns the CPU, or the variables are about to move. */
PERCPU_INLINE int cpu_guard_try_acquire(struct cpu_guard *guard)
{
	return (percpu_thread != 0 && percpu_acquire(guard, -(int64_t)percpu_thread)) ||
	       percpu_acquire_slowly(guard, -1, 0);
}

/*
 * The guard of a given CPU. It costs system calls. A thread that has to wait for it must hold no other guard, or two of
 * them wait for each other, and can only say so.
 */
PERCPU_INLINE struct cpu_guard cpu_guard_acquire_on(unsigned cpu)
{
	struct cpu_guard guard;

	percpu_acquire_slowly(&guard, (int)cpu, 1);
	return guard;
}

/* Guards are released in the reverse order of their acquisition. */
PERCPU_INLINE void cpu_guard_release(struct cpu_guard guard)
{
	if (guard.word[1] == 0)
		__atomic_store_n(guard.word, 0, __ATOMIC_RELEASE);
	else
		guard.word[1]--;
}

/* The instance of the CPU whose guard it acquires; put_cpu_ptr gives the guard back. */
#define get_cpu_ptr(pointer) ((__typeof__(pointer))percpu_get(percpu_image(pointer)))
#define put_cpu_ptr(instance) percpu_put((uint64_t)(uintptr_t)(instance))

/* The same for the instance itself. Unlike the kernel's, put wants to know which: the thread may have moved. */
#define get_cpu_var(var) (*get_cpu_ptr(&(var)))
#define put_cpu_var(instance) put_cpu_ptr(&(instance))

PERCPU_INLINE void *percpu_get(void *image)
{
	struct cpu_guard guard = cpu_guard_acquire();

	/* Variables don't move while a guard is held. */
	return (void *)((uint64_t)(uintptr_t)image + percpu_library.delta + guard.cpu * percpu_library.stride);
}

PERCPU_INLINE void percpu_put(uint64_t instance)
{
	uint64_t place = (instance - percpu_library.area) & -percpu_library.stride;
	struct cpu_guard guard = {(uint64_t *)(uintptr_t)(percpu_library.area + place), 0};

	cpu_guard_release(guard);
}

/* ---------------------------------------------------------------------------------------------------------------- *
 * The slow ways. All of them keep errno.
 * ---------------------------------------------------------------------------------------------------------------- */

/* Under names of our own, as what a C library's headers declare depends on what was defined before them. */
extern long percpu_syscall(long number, ...) __asm__("syscall");
extern int percpu_getcpu(void) __asm__("sched_getcpu");
struct percpu_dl_info {
	const char *file;
	void *base;
	const char *symbol;
	void *address;
};
extern int percpu_dladdr(const void *address, struct percpu_dl_info *info) __asm__("dladdr") __attribute__((weak));
extern void *percpu_dlopen(const char *file, int flags) __asm__("dlopen") __attribute__((weak));

PERCPU_SLOW void percpu_fatal(const char *what)
{
	fprintf(stderr, "percpu: %s: %s\n", percpu_library.file, what);
	abort();
}

/* The kernel's structures, whose names a strict C11 hides. */
struct percpu_timespec {
	int64_t seconds;
	int64_t nanos;
};

PERCPU_SLOW int64_t percpu_now(void)
{
	struct percpu_timespec now;

	percpu_syscall(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
	return now.seconds * 1000000000 + now.nanos;
}

PERCPU_SLOW void percpu_nap(int64_t nanos)
{
	struct percpu_timespec nap = {0, nanos};

	percpu_syscall(SYS_nanosleep, &nap, NULL);
}

/* Waits a little, longer each time: the other thread is about to be done, or waits for this CPU, or takes its time. */
PERCPU_SLOW void percpu_pause(int round)
{
	if (round < 32)
		PERCPU_RELAX();
	else if (round < 96)
		percpu_syscall(SYS_sched_yield);
	else
		percpu_nap(round < 160 ? 20000 : 200000);
}

/* Without handlers that could wait for what this thread is about to do. A fault is not held back: it would be the end. */
PERCPU_SLOW void percpu_signals(uint64_t *mask)
{
	percpu_syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, mask, mask, sizeof(*mask));
}
#define PERCPU_SIGNAL(number) (UINT64_C(1) << ((number) - 1))
#define PERCPU_FAULTS                                                                                                  \
	(PERCPU_SIGNAL(4 /* SIGILL */) | PERCPU_SIGNAL(5 /* SIGTRAP */) | PERCPU_SIGNAL(7 /* SIGBUS */) |              \
	 PERCPU_SIGNAL(8 /* SIGFPE */) | PERCPU_SIGNAL(11 /* SIGSEGV */))
/* For tests: a place where no handler may run. */
#ifndef PERCPU_TEST_NO_HANDLER
#define PERCPU_TEST_NO_HANDLER()
#endif
#define PERCPU_BLOCK_SIGNALS(mask) (mask = ~PERCPU_FAULTS, percpu_signals(&mask))
#define PERCPU_RESTORE_SIGNALS(mask) percpu_signals(&mask)

#define PERCPU_MEMBARRIER_RSEQ (1 << 7)
#define PERCPU_MEMBARRIER_REGISTER_RSEQ (1 << 8)

/* Restarts every sequence of the process that is in flight, on one CPU or, for -1, on each; and is a full barrier. */
PERCPU_SLOW void percpu_restart_sequences(int cpu)
{
	if (percpu_syscall(SYS_membarrier, PERCPU_MEMBARRIER_RSEQ, cpu >= 0, cpu >= 0 ? cpu : 0) != 0)
		percpu_fatal("membarrier cannot restart sequences");
}

/* Whether this thread has a CPU id that sequences work with. */
PERCPU_INLINE int percpu_has_cpu(void)
{
#if PERCPU_RSEQ
	uint32_t id;

	PERCPU_LOAD_CPU_ID(id);
	return id < percpu_library.count;
#else
	return 0;
#endif
}

PERCPU_INLINE unsigned percpu_current(void)
{
	int cpu = percpu_getcpu();

	return cpu < 0 ? 0 : (unsigned)cpu % percpu_library.count;
}

/* A consistent look at where the variables are. */
struct percpu_place {
	uint64_t area;
	uint64_t stride;
	uint64_t delta;
	uint32_t count;
};

PERCPU_SLOW void percpu_settle(void);

/* They can move, but only once, and never back: if the state is the same before and after, it was all of one place. */
PERCPU_SLOW int percpu_glance(struct percpu_place *place)
{
	uint32_t state = __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE);

	place->area = __atomic_load_n(&percpu_library.area, __ATOMIC_RELAXED);
	place->stride = __atomic_load_n(&percpu_library.stride, __ATOMIC_RELAXED);
	place->delta = __atomic_load_n(&percpu_library.delta, __ATOMIC_RELAXED);
	place->count = __atomic_load_n(&percpu_library.count, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return state >= PERCPU_OWN && __atomic_load_n(&percpu_library.state, __ATOMIC_RELAXED) == state;
}

/* Waits for a place, if need be. */
PERCPU_SLOW void percpu_look(struct percpu_place *place)
{
	int saved_errno = errno;

	if (percpu_glance(place))
		return;
	__atomic_add_fetch(&percpu_library.waiting, 1, __ATOMIC_SEQ_CST);
	do
		percpu_settle();
	while (!percpu_glance(place));
	__atomic_sub_fetch(&percpu_library.waiting, 1, __ATOMIC_SEQ_CST);
	errno = saved_errno;
}

/* How many CPUs have a place: the highest possible id, and one. */
PERCPU_SLOW unsigned percpu_count(void)
{
	struct percpu_place place;

	percpu_look(&place);
	return place.count;
}

PERCPU_SLOW unsigned percpu_next_possible(unsigned cpu)
{
	unsigned count = percpu_count();

	while (cpu < count && !(percpu_possible[cpu / 64] >> (cpu % 64) & 1))
		cpu++;
	return cpu;
}

/* The instance in the place of a CPU, or, for the count of CPUs, of none. */
PERCPU_SLOW void *percpu_instance(void *image, unsigned cpu)
{
	struct percpu_place place;

	percpu_look(&place);
	if (cpu > place.count)
		percpu_fatal("a CPU id that this system does not have");
	return (void *)((uint64_t)(uintptr_t)image + place.delta + cpu * place.stride);
}

/* How a thread is on a slow way. */
enum percpu_admission { PERCPU_REFUSED, PERCPU_COUNTED, PERCPU_UNCOUNTED };

/* Joins those who are on a slow way, if the state is at most `last` of OWN and CLOSING, or SHARED.
 *
 *     thread A                                     thread B moves the variables
 *     1. counts itself
 *                                                  2. sets the state
 *     3. looks at the state: it has changed,       4. waits until nobody is counted
 *        and A counts itself out again
 *
 * Whichever of 1 and 2 comes first, A is waited for or A turns back. Nothing moves from SHARED, so nobody is counted
 * there any more: where there are no sequences, all updates of all CPUs would meet at that line.
 */
PERCPU_INLINE int percpu_enter(uint32_t *counter, uint32_t last)
{
	uint32_t state;

	if (__atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_SHARED)
		return PERCPU_UNCOUNTED;
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	state = __atomic_load_n(&percpu_library.state, __ATOMIC_SEQ_CST);
	if (state == PERCPU_SHARED || (state >= PERCPU_OWN && state <= last))
		return PERCPU_COUNTED;
	__atomic_sub_fetch(counter, 1, __ATOMIC_SEQ_CST);
	return PERCPU_REFUSED;
}

/* Joins them when that is possible. */
PERCPU_SLOW int percpu_join(uint32_t *counter, uint32_t last)
{
	int admission = percpu_enter(counter, last);

	if (admission != PERCPU_REFUSED)
		return admission;
	__atomic_add_fetch(&percpu_library.waiting, 1, __ATOMIC_SEQ_CST);
	for (int round = 0; (admission = percpu_enter(counter, last)) == PERCPU_REFUSED; round++) {
		percpu_settle();
		percpu_pause(round);
	}
	__atomic_sub_fetch(&percpu_library.waiting, 1, __ATOMIC_SEQ_CST);
	return admission;
}

PERCPU_INLINE void percpu_leave(uint32_t *counter, int admission)
{
	if (admission == PERCPU_COUNTED)
		__atomic_sub_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

#define PERCPU_ATOMICALLY(type)                                                                                        \
	do {                                                                                                           \
		type *at = (type *)instance;                                                                           \
		type old;                                                                                              \
		switch (op) {                                                                                          \
		case PERCPU_READ: *value = __atomic_load_n(at, __ATOMIC_RELAXED); break;                               \
		case PERCPU_WRITE: __atomic_store_n(at, (type)operand, __ATOMIC_RELAXED); break;                       \
		case PERCPU_ADD: __atomic_fetch_add(at, (type)operand, __ATOMIC_RELAXED); break;                       \
		case PERCPU_AND: __atomic_fetch_and(at, (type)operand, __ATOMIC_RELAXED); break;                       \
		case PERCPU_OR: __atomic_fetch_or(at, (type)operand, __ATOMIC_RELAXED); break;                         \
		case PERCPU_ADD_RETURN: *value = __atomic_add_fetch(at, (type)operand, __ATOMIC_RELAXED); break;       \
		case PERCPU_XCHG: *value = __atomic_exchange_n(at, (type)operand, __ATOMIC_RELAXED); break;            \
		default:                                                                                               \
			old = (type)*value;                                                                            \
			__atomic_compare_exchange_n(at, &old, (type)operand, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);   \
			*value = old;                                                                                  \
		}                                                                                                      \
	} while (0)

/*
 * Where there are no sequences, everyone updates the current CPU's instance atomically. Where there are, a thread
 * without a CPU id keeps to the place that no CPU has: beside a sequence's load, add, store an atomic addition to the
 * same word is lost.
 */
PERCPU_SLOW int percpu_update_slowly(int op, unsigned size, void *image, uint64_t operand, uint64_t *value)
{
	int saved_errno = errno;
	int again = 1;
	int admission = percpu_join(&percpu_library.updating, PERCPU_CLOSING);

	if (percpu_library.mode == PERCPU_ATOMICS || !percpu_has_cpu()) {
		unsigned cpu = percpu_library.mode == PERCPU_ATOMICS ? percpu_current() : percpu_library.count;
		uint64_t instance = (uint64_t)(uintptr_t)image + percpu_library.delta + cpu * percpu_library.stride;

		switch (size) {
		case 1: PERCPU_ATOMICALLY(uint8_t); break;
		case 2: PERCPU_ATOMICALLY(uint16_t); break;
		case 4: PERCPU_ATOMICALLY(uint32_t); break;
		default: PERCPU_ATOMICALLY(uint64_t); break;
		}
		again = 0;
	}
	percpu_leave(&percpu_library.updating, admission);
	errno = saved_errno;
	return again;
}

PERCPU_INLINE uint64_t *percpu_word(const struct percpu_place *place, unsigned cpu)
{
	return (uint64_t *)(uintptr_t)(place->area + cpu * place->stride);
}

/* What is in the words of which this thread is the owner. */
PERCPU_SLOW uint64_t percpu_me(void)
{
	if (percpu_thread == 0)
		percpu_thread = (int)percpu_syscall(SYS_gettid);
	return (uint64_t) - (int64_t)percpu_thread;
}

/* A CPU that the thread owns; -1 if it owns none. */
PERCPU_SLOW int percpu_owned(const struct percpu_place *place)
{
	uint64_t me = percpu_me();

	for (unsigned cpu = 0; cpu < place->count; cpu++)
		if (__atomic_load_n(percpu_word(place, cpu), __ATOMIC_ACQUIRE) == me)
			return (int)cpu;
	return -1;
}

/* Whether a thread of C code has ended. Java's threads only Java knows. */
PERCPU_SLOW int percpu_is_dead(int64_t owner)
{
	return owner < 0 && percpu_syscall(SYS_tgkill, percpu_syscall(SYS_getpid), -owner, 0) != 0 && errno == ESRCH;
}

PERCPU_SLOW void percpu_report(const char *what, unsigned cpu, int64_t owner)
{
	fprintf(stderr, "percpu: %s: the guard of CPU %u %s %s %lld\n", percpu_library.file, cpu, what,
		owner < 0 ? "thread" : "Java's thread #", (long long)(owner < 0 ? -owner : owner));
}

/*
 * The dead owner's guards end with it, also those that were nested: the count goes while this thread owns the word. No
 * sequence in flight relies on having seen a 0: the dead owner's own acquisition restarted each.
 */
PERCPU_SLOW int percpu_take_over(uint64_t *word, unsigned cpu, uint64_t owner)
{
	if (!percpu_is_dead((int64_t)owner) ||
	    !__atomic_compare_exchange_n(word, &owner, percpu_me(), 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return 0;
	word[1] = 0;
	percpu_report("is taken over, what it protects may be half done: it was never released by", cpu, (int64_t)owner);
	return 1;
}

/*
 * From another CPU, or without a CPU id.
 *
 *     thread L on the CPU                          this thread R
 *     1. acquire: word is 0
 *                                                  2. compare-and-set: word 0 -> R
 *     3. commit: word -> L
 *                                                  4. membarrier: L's section is over, or was restarted
 *                                                  5. word is not R: R does not own it
 *
 * Between 2 and 5 a signal handler of R would take R for the owner, and nest in a guard that becomes L's. Where there are
 * no sequences, 2 decides.
 */
PERCPU_SLOW int percpu_acquire_remotely(uint64_t *word, unsigned cpu)
{
	uint64_t me = percpu_me();
	uint64_t found = 0;
	uint64_t mask;
	int acquired = 0;

	if (percpu_library.mode == PERCPU_ATOMICS)
		return __atomic_compare_exchange_n(word, &found, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	PERCPU_BLOCK_SIGNALS(mask);
	while (!acquired &&
	       __atomic_compare_exchange_n(word, &found, me, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		PERCPU_TEST_NO_HANDLER();
		percpu_restart_sequences((int)cpu);
		acquired = __atomic_load_n(word, __ATOMIC_SEQ_CST) == me;
		found = 0;
	}
	PERCPU_RESTORE_SIGNALS(mask);
	return acquired;
}

/* One attempt where the words stay where they are. On a failure *owner is who has the CPU guard->cpu. */
PERCPU_SLOW int percpu_attempt(struct cpu_guard *guard, int wanted, const struct percpu_place *place, int64_t *owner)
{
	unsigned cpu = wanted >= 0 ? (unsigned)wanted : percpu_current();
	uint64_t *word = percpu_word(place, cpu);
	int owned;

	if (wanted < 0 && percpu_library.mode == PERCPU_SEQUENCES && percpu_has_cpu()) {
		if (percpu_acquire(guard, (int64_t)percpu_me()))
			return 1;
	} else if (percpu_acquire_remotely(word, cpu)) {
		goto acquired;
	}
	*owner = (int64_t)__atomic_load_n(word, __ATOMIC_ACQUIRE);
	if ((uint64_t)*owner == percpu_me()) {
		word[1]++;
		goto acquired;
	}
	/* Who was moved with a guard in hand nests in that one, and so never waits: no two wait for each other. */
	if (wanted < 0 && (owned = percpu_owned(place)) >= 0) {
		cpu = (unsigned)owned;
		word = percpu_word(place, cpu);
		word[1]++;
		goto acquired;
	}
	guard->cpu = cpu;
	if (!percpu_take_over(word, cpu, (uint64_t)*owner))
		return 0;
acquired:
	guard->word = word;
	guard->cpu = cpu;
	return 1;
}

#define PERCPU_LONG_WAIT 2000000000 /* nanoseconds */

/* Acquires what percpu_acquire could not, of a given CPU if it is not negative. */
PERCPU_SLOW int percpu_acquire_slowly(struct cpu_guard *guard, int cpu, int waits)
{
	int saved_errno = errno;
	int acquired = 0;
	int64_t last = 0;
	int64_t since = 0;
	int reported = 0;

	for (int round = 0;; round++) {
		struct percpu_place place;
		int64_t owner = 0;
		int admission;

		percpu_look(&place);
		if (cpu >= (int)place.count)
			percpu_fatal("a CPU id that this system does not have");
		/* If the variables are about to move, that waits for this thread's guards, and so for what nests in them. */
		admission = percpu_enter(&percpu_library.acquiring, PERCPU_OWN);
		if (admission == PERCPU_REFUSED && percpu_owned(&place) < 0) {
			if (!waits)
				break;
			admission = percpu_join(&percpu_library.acquiring, PERCPU_OWN);
		}
		percpu_look(&place);
		acquired = percpu_attempt(guard, cpu, &place, &owner);
		percpu_leave(&percpu_library.acquiring, admission);
		if (acquired || !waits)
			break;
		percpu_pause(round);
		if (owner != last) {
			last = owner;
			since = percpu_now();
			reported = 0;
		} else if (owner != 0 && !reported && percpu_now() - since > PERCPU_LONG_WAIT) {
			reported = 1;
			percpu_report("has been waited for for two seconds, it must not be kept while blocking by",
				      guard->cpu, owner);
		}
	}
	errno = saved_errno;
	return acquired;
}

/* ---------------------------------------------------------------------------------------------------------------- *
 * Where the variables are
 * ---------------------------------------------------------------------------------------------------------------- */

/* Reads "0-3,8" or the like. Without sysfs, all CPUs that are configured are possible. Returns the highest id + 1. */
PERCPU_SLOW uint32_t percpu_read_possible(void)
{
	char list[4096];
	const char *at = list;
	long length = -1;
	uint32_t count = 0;
	long file = percpu_syscall(SYS_openat, -100 /* AT_FDCWD */, "/sys/devices/system/cpu/possible", 02000000, 0);

	if (file >= 0) {
		length = percpu_syscall(SYS_read, file, list, sizeof(list) - 1);
		percpu_syscall(SYS_close, file);
	}
	if (length <= 0)
		snprintf(list, sizeof(list), "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
	else
		list[length] = 0;
	while (*at >= '0' && *at <= '9') {
		char *end;
		unsigned long first = strtoul(at, &end, 10);
		unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

		for (; first <= last && first < PERCPU_MOST_CPUS; first++) {
			percpu_possible[first / 64] |= UINT64_C(1) << (first % 64);
			count = (uint32_t)first + 1;
		}
		at = *end == ',' ? end + 1 : end;
	}
	if (count == 0)
		percpu_fatal("the kernel's list of possible CPUs cannot be read");
	return count;
}

/* Copies what is not the same already: writing a page makes it, and most are zero on both sides. */
PERCPU_SLOW void percpu_copy(char *to, const char *from, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += 4096) {
		uint64_t part = bytes - at < 4096 ? bytes - at : 4096;

		if (memcmp(to + at, from + at, part) != 0)
			memcpy(to + at, from + at, part);
	}
}

#define PERCPU_BYTES ((uint64_t)(__stop_percpu_data - __start_percpu_data))

/* The entry of each CPU in a table: the first one's, and so much more for each that follows; or 0 for each. */
PERCPU_SLOW void percpu_fill(uint64_t *table, uint32_t count, uint64_t first, uint64_t more)
{
	for (uint32_t cpu = 0; cpu < count; cpu++)
		__atomic_store_n(&table[cpu], first + cpu * more, __ATOMIC_RELEASE);
}

/* Tells everyone of a place, in the state PERCPU_PLACING. With the tables the sequences begin. */
PERCPU_SLOW void percpu_publish(const struct percpu_place *place, uint32_t mode, uint32_t state)
{
	__atomic_store_n(&percpu_library.area, place->area, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.stride, place->stride, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.delta, place->delta, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.count, place->count, __ATOMIC_RELAXED);
	__atomic_store_n(&percpu_library.mode, mode, __ATOMIC_RELAXED);
	if (mode == PERCPU_SEQUENCES) {
		percpu_fill(percpu_guards, place->count, place->area, place->stride);
		percpu_fill(percpu_distances, place->count, place->delta, place->stride);
	}
	__atomic_store_n(&percpu_library.state, state, __ATOMIC_SEQ_CST);
}

/* The variables' bytes in the place of a CPU. */
PERCPU_INLINE char *percpu_bytes(const struct percpu_place *place, uint32_t cpu)
{
	return (char *)((uint64_t)(uintptr_t)__start_percpu_data + place->delta + cpu * place->stride);
}

/* The initial values, on each possible CPU. The place of no CPU stays 0, as it is added to the others. */
PERCPU_SLOW void percpu_initialize(const struct percpu_place *place)
{
	for (uint32_t cpu = 0; cpu < place->count; cpu++)
		if (percpu_possible[cpu / 64] >> (cpu % 64) & 1)
			percpu_copy(percpu_bytes(place, cpu), __start_percpu_data, PERCPU_BYTES);
}

/* For tests: another kernel's version. */
#ifndef PERCPU_TEST_RELEASE
#define PERCPU_TEST_RELEASE NULL
#endif

/*
 * Some kernels send a preempted sequence on instead of restarting it, if it resumes on the same CPU. In a JVM a self-test
 * finds out; without one no sequence is trusted there.
 */
PERCPU_SLOW int percpu_loses_aborts(void)
{
	char names[6][65] = {{0}}; /* struct utsname */
	const char *release = PERCPU_TEST_RELEASE;
	unsigned parts[3] = {0, 0, 0};
	unsigned version;

	percpu_syscall(SYS_uname, names);
	sscanf(release ? release : names[2], "%u.%u.%u", &parts[0], &parts[1], &parts[2]);
	version = (parts[0] * 1000 + parts[1]) * 1000 + parts[2];
#if defined(__x86_64__)
	return version >= 6019000 && version < 7000010;
#else
	return version >= 6019000 && version < 7000014;
#endif
}

#define PERCPU_HEADER 128 /* the guard word has its cache line, and the one fetched with it */
#define PERCPU_PAGE 4096

/* An area of this library's own: a place for each CPU, and one for none, of which no page exists before its first use. */
PERCPU_SLOW void percpu_place_own(void)
{
	struct percpu_place place;
	uint64_t start = (uint64_t)(uintptr_t)__start_percpu_data;
	uint64_t alignment = start & -start; /* at least what the linker saw to */
	uint64_t position;
	uint32_t mode = PERCPU_ATOMICS;
	uint64_t bytes;
	long area;

	if (alignment > PERCPU_PAGE)
		alignment = PERCPU_PAGE;
	position = (PERCPU_HEADER + alignment - 1) & -alignment;
	place.count = percpu_read_possible();
	place.stride = PERCPU_PAGE;
	while (place.stride < position + PERCPU_BYTES)
		place.stride *= 2;
	bytes = (place.count + 1) * place.stride;
	area = percpu_syscall(SYS_mmap, NULL, bytes, 3 /* read, write */, 0x4022 /* private, anonymous, not reserved */, -1,
			      0);
	if (area == -1)
		percpu_fatal("there is no memory for the per-CPU variables");
	place.area = (uint64_t)area;
	place.delta = place.area + position - start;
	/* A kernel without huge pages refuses, and there is nothing to be kept from. */
	percpu_syscall(SYS_madvise, area, bytes, 15 /* MADV_NOHUGEPAGE */);
#if PERCPU_RSEQ
	if (__rseq_size >= 16 && !percpu_loses_aborts() &&
	    percpu_syscall(SYS_membarrier, PERCPU_MEMBARRIER_REGISTER_RSEQ, 0, 0) == 0)
		mode = PERCPU_SEQUENCES;
#endif
	percpu_initialize(&place);
	percpu_publish(&place, mode, PERCPU_OWN);
}

/* Returns when there is a place: makes one, or waits for who does, or for who moves it. */
PERCPU_SLOW void percpu_settle(void)
{
	uint32_t unplaced = PERCPU_UNPLACED;
	uint64_t mask;

	PERCPU_BLOCK_SIGNALS(mask);
	if (__atomic_compare_exchange_n(&percpu_library.state, &unplaced, PERCPU_PLACING, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		percpu_place_own();
	PERCPU_RESTORE_SIGNALS(mask);
	for (int round = 0; __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE) == PERCPU_PLACING; round++)
		percpu_pause(round);
}

/* Waits until nobody is counted any more; 0 if that takes too long. */
PERCPU_SLOW int percpu_drained(const uint32_t *counter)
{
	int64_t since = percpu_now();

	for (int round = 0; __atomic_load_n(counter, __ATOMIC_SEQ_CST) != 0; round++) {
		if (percpu_now() - since > 50000000)
			return 0;
		percpu_pause(round);
	}
	return 1;
}

/* Gives a move up, and lets all go on who waited for it. */
PERCPU_SLOW void percpu_reopen(const struct percpu_place *old)
{
	percpu_publish(old, percpu_library.mode, PERCPU_OWN);
	for (int round = 0; __atomic_load_n(&percpu_library.waiting, __ATOMIC_SEQ_CST) != 0; round++)
		percpu_pause(round);
}

/* Waits until every guard of the old place is free. Nobody gets one any more. */
PERCPU_SLOW void percpu_await_guards(const struct percpu_place *old)
{
	int64_t since = percpu_now();
	int reported = 0;

	for (unsigned cpu = 0; cpu < old->count; cpu++) {
		uint64_t *word = percpu_word(old, cpu);
		uint64_t owner;

		for (int round = 0; (owner = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != 0; round++) {
			if (percpu_take_over(word, cpu, owner)) {
				__atomic_store_n(word, 0, __ATOMIC_RELEASE);
				break;
			}
			percpu_pause(round);
			if (!reported && percpu_now() - since > PERCPU_LONG_WAIT) {
				reported = 1;
				percpu_report("keeps Java waiting, it must not be kept while blocking by", cpu, (int64_t)owner);
			}
		}
	}
}

/*
 * Java's call: puts the variables into Java's area, at the same position in each CPU's place, for good. If they were in
 * use already they are moved, guards first, as who owns one must be able to go on until it releases it:
 *
 *     1. state CLOSING, guards 0, restart:     no guard is acquired any more, except nested
 *     2. wait until each guard word is 0
 *     3. state PLACING, distances 0, restart:  no update is made any more, and all that were are visible
 *     4. copy, publish
 *
 *     thread A                                     this thread
 *     a. reads the distance and the value 7
 *                                                  b. 3: the distance is 0
 *                                                  c. 3: restart. A starts over, finds 0, and waits
 *                                                  d. copies 7
 *
 * If A commits before c, d copies 8.
 *
 * Who is on a slow way is waited for in 1 and 3. A signal handler can have come in between, and wait itself:
 *
 *     thread A                                     this thread
 *     a. counts itself as updating
 *                                                  b. state PLACING, waits for A
 *     c. its signal handler updates a variable,
 *        and waits for a place
 *
 * So after a while everything is as it was, and when whoever waited has gone on, it begins anew. This thread's own
 * handlers have to stay out of it all: they would wait for this very move.
 */
#define PERCPU_AGAIN (-1)

/* One try, with signals blocked. PERCPU_AGAIN if somebody else was, or is, in the way. */
PERCPU_SLOW int percpu_try_share(const struct percpu_place *next, uint32_t mode)
{
	uint32_t state = __atomic_load_n(&percpu_library.state, __ATOMIC_ACQUIRE);
	struct percpu_place old;

	if (state == PERCPU_SHARED)
		return PERCPU_SHARED_BEFORE;
	if (state == PERCPU_UNPLACED) {
		if (!__atomic_compare_exchange_n(&percpu_library.state, &state, PERCPU_PLACING, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			return PERCPU_AGAIN;
		percpu_read_possible();
		percpu_initialize(next);
		percpu_publish(next, mode, PERCPU_SHARED);
		return PERCPU_SHARED_NOW;
	}
	if (!percpu_glance(&old) || __atomic_load_n(&percpu_library.state, __ATOMIC_RELAXED) != state)
		return PERCPU_AGAIN;
	if (old.count != next->count)
		return PERCPU_OTHER_CPUS;
	/* Also if another thread moves the variables now: that waits for this guard. */
	if (percpu_owned(&old) >= 0)
		return PERCPU_GUARD_HELD;
	state = PERCPU_OWN;
	if (!__atomic_compare_exchange_n(&percpu_library.state, &state, PERCPU_CLOSING, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return PERCPU_AGAIN;

	PERCPU_TEST_NO_HANDLER();
	percpu_fill(percpu_guards, old.count, 0, 0);
	if (percpu_library.mode == PERCPU_SEQUENCES)
		percpu_restart_sequences(-1);
	if (!percpu_drained(&percpu_library.acquiring)) {
		percpu_reopen(&old);
		return PERCPU_AGAIN;
	}
	percpu_await_guards(&old);

	__atomic_store_n(&percpu_library.state, PERCPU_PLACING, __ATOMIC_SEQ_CST);
	percpu_fill(percpu_distances, old.count, 0, 0);
	if (percpu_library.mode == PERCPU_SEQUENCES)
		percpu_restart_sequences(-1);
	if (!percpu_drained(&percpu_library.updating)) {
		percpu_reopen(&old);
		return PERCPU_AGAIN;
	}
	for (uint32_t cpu = 0; cpu <= old.count; cpu++)
		percpu_copy(percpu_bytes(next, cpu), percpu_bytes(&old, cpu), PERCPU_BYTES);
	percpu_publish(next, mode, PERCPU_SHARED);
	return PERCPU_SHARED_NOW;
}

PERCPU_SLOW int percpu_share(uint64_t area, uint64_t stride, uint64_t position, uint32_t cpus, uint32_t mode)
{
	struct percpu_place next = {area, stride, area + position - (uint64_t)(uintptr_t)__start_percpu_data, cpus};

	if (cpus > PERCPU_MOST_CPUS)
		return PERCPU_OTHER_CPUS;
	/* Longer each time: what was in the way may need this CPU, or that of its own which it holds up. */
	for (int64_t nap = 1000000;; nap = nap < 100000000 ? 2 * nap : nap) {
		uint64_t mask;
		int answer;

		PERCPU_BLOCK_SIGNALS(mask);
		answer = percpu_try_share(&next, mode);
		PERCPU_RESTORE_SIGNALS(mask);
		if (answer != PERCPU_AGAIN)
			return answer;
		percpu_nap(nap);
	}
}

/* The child of a fork is another thread. */
PERCPU_SLOW void percpu_forked(void)
{
	percpu_thread = 0;
}

/*
 * Keeps the library loaded for good, which it would not be after a dlclose: a thread's rseq_cs can point at one of its
 * descriptors long after the thread left it, and the kernel ends a process of which it cannot read that.
 */
static __attribute__((constructor, unused)) void percpu_loaded(void)
{
	struct percpu_dl_info info = {NULL, NULL, NULL, NULL};

	if (percpu_library.file[0] != 0)
		return; /* each file that includes this has its constructor */
	/* The variables have their place before a fork: nobody in the child goes on with one that was half made. */
	pthread_atfork(percpu_settle, NULL, percpu_forked);
	percpu_library.file = "this program";
	if (!percpu_dladdr || percpu_dladdr(&percpu_library, &info) == 0 || !info.file)
		return;
	percpu_library.file = info.file;
#if defined(__PIC__) && !defined(__PIE__) && defined(RTLD_NODELETE) /* a program is never unloaded */
	if (percpu_dlopen)
		percpu_dlopen(info.file, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

#ifdef __cplusplus
}
#endif
#endif
