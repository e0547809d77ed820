/** The command {@code percpu}, its subcommands, and what they share. */
@NullMarked
package dev.percpu.cli;

import org.jspecify.annotations.NullMarked;
