package dev.percpu.internal.code;

import dev.percpu.memory.NumericWidth;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All sequences: the name, the arguments and the effect of each, independent of the architecture. The back end emits
 * the sequences listed here: once plain and, for tests, once more with delays. The tests disassemble the same list. A
 * new sequence takes one entry here and its emitter, its use in one protocol, and a test. Only those of events are not
 * listed: {@link EventShape} composes them from the same steps.
 *
 * <p>This file is longer than others: it has each sequence and how it is emitted.
 *
 * <p>All sections have one shape. Before one, the thread's {@code rseq_cs} is set to the section's descriptor. The
 * section reads the CPU's id, checks its bound, finds the CPU's instance, and ends with <em>one</em> store, its commit.
 * If the kernel preempts, migrates or signals the thread inside the section, the thread continues at the abort address,
 * which starts over.
 *
 * <pre>
 *         arm       rseq_cs = descriptor
 * start:  loadCpu   CPU = cpu_id                (a thread without one goes to none)
 *         look      guard word of CPU == 0 ?    (guarded sequences only; else to taken)
 *         load      value = instance
 *         compute   value = value op operand
 *         commit    instance = value
 * end:    return
 * abort:  start over
 * </pre>
 *
 * <p>Why this is exact: between {@code start} and {@code end} either the thread is alone on its CPU, or it starts over.
 * So no other thread on this CPU changed the instance between load and commit, and threads on other CPUs never write
 * this CPU's instance with a sequence. Everything before the commit only reads, so it may be repeated. After the commit
 * the section is over, so the commit is not repeated. If a section had a second visible store, an abort between the two
 * stores would repeat the first one.
 *
 * <p>A thread without a CPU id (its registration failed, or was undone) adds atomically to the spare slot. It cannot
 * use a CPU's slot: an atomic addition on one CPU, and a plain load, add and store on another, lose each
 * other's updates.
 */
public final class Catalogue {
    /** What a sequence without a result returns when it did its work. */
    public static final long DONE = 0;

    /**
     * What a sequence without a result returns when it did nothing: for example, the guard is taken, the gate is shut,
     * the stack is full, or the thread has no CPU id.
     */
    public static final long REFUSED = 1;

    /** What {@link #POP} returns when it took no item. */
    public static final long NO_ITEM = -1;

    /** What {@link #ACQUIRE} returns on a thread without a CPU id. */
    public static final long NO_CPU = Long.MIN_VALUE;

    /** Emits an operation on one number. */
    private record Operation(boolean isGuarded, Op op, int bits) implements Sequence.Emitter {
        @Override
        public long emit(Section section) {
            return isGuarded ? guarded(section, op, bits) : pure(section, op, bits);
        }
    }

    /** Emits any other entry. One class serves all, where a class for each would delay a JVM's first variable. */
    private enum Other implements Sequence.Emitter {
        ADD_TWO,
        ADD_LONG_AND_DOUBLE,
        GATED_ADD,
        GATED_ADD_DOUBLE,
        GATED_CMPXCHG,
        CREDIT,
        PUSH,
        POP,
        ACQUIRE,
        CURRENT_CPU,
        STACK_POINTER;

        @Override
        public long emit(Section section) {
            return switch (this) {
                case ADD_TWO -> addTwo(section, Op.ADD);
                case ADD_LONG_AND_DOUBLE -> addTwo(section, Op.ADD_DOUBLE);
                case GATED_ADD -> gated(section, Op.ADD);
                case GATED_ADD_DOUBLE -> gated(section, Op.ADD_DOUBLE);
                case GATED_CMPXCHG -> gated(section, Op.CMPXCHG);
                case CREDIT -> credit(section);
                case PUSH -> push(section);
                case POP -> pop(section);
                case ACQUIRE -> acquire(section);
                case CURRENT_CPU -> currentCpu(section);
                case STACK_POINTER -> stackPointer(section);
            };
        }
    }

    private static final List<Sequence> ENTRIES = new ArrayList<>();

    private static final Map<Op, Map<NumericWidth, Sequence>> PURE = new EnumMap<>(Op.class);
    private static final Map<Op, Map<NumericWidth, Sequence>> GUARDED = new EnumMap<>(Op.class);

