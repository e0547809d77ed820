package dev.percpu.concurrent;

/** What the owner of a place keeps of a pool's ids: see {@link KeptIds}. */
final class Keeper extends KeeperFields {
    /** Keeps two keepers, which different CPUs write, off one cache line and off the line that is fetched with it. */
    @SuppressWarnings("unused")
    private long p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16;
}
