package dev.percpu.internal.area;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the thread does after its handler threw. {@link HoldingsTest} sees it end. */
@Tag("once")
class DetachedThreadTest {
    private static final List<Throwable> THROWN = List.of(
            new IllegalStateException("for the test"),
            new OutOfMemoryError("for the test"),
            new StackOverflowError("for the test"),
            new LinkageError("for the test"),
            new AssertionError("for the test"));

    static List<Throwable> thrown() {
        return THROWN;
    }

    /** It asks the handler once more after a second, although it should wait for ever, and nothing is queued. */
    @ParameterizedTest
    @MethodSource("thrown")
    void whateverTheHandlerThrowsTheThreadGoesOn(Throwable thrown) throws InterruptedException {
        ReferenceQueue<Object> queue = new ReferenceQueue<>();
        AtomicInteger failures = new AtomicInteger();
        CountDownLatch askedAgain = new CountDownLatch(1);
        ToLongFunction<Reference<?>> handler = reference -> {
            if (reference != null) {
                failures.incrementAndGet();
                return rethrow(thrown);
            }
            if (failures.get() > 0) {
                askedAgain.countDown();
            }
            return DetachedThread.FOREVER;
        };
        try {
            DetachedThread.start("failing", queue, handler, DetachedThread.nothing());
            assertThat(new WeakReference<>(new Object(), queue).enqueue()).isTrue();
            askedAgain.await();
            assertThat(failures).hasValue(1);
        } finally {
            Reference.reachabilityFence(handler);
        }
    }

    /** As if the heap had been full when its code was made. Nothing is printed: whoever starts it is told. */
    @Test
    @SuppressWarnings("NullAway") // without a handler, it ends
    void aThreadThatEndsBeforeItsFirstStepIsNoticed() {
        List<Throwable> uncaught = new CopyOnWriteArrayList<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((_, thrown) -> uncaught.add(thrown));
        MethodHandle throwing = MethodHandles.throwException(void.class, OutOfMemoryError.class)
                .bindTo(new OutOfMemoryError("for the test"));
        try {
            assertThatThrownBy(() -> DetachedThread.start("ended", new ReferenceQueue<>(), null, throwing))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessageContaining("ended");
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        assertThat(uncaught).isEmpty();
    }

    @Test
    void whoStartsItStaysInterrupted() {
        ToLongFunction<Reference<?>> handler = _ -> DetachedThread.FOREVER;
        try {
            Thread.currentThread().interrupt();
            DetachedThread.start("started", new ReferenceQueue<>(), handler, DetachedThread.nothing());
            assertThat(Thread.interrupted()).isTrue();
        } finally {
            Reference.reachabilityFence(handler);
        }
    }

    private static long rethrow(Throwable thrown) {
        switch (thrown) {
            case Error e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new AssertionError(thrown);
        }
    }
}
