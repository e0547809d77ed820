package dev.percpu.stress;

import dev.percpu.internal.area.Area;
import dev.percpu.internal.backend.Backends;
import dev.percpu.internal.backend.Interposition;
import dev.percpu.internal.backend.Sequences;
import dev.percpu.internal.code.Catalogue;
import dev.percpu.internal.code.Instrumentation;
import dev.percpu.internal.linux.RseqRegistration;
import dev.percpu.internal.protocol.GuardWords;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Delays in all protocols. Most calls go to the protocol as users have it, and some to a second build of the same
 * sequences that has a delay between any two steps and counts its aborts. Both work on the same memory. And before and
 * after some of the calls the thread dawdles, since what the structures do in Java happens between their calls.
 *
 * <p>It stands in front of each protocol as a proxy, so a new protocol, or a new method of one, is delayed without a
 * word here.
 */
final class Delays implements Interposition.Interposer {
    /**
     * One call in so many uses the delayed sequences. Those take so long that most of the time is still spent in them.
     * A power of two.
     */
    private static final int DELAYED = 16;

    /** One in so many calls has a pause before it, and as many have one after it. A power of two. */
    private static final int PAUSES = 512;

    /**
     * There are more pauses before a push. A release of a pool checks whether a thread searches, pushes, and checks
     * again. The second check is for searches that begin between the first check and the push, which are rare without
     * pauses. A power of two.
     */
    private static final int PAUSES_BEFORE_PUSH = 32;

    private static final String PUSH = "push";

    /** Of the pauses, how many in 64 give the CPU up, and how many park. The others spin. */
    private static final int YIELDS = 8;

    private static final int PARKS = 1;

    private static final int LONGEST_SPIN = 512;
    private static final int LONGEST_PARK_NANOS = 100_000;

    private final int rounds;
    private final LongAdder contentions = new LongAdder();
    private @Nullable Sequences delayed;

    /** Where aborts are counted, in the area; 0 until there are delayed sequences. */
    private volatile long aborts;

    private Delays(int rounds) {
        this.rounds = rounds;
    }

    /**
     * Puts delays into the protocols. To be called before the first per-CPU variable comes into being.
     *
     * @param rounds how long the delay between two steps is, in rounds of an empty loop
     */
    static Delays install(int rounds) {
        Delays delays = new Delays(rounds);
        Interposition.install(delays);
        return delays;
    }

    /** How often the kernel aborted a delayed sequence. Those of the normal ones nobody counts. */
    long aborts() {
        return aborts == 0 ? 0 : (long) Area.LONG.getVolatile(Area.MEMORY, aborts);
    }

    /** How often a guard was taken when a thread tried to acquire it. */
    long contentions() {
        return contentions.sum();
    }

    @Override
    public <P> P around(Class<P> protocol, P normal, Function<Sequences, ? extends P> rseq) {
        P slow = Backends.usesSequences() ? rseq.apply(delayedSequences()) : normal;
        return protocol.cast(Proxy.newProxyInstance(
                protocol.getClassLoader(), new Class<?>[] {protocol}, new Handler(protocol, normal, slow)));
    }

    private synchronized Sequences delayedSequences() {
        if (delayed == null) {
            // In the spare place, and never given back.
            long counter = Area.allocate(Long.BYTES, Long.BYTES, "count of aborts");
            delayed = Sequences.emit(
                    RseqRegistration.read(),
                    new Instrumentation(rounds, Area.address(Area.SPARE, counter)),
                    Catalogue.entries());
            aborts = Area.offset(Area.SPARE, counter);
        }
        return delayed;
    }

    /** One protocol's calls. */
    private final class Handler implements InvocationHandler {
        private final boolean countsContentions;
        private final Object normal;
        private final Object slow;

        private Handler(Class<?> protocol, Object normal, Object slow) {
            this.countsContentions = protocol == GuardWords.class;
            this.normal = normal;
            this.slow = slow;
        }

        @Override
        public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
            int dice = ThreadLocalRandom.current().nextInt();
            int pauses = method.getName().equals(PUSH) ? PAUSES_BEFORE_PUSH : PAUSES;
            if ((dice & (pauses - 1)) == 0) {
                pause(dice >>> 9);
            }
            Object result;
            try {
                result = method.invoke((dice >>> 16 & (DELAYED - 1)) == 0 ? slow : normal, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            if (countsContentions && (Boolean.FALSE.equals(result) || (result instanceof Integer cpu && cpu < 0))) {
                contentions.increment();
            }
            int again = ThreadLocalRandom.current().nextInt();
            if ((again & (PAUSES - 1)) == 0) {
                pause(again >>> 9);
            }
            return result;
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // so that others come in between
    private static void pause(int dice) {
        int kind = dice & 63;
        int length = dice >>> 6;
        if (kind < PARKS) {
            LockSupport.parkNanos(1 + length % LONGEST_PARK_NANOS);
        } else if (kind < PARKS + YIELDS) {
            Thread.yield();
        } else {
            for (int spin = length % LONGEST_SPIN; spin > 0; spin--) {
                Thread.onSpinWait();
            }
        }
    }
}
