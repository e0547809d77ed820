package dev.percpu.internal.protocol;

import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.linux.Linux;
import java.lang.invoke.VarHandle;

/**
 * An asymmetric fence. One thread pushes on a stack, calls {@link #light()}, and reads a flag. Another sets the flag,
 * calls {@link #heavy()}, and reads the stack. Then at least one of the two sees what the other did.
 */
public interface Fences {
    Fences CURRENT = Backends.half(Fences.class, _ -> new Rseq(), Atomic::new);

    /**
     * The cheap half. To a thread that calls {@link #heavy()}, this thread's earlier pushes and pops come before its
     * later reads.
     */
    void light();

    /** The expensive half: a full fence on this thread, and on every other thread, wherever that is in its program. */
    void heavy();

    /** The heavy half has the kernel execute a fence in all running threads. */
    record Rseq() implements Fences {
        /**
         * Nothing to do: the compiler does not reorder calls of sequences, and the heavy half orders what the
         * processor does.
         */
        @Override
        public void light() {}

        @Override
        public void heavy() {
            Linux.restartSequencesEverywhere();
        }
    }

    /** Both halves are full fences. */
    record Atomic() implements Fences {
        @Override
        public void light() {
            VarHandle.fullFence();
        }

        @Override
        public void heavy() {
            VarHandle.fullFence();
        }
    }
}
