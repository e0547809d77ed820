package dev.percpu.stress.jcstress;

import dev.percpu.concurrent.PerCpuPool;
import dev.percpu.concurrent.Pooled;
import dev.percpu.stress.subject.ToldPools;
import java.util.Objects;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** A pool's object has one holder at a time, and none is lost. */
public class PoolStress {
    private PoolStress() {}

    /** Two threads want the only object, which was used before. */
    @JCStressTest
    @State
    @Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "The first has it.")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "The second has it.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Both have it, or nobody.")
    public static class LastObject {
        private final PerCpuPool<Object> pool = ToldPools.build(PerCpuPool.builder(1, Object::new));

        public LastObject() {
            Objects.requireNonNull(pool.tryAcquire()).close();
        }

        @Actor
        public void acquire(ZZ_Result result) {
            result.r1 = pool.tryAcquire() != null;
        }

        @Actor
        public void acquireToo(ZZ_Result result) {
            result.r2 = pool.tryAcquire() != null;
        }
    }

    /** Each thread acquires, changes a plain field and releases, twice, with an object for each of them. */
    @JCStressTest
    @State
    @Outcome(id = "4, 2", expect = Expect.ACCEPTABLE, desc = "No change is lost, and two objects are there.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Two threads had one object, or one is lost.")
    public static class Exchange {
        /** What is pooled. */
        private static final class Tool {
            private int uses;
        }

        private final PerCpuPool<Tool> pool = ToldPools.build(PerCpuPool.builder(2, Tool::new));

        private void use() {
            for (int i = 0; i < 2; i++) {
                try (Pooled<Tool> tool = Objects.requireNonNull(pool.tryAcquire(), "an object is idle")) {
                    tool.get().uses++;
                }
            }
        }

        @Actor
        public void first() {
            use();
        }

        @Actor
        public void second() {
            use();
        }

        @Arbiter
        public void count(II_Result result) {
            Pooled<Tool> one = Objects.requireNonNull(pool.tryAcquire());
            Pooled<Tool> other = Objects.requireNonNull(pool.tryAcquire());
            result.r1 = one.get().uses + other.get().uses;
            result.r2 = one.get() == other.get() ? 1 : 2;
        }
    }
}
