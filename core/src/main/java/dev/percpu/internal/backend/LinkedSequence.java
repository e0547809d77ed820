package dev.percpu.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.internal.linux.Linux;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * A sequence that Java code can call. The JIT compiler treats a call of one that is in a {@code static final} field, or
 * in a record in such a field, as a call of a fixed address.
 *
 * <p>All sequences are called through few handles, which take the address as an argument: linking the first handle of a
 * shape takes milliseconds. So a call may pass more numbers than the sequence takes. Each architecture passes them in
 * registers, where they do no harm.
 *
 * @param address the address of its code
 */
public record LinkedSequence(MemorySegment address) {
    /*
     * A fence follows each call. It is for the JIT compiler only: on x86-64 it is no instruction. C2 assumes that every
     * call contains a safepoint poll, and removes a poll that directly follows a call. But a critical function does not
     * poll. So a thread whose loop did nothing but call a sequence could not be stopped, and at the next garbage
     * collection the whole JVM stood still. (Seen with the loop of SelfTest.seeAnAbort, once C2 had compiled it.) With
     * something between the call and the poll, C2 keeps the poll.
     */

    /** Each call passes at least this many numbers. */
    static final int FEWEST = 2;

    private static final MethodHandle TWO = link(FEWEST);

    /** Linked late. */
    private static final class Four {
        private static final MethodHandle CALL = link(4);

        private Four() {}
    }

    /** Linked late. */
    private static final class Six {
        private static final MethodHandle CALL = link(6);

        private Six() {}
    }

    /** Links the handle for sequences with so many arguments now, but not yet the call: see {@link #rehearse}. */
    static void prepare(int arguments) {
        MethodHandle _ = arguments <= FEWEST ? TWO : arguments <= 4 ? Four.CALL : Six.CALL;
    }

    /** Calls a sequence that takes up to two numbers; unused ones are 0. */
    public long call(long first, long second) {
        try {
            long result = (long) TWO.invokeExact(address, first, second);
            VarHandle.acquireFence();
            return result;
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    /** Calls a sequence that takes three numbers, or four; an unused one is 0. */
    public long call(long first, long second, long third, long fourth) {
        try {
            long result = (long) Four.CALL.invokeExact(address, first, second, third, fourth);
            VarHandle.acquireFence();
            return result;
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    /**
     * Calls this sequence with zeros, as sequences with so many arguments are called, so that the JVM links that call.
     * Only for more than {@value #FEWEST} arguments.
     */
    void rehearse(int arguments) {
        if (arguments <= 4) {
            long _ = call(0, 0, 0, 0);
        } else {
            long _ = callEvent(address, 0, 0, 0, 0, 0, 0);
        }
    }

    /** Calls the sequence of an event, at an address that need not be a constant. */
    public static long callEvent(MemorySegment code, long table, long first, long second, long third) {
        try {
            long result = (long) Four.CALL.invokeExact(code, table, first, second, third);
            VarHandle.acquireFence();
            return result;
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    /** Calls the sequence of an event that has more values. */
    public static long callEvent(
            MemorySegment code, long table, long first, long second, long third, long fourth, long fifth) {
        try {
            long result = (long) Six.CALL.invokeExact(code, table, first, second, third, fourth, fifth);
            VarHandle.acquireFence();
            return result;
        } catch (Throwable t) {
            throw thrown(t);
        }
    }

    private static MethodHandle link(int numbers) {
        MemoryLayout[] arguments = new MemoryLayout[numbers];
        Arrays.fill(arguments, JAVA_LONG);
        return Linux.bindVirtual(FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    /**
     * Rethrows what a call of a sequence threw. A sequence itself throws nothing, but the call can overflow the stack,
     * for example.
     */
    private static AssertionError thrown(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        return new AssertionError("a sequence threw", t);
    }
}
