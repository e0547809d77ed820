/**
 * What a listing shows: named variables and structures, and their values. This package uses no other package of
 * the library.
 */
@NullMarked
package dev.percpu.listing;

import org.jspecify.annotations.NullMarked;
