/** Micrometer's meters, kept per CPU, in front of whatever registry exports them. */
@NullMarked
package dev.percpu.micrometer;

import org.jspecify.annotations.NullMarked;
