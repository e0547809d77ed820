/** The variables and structures that have a name. */
@NullMarked
package dev.percpu.internal.listing;

import org.jspecify.annotations.NullMarked;
