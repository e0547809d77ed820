package dev.percpu.testing;

import java.time.Duration;

/**
 * How much the tests do that repeat something many times in the hope that it goes wrong. The property
 * {@code percpu.test.effort} scales that: 1 is for every build, and a machine that is emulated, and so slower by an
 * order of magnitude or two, is given less.
 */
public final class Effort {
    private static final double EFFORT = Double.parseDouble(System.getProperty("percpu.test.effort", "1"));

    /**
     * Where {@link #EFFORT} is below 1 the machine is slow: time limits are this many times as long. {@code vm/init}
     * gives JUnit as many times as long. So a process that a build kills before JUnit gives up is killed before that
     * there, too.
     */
    private static final int PATIENCE = 3;

    /** And processor time may be this many times as much. */
    private static final int SLOWNESS = 10;

    private Effort() {}

    /** So many rounds, or whatever else grows with them, scaled; at least one. */
    public static int scaled(int rounds) {
        return Math.toIntExact(scaled((long) rounds));
    }

    /** So many rounds, or whatever else grows with them, scaled; at least one. */
    public static long scaled(long rounds) {
        return Math.max(1, Math.round(rounds * EFFORT));
    }

    /** Ten thousand virtual threads; a few hundred where repetitions are scaled down, as each thread is one. */
    public static int tenThousandThreads() {
        return EFFORT < 1 ? 500 : 10_000;
    }

    /** How much of a processor something may use. */
    public static double processorShare(double share) {
        return EFFORT < 1 ? share * SLOWNESS : share;
    }

    /** How long something may take that hangs if it takes longer. */
    public static Duration patience(Duration limit) {
        return EFFORT < 1 ? limit.multipliedBy(PATIENCE) : limit;
    }
}