    static {
        for (Op op : Op.values()) {
            Map<NumericWidth, Sequence> pure = new EnumMap<>(NumericWidth.class);
            Map<NumericWidth, Sequence> guarded = new EnumMap<>(NumericWidth.class);
            int stores = op == Op.READ ? 0 : 1;
            // The number's address; the operand, which a READ ignores; and what a CMPXCHG expects.
            int arguments = op == Op.CMPXCHG ? 3 : 2;
            for (NumericWidth width : NumericWidth.values()) {
                String name = op + " of " + width;
                int bits = width.bits();
                if (op.isPure(width)) {
                    pure.put(width, add(name, arguments, 1, stores, new Operation(false, op, bits)));
                }
                if (op.isGuarded()) {
                    guarded.put(width, add("guarded " + name, arguments, 1, stores, new Operation(true, op, bits)));
                }
            }
            PURE.put(op, pure);
            GUARDED.put(op, guarded);
        }
    }

    /** Adds the second argument to the first number, and the fourth to the third. */
    public static final Sequence ADD_TWO = add("two additions", 4, 2, 1, Other.ADD_TWO);

    /** Adds the second argument to the first number, and the fourth, of doubles, to the third. */
    public static final Sequence ADD_LONG_AND_DOUBLE =
            add("an addition, and one of a double", 4, 2, 1, Other.ADD_LONG_AND_DOUBLE);

    /** Adds the second argument to a number behind a gate: {@link #DONE} or {@link #REFUSED}. */
    public static final Sequence GATED_ADD = add("gated addition", 2, 1, 1, Other.GATED_ADD);

    /** {@link #GATED_ADD} of doubles. */
    public static final Sequence GATED_ADD_DOUBLE = add("gated addition of a double", 2, 1, 1, Other.GATED_ADD_DOUBLE);

    /**
     * Sets a number behind a gate to the second argument if it is the third: {@link #DONE} or {@link #REFUSED}, also if
     * the number differs.
     */
    public static final Sequence GATED_CMPXCHG = add("gated compare-and-exchange", 3, 1, 1, Other.GATED_CMPXCHG);

    /**
     * Adds the second argument to a credit, if the sum, unsigned, is at most the third argument, and the gate at most
     * the fourth: {@link #DONE} or {@link #REFUSED}.
     */
    public static final Sequence CREDIT = add("credit", 4, 1, 1, Other.CREDIT);

    /**
     * Puts the second argument on the current CPU's stack, which holds as many as the third argument says: {@link
     * #DONE}, or {@link #REFUSED} if the stack is full, the guard is taken, or the thread has no CPU id.
     */
    public static final Sequence PUSH = add("push", 3, 1, 2, Other.PUSH);

    /**
     * Takes an item, which is not negative, from the current CPU's stack: the item, or {@link #NO_ITEM} if the stack is
     * empty, the guard is taken, or the thread has no CPU id.
     */
    public static final Sequence POP = add("pop", 1, 1, 1, Other.POP);

    /**
     * Makes the first argument the owner of the current CPU: the CPU, its complement if the guard is taken, or
     * {@link #NO_CPU}.
     */
    public static final Sequence ACQUIRE = add("guard", 1, 1, 1, Other.ACQUIRE);

    /** Reads the thread's CPU id, which is negative on a thread without one. It is a plain read. */
    public static final Sequence CURRENT_CPU = add("current CPU", 0, 0, 0, Other.CURRENT_CPU);

    /** Reads the thread's stack pointer. */
    public static final Sequence STACK_POINTER = add("stack pointer", 0, 0, 0, Other.STACK_POINTER);

    private Catalogue() {}

    private static Sequence add(String name, int arguments, int sections, int stores, Sequence.Emitter emitter) {
        Sequence entry = new Sequence(name, arguments, sections, stores, emitter);
        ENTRIES.add(entry);
        return entry;
    }

    /** Every entry. */
    public static List<Sequence> entries() {
        return List.copyOf(ENTRIES);
    }

    /**
     * The operation on a number that no guard protects: its new value if the operation computes it, otherwise the old
     * one. The third argument is what {@link Op#CMPXCHG} expects.
     *
     * @throws NullPointerException if there is no such operation; see {@link Op#isPure}
     */
    public static Sequence pure(Op op, NumericWidth width) {
        return Objects.requireNonNull(Objects.requireNonNull(PURE.get(op)).get(width));
    }

    /**
     * The operation on a number that the guard protects: {@link #DONE}, or {@link #REFUSED} and nothing done if the
     * guard is taken. It does not return the number, since that would need a value that no number can have. A caller
     * that needs the number acquires the guard.
     *
     * @throws NullPointerException if there is no such operation; see {@link Op#isGuarded}
     */
    public static Sequence guarded(Op op, NumericWidth width) {
        return Objects.requireNonNull(Objects.requireNonNull(GUARDED.get(op)).get(width));
    }

    private static long pure(Section section, Op op, int bits) {
        section.begin(new CodeBuffer.Label());
        section.scaleCpu();
        section.update(op, bits);
        section.committed();
        section.assembler().returnValue();
        section.elsewhere();
        section.updateAtomically(op, bits);
        section.assembler().returnValue();
        return section.finish();
    }

