/** What several packages need and no other has a place for. */
@NullMarked
package dev.percpu.internal;

import org.jspecify.annotations.NullMarked;
