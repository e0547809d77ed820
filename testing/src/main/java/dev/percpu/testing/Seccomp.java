package dev.percpu.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Lets the kernel refuse a system call, as the filters of containers and sandboxes do: to the calling thread, and to
 * the threads and processes that it starts from then on, for good. It takes no privilege.
 */
public final class Seccomp {
    private static final int PR_SET_SECCOMP = 22;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final long SECCOMP_MODE_FILTER = 2;

    /** Where the number and the arguments lie in what a filter looks at. */
    private static final int NUMBER = 0;

    private static final int ARGUMENTS = 16;

    /** The instructions of a filter, and what it can return. */
    private static final short LOAD = 0x20;

    private static final short SKIP_UNLESS_EQUAL = 0x15;
    private static final short RETURN = 0x06;
    private static final int REFUSE = 0x5_0000;
    private static final int ALLOW = 0x7fff_0000;

    private static final int INSTRUCTION_BYTES = 8;

    private static final MethodHandle PRCTL = CLibrary.function(
            "prctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1));

    private Seccomp() {}

    /** Refuses a call with an error number. */
    public static void refuse(Machine.Call call, int errno) {
        refuse(errno, NUMBER, Machine.current().number(call));
    }

    /**
     * Refuses a call if one of its arguments has a value.
     *
     * @param argument the argument's number, from 0
     * @param value of the argument's lower half
     */
    public static void refuse(Machine.Call call, int argument, int value, int errno) {
        refuse(errno, NUMBER, Machine.current().number(call), ARGUMENTS + argument * Long.BYTES, value);
    }

    /** @param expected where something lies, and what has to be there, in turns */
    private static void refuse(int errno, int... expected) {
        // An instruction for each, and two at the end.
        int length = expected.length + 2;
        try (Arena arena = Arena.ofConfined()) {
            // The JVM makes no calls by another architecture's numbers, so those are not told apart.
            MemorySegment filter = arena.allocate((long) length * INSTRUCTION_BYTES, Long.BYTES);
            for (int i = 0; i < expected.length; i += 2) {
                instruction(filter, i, LOAD, 0, expected[i]);
                instruction(filter, i + 1, SKIP_UNLESS_EQUAL, length - 1 - (i + 2), expected[i + 1]);
            }
            instruction(filter, length - 2, RETURN, 0, REFUSE | errno);
            instruction(filter, length - 1, RETURN, 0, ALLOW);
            MemorySegment program = arena.allocate(ADDRESS.byteSize() * 2, Long.BYTES);
            program.set(JAVA_SHORT, 0, (short) length);
            program.set(ADDRESS, ADDRESS.byteSize(), filter);
            // Only a process that can gain no privileges may set a filter without having any.
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program.address());
        }
    }

    private static void instruction(MemorySegment filter, int index, short code, int skipped, int operand) {
        MemorySegment instruction = filter.asSlice((long) index * INSTRUCTION_BYTES, INSTRUCTION_BYTES);
        instruction.set(JAVA_SHORT, 0, code);
        // How many instructions a comparison skips if it is not equal.
        instruction.set(JAVA_BYTE, 3, (byte) skipped);
        instruction.set(JAVA_INT, 4, operand);
    }

    private static void prctl(int option, long first, long second) {
        int result;
        try {
            result = (int) PRCTL.invokeExact(option, first, second, 0L, 0L);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        if (result != 0) {
            throw new AssertionError("the kernel takes no seccomp filter: prctl(" + option + ") failed");
        }
    }
}