    private static long guarded(Section section, Op op, int bits) {
        var taken = new CodeBuffer.Label();
        section.begin(taken);
        section.scaleAndLook(taken);
        section.update(op, bits);
        section.committed();
        section.returning(DONE);
        section.elsewhere();
        section.returning(REFUSED);
        return section.finish();
    }

    /**
     * The owner is stored only if the word is 0. Only threads on this CPU change it from 0, so between check and store
     * it stays 0 unless the section starts over. (A compare-and-set from another CPU can come between too. The thread
     * that does it detects this: see {@code GuardWords.tryAcquireOn}.)
     */
    private static long acquire(Section section) {
        var taken = new CodeBuffer.Label();
        section.begin(new CodeBuffer.Label());
        section.assembler().keepCpu();
        section.scaleAndLook(taken);
        section.assembler().storeWord();
        section.committed();
        section.assembler().returnValue();
        section.elsewhere();
        section.returning(NO_CPU);
        section.code().place(taken);
        section.assembler().complementValue();
        section.assembler().returnValue();
        return section.finish();
    }

    /**
     * An operation on a 64-bit number that is done only while the number's gate is 0.
     *
     * <p>The check and the commit are in one section. So once a thread has shut the gate, and then restarted the
     * sequences of all CPUs, no sequence that saw the gate open is still in progress.
     */
    private static long gated(Section section, Op op) {
        var refused = new CodeBuffer.Label();
        section.begin(refused);
        section.scaleCpu();
        section.lookAtGate(refused);
        if (op == Op.CMPXCHG) {
            section.updateOrLeave(op, Long.SIZE, refused);
        } else {
            section.updateOnly(op);
        }
        section.committed();
        section.returning(DONE);
        section.elsewhere();
        section.returning(REFUSED);
        return section.finish();
    }

    /** An addition that is done only while the gate is at most the fourth argument, and the sum at most the third. */
    private static long credit(Section section) {
        var refused = new CodeBuffer.Label();
        section.begin(refused);
        section.scaleCpu();
        section.assembler().lookAtLimit(section.layout().gateDistance(), refused);
        section.pause();
        section.updateWithin(refused);
        section.committed();
        section.returning(DONE);
        section.elsewhere();
        section.returning(REFUSED);
        return section.finish();
    }

    /** Two sections in succession, each exact by itself. Between the two the thread may move to another CPU. */
    private static long addTwo(Section first, Op secondOp) {
        Assembler assembler = first.assembler();
        Section second = first.another();
        first.describe();
        second.describe();
        var afterFirst = new CodeBuffer.Label();
        first.enter(new CodeBuffer.Label());
        first.scaleCpu();
        first.updateOnly(Op.ADD);
        first.committed();
        first.code().place(afterFirst);
        assembler.nextSlot();
        second.enter(new CodeBuffer.Label());
        second.scaleCpu();
        second.updateOnly(secondOp);
        second.committed();
        assembler.returnValue();

        first.elsewhere();
        first.updateAtomically(Op.ADD, Long.SIZE);
        assembler.jump(afterFirst);
        long entry = first.finish();
        second.elsewhere();
        second.updateAtomically(secondOp, Long.SIZE);
        assembler.returnValue();
        long _ = second.finish();
        return entry;
    }

    private static long push(Section section) {
        var refused = new CodeBuffer.Label();
        section.begin(refused);
        section.scaleAndLook(refused);
        section.assembler().load(Long.SIZE);
        section.pause();
        section.assembler().pushItem(refused);
        section.pause();
        section.assembler().store(Long.SIZE, Assembler.Source.VALUE);
        section.committed();
        section.returning(DONE);
        section.elsewhere();
        section.returning(REFUSED);
        return section.finish();
    }

    private static long pop(Section section) {
        var refused = new CodeBuffer.Label();
        section.begin(refused);
        section.scaleAndLook(refused);
        section.assembler().load(Long.SIZE);
        section.pause();
        section.assembler().popItem(refused);
        section.pause();
        section.assembler().store(Long.SIZE, Assembler.Source.VALUE);
        section.committed();
        section.assembler().returnItem();
        section.elsewhere();
        section.returning(NO_ITEM);
        return section.finish();
    }

    private static long currentCpu(Section section) {
        long entry = section.beginPlain();
        section.assembler().loadCpu(section.layout().rseqOffset());
        section.assembler().keepCpu();
        section.assembler().returnValue();
        return entry;
    }

    private static long stackPointer(Section section) {
        long entry = section.beginPlain();
        section.assembler().keepStackPointer();
        section.assembler().returnValue();
        return entry;
    }
}
