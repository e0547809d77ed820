/*
 * percpu.h - per-CPU variables for C and C++, in a program of its own or shared with Java.
 *
 *     DEFINE_PER_CPU(long, hits) = 0;
 *
 *     this_cpu_add(hits, 1);                            a few ordinary instructions: no lock, no atomic
 *
 *     struct pair *mine = get_cpu_ptr(&pairs);          acquires the guard: no other thread can enter this CPU's pair
 *     mine->first++;
 *     mine->second++;
 *     put_cpu_ptr(mine);                                releases the guard
 *
 * You can include it in any number of a library's files, and there is nothing to link. It needs 64-bit Linux on x86-64
 * or AArch64, C11 or C++17, and GCC 11 or Clang 14, or newer. Compiled with glibc 2.35 or newer, the operations are
 * restartable sequences; with another C library, or an older one, the same operations are atomic instructions. A
 * library that must also load where glibc is older is compiled with -DPERCPU_NO_RSEQ.
 *
 * docs/native.md describes the protocol and draws the memory.
 *
 * Copyright the Percpu authors. Licensed under the Apache License, Version 2.0.
 */
#ifndef PERCPU_H
#define PERCPU_H

#if !defined(__linux__) || !defined(__LP64__)
#error "percpu.h supports 64-bit Linux only"
#endif

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * PERCPU_NO_RSEQ leaves the sequences out, as if the C library had none: for all files of a library, or for none. Once
 * a JVM that uses sequences has declared its variables, such a library can only count and add: docs/native.md, Limits.
 */
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

/* Attributes go by their reserved names: the including file may have macros of the plain ones, such as `noinline`. */

/* MemorySanitizer does not see what the kernel writes when we call it by its number, and would report its use. */
#define PERCPU_UNSEEN
#ifdef __has_feature
#if __has_feature(memory_sanitizer)
#undef PERCPU_UNSEEN
#define PERCPU_UNSEEN __attribute__((__no_sanitize__("memory")))
#endif
#endif

/*
 * One symbol in each library, however many of its files include this; and no other library's. The linker may keep the
 * copy of a file that was compiled for newer processors, so each copy must run on all processors.
 */
#define PERCPU_OF_LIBRARY __attribute__((__weak__, __visibility__("hidden")))
#define PERCPU_SLOW PERCPU_OF_LIBRARY __attribute__((__noinline__, __cold__)) PERCPU_UNSEEN PERCPU_BASELINE
#define PERCPU_INLINE static inline __attribute__((__always_inline__, __unused__))
#define PERCPU_HELPER PERCPU_INLINE PERCPU_BASELINE /* part of a slow function too */

/* ---------------------------------------------------------------------------------------------------------------- *
 * Variables
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * Defines a variable of which each CPU has an instance. "DEFINE_PER_CPU(long, hits) = 5;" makes each instance
 * begin as 5. Use the name only with the macros below: the object of that name holds the initial value, and no
 * CPU's instance. A type's alignment of up to 4096 bytes is kept. For an array the brackets belong to the type:
 * DEFINE_PER_CPU(long[4], many).
 *
 * Java finds the variable by the exported object percpu_variable_NAME. The variable itself is hidden, since its address
 * means something only to the library that defines it. The macro declares it for that object's sake, also if a header
 * has declared it before. Nothing uses the type and the struct. They refuse what the kernel's macro takes. With
 * brackets behind the name, percpu_variable_many[4] would be four objects, the first of which describes the memory
 * behind the array. And of "static DEFINE_PER_CPU(...)" only the first declaration would be static. There the
 * compiler's message has the right macro's name.
 */
