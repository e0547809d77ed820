package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.linux.BoundThread;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.Platform;
import dev.percpu.internal.linux.Topology;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** Which CPU the thread runs on. */
public interface CurrentCpu {
    CurrentCpu CURRENT = Backends.half(CurrentCpu.class, Rseq::link, Atomic::create);

    /** The CPU, from 0 to the area's number of CPUs exclusive. It is a hint, as the thread may move at any moment. */
    int get();

    /** Reads what the kernel keeps up to date beside the thread's registration. */
    record Rseq(MethodHandle id) implements CurrentCpu {
        static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.CURRENT_CPU));
        }

        @Override
        public int get() {
            long cpu;
            try {
                cpu = (long) id.invokeExact();
            } catch (Throwable t) {
                throw Sequences.thrown(t);
            }
            return cpu >= 0 && cpu < Area.CPUS ? (int) cpu : Linux.currentCpu() % Area.CPUS;
        }
    }

    /**
     * Asks the kernel, or gives each thread a CPU that stays the same.
     *
     * @param asksKernel whether the kernel is asked
     * @param usable the CPUs that threads are spread over where it is not
     */
    record Atomic(boolean asksKernel, List<Integer> usable) implements CurrentCpu {
        /** Spreads consecutive thread ids: 2^64 divided by the golden ratio. */
        private static final long SPREAD = 0x9e3779b97f4a7c15L;

        static Atomic create() {
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
                    : usable.get((int) (((thread.threadId() * SPREAD) >>> Integer.SIZE) % usable.size()));
        }
    }
}
