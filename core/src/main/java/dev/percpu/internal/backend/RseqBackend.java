package dev.percpu.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

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
import dev.percpu.memory.NumericWidth;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
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
        MethodHandle addTwo,
        MethodHandle addIfOpen,
        MethodHandle addDoubleIfOpen,
        MethodHandle compareAndSetIfOpen,
        MethodHandle addCredit,
        MethodHandle push,
        MethodHandle pop,
        MethodHandle call,
        List<MemorySegment> pure,
        List<MemorySegment> guarded,
        CodeMapping code)
        implements Backend {

    /**
     * Room for all of the sequences, of which each is below 300 bytes, and for their delays. What is not used is not
     * touched.
     */
    private static final int CODE_BYTES = 65536;

    /** Emits the sequences and gets ready to restart those of other CPUs. */
    static RseqBackend create(RseqRegistration registration, Instrumentation instrumentation) {
        try {
            Linux.registerForSequenceRestarts();
        } catch (LinuxException e) {
            throw new RseqUnavailableException("sequences on other CPUs cannot be restarted: " + e.getMessage(), e);
        }
        SequenceLayout layout =
                new SequenceLayout(registration.offset(), Area.CPUS, Area.SHIFT, Area.BASE + CpuHeader.GUARD_WORD);
        Addresses addresses = new Addresses();
        CodeMapping code;
        try {
            code = CodeMapping.emit(CODE_BYTES, layout, instrumentation, addresses::emit);
        } catch (LinuxException e) {
            throw new RseqUnavailableException("there is no executable memory: " + e.getMessage(), e);
        }
        return new RseqBackend(
                Linux.bind(addresses.pure[index(Op.ADD, NumericWidth.LONG)].address(), longs(2)),
                Linux.bind(addresses.acquire, longs(1)),
                Linux.bind(addresses.cpu, longs(0)),
                Linux.bind(addresses.addTwo, longs(4)),
                Linux.bind(addresses.addIfOpen, longs(3)),
                Linux.bind(addresses.addDoubleIfOpen, longs(4)),
                Linux.bind(addresses.compareAndSetIfOpen, longs(4)),
                Linux.bind(addresses.addCredit, longs(4)),
                Linux.bind(addresses.push, longs(3)),
                Linux.bind(addresses.pop, longs(1)),
                Linux.bindVirtual(longs(3)),
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
    public void addTwo(long position, long delta, long secondPosition, long secondDelta) {
        try {
            long _ = (long) addTwo.invokeExact(Area.BASE + position, delta, Area.BASE + secondPosition, secondDelta);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public boolean addIfOpen(long position, long delta, long gate) {
        long result;
        try {
            result = (long) addIfOpen.invokeExact(Area.BASE + position, delta, Area.BASE + gate);
        } catch (Throwable t) {
            throw impossible(t);
        }
        return result == Sequence.DONE
                || (result == Sequence.NO_CPU && AtomicSlots.addIfOpen(Area.offset(Area.CPUS, position), delta));
    }

    /**
     * Once the gate is closed and the sequences in flight were restarted, those look at the gate again and find it
     * closed. What any of them committed before is visible, as the restart is a full barrier on each CPU.
     */
    @Override
    public long close(long position, long gate) {
        Area.LONG.setVolatile(Area.MEMORY, gate, 1L);
        try {
            Linux.restartSequencesEverywhere();
        } catch (Throwable t) {
            Area.LONG.setVolatile(Area.MEMORY, gate, 0L);
            throw t;
        }
        long sum = AtomicSlots.close(Area.offset(Area.CPUS, position));
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            long offset = Area.offset(cpu, position);
            long slot = (long) Area.LONG.getOpaque(Area.MEMORY, offset);
            if (slot != 0) {
                // Nobody else writes it while the gate is closed. Zeros are not written, as that would make pages.
                Area.LONG.setOpaque(Area.MEMORY, offset, 0L);
                sum += slot;
            }
        }
        return sum;
    }

    @Override
    public void open(long position, long gate) {
        AtomicSlots.open(Area.offset(Area.CPUS, position));
        Area.LONG.setVolatile(Area.MEMORY, gate, 0L);
    }

    @Override
    public boolean addDoubleIfOpen(long position, long operand) {
        try {
            return (long) addDoubleIfOpen.invokeExact(Area.BASE + position, operand, 0L, 0L) == Sequence.DONE;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public boolean compareAndSetIfOpen(long position, long expected, long value) {
        try {
            return (long) compareAndSetIfOpen.invokeExact(Area.BASE + position, value, expected, 0L) == Sequence.DONE;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /** The same reasoning as for {@link #close}. */
    @Override
    public void shut(long position) {
        long gate = Area.offset(Area.CPUS, position + Sequence.GATE);
        long before = (long) Area.LONG.getAndSet(Area.MEMORY, gate, Long.MAX_VALUE);
        try {
            Linux.restartSequencesEverywhere();
        } catch (Throwable t) {
            // Out of memory, say: it is as open as it was.
            Area.LONG.setVolatile(Area.MEMORY, gate, before);
            throw t;
        }
    }

    @Override
    public long exchange(int cpu, long position, long value) {
        return AtomicSlots.exchange(Area.offset(cpu, position), value);
    }

    @Override
    public boolean addCredit(long position, long delta, long bound, long most) {
        try {
            return (long) addCredit.invokeExact(Area.BASE + position, delta, bound, most) == Sequence.DONE;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long credits(long position) {
        long sum = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            sum += (long) Area.LONG.getOpaque(Area.MEMORY, Area.offset(cpu, position));
        }
        return sum;
    }

    @Override
    public long takeCredits(long position) {
        shut(position);
        long sum = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            sum += exchange(cpu, position, 0);
        }
        return sum;
    }

    @Override
    public boolean push(long position, long item, long capacity) {
        try {
            return (long) push.invokeExact(Area.BASE + position, item, capacity) == Sequence.DONE;
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    @Override
    public long pop(long position) {
        try {
            return (long) pop.invokeExact(Area.BASE + position);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /** The sequences of the CPU look at its guard word, so its owner is alone with the stack. */
    @Override
    public long popFrom(int cpu, long position) {
        long offset = Area.offset(cpu, position);
        long count = (long) Area.LONG.getOpaque(Area.MEMORY, offset);
        if (count == 0) {
            return Sequence.EMPTY;
        }
        long item = (long) Area.LONG.get(Area.MEMORY, offset + count * Long.BYTES);
        Area.LONG.setOpaque(Area.MEMORY, offset, count - 1);
        return item;
    }

    /** Nothing: a call of a sequence is not reordered by the compiler, and the processor's part is the heavy half's. */
    @Override
    public void lightFence() {}

    @Override
    public void heavyFence() {
        Linux.restartSequencesEverywhere();
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

    /** A function that takes so many numbers and returns one. */
    private static FunctionDescriptor longs(int arguments) {
        return FunctionDescriptor.of(
                JAVA_LONG, Collections.nCopies(arguments, JAVA_LONG).toArray(MemoryLayout[]::new));
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
        private long addTwo;
        private long addIfOpen;
        private long addDoubleIfOpen;
        private long compareAndSetIfOpen;
        private long addCredit;
        private long push;
        private long pop;

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
            addTwo = sequence.addTwo();
            addIfOpen = sequence.addIfOpen();
            addDoubleIfOpen = sequence.gated(Op.ADD_DOUBLE);
            compareAndSetIfOpen = sequence.gated(Op.CMPXCHG);
            addCredit = sequence.gated(Op.ADD);
            push = sequence.push();
            pop = sequence.pop();
        }
    }
}
