/** What several packages need, and what belongs to none of them. */
@NullMarked
package dev.percpu.internal;

import org.jspecify.annotations.NullMarked;
