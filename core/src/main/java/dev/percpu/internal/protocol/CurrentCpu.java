package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.linux.Affinity;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.Topology;
import java.util.BitSet;
import java.util.List;

/** Which CPU the thread runs on. */
public interface CurrentCpu {
    CurrentCpu CURRENT = Backends.half(CurrentCpu.class, Rseq::link, Atomic::create);

    /** The CPU, at least 0 and below the area's number of CPUs. It is a hint: the thread may move at any moment. */
    int get();

    /**
     * Whether this protocol knows where this thread runs. The C library cannot tell: {@code sched_getcpu} reads the
     * same CPU id. So this binds the thread to each of its CPUs in turn, for the moment, and expects that CPU.
     */
    static boolean isUpToDate() {
        BitSet before = Affinity.get();
        BitSet cpus = Topology.online();
        cpus.and(before);
        try {
            for (int cpu = cpus.nextSetBit(0); cpu >= 0; cpu = cpus.nextSetBit(cpu + 1)) {
                Affinity.bind(cpu);
                if (CURRENT.get() != cpu % Area.CPUS) {
                    return false;
                }
            }
            return true;
        } finally {
            Affinity.set(before);
        }
    }

    /** Reads the CPU id, which the kernel keeps up to date in the thread's {@code struct rseq}. */
    record Rseq(LinkedSequence id) implements CurrentCpu {
        static Rseq link(Sequences sequences) {
            // For threads without a CPU id.
            Linux.prepareCurrentCpu();
            return new Rseq(sequences.link(Catalogue.CURRENT_CPU));
        }

        @Override
        public int get() {
            long cpu = id.call(0, 0);
            return cpu >= 0 && cpu < Area.CPUS ? (int) cpu : Linux.currentCpu() % Area.CPUS;
        }
    }

    /**
     * Asks the kernel, or assigns each thread a fixed CPU.
     *
     * @param asksKernel whether to ask the kernel
     * @param usable the CPUs that threads are spread over if the kernel is not asked
     */
    record Atomic(boolean asksKernel, List<Integer> usable) implements CurrentCpu {
        static Atomic create() {
            if (Platform.hasSystemCalls()) {
                Linux.prepareCurrentCpu();
            }
            return new Atomic(
                    Platform.hasSystemCalls(),
                    Topology.usable().stream().boxed().toList());
        }

        @Override
        public int get() {
            if (asksKernel) {
                return Linux.currentCpu() % Area.CPUS;
            }
            Thread thread = Thread.currentThread();
            return thread instanceof BoundThread bound
                    ? bound.cpu()
                    : usable.get((int) (((thread.threadId() * Spread.FACTOR) >>> Integer.SIZE) % usable.size()));
        }
    }
}
