package dev.percpu.stress.jcstress;

import dev.percpu.concurrent.PerCpuRef;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A reference count that is killed while it is used releases once, and not while somebody uses it. */
public class RefStress {
    private static final int NOT_TAKEN = -1;

    private RefStress() {}

    /** A thread has a reference from before, and takes another one if it can. */
    @JCStressTest
    @State
    @Outcome(id = "0, 0, 1", expect = Expect.ACCEPTABLE, desc = "Used before the kill or during it.")
    @Outcome(id = "-1, 0, 1", expect = Expect.ACCEPTABLE, desc = "The kill came first.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Released too early, or not once.")
    public static class Release {
        private final AtomicInteger releases = new AtomicInteger();
        private final PerCpuRef ref = new PerCpuRef(releases::incrementAndGet);

        public Release() {
            ref.get();
        }

        @Actor
        public void use(III_Result result) {
            if (ref.tryGetLive()) {
                result.r1 = releases.get();
                ref.put();
            } else {
                result.r1 = NOT_TAKEN;
            }
            result.r2 = releases.get();
            ref.put();
        }

        @Actor
        public void kill() {
            ref.kill();
        }

        @Arbiter
        public void count(III_Result result) {
            result.r3 = releases.get();
        }
    }

    /** What was done before a put and before the kill is seen by the release action, though it is plain. */
    @JCStressTest
    @State
    @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "The release action saw what both threads did.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "It missed something, or came too early, or not once.")
    public static class Ordering {
        private int byUser;
        private int byKiller;
        private int seenOfUser;
        private int seenOfKiller;
        private int releases;
        private final PerCpuRef ref = new PerCpuRef(this::release);

        public Ordering() {
            ref.get();
        }

        private void release() {
            seenOfUser = byUser;
            seenOfKiller = byKiller;
            releases++;
        }

        @Actor
        public void use() {
            byUser = 1;
            ref.put();
        }

        @Actor
        public void kill() {
            byKiller = 1;
            ref.kill();
        }

        @Arbiter
        public void see(III_Result result) {
            result.r1 = seenOfUser;
            result.r2 = seenOfKiller;
            result.r3 = releases;
        }
    }
}