#define DEFINE_PER_CPU(type, name)                                                                                     \
	typedef struct percpu_nothing percpu_static_is_DEFINE_STATIC_PER_CPU_##name;                                   \
	struct percpu_brackets_belong_to_the_type_of_##name;                                                           \
	PERCPU_ASSERT_INSTANCES(type);                                                                                 \
	_Pragma("GCC diagnostic push")                                                                                 \
	_Pragma("GCC diagnostic ignored \"-Wredundant-decls\"")                                                        \
	DECLARE_PER_CPU(type, name);                                                                                   \
	_Pragma("GCC diagnostic pop")                                                                                  \
	PERCPU_C_LINKAGE __attribute__((__visibility__("default")))                                                    \
	const struct percpu_variable percpu_variable_##name;                                                           \
	__attribute__((__used__)) const struct percpu_variable percpu_variable_##name = {                              \
		PERCPU_MAGIC, PERCPU_VERSION, &name, sizeof(name), &percpu_library};                                   \
	__attribute__((__section__("percpu_data"), __used__)) PERCPU_CONSTANT __typeof__(type) name

/* Defines a variable that only its own file can use. Java cannot find it. */
#define DEFINE_STATIC_PER_CPU(type, name)                                                                              \
	PERCPU_ASSERT_INSTANCES(type);                                                                                 \
	static __attribute__((__section__("percpu_data"), __used__)) PERCPU_CONSTANT __typeof__(type) name

/* Declares a variable that another file of the same library defines. */
#define DECLARE_PER_CPU(type, name) PERCPU_C_LINKAGE __attribute__((__visibility__("hidden"))) __typeof__(type) name

#define PERCPU_INSTANCES_CHANGE "a per-CPU variable must not be const"
#define PERCPU_ALIGNMENT_IS_KEPT "the alignment of a per-CPU variable must be at most 4096 bytes"
#define PERCPU_INSTANCES_ARE_COPIES "a per-CPU variable must be trivially copyable: its instances begin as copies"
#ifdef __cplusplus
#define PERCPU_ASSERT_INSTANCES(type)                                                                                  \
	static_assert(!PERCPU_IS_CONST(__typeof__(type)), PERCPU_INSTANCES_CHANGE);                                    \
	static_assert(__is_trivially_copyable(__typeof__(type)), PERCPU_INSTANCES_ARE_COPIES);                         \
	static_assert(alignof(__typeof__(type)) <= 4096, PERCPU_ALIGNMENT_IS_KEPT)
/*
 * A value that is computed when the program starts would come after the instances were copied from it. GCC refuses such
 * a value. Clang's keyword for this would refuse variables without an initial value too, so there we do not use it.
 */
#ifdef __clang__
#define PERCPU_CONSTANT
#else
#define PERCPU_CONSTANT __constinit
#endif
#else
#define PERCPU_ASSERT_INSTANCES(type)                                                                                  \
	_Static_assert(!PERCPU_IS_CONST(__typeof__(type)), PERCPU_INSTANCES_CHANGE);                                   \
	_Static_assert(sizeof(type) > 0, "a per-CPU variable must have a size");                                       \
	_Static_assert(_Alignof(__typeof__(type)) <= 4096, PERCPU_ALIGNMENT_IS_KEPT)
#define PERCPU_CONSTANT
#endif

/* ---------------------------------------------------------------------------------------------------------------- *
 * Numbers: integers of 8, 16, 32 and 64 bits, and pointers
 *
 * Each operation happens exactly once, on the instance of a CPU on which the thread runs during the call. It does not
 * order any other memory access. Do not use these operations on data that a guard protects: they ignore the guard.
 *
 * A value that is written, exchanged or compared is converted as in an assignment to the variable. What is added to a
 * pointer counts bytes. A bool can be read, written and exchanged.
 * ---------------------------------------------------------------------------------------------------------------- */

