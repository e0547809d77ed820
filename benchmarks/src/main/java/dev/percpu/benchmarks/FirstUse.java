package dev.percpu.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.percpu.CpuGuard;
import dev.percpu.concurrent.PerCpuCounter;
import dev.percpu.concurrent.PerCpuEvent;
import dev.percpu.concurrent.PerCpuHistogram;
import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.PerCpuReadWriteLock;
import dev.percpu.concurrent.Pooled;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/**
 * A program that uses one thing once, and prints how many nanoseconds that took. {@link StartUp} runs it in fresh JVMs.
 * It uses nothing else, so that nothing is loaded before.
 */
public final class FirstUse {
    private FirstUse() {}

    /**
     * Uses what the arguments name, and prints how many nanoseconds that took.
     *
     * @param arguments the names of what is to be used, in this order; without any, nothing is
     */
    public static void main(String[] arguments) throws Throwable {
        long start = System.nanoTime();
        for (String what : arguments) {
            use(what);
        }
        System.out.println(System.nanoTime() - start);
    }

    private static void use(String what) throws Throwable {
        switch (what) {
            case "call" -> call();
            case "counter" -> counter();
            case "guard" -> guard();
            case "histogram" -> PerCpuHistogram.builder().build().record(1);
            case "event" -> event();
            case "pool" -> pool();
            case "lock" -> lock();
            default -> throw new IllegalArgumentException("no first use is called " + what);
        }
    }

    /** The least that anybody pays who calls a critical function. */
    private static void call() throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle getpid = linker.downcallHandle(
                linker.defaultLookup().find("getpid").orElseThrow(),
                FunctionDescriptor.of(JAVA_INT),
                Linker.Option.critical(false));
        int pid = (int) getpid.invokeExact();
        check(pid > 0);
    }

    private static void counter() {
        PerCpuCounter counter = new PerCpuCounter();
        counter.increment();
        check(counter.sum() == 1);
    }

    private static void guard() {
        try (CpuGuard guard = CpuGuard.acquire()) {
            check(guard.cpu().id() >= 0);
        }
    }

    private static void event() {
        PerCpuCounter requests = new PerCpuCounter();
        PerCpuCounter bytes = new PerCpuCounter();
        PerCpuEvent served = PerCpuEvent.builder()
                .name("served")
                .increment(requests)
                .add(bytes, PerCpuEvent.Argument.FIRST)
                .build();
        served.record(512);
        check(requests.sum() == 1 && bytes.sum() == 512);
    }

    private static void pool() throws InterruptedException {
        try (PerCpuPool<Object> pool = PerCpuPool.builder(8, Object::new).build();
                Pooled<Object> pooled = pool.acquire()) {
            check(pooled.get() != null);
        }
    }

    private static void lock() {
        PerCpuReadWriteLock lock = new PerCpuReadWriteLock();
        lock.readLock().lock();
        try {
            check(!lock.isWriteLocked());
        } finally {
            lock.readLock().unlock();
        }
    }

    private static void check(boolean right) {
        if (!right) {
            throw new AssertionError("the first use did something else");
        }
    }
}
