package dev.percpu.stress.failure;

import dev.percpu.concurrent.PerCpuSummary;
import java.util.List;

/** Summaries. */
final class SummaryTrials {
    private SummaryTrials() {}

    static List<Operation> all() {
        return List.of(
                Operation.on(
                                "summary accept",
                                "PerCpuSummary.accept(long)",
                                PerCpuSummary::new,
                                summary -> new Adding(() -> summary.accept(1), () -> count(summary.summary())))
                        .also(Variant.HOT),
                Operation.on(
                        "summary summary",
                        "PerCpuSummary.summary()",
                        PerCpuSummary::new,
                        summary -> new Reading(() -> summary.accept(1), () -> count(summary.summary()))),
                Operation.on(
                                "summary summaryThenReset",
                                "PerCpuSummary.summaryThenReset()",
                                PerCpuSummary::new,
                                summary -> new Taking(
                                        () -> summary.accept(1),
                                        () -> count(summary.summaryThenReset()),
                                        () -> count(summary.summary())))
                        .also(Variant.HOT),
                Operation.on(
                                "summary reset",
                                "PerCpuSummary.reset()",
                                PerCpuSummary::new,
                                summary -> Taking.byReset(
                                        () -> summary.accept(1), summary::reset, () -> count(summary.summary())))
                        .also(Variant.HOT));
    }

    /** How many values were recorded, each of which was 1. */
    private static long count(PerCpuSummary.Result result) {
        Trial.same("sum", result.count(), result.sum());
        if (result.count() > 0) {
            Trial.same("least value", 1, result.min());
            Trial.same("greatest value", 1, result.max());
        }
        return result.count();
    }
}
