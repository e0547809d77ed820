package dev.percpu.internal.protocol;

import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.linux.Linux;
import java.lang.invoke.VarHandle;

/**
 * An asymmetric fence. Of two threads of which one pushes on a stack, does {@link #light()} and reads a flag, and the
 * other sets the flag, does {@link #heavy()} and reads the stack, at least one sees what the other did.
 */
public interface Fences {
    Fences CURRENT = Backends.half(Fences.class, _ -> new Rseq(), Atomic::new);

    /**
     * The cheap half: what this thread pushed or popped before comes before what it reads next, as far as a thread can
     * tell that does {@link #heavy()}.
     */
    void light();

    /** The other half: a full fence, on this thread and in the middle of whatever every other thread does. */
    void heavy();

    /** The kernel puts a fence into all running threads. */
    record Rseq() implements Fences {
        /**
         * Nothing: the compiler does not reorder a call of a sequence, and the processor's part is the heavy half's.
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
