/** What is done about failures: several become one exception, and those of other threads are reported. */
@NullMarked
package dev.percpu.internal.failure;

import org.jspecify.annotations.NullMarked;
