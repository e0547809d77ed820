/** What a listing shows: named variables and structures, and their values. */
@NullMarked
package dev.percpu.listing;

import org.jspecify.annotations.NullMarked;
