/* AArch64. */

/*
 * PERCPU_BASELINE switches off what Clang uses of newer processors: atomic instructions, others that return, copy or
 * count, and vectors. Clang reports an extension that it does not know yet.
 */
#ifdef __clang__
#if __clang_major__ >= 20
#define PERCPU_NEWER ",no-cssc,no-cmpbr"
#elif __clang_major__ >= 16
#define PERCPU_NEWER ",no-cssc"
#else
#define PERCPU_NEWER ""
#endif
#define PERCPU_BASELINE __attribute__((__target__("no-lse,no-rcpc,no-sve,no-pauth,no-mops" PERCPU_NEWER)))
#else
#define PERCPU_BASELINE __attribute__((__target__("arch=armv8-a")))
#endif

#define PERCPU_SIGNATURE ".inst 0xd428bc00"
#define PERCPU_JUMP "b"

/*
 * The linker may change x16 and x17: an abort jumps back to the sequence from another section, and in a program with
 * more than 128 MB of code such a jump can need a veneer.
 */
#define PERCPU_CLOBBERS "x9", "x10", "x11", "x16", "x17", "cc", "memory"

/*
 * The entry is in x9. The bound is compared unsigned: the ids -1 and -2, of threads without a CPU id, are above it.
 *
 * Each sequence reads the thread pointer itself. A compiler reads it once in a function and keeps it, but a function
 * that calls swapcontext() can go on in another thread.
 */
#define PERCPU_BEGIN(out, with_cpu)                                                                                    \
	PERCPU_DESCRIPTOR                                                                                              \
	"55:\n\t"                                                                                                      \
	"mrs x16, tpidr_el0\n\t"                                                                                       \
	"add x16, x16, %[rseq]\n\t"                                                                                    \
	"adrp x9, 11b\n\t"                                                                                             \
	"add x9, x9, :lo12:11b\n\t"                                                                                    \
	"str x9, [x16, #8]\n"                                                                                          \
	"22:\n\t"                                                                                                      \
	"ldr w9, [x16, #4]\n\t" PERCPU_TEST_PAUSE                                                                      \
	"mov w10, %[bound]\n\t"                                                                                        \
	"cmp w9, w10\n\t"                                                                                              \
	"b.hs " out "\n\t" PERCPU_TEST_PAUSE with_cpu                                                                  \
	"ldr x9, [%[table], x9, lsl #3]\n\t" PERCPU_TEST_PAUSE                                                         \
	"cbz x9, " out "\n\t" PERCPU_TEST_PAUSE

#define PERCPU_NOTE_UNDONE "mov %w[done], wzr\n"
#define PERCPU_NOTE_DONE                                                                                               \
	"mov %w[done], #1\n"                                                                                           \
	"66:\n\t"

#define PERCPU_OPERAND "r"

/* Each access adds up the two. */
#define PERCPU_FIND_INSTANCE ""

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
#define PERCPU_DO_CMPXCHG(size, suffix, modifier)                                                                      \
	PERCPU_DO_READ(size, suffix, modifier)                                                                         \
	PERCPU_TEST_PAUSE                                                                                              \
	"cmp %[value], %[expected]\n\t"                                                                                \
	"b.ne 33f\n\t" PERCPU_TEST_PAUSE                                                                               \
	PERCPU_DO_WRITE(size, suffix, modifier)

#define PERCPU_KEEP_CPU "mov %w[cpu], w9\n\t"

/* A load-acquire: whoever finds the word 0 must also see what its last owner wrote before the release. */
#define PERCPU_DO_ACQUIRE                                                                                              \
	"mov %[word], x9\n\t"                                                                                          \
	"ldar x10, [%[word]]\n\t"                                                                                      \
	"cbnz x10, 66f\n\t" PERCPU_TEST_PAUSE                                                                          \
	"str %[owner], [%[word]]\n"

#define PERCPU_X10_1 "w10"
#define PERCPU_X10_2 "w10"
#define PERCPU_X10_4 "w10"
#define PERCPU_X10_8 "x10"
#define PERCPU_FOR_EACH_SIZE(define, ...)                                                                              \
	define(1, "b", "w", __VA_ARGS__) define(2, "h", "w", __VA_ARGS__)                                              \
	define(4, "", "w", __VA_ARGS__) define(8, "", "x", __VA_ARGS__)

#define PERCPU_LOAD_CPU_ID(id)                                                                                         \
	__asm__ volatile("mrs x16, tpidr_el0\n\t"                                                                      \
			 "add x16, x16, %1\n\t"                                                                        \
			 "ldr %w0, [x16, #4]"                                                                          \
			 : "=r"(id)                                                                                    \
			 : "r"(__rseq_offset)                                                                          \
			 : "x16")
#define PERCPU_LOAD_THREAD(value)                                                                                      \
	__asm__ volatile("mrs x16, tpidr_el0\n\t"                                                                      \
			 "adrp %0, :gottprel:percpu_thread\n\t"                                                        \
			 "ldr %0, [%0, :gottprel_lo12:percpu_thread]\n\t"                                              \
			 "ldr %0, [x16, %0]"                                                                           \
			 : "=r"(value)                                                                                 \
			 :                                                                                             \
			 : "x16", "memory")
#define PERCPU_RELAX() __asm__ volatile("yield" ::: "memory")

/* From 6.19 to before 7.0.14. */
#define PERCPU_LOSES_ABORTS(version) ((version) >= 6019000 && (version) < 7000014)
