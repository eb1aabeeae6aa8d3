package org.nowplaying.core.gate;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Settings of the gate and of the phone's rests, from the detector's manifest; Python's {@code GateConfig} explains them. */
public final class GateSettings {
    private static final Set<String> NAMES = new TreeSet<>(Arrays.asList(
            "window", "enter_threshold", "leave_threshold", "consecutive_hits", "early_window", "early_threshold",
            "cool_down_s", "back_off_factor", "longest_rest_s", "silence_dbfs"));

    public final int window;
    final int consecutiveHits;
    public final double enterThreshold;
    final int enterSum;
    final int leaveSum;
    final int earlyLength;
    final int earlyEnterSum;
    final int earlyLeaveSum;
    public final double coolDownS;
    public final double backOffFactor;
    public final double longestRestS;

    /** The network is not run after 640 ms below this level, in dBFS; minus infinity: it always runs. */
    public final double silenceDbfs;

    /**
     * Reads the {@code gate} table of a manifest.
     *
     * @throws IllegalArgumentException when a setting is missing, unknown or out of its bounds
     */
    public GateSettings(Map<String, ?> table) {
        if (!NAMES.equals(table.keySet())) {
            throw new IllegalArgumentException(
                    "gate: expected the keys " + NAMES + ", found " + table.keySet() + "; restore the manifest");
        }
        window = (int) within(table, "window", 1, 1000);
        consecutiveHits = (int) within(table, "consecutive_hits", 1, 1000);
        enterThreshold = within(table, "enter_threshold", 0, 1);
        enterSum = leastSum(enterThreshold, window);
        double leaveThreshold = within(table, "leave_threshold", 0, enterThreshold);
        leaveSum = leastSum(leaveThreshold, window);
        if ((table.get("early_window") == null) != (table.get("early_threshold") == null)) {
            throw new IllegalArgumentException("gate: expected early_window and early_threshold together, found "
                    + table.get("early_window") + " and " + table.get("early_threshold"));
        }
        boolean early = table.get("early_window") != null;
        earlyLength = early ? (int) within(table, "early_window", 1, window) : 1;
        // Without an early window, sums that no output reaches.
        earlyEnterSum = early ? leastSum(within(table, "early_threshold", 0, 1), earlyLength) : Gate.STEPS + 1;
        earlyLeaveSum = early ? leastSum(leaveThreshold, earlyLength) : Gate.STEPS + 1;
        coolDownS = within(table, "cool_down_s", 0, Double.MAX_VALUE);
        backOffFactor = within(table, "back_off_factor", 1, 100);
        longestRestS = within(table, "longest_rest_s", 0, Double.MAX_VALUE);
        silenceDbfs = table.get("silence_dbfs") == null
                ? Double.NEGATIVE_INFINITY : within(table, "silence_dbfs", -100, 0);
    }

    private static double within(Map<String, ?> table, String name, double low, double high) {
        Object value = table.get(name);
        double number = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
        if (!(number >= low && number <= high)) {
            throw new IllegalArgumentException(
                    "gate: " + name + " must lie in [" + low + ", " + high + "], found " + value);
        }
        return number;
    }

    private static int leastSum(double threshold, int window) {
        // Most decimal thresholds are not exact in binary: allow for the rounding before taking the ceiling.
        return (int) Math.ceil(threshold * window * Gate.STEPS - 1e-6);
    }
}
