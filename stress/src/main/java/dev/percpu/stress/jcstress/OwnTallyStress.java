package dev.percpu.stress.jcstress;

import dev.percpu.internal.protocol.Tally;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * As {@link TallyStress}, in the actor's own place: its thread runs so many of these that it gets one. What was added
 * is in the result of the closing, and what was subtracted, too.
 */
@JCStressTest
@State
@Outcome(id = "(-?\\d+), \\1, 0", expect = Expect.ACCEPTABLE, desc = "The sum has every successful addition once.")
@Outcome(expect = Expect.FORBIDDEN, desc = "An addition was lost, or doubled, or came after the closing.")
public class OwnTallyStress {
    private static final int ADDITIONS = 8;

    private final Tally tally = Tally.opened("stress");

    /** Adds 2 and subtracts 1 in turn, until it is refused. */
    @Actor
    public void add(III_Result result) {
        int sum = 0;
        for (int i = 0; i < ADDITIONS; i++) {
            int delta = i % 2 == 0 ? 2 : -1;
            if (!tally.add(delta)) {
                break;
            }
            sum += delta;
        }
        result.r1 = sum;
    }

    @Actor
    public void close(III_Result result) {
        result.r2 = (int) tally.close();
    }

    @Arbiter
    public void addToClosed(III_Result result) {
        result.r3 = tally.add(1) ? 1 : 0;
    }
}
