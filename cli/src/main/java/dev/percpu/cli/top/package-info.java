/** What {@code top} does: reads the variables of another process, and prints them with their rates. */
@NullMarked
package dev.percpu.cli.top;

import org.jspecify.annotations.NullMarked;
