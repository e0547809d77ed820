package dev.percpu.benchmarks;

import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The platform threads that measure, which JMH makes by its option {@code -Djmh.executor=CUSTOM}. Netty's recycler
 * keeps objects only for threads of Netty's own class, so all are of that class. To others they are ordinary threads.
 */
public final class PlatformThreads extends ThreadPoolExecutor {
    /** As JMH calls it, with the number of threads and a beginning of their names. */
    public PlatformThreads(int threads, String name) {
        super(threads, threads, 0, TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), factory(name));
    }

    private static ThreadFactory factory(String name) {
        AtomicInteger made = new AtomicInteger();
        return task -> {
            Thread thread = new FastThreadLocalThread(task, name + "-platform-" + made.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
