package dev.percpu.cli.bench;

import dev.percpu.cli.TextTable;
import dev.percpu.cli.bench.Roles.Kind;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Holds the ratios of a run, ours to the best peer's, against those that are saved. Two ratios agree if they differ by
 * 15% at most. Others are marked: as worse or better if what the measurements allow for them then and now has nothing
 * in common, and otherwise as different within the spread, which proves nothing.
 */
public final class Regressions {
    private static final double AGREEMENT = 1.15;

    private static final String WORSE = "worse";
    private static final String AGREES = "agrees";

    private final Map<String, Ratio> saved;
    private final Map<String, Ratio> measured;

    public Regressions(Results saved, Results measured) {
        this.saved = ratios(saved);
        this.measured = ratios(measured);
    }

    /**
     * Prints a table.
     *
     * @return how many ratios are worse than the saved ones
     */
    public int print(PrintWriter out) {
        TextTable table = new TextTable("against the best peer", "saved", "now", "");
        int worse = 0;
        int agree = 0;
        for (Map.Entry<String, Ratio> entry : measured.entrySet()) {
            Ratio before = saved.get(entry.getKey());
            Ratio now = entry.getValue();
            String verdict = verdict(before, now);
            worse += verdict.equals(WORSE) ? 1 : 0;
            agree += verdict.equals(AGREES) ? 1 : 0;
            table.add(entry.getKey(), before == null ? "" : before.toString(), now.toString(), verdict);
        }
        table.print(out);
        out.println();
        out.println(agree + " of " + measured.size() + " ratios agree with the saved ones, which means within 15%. The"
                + " others are marked.");
        return worse;
    }

    private static String verdict(@Nullable Ratio before, Ratio now) {
        if (before == null) {
            return "not saved";
        }
        if (before.isUnclear() || now.isUnclear()) {
            return "unclear";
        }
        double change = now.value() / before.value();
        if (change <= AGREEMENT && 1 / change <= AGREEMENT) {
            return AGREES;
        }
        if (!before.isApartFrom(now)) {
            return "differs, within the spread";
        }
        return change < 1 ? WORSE : "better";
    }

    /** The best peer's time divided by ours, by the name of ours and its arrangement. */
    private static Map<String, Ratio> ratios(Results results) {
        Map<String, Ratio> ratios = new LinkedHashMap<>();
        results.comparisons().forEach((comparison, list) -> {
            for (Arrangement arrangement : Report.arrangements(list)) {
                var rows = Report.of(arrangement, list);
                Report.ofKind(Kind.PEER, rows)
                        .findFirst()
                        .ifPresent(best -> Report.ofKind(Kind.OURS, rows)
                                .forEach(ours -> ratios.put(
                                        comparison + ", " + ours.method() + ", " + arrangement.description(),
                                        Ratio.of(best, ours))));
            }
        });
        return ratios;
    }
}