#define this_cpu_read(var) PERCPU_RESULT(var, READ, 0, 0)
#define this_cpu_write(var, value) PERCPU_UPDATE(var, WRITE, PERCPU_VALUE(var, value))
#define this_cpu_add(var, value) PERCPU_UPDATE(var, ADD, PERCPU_BITS(value))
#define this_cpu_sub(var, value) PERCPU_UPDATE(var, ADD, UINT64_C(0) - PERCPU_BITS(value))
#define this_cpu_inc(var) this_cpu_add(var, 1)
#define this_cpu_dec(var) this_cpu_sub(var, 1)
#define this_cpu_and(var, value) PERCPU_UPDATE(var, AND, PERCPU_BITS(value))
#define this_cpu_or(var, value) PERCPU_UPDATE(var, OR, PERCPU_BITS(value))
#define this_cpu_add_return(var, value) PERCPU_RESULT(var, ADD_RETURN, PERCPU_BITS(value), 0)
#define this_cpu_xchg(var, value) PERCPU_RESULT(var, XCHG, PERCPU_VALUE(var, value), 0)

/* Stores the value if the instance is equal to `expected`. The result is what the instance was before. */
#define this_cpu_cmpxchg(var, expected, value)                                                                         \
	PERCPU_RESULT(var, CMPXCHG, PERCPU_VALUE(var, value), PERCPU_VALUE(var, expected))

/* ---------------------------------------------------------------------------------------------------------------- *
 * All CPUs
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * A given CPU's instance. Reading it is always allowed. Only a thread that holds the CPU's guard may change it: that
 * CPU's threads may be updating it at the same time. Do not keep the pointer, and take it after acquiring the guard:
 * Java's first declaration moves the variables, and an earlier pointer leads to memory that is not updated any more.
 */
#define per_cpu_ptr(pointer, cpu) ((PERCPU_TYPE(pointer))percpu_instance(percpu_image(pointer), (unsigned)(cpu)))

/*
 * Runs the statement for the id of each possible CPU; `cpu` is a variable of any integer type of 16 bits or more. Ids
 * can have gaps.
 */
#define for_each_possible_cpu(cpu)                                                                                     \
	for (__extension__({                                                                                           \
		     PERCPU_ASSERT(sizeof(cpu) > 1, "8 bits are too few for the id of a CPU");                         \
		     (cpu) = (__typeof__(cpu))percpu_next_possible(0);                                                 \
		     (void)0;                                                                                          \
	     });                                                                                                       \
	     (unsigned)(cpu) < percpu_count();                                                                         \
	     (cpu) = (__typeof__(cpu))percpu_next_possible((unsigned)(cpu) + 1))

/*
 * The sum over all CPUs, and over what threads without a CPU id have added. It is not an atomic snapshot: it holds each
 * update that happened before the call, and perhaps some that happen during it. For a signed variable the sum has 64
 * bits. For an unsigned one it has as many bits as the variable: an instance that is counted down more often than up
 * wraps around, and only modulo that many bits do the instances add up to the right number. The result is always a
 * long long, so cast that of an unsigned variable of 64 bits to unsigned long long.
 */
#define per_cpu_sum(var)                                                                                               \
	__extension__({                                                                                                \
		PERCPU_ASSERT_NUMBER(var);                                                                             \
		void *percpu_image_ = percpu_image(&(var));                                                            \
		struct percpu_place percpu_place_;                                                                     \
		uint64_t percpu_sum_ = 0;                                                                              \
		PERCPU_TYPE(var) percpu_each_;                                                                         \
		percpu_look(&percpu_place_);                                                                           \
		for (unsigned percpu_at_ = 0; percpu_at_ <= percpu_place_.count; percpu_at_++) {                       \
			void *percpu_there_ = percpu_instance_in(&percpu_place_, percpu_image_, percpu_at_);           \
			__atomic_load((__typeof__(&(var)))percpu_there_, &percpu_each_, __ATOMIC_RELAXED);             \
			percpu_sum_ += (uint64_t)percpu_each_;                                                         \
		}                                                                                                      \
		(long long)(PERCPU_IS_UNSIGNED(var) ? percpu_sum_ & PERCPU_MASK(var) : percpu_sum_);                   \
	})
#define PERCPU_IS_UNSIGNED(var) ((PERCPU_NUMBER_TYPE(var))-1 > (PERCPU_NUMBER_TYPE(var))1)

