package dev.percpu;

import dev.percpu.cpu.CpuId;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;

/** Another thread that holds a CPU's guard until it is told to let go, or that ends without closing it. */
public final class Holder {
    private final CountDownLatch held = new CountDownLatch(1);
    private final CountDownLatch letGo = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean closes = true;
    private volatile Throwable failure;

    private Holder(ThreadFactory factory, CpuId cpu) {
        thread = factory.newThread(() -> hold(cpu));
    }

    /** Returns when the guard is held. */
    public static Holder of(CpuId cpu) throws InterruptedException {
        return of(cpu, Thread.ofPlatform().name("holder").factory());
    }

    /** Returns when the guard is held, by a thread of the factory. */
    public static Holder of(CpuId cpu, ThreadFactory factory) throws InterruptedException {
        Holder holder = new Holder(factory, cpu);
        holder.thread.start();
        holder.held.await();
        return holder;
    }

    /** Closes the guard and ends the thread. */
    public void release() throws InterruptedException {
        end();
    }

    /** Ends the thread, and leaves the guard as it is. */
    public void die() throws InterruptedException {
        closes = false;
        end();
    }

    public Thread thread() {
        return thread;
    }

    private void end() throws InterruptedException {
        letGo.countDown();
        thread.join();
        if (failure != null) {
            throw new AssertionError("the holder failed", failure);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // not closing it is what some tests are about
    private void hold(CpuId cpu) {
        try {
            CpuGuard guard = CpuGuard.acquire(cpu);
            held.countDown();
            letGo.await();
            if (closes) {
                guard.close();
            }
        } catch (Throwable t) {
            failure = t;
            held.countDown();
        }
    }
}
