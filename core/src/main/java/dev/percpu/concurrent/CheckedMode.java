package dev.percpu.concurrent;

/**
 * Whether the structures look for mistakes of their users, at a cost: {@code -Dpercpu.checked=true}. It is read once,
 * so that the compiler leaves the checks out where they are off.
 */
final class CheckedMode {
    static final boolean ON = Boolean.getBoolean("percpu.checked");

    private CheckedMode() {}
}
