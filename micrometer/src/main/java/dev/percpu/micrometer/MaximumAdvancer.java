package dev.percpu.micrometer;

import java.lang.ref.WeakReference;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A thread for each registry that ends the steps of maxima that are over, also of those that nobody reads. It ends with
 * the registry, which it does not keep alive. The meters that have maxima do.
 */
final class MaximumAdvancer implements Runnable {
    static final Duration INTERVAL = Duration.ofSeconds(1);

    private final WeakReference<PerCpuMeterRegistry> registry;

    private MaximumAdvancer(PerCpuMeterRegistry registry) {
        this.registry = new WeakReference<>(registry);
    }

    static void start(PerCpuMeterRegistry registry) {
        // Whoever creates a registry for others may be gone long before it, and their group with them.
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread.ofPlatform()
                .group(root)
                .daemon()
                .name("percpu-micrometer-maxima")
                .inheritInheritableThreadLocals(false)
                .start(new MaximumAdvancer(registry));
    }

    @Override
    public void run() {
        while (advance(registry.get())) {
            try {
                Thread.sleep(INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** Returns whether there will be more to do. A method of its own, so that the registry is not kept meanwhile. */
    private static boolean advance(@Nullable PerCpuMeterRegistry registry) {
        if (registry == null || registry.isClosed()) {
            return false;
        }
        try {
            registry.advanceMaxima();
        } catch (Throwable e) {
            // The clock is the user's, and in another language can throw a checked exception. The other maxima are
            // advanced when they are read.
            warn(e);
        }
        return true;
    }

    private static void warn(Throwable failure) {
        try {
            System.getLogger("dev.percpu.micrometer")
                    .log(
                            System.Logger.Level.WARNING,
                            "maxima of timers and summaries could not be advanced, and may be too high or too low",
                            failure);
        } catch (Throwable _) {
            // The logger is the user's too, as is what finds it, and there is nobody else to tell.
        }
    }
}
