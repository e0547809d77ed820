/** What is put under stress: a class for each structure, which knows what to do with it and what must hold. */
@NullMarked
package dev.percpu.stress.subject;

import org.jspecify.annotations.NullMarked;
