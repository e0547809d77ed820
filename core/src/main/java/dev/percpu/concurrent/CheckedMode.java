package dev.percpu.concurrent;

/**
 * Whether the structures detect misuse, at a cost: {@code -Dpercpu.checked=true}. The property is read once, so the
 * compiler removes the checks if they are off.
 */
final class CheckedMode {
    static final boolean ON = Boolean.getBoolean("percpu.checked");

    private CheckedMode() {}
}
