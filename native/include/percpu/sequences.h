/* ---------------------------------------------------------------------------------------------------------------- *
 * The sequences
 *
 * The kernel lets a thread run from 22 to 33 without interruption, or else sends it to the abort address 44,
 * which jumps back to the start. So a sequence reads everything after 22: the CPU's id, where the CPU's instances
 * are, and the old value. It has exactly one store to memory that others see, and this store, the commit, is its
 * last instruction.
 *
 *     thread A on the CPU                          thread B on the CPU
 *     1. reads the value: 7
 *     (preempted)                                  2. reads 7, stores 8
 *     3. does not store 8 as well: it continues
 *        at the abort address, and reads 8
 *
 * The place is read inside too, and that is why a library's variables can move (share.h). Once the distances are 0 and
 * every sequence in flight was restarted, no sequence uses the old place any more. A sequence that reads a distance
 * other than 0 reaches the instance through it, so it also sees all that was written before that distance was stored.
 * ---------------------------------------------------------------------------------------------------------------- */

/*
 * An operation without a result leaves its sequence with "asm goto". One with a result cannot: several releases of GCC
 * 11, 12 and 13 lose the outputs of such a statement. There PERCPU_NOTE_DONE tells that the sequence came to its end,
 * and the way out is label 66, behind that note.
 */
#define PERCPU_OUT "%l[slow]"
#define PERCPU_UNDONE "66f"

/* For tests: delays between the steps, in r11 or x11, and a count of the aborts. */
#ifndef PERCPU_TEST_PAUSE
#define PERCPU_TEST_PAUSE ""
#endif
#ifndef PERCPU_TEST_ABORT
#define PERCPU_TEST_ABORT ""
#endif

/*
 * The descriptor. The question mark in the section's flags removes it together with an inline function that is unused.
 */
#define PERCPU_DESCRIPTOR                                                                                              \
	".pushsection percpu_rseq_cs, \"aw?\"\n\t"                                                                     \
	".balign 32\n"                                                                                                 \
	"11:\n\t"                                                                                                      \
	".long 0, 0\n\t"                                                                                               \
	".quad 22f, 33f - 22f, 44f\n\t"                                                                                \
	".popsection\n"

/* Ends a sequence. The abort address is outside of it, and the kernel wants the signature in front of that address. */
#define PERCPU_END                                                                                                     \
	"33:\n\t"                                                                                                      \
	".pushsection percpu_rseq_abort, \"ax?\"\n\t"                                                                  \
	PERCPU_SIGNATURE "\n"                                                                                          \
	"44:\n\t" PERCPU_TEST_ABORT                                                                                    \
	PERCPU_JUMP " 55b\n\t"                                                                                         \
	".popsection\n"

/* An exchange is a read and a write on every architecture. */
#define PERCPU_DO_XCHG(size, suffix, modifier)                                                                         \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	PERCPU_DO_WRITE(size, suffix, modifier)

/*
 * With PERCPU_CHECK, an operation on a variable that this library did not define with DEFINE_PER_CPU ends the program.
 */
PERCPU_INLINE void *percpu_image(const volatile void *variable)
{
#ifdef PERCPU_CHECK
	const volatile char *byte = (const volatile char *)variable;

	if (byte < __start_percpu_data || byte >= __stop_percpu_data)
		percpu_fatal("this_cpu operation on a variable that this library does not define with DEFINE_PER_CPU");
#endif
	return (void *)(uintptr_t)variable;
}

#define PERCPU_INPUTS(entries) [rseq] "r"(__rseq_offset), [bound] "i"(PERCPU_MOST_CPUS), [table] "r"(entries)

/* Which operation the slow function is to do. */
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

/*
 * Does an operation for a thread that could not do it by a sequence. Returns 1 if it did nothing, because the sequence
 * is worth another attempt.
 */
PERCPU_SLOW int percpu_update_slowly(int op, unsigned size, void *image, uint64_t operand, uint64_t *value);

#if PERCPU_RSEQ
#define PERCPU_IF_RSEQ(...) __VA_ARGS__
#else
#define PERCPU_IF_RSEQ(...)
#endif

/*
 * Defines an operation for each size. Its name is never passed on by itself: the program, or <resolv.h>, may have a
 * macro ADD.
 */
