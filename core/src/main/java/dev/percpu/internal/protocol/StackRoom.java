package dev.percpu.internal.protocol;

import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.LinkedSequence;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import java.util.function.LongSupplier;

/**
 * Makes the stack overflow before a thread begins with steps that belong together, and not between two of them. A
 * caller asks for room before the first step. Then none of the steps overflows, unless it calls code of the user, and
 * the steps that clean up after that have room again. To ask again in the middle of the steps, some calls deeper,
 * could fail.
 */
public interface StackRoom {
    StackRoom CURRENT = Backends.half(StackRoom.class, Measured::link, StackRoom::withoutSequences);

    /**
     * Throws if there is less room than the deepest of the library's own steps takes, in the interpreter.
     *
     * @throws StackOverflowError if there is not enough room, or not even for this call
     */
    void ensure();

    private static StackRoom withoutSequences() {
        LinkedSequence pointer = Sequences.linkWithoutArea(Catalogue.STACK_POINTER);
        return pointer == null ? new Guessed() : new Measured(new Pointer(pointer));
    }

    /** Reads the stack pointer. */
    record Pointer(LinkedSequence sequence) implements LongSupplier {
        @Override
        public long getAsLong() {
            return sequence.call(0, 0);
        }
    }

    /**
     * Measures: it calls itself until it is deep enough, and remembers on which page of memory a thread was when that
     * went well. Threads call an operation at the same depth again and again, so a call usually costs one look at the
     * stack pointer. A compiled method takes a sixth of the stack that it takes in the interpreter, so counting calls
     * instead would not do.
     *
     * <p>A page is remembered for its thread alone. When that thread has ended, another thread's stack may get the same
     * address, with less room below it. But that thread has another id, as no id is used again. A virtual thread runs
     * on the stacks of its carriers, which are all of one size.
     *
     * @param pointer reads the stack pointer
     */
    record Measured(LongSupplier pointer) implements StackRoom {
        /** The deepest steps park a virtual thread with a time limit, or call the kernel: some 5,000 bytes. */
        private static final int BYTES = 16 << 10;

        private static final int PAGE_BITS = 12;
        private static final int INDEX_BITS = 10;

        /**
         * For each page on which a thread had enough room below: a hash of the page, plus the thread's id. So one page
         * has a different number for each thread. For two pages the hashes are so far apart that the ids would have to
         * differ by a hundred million. Read and written without order; the highest bits are the index.
         */
        private static final long[] DEEP_ENOUGH = new long[1 << INDEX_BITS];

        static Measured link(Sequences sequences) {
            return new Measured(new Pointer(sequences.link(Catalogue.STACK_POINTER)));
        }

        @Override
        public void ensure() {
            long page = pointer.getAsLong() >>> PAGE_BITS;
            long known = page * Spread.FACTOR + Thread.currentThread().threadId();
            int index = (int) (known >>> (Long.SIZE - INDEX_BITS));
            if (DEEP_ENOUGH[index] != known) {
                descend((page << PAGE_BITS) - BYTES);
                DEEP_ENOUGH[index] = known;
            }
        }

        private void descend(long limit) {
            if (pointer.getAsLong() > limit) {
                descend(limit);
            }
        }
    }

    /**
     * Where no machine code can be called. It counts calls, which is enough if they are interpreted; if they are
     * compiled, it is enough for compiled steps.
     */
    record Guessed() implements StackRoom {
        private static final int CALLS = 128;

        @Override
        public void ensure() {
            descend(CALLS);
        }

        /** The JVM makes no loop of such calls. */
        private static void descend(int calls) {
            if (calls > 0) {
                descend(calls - 1);
            }
        }
    }
}
