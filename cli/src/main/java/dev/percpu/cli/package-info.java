/** The command {@code percpu} and its subcommands. */
@NullMarked
package dev.percpu.cli;

import org.jspecify.annotations.NullMarked;