/* ---------------------------------------------------------------------------------------------------------------- *
 * The guard
 *
 * A thread that holds a CPU's guard is alone with that CPU's guarded data, also if the scheduler moves the thread to
 * another CPU meanwhile. Guards nest: a thread that holds a guard can acquire again. If it was moved meanwhile, it gets
 * the guard, and the instance, of the CPU where it now runs, if that guard is free. So two calls of get_cpu_ptr can
 * return instances of two CPUs. To change several variables in one step:
 *
 *     struct cpu_guard guard = cpu_guard_acquire();
 *     *per_cpu_ptr(&requests, guard.cpu) += 1;
 *     *per_cpu_ptr(&bytes, guard.cpu) += size;
 *     cpu_guard_release(guard);
 *
 *   - Do not block while you hold a guard. A waiter that waits for 2 seconds reports the owner on stderr.
 *   - Do not call another library that acquires a guard while you hold one. Until Java has declared variables of both
 *     libraries, each has guards of its own: two threads can hold one each and wait for the other's for ever.
 *   - Do not call Java code that acquires a guard while you hold one, and release yours before you return to Java.
 *   - Java code that holds a guard must not call C code that takes one: neither side knows the other's guards.
 *   - In a signal handler use cpu_guard_try_acquire if the process has a JVM: the handler may have interrupted a thread
 *     whose Java code holds a guard.
 * ---------------------------------------------------------------------------------------------------------------- */

struct cpu_guard {
	uint64_t *word;
	unsigned cpu;
};

/* Takes the guard of the current CPU, and waits while another thread holds it. */
PERCPU_INLINE struct cpu_guard cpu_guard_acquire(void);

/*
 * Like cpu_guard_acquire, but does not wait: returns 0 if another thread holds the guard, or the variables are moving.
 */
PERCPU_INLINE int cpu_guard_try_acquire(struct cpu_guard *guard);

/*
 * Takes the guard of a given CPU. This makes system calls. Hold no other guard when you call it, unless that guard is
 * of the same CPU: two threads that each hold a guard and wait for the other's wait for ever.
 */
PERCPU_INLINE struct cpu_guard cpu_guard_acquire_on(unsigned cpu);

/* Release guards in the reverse order of their acquisition. */
PERCPU_INLINE void cpu_guard_release(struct cpu_guard guard);

/* Takes the guard of the current CPU and returns that CPU's instance. put_cpu_ptr releases the guard. */
#define get_cpu_ptr(pointer) ((PERCPU_TYPE(pointer))percpu_get(percpu_image(pointer)))
#define put_cpu_ptr(instance) percpu_put((uint64_t)(uintptr_t)(instance))

/*
 * The same for the instance itself: "struct pair *mine = &get_cpu_var(pairs); ... put_cpu_var(*mine);". The kernel's
 * put_cpu_var and put_cpu_ptr take the variable and its address. Here the thread may run on another CPU by now, so they
 * take the instance, which tells which guard to release. What is no CPU's instance ends the program.
 */
#define get_cpu_var(var) (*get_cpu_ptr(&(var)))
#define put_cpu_var(instance) put_cpu_ptr(&(instance))

/* ---------------------------------------------------------------------------------------------------------------- *
 * That was the interface. What follows is how it works; nothing below has to be read in order to use it.
 * ---------------------------------------------------------------------------------------------------------------- */

/* Compilers would warn about each function and each object that is defined without a declaration before. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-declarations"
#if defined(__clang__) || !defined(__cplusplus)
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif
#if defined(__clang__) || (__GNUC__ >= 14 && !defined(__cplusplus))
#pragma GCC diagnostic ignored "-Wmissing-variable-declarations"
#endif

#include "percpu/architecture.h"

#include "percpu/layout.h"

#include "percpu/sequences.h"

#include "percpu/system.h"

#include "percpu/slow.h"

#include "percpu/guard.h"

#include "percpu/place.h"

#include "percpu/share.h"

#include "percpu/process.h"

#pragma GCC diagnostic pop

#ifdef __cplusplus
}
#endif
#endif
