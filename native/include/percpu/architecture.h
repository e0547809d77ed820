/* ---------------------------------------------------------------------------------------------------------------- *
 * The architecture: its file, and what that file has to define
 *
 *   PERCPU_BASELINE                the attribute of a function that any processor of the architecture can run
 *   PERCPU_SIGNATURE               the directive for the 4 bytes that the kernel wants in front of an abort address
 *   PERCPU_JUMP                    the instruction that jumps to a label
 *   PERCPU_CLOBBERS                what a sequence changes besides its outputs
 *   PERCPU_BEGIN(out, with_cpu)    starts a sequence, up to this CPU's entry of a table; goes to `out` if there is none
 *   PERCPU_NOTE_UNDONE, _NOTE_DONE set [done] to 0 before the sequence and to 1 after it
 *   PERCPU_FIND_INSTANCE           adds the variable's address to the entry, if PERCPU_DO_... does not do so itself
 *   PERCPU_DO_...                  what comes between: READ, WRITE, ADD, AND, OR, ADD_RETURN, CMPXCHG, and ACQUIRE
 *   PERCPU_OPERAND                 the constraint of the operand of WRITE, ADD, AND and OR
 *   PERCPU_KEEP_CPU                copies the CPU's id to [cpu]
 *   PERCPU_FOR_EACH_SIZE           defines an operation for 1, 2, 4 and 8 bytes, with their suffixes
 *   PERCPU_LOAD_THREAD(value)      loads percpu_thread
 *   PERCPU_LOAD_CPU_ID(id)         loads the CPU's id outside of a sequence
 *   PERCPU_RELAX()                 a pause in a loop that waits
 *   PERCPU_LOSES_ABORTS(version)   whether kernels of this version lose aborts; 6.19.3 is 6019003
 * ---------------------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include "percpu/x86_64.h"
#elif defined(__aarch64__)
#include "percpu/aarch64.h"
#else
#error "percpu.h does not support this processor architecture, only x86-64 and AArch64"
#endif
