package dev.percpu.internal.protocol;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.area.CpuHeader;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.linux.Linux;

/** The word of each CPU that names the owner of the CPU's data, or is 0. */
public interface GuardWords {
    GuardWords CURRENT = Backends.half(GuardWords.class, Rseq::link, () -> new Atomic(CurrentCpu.CURRENT));

    /** What {@link #tryAcquire} returns on a thread without a CPU id. */
    int NO_CPU = Integer.MIN_VALUE;

    /**
     * A waiting thread adds this to the word of an owner that seems to have left its CPU behind, while it finds out. No
     * thread's id is so large, and those of C code are negative.
     */
    long SUSPECTED = 1L << 62;

    /** The owner's id in a word; 0 if it has none. */
    static long ownerIn(long word) {
        return word < 0 ? word : word & ~SUSPECTED;
    }

    /**
     * Tries to make {@code owner} the owner of the current CPU.
     *
     * @return the CPU if the thread owns it now, its complement ({@code ~cpu}) if the CPU is taken, or {@link #NO_CPU}
     */
    int tryAcquire(long owner);

    /**
     * Tries to make {@code owner} the owner of a given CPU, from any CPU.
     *
     * @return false if the CPU is taken
     */
    boolean tryAcquireOn(int cpu, long owner);

    /** Frees a CPU. Only its owner may. This is a release store, so the next owner sees what this one wrote. */
    void release(int cpu);

    private static void free(int cpu) {
        Area.LONG.setRelease(Area.MEMORY, offset(cpu), 0L);
    }

    private static long offset(int cpu) {
        return Area.offset(cpu, CpuHeader.GUARD_WORD);
    }

    /** On the current CPU with a sequence; on another CPU by restarting the sequences there. */
    record Rseq(LinkedSequence acquire) implements GuardWords {
        public static Rseq link(Sequences sequences) {
            return new Rseq(sequences.link(Catalogue.ACQUIRE));
        }

        @Override
        public int tryAcquire(long owner) {
            // A plain cast would cut NO_CPU to 0, hence the comparison. It is predicted, and not on the hot path.
            long cpu = acquire.call(owner, 0);
            return cpu == Catalogue.NO_CPU ? NO_CPU : (int) cpu;
        }

        /**
         * Sets the word from here if it is 0. Then restarts any sequence in flight on that CPU, and reads the
         * word again.
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
         * <p>If 3 came after 4, the restart at 4 would have sent L's section back to step 1, where it would have found
         * R. The same holds for an update that checked the word before 2. Either it commits before 4 returns, so before
         * R touches anything, or it starts over and finds the guard taken. Only R itself writes R into the word, with
         * one exception: a waiting thread W may mark R there. So if the word is R at 5, marked or not, no other thread
         * has overwritten it, and none will: no section is left that saw a 0.
         *
         * <pre>
         *   this thread R                              waiting thread W
         *   2. compare-and-set: word 0 -> R
         *   4. membarrier takes long                   a. R has no open guard: word R -> R, suspected
         *   5. word is not R: R would go, and come
         *      back as a waiter
         *                                              b. finds R inside: word back to R, which owns the CPU, waits for
         *                                                 it, and has no guard to close
         * </pre>
         */
        @Override
        public boolean tryAcquireOn(int cpu, long owner) {
            long at = offset(cpu);
            // The thread may own the CPU already. Then, after an error, the handler below would free it under the
            // thread's open guards.
            if (ownerIn((long) Area.LONG.getVolatile(Area.MEMORY, at)) == owner) {
                return false;
            }
            try {
                while (Area.LONG.compareAndSet(Area.MEMORY, at, 0L, owner)) {
                    Linux.restartSequencesOn(cpu);
                    if (ownerIn((long) Area.LONG.getVolatile(Area.MEMORY, at)) == owner) {
                        return true;
                    }
                }
                return false;
            } catch (Throwable t) {
                // For example, the kernel is out of memory, or the stack has overflowed. R has touched nothing yet. So
                // undo step 2, unless L overwrote it.
                long word = (long) Area.LONG.getVolatile(Area.MEMORY, at);
                while (ownerIn(word) == owner && !Area.LONG.compareAndSet(Area.MEMORY, at, word, 0L)) {
                    word = (long) Area.LONG.getVolatile(Area.MEMORY, at);
                }
                throw t;
            }
        }

        @Override
        public void release(int cpu) {
            free(cpu);
        }
    }

    /** With compare-and-set. */
    record Atomic(CurrentCpu cpu) implements GuardWords {
        @Override
        public int tryAcquire(long owner) {
            int current = cpu.get();
            return tryAcquireOn(current, owner) ? current : ~current;
        }

        @Override
        public boolean tryAcquireOn(int target, long owner) {
            return Area.LONG.compareAndSet(Area.MEMORY, offset(target), 0L, owner);
        }

        @Override
        public void release(int cpu) {
            free(cpu);
        }
    }
}
