/**
 * A management bean that shows per-CPU variables to JMX tools: see {@link dev.percpu.management.PerCpuMonitor}.
 *
 * <p>It follows the naming convention of JMX and uses none of its classes. So the library does not need the module
 * {@code java.management}.
 */
@NullMarked
package dev.percpu.management;

import org.jspecify.annotations.NullMarked;
