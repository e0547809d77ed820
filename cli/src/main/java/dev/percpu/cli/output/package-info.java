/** What the commands share: where they write, tables of text, and messages for people. */
@NullMarked
package dev.percpu.cli.output;

import org.jspecify.annotations.NullMarked;
