package dev.percpu.internal.backend;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.area.Numbers;
import dev.percpu.internal.code.Op;
import dev.percpu.internal.code.Sequence;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Topology;
import dev.percpu.memory.NumericWidth;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * Updates by atomic instructions, on the instance of the CPU that the thread was on a moment ago. A thread that has
 * moved since updates another CPU's instance, which is as exact, and only slower.
 *
 * @param asksKernel whether the kernel is asked for the CPU; if not, each thread has one that stays the same
 * @param usable the CPUs that threads are spread over where the kernel is not asked
 */
record AtomicBackend(boolean asksKernel, List<Integer> usable) implements Backend {
    /** Spreads consecutive thread ids: 2^64 divided by the golden ratio. */
    private static final long SPREAD = 0x9e3779b97f4a7c15L;

    static AtomicBackend create(boolean asksKernel) {
        return new AtomicBackend(asksKernel, Topology.usable().stream().boxed().toList());
    }

    @Override
    public String name() {
        return "atomic";
    }

    @Override
    public int currentCpu() {
        if (asksKernel) {
            return Linux.currentCpu() % Area.CPUS;
        }
        Thread thread = Thread.currentThread();
        return thread instanceof BoundThread bound
                ? bound.cpu()
                : usable.get((int) (((thread.threadId() * SPREAD) >>> Integer.SIZE) % usable.size()));
    }

    @Override
    public long update(Op op, NumericWidth width, long position, long operand, long expected) {
        long offset = Area.offset(currentCpu(), position);
        return switch (op) {
            case READ -> Numbers.get(width, offset);
            case CMPXCHG -> Numbers.compareAndExchange(width, offset, expected, operand);
            case ADD -> {
                if (width == NumericWidth.LONG) {
                    yield (long) Area.LONG.getAndAdd(Area.MEMORY, offset, operand) + operand;
                }
                yield updateByCompareAndExchange(op, width, offset, operand);
            }
            case ADD_DOUBLE, AND, OR, XCHG -> updateByCompareAndExchange(op, width, offset, operand);
        };
    }

    private static long updateByCompareAndExchange(Op op, NumericWidth width, long offset, long operand) {
        while (true) {
            long old = Numbers.get(width, offset);
            long next = op.applyTo(old, operand);
            if (Numbers.compareAndExchange(width, offset, old, next) == old) {
                return op == Op.XCHG ? old : next;
            }
        }
    }

    /** Only the guard's holder may write what the guard protects, so the guard has to be taken. */
    @Override
    public boolean updateUnlessGuarded(Op op, NumericWidth width, long position, long operand) {
        return false;
    }

    @Override
    public void addTwo(long position, long delta, long secondPosition, long secondDelta) {
        int cpu = currentCpu();
        Area.LONG.getAndAdd(Area.MEMORY, Area.offset(cpu, position), delta);
        Area.LONG.getAndAdd(Area.MEMORY, Area.offset(cpu, secondPosition), secondDelta);
    }

    @Override
    public boolean addIfOpen(long position, long delta, long gate) {
        return AtomicSlots.addIfOpen(Area.offset(currentCpu(), position), delta);
    }

    @Override
    public long close(long position, long gate) {
        long sum = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            sum += AtomicSlots.close(Area.offset(cpu, position));
        }
        return sum;
    }

    @Override
    public void open(long position, long gate) {
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            AtomicSlots.open(Area.offset(cpu, position));
        }
    }

    @Override
    public boolean addDoubleIfOpen(long position, long operand) {
        long _ = update(Op.ADD_DOUBLE, NumericWidth.LONG, position, operand, 0);
        return true;
    }

    @Override
    public boolean compareAndSetIfOpen(long position, long expected, long value) {
        return Area.LONG.compareAndSet(Area.MEMORY, Area.offset(currentCpu(), position), expected, value);
    }

    /** Nothing to do: each update is an atomic instruction, and so is {@link #exchange}. */
    @Override
    public void shut(long position) {}

    @Override
    public long exchange(int cpu, long position, long value) {
        return AtomicSlots.exchange(Area.offset(cpu, position), value);
    }

    @Override
    public boolean addCredit(long position, long delta, long bound, long most) {
        long gate = Area.offset(Area.CPUS, position + Sequence.GATE);
        return AtomicSlots.addCredit(Area.offset(currentCpu(), position), delta, bound, gate, most);
    }

    @Override
    public long credits(long position) {
        long sum = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            sum += AtomicSlots.credit(Area.offset(cpu, position));
        }
        return sum;
    }

    @Override
    public long takeCredits(long position) {
        Area.LONG.setVolatile(Area.MEMORY, Area.offset(Area.CPUS, position + Sequence.GATE), Long.MAX_VALUE);
        long sum = 0;
        for (int cpu = 0; cpu < Area.CPUS; cpu++) {
            sum += AtomicSlots.takeCredit(Area.offset(cpu, position));
        }
        return sum;
    }

    @Override
    public boolean push(long position, long item, long capacity) {
        return AtomicStack.push(Area.offset(currentCpu(), position), item, capacity);
    }

    @Override
    public long pop(long position) {
        return AtomicStack.pop(Area.offset(currentCpu(), position));
    }

    @Override
    public long popFrom(int cpu, long position) {
        return AtomicStack.pop(Area.offset(cpu, position));
    }

    @Override
    public void lightFence() {
        VarHandle.fullFence();
    }

    @Override
    public void heavyFence() {
        VarHandle.fullFence();
    }

    @Override
    public int tryAcquire(long owner) {
        int cpu = currentCpu();
        return tryAcquireOn(cpu, owner) ? cpu : ~cpu;
    }

    @Override
    public boolean tryAcquireOn(int cpu, long owner) {
        return Area.LONG.compareAndSet(Area.MEMORY, Area.offset(cpu, CpuHeader.GUARD_WORD), 0L, owner);
    }
}
