package dev.percpu.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.percpu.NumericWidth;
import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.code.CodeMapping;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.code.Sequence;
import dev.percpu.internal.code.SequenceLayout;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.RseqRegistration;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * Updates by restartable sequences, called through the Foreign Function and Memory API as critical functions.
 *
 * <p>It is a record because the JIT compiler trusts the fields of records: with the instance in a {@code static final}
 * field, {@code addLong} and {@code acquire} are constants, and a call of them is a call of a fixed address. The other
 * sequences share one handle that takes the address, which saves linking a handle for each at start-up. The addresses
 * are in unmodifiable lists, whose elements the compiler trusts too.
 */
record RseqBackend(
        MethodHandle addLong,
        MethodHandle acquire,
        MethodHandle cpu,
        MethodHandle call,
        List<MemorySegment> pure,
        List<MemorySegment> guarded,
        CodeMapping code)
        implements Backend {

    /** Room for all of the sequences, of which each is below 200 bytes. */
    private static final int CODE_BYTES = 16384;

    private static final FunctionDescriptor CALL = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor ADD = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor ACQUIRE = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor CPU = FunctionDescriptor.of(JAVA_LONG);

    /** Emits the sequences and gets ready to restart those of other CPUs. */
    static RseqBackend create(RseqRegistration registration, Instrumentation instrumentation) {
        try {
            Linux.registerForSequenceRestarts();
        } catch (LinuxException e) {
            throw new RseqUnavailableException("sequences on other CPUs cannot be restarted: " + e.getMessage(), e);
        }
        SequenceLayout layout = new SequenceLayout(
                registration.offset(), Area.CPUS, Area.SHIFT, Area.BASE + CpuHeader.GUARD_WORD);
        Addresses addresses = new Addresses();
        CodeMapping code;
        try {
            code = CodeMapping.emit(CODE_BYTES, layout, instrumentation, addresses::emit);
        } catch (LinuxException e) {
            throw new RseqUnavailableException("there is no executable memory: " + e.getMessage(), e);
        }
        return new RseqBackend(
                Linux.bind(addresses.pure[index(Op.ADD, NumericWidth.LONG)].address(), ADD),
                Linux.bind(addresses.acquire, ACQUIRE),
                Linux.bind(addresses.cpu, CPU),
                Linux.bindVirtual(CALL),
                List.of(addresses.pure),
                List.of(addresses.guarded),
                code);
    }

    @Override
    public String name() {
        return "rseq";
    }

    @Override
    public int currentCpu() {
        long id;
        try {
            id = (long) cpu.invokeExact();
        } catch (Throwable t) {
            throw impossible(t);
        }
        return id >= 0 && id < Area.CPUS ? (int) id : Linux.currentCpu() % Area.CPUS;
    }

    @Override
    public long update(Op op, NumericWidth width, long position, long operand, long expected) {
        try {
            if (op == Op.ADD && width == NumericWidth.LONG) {
                return (long) addLong.invokeExact(Area.BASE + position, operand);
            }
            return (long) call.invokeExact(pure.get(index(op, width)), Area.BASE + position, operand, expected);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
        try {
            long result = (long) call.invokeExact(guarded.get(index(op, width)), Area.BASE + position, operand, 0L);
            return result == Sequence.DONE;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public int tryAcquire(long owner) {
        try {
            // NO_CPU is cut to 0 by a plain cast, hence the comparison; it is predicted, and off the usual way.
            long cpu = (long) acquire.invokeExact(owner);
            return cpu == Sequence.NO_CPU ? NO_CPU : (int) cpu;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /**
     * A word that is 0 is set from here, and then whatever sequence is in flight on that CPU is restarted, and then the
     * word is looked at again.
     *
     * <pre>
     *   thread L on the CPU                        this thread R, elsewhere
     *   1. acquire: word is 0
     *                                              2. compare-and-set: word 0 -> R
     *   3. commit: word -> L
     *                                              4. membarrier: returns after L's section is over or restarted
     *                                              5. word is L, or 0 if L has released: R does not own it, and
     *                                                 tries again if it is 0
     * </pre>
     *
     * <p>Were 3 after 4, L's section would have been restarted by 4 and have found R in 1. The same goes for an update
     * that looked at the word before 2: it commits before 4 returns, so before R touches anything, or it starts over
     * and finds the guard taken. Only R itself writes R into the word, so finding it there at 5 means that nobody
     * overwrote it, and nobody will: no section is left that saw a 0.
     */
    @Override
    public boolean tryAcquireOn(int cpu, long owner) {
        long word = Area.offset(cpu, CpuHeader.GUARD_WORD);
        while (Area.LONG.compareAndSet(Area.MEMORY, word, 0L, owner)) {
            try {
                Linux.restartSequencesOn(cpu);
            } catch (Throwable t) {
                // Out of memory, say. R has touched nothing, so the word is as good as 0, unless L has overwritten it.
                Area.LONG.compareAndSet(Area.MEMORY, word, owner, 0L);
                throw t;
            }
            if ((long) Area.LONG.getVolatile(Area.MEMORY, word) == owner) {
                return true;
            }
        }
        return false;
    }

    @SuppressWarnings("EnumOrdinal") // the table lives no longer than the process; an EnumMap is not a constant
    private static int index(Op op, NumericWidth width) {
        return op.ordinal() * NumericWidth.values().length + width.ordinal();
    }

    private static AssertionError impossible(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        return new AssertionError("a sequence threw", t);
    }

    /** Where each sequence was emitted. */
    private static final class Addresses {
        private final MemorySegment[] pure = new MemorySegment[Op.values().length * NumericWidth.values().length];
        private final MemorySegment[] guarded = new MemorySegment[pure.length];
        private long acquire;
        private long cpu;

        private void emit(Sequence sequence) {
            for (Op op : Op.values()) {
                for (NumericWidth width : NumericWidth.values()) {
                    int index = index(op, width);
                    if (op == Op.ADD_DOUBLE && width != NumericWidth.LONG) {
                        // There is none, and the linker refuses to call this address.
                        pure[index] = MemorySegment.NULL;
                        guarded[index] = MemorySegment.NULL;
                    } else {
                        pure[index] = MemorySegment.ofAddress(sequence.pure(op, width.bits()));
                        guarded[index] = MemorySegment.ofAddress(sequence.guarded(op, width.bits()));
                    }
                }
            }
            acquire = sequence.acquire();
            cpu = sequence.currentCpu();
        }
    }
}
