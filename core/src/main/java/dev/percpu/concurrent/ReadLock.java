package dev.percpu.concurrent;

import dev.percpu.internal.protocol.StackRoom;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/** The read lock of a {@link PerCpuReadWriteLock}: its holders are those who are inside the door. */
final class ReadLock implements Lock {
    private final ReaderDoor door;

    ReadLock(ReaderDoor door) {
        this.door = door;
    }

    @Override
    public void lock() {
        if (CheckedMode.ON) {
            checkNoHold();
        }
        ReadHolds.@Nullable Hold hold = CheckedMode.ON ? ReadHolds.prepare() : null;
        if (!door.tryEnter()) {
            enterUninterruptibly();
        }
        if (CheckedMode.ON) {
            record(hold);
        }
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        PerCpuReadWriteLock.checkInterrupt();
        if (CheckedMode.ON) {
            checkNoHold();
        }
        ReadHolds.@Nullable Hold hold = CheckedMode.ON ? ReadHolds.prepare() : null;
        if (!door.tryEnter()) {
            enter(WaitPolicy.INTERRUPTIBLE);
        }
        if (CheckedMode.ON) {
            record(hold);
        }
    }

    @Override
    public boolean tryLock() {
        ReadHolds.@Nullable Hold hold = CheckedMode.ON ? ReadHolds.prepare() : null;
        boolean locked = door.tryEnter() || enterAsWriter();
        if (CheckedMode.ON && locked) {
            record(hold);
        }
        return locked;
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        PerCpuReadWriteLock.checkInterrupt();
        ReadHolds.@Nullable Hold hold = CheckedMode.ON ? ReadHolds.prepare() : null;
        boolean locked = door.tryEnter() || enter(WaitPolicy.ofNanos(unit.toNanos(time)));
        if (CheckedMode.ON && locked) {
            record(hold);
        }
        return locked;
    }

    private void enterUninterruptibly() {
        try {
            boolean _ = enter(WaitPolicy.UNINTERRUPTIBLE);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted without waiting interruptibly", e);
        }
    }

    private boolean enter(WaitPolicy policy) throws InterruptedException {
        return enterAsWriter() || door.enter(policy);
    }

    /** The writer is inside already, and would wait for itself. */
    private boolean enterAsWriter() {
        if (!door.isShutByMe()) {
            return false;
        }
        door.enterShut();
        return true;
    }

    @Override
    public void unlock() {
        if (CheckedMode.ON && door.holds != null) {
            unlock(door.holds);
        } else {
            door.leave();
        }
    }

    /** If it fails, the thread has its hold as before. */
    private void unlock(ReadHolds checked) {
        // Room for all that follows, also for putting the hold back.
        StackRoom.CURRENT.ensure();
        ReadHolds.@Nullable Hold hold = checked.remove();
        boolean left = false;
        try {
            door.leave();
            left = true;
        } finally {
            if (!left) {
                checked.putBack(hold);
            }
        }
    }

    private void checkNoHold() {
        if (door.holds != null && !door.isShutByMe()) {
            door.holds.checkNoneOfMine("locks its read lock again");
        }
    }

    private void record(ReadHolds.@Nullable Hold hold) {
        Objects.requireNonNull(door.holds).add(Objects.requireNonNull(hold));
    }

    @Override
    public Condition newCondition() {
        throw new UnsupportedOperationException(
                "the read lock of " + door.label + " has no conditions: use those of the write lock");
    }

    /** How often it is held, for messages. */
    String holds() {
        long readers = door.readersIfKnown();
        return readers < 0 ? "not counted" : Long.toString(readers);
    }

    @Override
    public String toString() {
        return "read lock[Read locks = " + holds() + "]";
    }
}
