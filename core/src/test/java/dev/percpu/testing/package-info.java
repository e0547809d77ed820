/** What several tests need. */
package dev.percpu.testing;
