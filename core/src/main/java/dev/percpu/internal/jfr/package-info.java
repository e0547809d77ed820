/**
 * Events of the flight recorder. The module {@code jdk.jfr} is optional, and no event class is loaded before somebody
 * has started a recording.
 */
@NullMarked
package dev.percpu.internal.jfr;

import org.jspecify.annotations.NullMarked;
