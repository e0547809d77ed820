package dev.percpu.concurrent;

import dev.percpu.internal.linux.Platform;

/**
 * Whether the structures detect misuse, at a cost: {@code -Dpercpu.checked=true}. The property is read once, so the
 * compiler removes the checks if they are off.
 */
final class CheckedMode {
    static final boolean ON = Platform.flag("percpu.checked");

    private CheckedMode() {}
}
