package dev.percpu.stress.subject;

import dev.percpu.CpuGuard;
import dev.percpu.DynamicNumeric;
import dev.percpu.DynamicPerCpu;
import dev.percpu.PerCpuNumeric;
import dev.percpu.cpu.CpuMask;
import dev.percpu.memory.NumericWidth;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Variables that come and go. Each begins as zero on every CPU and is changed by its maker alone; contents are closed
 * once on every CPU; what is closed cannot be used.
 */
final class Variables implements Subject {
    private static final NumericWidth[] WIDTHS = NumericWidth.values();

    private final LongAdder made = new LongAdder();
    private final LongAdder closed = new LongAdder();

    /** What a variable holds on a CPU. */
    private final class Content implements AutoCloseable {
        private boolean open = true;
        private long uses;

        private Content() {
            made.increment();
        }

        private void use() {
            Subject.expect(open, "a closed content is in use");
            uses++;
        }

        @Override
        public void close() {
            Subject.expect(open, "a content is closed twice");
            open = false;
            closed.increment();
        }
    }

    @Override
    public int use(RandomGenerator random) {
        int burst = random.nextInt(1, LONGEST_BURST);
        if (random.nextInt(4) == 0) {
            useContents(burst);
        } else {
            useNumber(WIDTHS[random.nextInt(WIDTHS.length)], random.nextInt(), burst);
        }
        return burst;
    }

    private void useNumber(NumericWidth width, long delta, int burst) {
        DynamicNumeric number = PerCpuNumeric.create(width);
        for (int i = 0; i < burst; i++) {
            number.add(delta);
        }
        Subject.expect("a number that one thread has", width.wrap(burst * delta), width.wrap(number.sum()));
        number.close();
        boolean refused = false;
        try {
            number.add(1);
        } catch (IllegalStateException expected) {
            refused = true;
        }
        Subject.expect(refused, "a closed number can be changed");
    }

    private void useContents(int burst) {
        long[] uses = new long[1];
        try (DynamicPerCpu<Content> contents = DynamicPerCpu.createFrom(_ -> new Content());
                DynamicPerCpu<Content> shared = contents.share()) {
            for (int i = 0; i < burst; i++) {
                try (CpuGuard guard = CpuGuard.acquire()) {
                    (i % 2 == 0 ? contents : shared).getMut(guard).run(Content::use);
                }
            }
            shared.forEachCpu((_, content) -> uses[0] += content.uses);
        }
        Subject.expect("uses of contents", burst, uses[0]);
    }

    @Override
    public void verify() {
        Subject.expect("contents closed", made.sum(), closed.sum());
        Subject.expect(
                made.sum() % CpuMask.possible().weight() == 0,
                "contents on some CPUs and not on others: " + made.sum());
    }
}
