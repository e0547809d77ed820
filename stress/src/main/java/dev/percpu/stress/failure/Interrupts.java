package dev.percpu.stress.failure;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The thread is interrupted: before the operation, and each time it waits. It hears of it by an exception, and then
 * nothing has happened; or it is still interrupted afterwards.
 */
final class Interrupts implements Way {
    private static final int ROUNDS = 8;

    private volatile boolean over;
    private @Nullable Violation lost;

    @Override
    public String name() {
        return "interrupt";
    }

    @Override
    public List<String> jvmOptions() {
        return List.of("-Xmx128m", "-XX:+UseSerialGC");
    }

    @Override
    public void run(Rounds rounds) throws Exception {
        rounds.undisturbed();
        for (int i = 0; i < ROUNDS && !rounds.isOver(); i++) {
            boolean before = i % 2 == 0;
            lost = null;
            boolean _ = rounds.once(trial -> before ? interruptedBefore(trial) : interruptedWhenWaiting(trial));
            if (lost != null) {
                rounds.violated(lost, null);
            }
            rounds.undisturbed();
        }
    }

    private @Nullable Throwable interruptedBefore(Trial trial) {
        Thread.currentThread().interrupt();
        Throwable thrown = Rounds.thrownBy(trial::act);
        check(true, thrown);
        return thrown;
    }

    private @Nullable Throwable interruptedWhenWaiting(Trial trial) {
        Thread waiter = Thread.currentThread();
        boolean[] interrupted = new boolean[1];
        over = false;
        Thread interrupter = new Thread(() -> interrupted[0] = interruptWaits(waiter), "interrupter");
        interrupter.start();
        Throwable thrown = Rounds.thrownBy(trial::act);
        over = true;
        // It may be interrupted once more until the other thread sees that it is over.
        boolean kept = Thread.interrupted();
        while (interrupter.isAlive()) {
            try {
                interrupter.join();
            } catch (InterruptedException e) {
                kept = true;
            }
        }
        if (kept) {
            waiter.interrupt();
        }
        check(interrupted[0], thrown);
        return thrown;
    }

    private boolean interruptWaits(Thread waiter) {
        boolean interrupted = false;
        while (!over) {
            if (OtherThread.waits(waiter) && !waiter.isInterrupted()) {
                waiter.interrupt();
                interrupted = true;
            }
            Thread.onSpinWait();
        }
        return interrupted;
    }

    private void check(boolean interrupted, @Nullable Throwable thrown) {
        boolean kept = Thread.interrupted();
        if (interrupted && !kept && !(thrown instanceof InterruptedException)) {
            lost = new Violation("the interrupt is lost");
        }
    }

    @Override
    public boolean explains(Throwable thrown) {
        return thrown instanceof InterruptedException;
    }
}
