/** The example: a server, what it measures, and the page that shows it. */
@NullMarked
package dev.percpu.example;

import org.jspecify.annotations.NullMarked;
