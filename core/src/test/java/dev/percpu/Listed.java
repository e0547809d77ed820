package dev.percpu;

import dev.percpu.listing.Variable;

/** What is listed. */
public final class Listed {
    private Listed() {}

    /** The first variable of this name. */
    public static Variable variable(String name) {
        return PerCpuRuntime.variables().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
