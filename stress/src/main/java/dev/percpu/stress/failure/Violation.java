package dev.percpu.stress.failure;

import java.io.Serial;

/** Something does not hold that must hold after a step has failed. */
final class Violation extends AssertionError {
    @Serial
    private static final long serialVersionUID = 1;

    Violation(String what) {
        super(what);
    }
}
