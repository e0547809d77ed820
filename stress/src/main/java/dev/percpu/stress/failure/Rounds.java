package dev.percpu.stress.failure;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The rounds of one operation and one way to fail: each uses the operation once, and then checks what is left behind.
 */
final class Rounds {
    /** Enough to see what is wrong; each may have waited for long. */
    private static final int MOST_VIOLATIONS = 2;

    private final Way way;
    private final AtomicInteger progress;
    private final Operation operation;
    private final OtherThread other;

    /** A new one after each violation, as what the violation left behind would be found again and again. */
    private Trial trial;

    private final GuardCheck guards;
    private final Set<String> violations = new LinkedHashSet<>();
    private int rounds;
    private int failed;
    private int happened;
    private int violated;

    /** Calls an operation, makes a step of it fail, and returns what it threw; null if it returned. */
    @FunctionalInterface
    interface Call {
        @Nullable
        Throwable of(Trial trial) throws Exception;
    }

    /** An operation's one use. */
    @FunctionalInterface
    interface Act {
        void act() throws Exception;
    }

    /**
     * What came of them.
     *
     * @param failed in how many of them it threw
     * @param happened in how many of these it had its effect all the same
     * @param recovered after how many a guard was not free at once, but could be had
     */
    record Result(int rounds, int failed, int happened, int recovered, Set<String> violations) {}

    /** @param progress is counted up with each round */
    Rounds(Operation operation, Way way, OtherThread other, AtomicInteger progress) throws Exception {
        this.way = way;
        this.progress = progress;
        this.operation = operation;
        this.other = other;
        this.trial = operation.newTrial(other);
        this.guards = new GuardCheck(other);
    }

    Variant variant() {
        return operation.variant();
    }

    /** Whether enough is known. */
    boolean isOver() {
        return violated >= MOST_VIOLATIONS;
    }

    /**
     * Does a round.
     *
     * @return whether the operation failed
     */
    boolean once(Call call) throws Exception {
        @Nullable Throwable thrown = null;
        try {
            rounds++;
            progress.incrementAndGet();
            trial.prepare();
            thrown = call.of(trial);
            if (thrown != null) {
                failed++;
            }
            checkOutcome(thrown);
        } catch (Violation e) {
            violated(e, thrown);
        } catch (RuntimeException | Error e) {
            violated(new Violation("afterwards it throws " + e + Step.of(e)), thrown);
        }
        return thrown != null;
    }

    /** Does a round in which nothing fails. */
    void undisturbed() throws Exception {
        try {
            trial.prepare();
            trial.act();
            boolean _ = trial.verify(null);
        } catch (Violation e) {
            violated(new Violation("the next operation: " + e.getMessage()), null);
        } catch (RuntimeException | Error e) {
            violated(new Violation("the next operation throws " + e), e);
        }
    }

    /**
     * Says that the operation failed up to the end, so that its last steps were never tried.
     *
     * @param with as much as it had in the end
     */
    void neverPassed(String with) {
        if (!isOver()) {
            violations.add("it still fails with " + with + ", so not each of its steps was made to fail");
        }
    }

    private void checkOutcome(@Nullable Throwable thrown) throws Exception {
        boolean did;
        try {
            did = trial.verify(thrown);
        } finally {
            guards.check();
        }
        if (thrown != null && did) {
            happened++;
        }
        if (thrown != null && !explains(thrown)) {
            throw new Violation("it threw something else than what had failed: " + thrown);
        }
    }

    private boolean explains(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (way.explains(cause)) {
                return true;
            }
        }
        return false;
    }

    /** Uses the operation, and returns what it threw; null if it returned. */
    static @Nullable Throwable thrownBy(Act act) {
        try {
            act.act();
            return null;
        } catch (Throwable t) {
            return t;
        }
    }

    /** Remembers a violation, and where it began. */
    void violated(Violation violation, @Nullable Throwable thrown) throws Exception {
        trial = operation.newTrial(other);
        violated++;
        violations.add(violation.getMessage() + (thrown == null ? "" : Step.of(thrown)));
    }

    Result result() {
        return new Result(rounds, failed, happened, guards.recovered(), violations);
    }
}
