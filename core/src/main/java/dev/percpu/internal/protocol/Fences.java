package dev.percpu.internal.protocol;

import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.linux.Linux;
import dev.percpu.internal.linux.LinuxException;
import dev.percpu.internal.linux.Platform;
import java.lang.invoke.VarHandle;

/**
 * An asymmetric fence. One thread writes, calls {@link #light()}, and reads a flag. Another sets the flag, calls {@link
 * #heavy()}, and reads what the first one writes. Then at least one of the two sees what the other did.
 *
 * <p>The writes are calls of sequences, or accesses of Java that are at least opaque.
 */
public interface Fences {
    Fences CURRENT = Backends.half(Fences.class, _ -> new Rseq(), Fences::withoutSequences);

    /**
     * The cheap half. To a thread that calls {@link #heavy()}, this thread's earlier writes come before its
     * later reads.
     */
    void light();

    /**
     * The expensive half: a full fence on this thread, and on every other thread, wherever that is in its program.
     *
     * @throws LinuxException if the kernel refuses
     */
    void heavy();

    /** Whether the light half costs nothing. Otherwise both halves are full fences of the processor. */
    boolean isAsymmetric();

    private static Fences withoutSequences() {
        return Platform.hasSystemCalls() && Linux.registerForBarriers() ? new Membarrier() : new Symmetric();
    }

    /**
     * Keeps the compiler from moving a read before a write. It is no instruction on x86-64, and one that does not wait
     * for writes on AArch64. The heavy half orders what the processor does.
     */
    private static void compilerOnly() {
        VarHandle.acquireFence();
    }

    /** The heavy half has the kernel execute a fence in all running threads, and restart all sequences in flight. */
    record Rseq() implements Fences {
        @Override
        public void light() {
            compilerOnly();
        }

        @Override
        public void heavy() {
            Linux.restartSequencesEverywhere();
        }

        @Override
        public boolean isAsymmetric() {
            return true;
        }
    }

    /** The heavy half has the kernel execute a fence in all running threads. */
    record Membarrier() implements Fences {
        @Override
        public void light() {
            compilerOnly();
        }

        @Override
        public void heavy() {
            Linux.barrierEverywhere();
        }

        @Override
        public boolean isAsymmetric() {
            return true;
        }
    }

    /** Both halves are full fences. */
    record Symmetric() implements Fences {
        @Override
        public void light() {
            VarHandle.fullFence();
        }

        @Override
        public void heavy() {
            VarHandle.fullFence();
        }

        @Override
        public boolean isAsymmetric() {
            return false;
        }
    }
}
