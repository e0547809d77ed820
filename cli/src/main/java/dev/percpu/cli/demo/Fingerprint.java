package dev.percpu.cli.demo;

/**
 * Tells one content of a file from another.
 *
 * @param bytes its length
 * @param checksum its CRC-32C
 */
record Fingerprint(long bytes, long checksum) {}