#define PERCPU_DEFINE(define, op)                                                                                      \
	PERCPU_FOR_EACH_SIZE(define, percpu_do_##op, PERCPU_DO_##op, PERCPU_##op)

/* An operation without a result. */
#define PERCPU_DEFINE_UPDATE(size, suffix, modifier, name, steps, op)                                                  \
	PERCPU_INLINE void name##_##size(void *image, uint64_t operand)                                                \
	{                                                                                                              \
		do {                                                                                                   \
			PERCPU_IF_RSEQ(__asm__ goto(PERCPU_BEGIN(PERCPU_OUT, "") PERCPU_FIND_INSTANCE                  \
							    steps(size, suffix, modifier) PERCPU_END                   \
						    :                                                                  \
						    : PERCPU_INPUTS(percpu_distances), [image] "r"(image),             \
						      [operand] PERCPU_OPERAND(operand)                                \
						    : PERCPU_CLOBBERS                                                  \
						    : slow);                                                           \
				       return;)                                                                        \
slow:                                                                                                                  \
			__attribute__((__unused__));                                                                   \
		} while (percpu_update_slowly(op, size, image, operand, NULL));                                        \
	}

/* An operation with a result, in the lowest `size` bytes. */
#define PERCPU_DEFINE_RETURN(size, suffix, modifier, name, steps, op)                                                  \
	PERCPU_INLINE uint64_t name##_##size(void *image, uint64_t operand, uint64_t expected)                         \
	{                                                                                                              \
		uint64_t value;                                                                                        \
		do {                                                                                                   \
			PERCPU_IF_RSEQ(uint32_t done;                                                                  \
				       __asm__ volatile(PERCPU_NOTE_UNDONE PERCPU_BEGIN(PERCPU_UNDONE, "")             \
								PERCPU_FIND_INSTANCE                                   \
									steps(size, suffix, modifier)                  \
										PERCPU_END PERCPU_NOTE_DONE            \
							: [value] "=&r"(value), [done] "=&r"(done)                     \
							: PERCPU_INPUTS(percpu_distances), [image] "r"(image),         \
							  [operand] "r"(operand), [expected] "r"(expected)             \
							: PERCPU_CLOBBERS);                                            \
				       if (__builtin_expect(done, 1)) return value;)                                   \
			value = expected;                                                                              \
		} while (percpu_update_slowly(op, size, image, operand, &value));                                      \
		return value;                                                                                          \
	}

PERCPU_DEFINE(PERCPU_DEFINE_UPDATE, ADD)
PERCPU_DEFINE(PERCPU_DEFINE_UPDATE, AND)
PERCPU_DEFINE(PERCPU_DEFINE_UPDATE, OR)
PERCPU_DEFINE(PERCPU_DEFINE_UPDATE, WRITE)
PERCPU_DEFINE(PERCPU_DEFINE_RETURN, READ)
PERCPU_DEFINE(PERCPU_DEFINE_RETURN, ADD_RETURN)
PERCPU_DEFINE(PERCPU_DEFINE_RETURN, XCHG)
PERCPU_DEFINE(PERCPU_DEFINE_RETURN, CMPXCHG)

/* An operand may be part of an instruction. An assembler warns if it has more bits than there is room for. */
#define PERCPU_DEFINE_CHOICE_UPDATE(op)                                                                                \
	PERCPU_INLINE void percpu_do_##op(unsigned size, void *image, uint64_t operand)                                \
	{                                                                                                              \
		switch (size) {                                                                                        \
		case 1: percpu_do_##op##_1(image, (uint8_t)operand); break;                                            \
		case 2: percpu_do_##op##_2(image, (uint16_t)operand); break;                                           \
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

/*
 * The type of a value, without a "const" in front of it. G++ would warn about a cast to a type that has one. A
 * template's parameter that is passed by value has none, nor has the result of C's comma operator.
 */
#ifdef __cplusplus
extern "C++" {
template <typename Type> Type percpu_type(Type value);
template <typename Type> struct percpu_traits {
	static constexpr bool is_const = false;
	static constexpr bool is_bool = false;
};
template <typename Type> struct percpu_traits<const Type> {
	static constexpr bool is_const = true;
};
template <> struct percpu_traits<bool> {
	static constexpr bool is_const = false;
	static constexpr bool is_bool = true;
};
template <typename Type> struct percpu_is_array {
	static constexpr bool value = false;
};
template <typename Type, size_t count> struct percpu_is_array<Type[count]> {
	static constexpr bool value = true;
};
template <typename Type, bool = __is_enum(Type)> struct percpu_number {
	typedef Type type;
};
template <typename Type> struct percpu_number<Type, true> {
	typedef __underlying_type(Type) type;
};
template <typename Type> PERCPU_INLINE uint64_t percpu_bits(Type value)
{
	return (uint64_t)((typename percpu_number<Type>::type)value | 0);
}
template <typename Type> PERCPU_INLINE uint64_t percpu_value(Type value)
{
	return (uint64_t)value;
}
}
#define PERCPU_TYPE(value) __typeof__(percpu_type(value))
#define PERCPU_NUMBER_TYPE(var) typename percpu_number<PERCPU_TYPE(var)>::type
#define PERCPU_IS_CONST(type) percpu_traits<type>::is_const
#define PERCPU_IS_BOOL(var) percpu_traits<PERCPU_TYPE(var)>::is_bool
#define PERCPU_IS_AGGREGATE(var)                                                                                       \
	(percpu_is_array<__typeof__(var)>::value || __is_class(PERCPU_TYPE(var)) || __is_union(PERCPU_TYPE(var)))
#define PERCPU_BITS(value) percpu_bits(value)
#define PERCPU_VALUE(var, value) percpu_value<PERCPU_TYPE(var)>(value)
#else
#define PERCPU_TYPE(value) __typeof__(((void)0, (value)))
#define PERCPU_NUMBER_TYPE(var) PERCPU_TYPE(var)
#define PERCPU_IS_CONST(type) __builtin_types_compatible_p(type *, const type *)
#define PERCPU_IS_BOOL(var) __builtin_types_compatible_p(__typeof__(var), _Bool)
/* An array becomes a pointer behind a comma. A cast to a struct does not compile anyway. */
#define PERCPU_IS_AGGREGATE(var) (!__builtin_types_compatible_p(__typeof__(var), PERCPU_TYPE(var)))
#define PERCPU_BITS(value) ((uint64_t)((value) | 0))
#define PERCPU_VALUE(var, value) ((uint64_t)(PERCPU_TYPE(var)){(value)})
#endif

/*
 * PERCPU_BITS is what is added, or combined bit by bit: an integer of any width. "value | 0" compiles only if the value
 * is an integer. In C++ it must be copyable: of a std::atomic `a`, write a.load(). PERCPU_VALUE is what the instance
 * may get or is compared with. The compiler checks and converts it as if it were assigned to the variable.
 */
#define PERCPU_UPDATE(var, op, operand)                                                                                \
	__extension__({                                                                                                \
		PERCPU_ASSERT_NUMBER(var);                                                                             \
		PERCPU_ASSERT_##op(var);                                                                               \
		percpu_do_##op(sizeof(var), percpu_image(&(var)), operand);                                            \
	})
#define PERCPU_RESULT(var, op, operand, expected)                                                                      \
	__extension__({                                                                                                \
		PERCPU_ASSERT_NUMBER(var);                                                                             \
		PERCPU_ASSERT_##op(var);                                                                               \
		(PERCPU_TYPE(var))(percpu_do_##op(sizeof(var), percpu_image(&(var)), operand,                          \
						  (expected) & PERCPU_MASK(var)) &                                     \
				   PERCPU_MASK(var));                                                                  \
	})
#define PERCPU_MASK(var) (~UINT64_C(0) >> (64 - 8 * sizeof(var)))

#define PERCPU_ASSERT_NUMBER(var)                                                                                      \
	PERCPU_ASSERT(sizeof(var) == 1 || sizeof(var) == 2 || sizeof(var) == 4 || sizeof(var) == 8,                    \
		      "an operation is on 1, 2, 4 or 8 bytes");                                                        \
	PERCPU_ASSERT(!PERCPU_IS_AGGREGATE(var) &&                                                                     \
			      __builtin_classify_type((PERCPU_TYPE(var))0) != 8 /* real */ &&                          \
			      __builtin_classify_type((PERCPU_TYPE(var))0) != 9 /* complex */,                         \
		      "an operation is on integers and pointers")
#define PERCPU_ASSERT_READ(var) PERCPU_ASSERT(1, "")
#define PERCPU_ASSERT_WRITE(var)                                                                                       \
	PERCPU_ASSERT(!PERCPU_IS_CONST(__typeof__(var)), "an operation does not change a const")
#define PERCPU_ASSERT_XCHG(var) PERCPU_ASSERT_WRITE(var)
#define PERCPU_ASSERT_CMPXCHG(var) PERCPU_ASSERT_WRITE(var)
#define PERCPU_ASSERT_ADD(var)                                                                                         \
	PERCPU_ASSERT_WRITE(var);                                                                                      \
	PERCPU_ASSERT(!PERCPU_IS_BOOL(var), "a bool can only be read, written and exchanged")
#define PERCPU_ASSERT_AND(var) PERCPU_ASSERT_ADD(var)
#define PERCPU_ASSERT_OR(var) PERCPU_ASSERT_ADD(var)
#define PERCPU_ASSERT_ADD_RETURN(var) PERCPU_ASSERT_ADD(var)
