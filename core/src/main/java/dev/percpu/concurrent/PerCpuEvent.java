package dev.percpu.concurrent;

/**
 * Updates several variables in one call, when one thing happens in a program. For example, a server counts each request
 * and its bytes, and records its latency.
 *
 * <pre>{@code
 * import static dev.percpu.concurrent.PerCpuEvent.Argument.*;
 *
 * static final PerCpuEvent SERVED = PerCpuEvent.builder().name("served")
 *         .increment(requests)
 *         .add(bytes, FIRST)
 *         .record(latency, SECOND)
 *         .accumulate(slowest, SECOND)
 *         .build();
 *
 * SERVED.record(byteCount, nanos);
 * }</pre>
 *
 * <p>Most of what a single update costs is the call into native code. An event makes one call for all of its updates. A
 * hot platform thread makes them in its own place, without a native call, and fastest if the event is in a
 * {@code static final} field, where the JIT compiler knows what it does. The variables stay what they are: they can be
 * read, reset, and updated without the event as well.
 *
 * <p><b>Arguments.</b> Each call of {@code record} passes as many numbers as the updates use: first those that are
 * {@code long}s, then those that are {@code double}s. As in any call, a {@code long} is converted where a
 * {@code double} is expected. A call with other arguments throws {@link IllegalArgumentException}, and updates nothing.
 *
 * <p><b>Exactness.</b> Each update is exact, as if its variable's own method had been called. An event is not a
 * transaction: another thread can see some of its updates before the others, and the scheduler may move the thread to
 * another CPU between two updates. The updates are made in the order in which the builder got them; only accumulators
 * with functions of their own come after all others.
 *
 * <p><b>Errors.</b> If an index is out of an array's bounds, the call throws what the array's own method would, and
 * updates nothing. If an accumulator's function throws, the updates before it have been made, but accumulators with
 * functions of their own that come after it have not been updated.
 *
 * <p><b>Ordering.</b> Updates are opaque, as single ones are, and order nothing else.
 *
 * <p><b>Memory.</b> An event takes 16 bytes off the heap for each update, which are given back once it is unreachable.
 * It keeps its variables reachable. There is nothing to close.
 */
public sealed interface PerCpuEvent permits BuiltEvent {
    /**
     * Which argument of {@code record} an update uses. One can serve several updates of one type: all {@code long}, or
     * all {@code double}. The {@code long}s have the lower numbers.
     */
    enum Argument {
        /** The first one. */
        FIRST(0),

        /** The second one. */
        SECOND(1),

        /** The third one. */
        THIRD(2);

        final int number;

        Argument(int number) {
            this.number = number;
        }
    }

    /** Starts an event: the builder collects its updates. */
    static EventBuilder builder() {
        return new EventBuilder();
    }

    /** Makes the updates of an event without arguments. */
    void record();

    /** Makes the updates of an event with this argument. */
    void record(long first);

    /** Makes the updates of an event with these arguments. */
    void record(long first, long second);

    /** Makes the updates of an event with these arguments. */
    void record(long first, long second, long third);

    /** Makes the updates of an event with this argument. */
    void record(double first);

    /** Makes the updates of an event with these arguments. */
    void record(long first, double second);

    /** Makes the updates of an event with these arguments. */
    void record(double first, double second);

    /** Makes the updates of an event with these arguments. */
    void record(long first, long second, double third);

    /** Makes the updates of an event with these arguments. */
    void record(long first, double second, double third);

    /** Makes the updates of an event with these arguments. */
    void record(double first, double second, double third);

    /** The name, the arguments and the number of variables. */
    @Override
    String toString();
}
