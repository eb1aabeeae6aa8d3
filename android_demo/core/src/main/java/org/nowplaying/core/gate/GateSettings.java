package org.nowplaying.core.gate;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Settings of the gate, from the detector's manifest; what they mean stands in the Python package's {@code gate.py}. */
public final class GateSettings {
    private static final List<String> REQUIRED = Arrays.asList(
            "window", "enter_threshold", "leave_threshold", "consecutive_hits", "cool_down_s");
    private static final List<String> OPTIONAL = Arrays.asList("back_off_factor", "longest_rest_s", "silence_dbfs");

    public final int window;
    final int consecutiveHits;
    public final double enterThreshold;
    final int enterSum;
    final int leaveSum;
    public final double coolDownS;
    public final double backOffFactor;
    public final double longestRestS;

    /** Level in dBFS below which 640 ms count as silence and the network is left out; minus infinity for never. */
    public final double silenceDbfs;

    /**
     * Reads the {@code gate} table of a manifest.
     *
     * @throws IllegalArgumentException when a setting is missing, unknown or out of its bounds
     */
    public GateSettings(Map<String, ?> table) {
        Set<String> unknown = new HashSet<>(table.keySet());
        unknown.removeAll(REQUIRED);
        unknown.removeAll(OPTIONAL);
        if (!unknown.isEmpty() || !table.keySet().containsAll(REQUIRED)) {
            throw new IllegalArgumentException("gate: expected the keys " + REQUIRED + " and perhaps " + OPTIONAL
                    + ", found " + table.keySet() + "; restore the manifest");
        }
        window = (int) within(table, "window", 1, 1000);
        consecutiveHits = (int) within(table, "consecutive_hits", 1, 1000);
        enterThreshold = within(table, "enter_threshold", 0, 1);
        enterSum = leastSum(enterThreshold, window);
        leaveSum = leastSum(within(table, "leave_threshold", 0, enterThreshold), window);
        coolDownS = within(table, "cool_down_s", 0, Double.MAX_VALUE);
        backOffFactor = table.containsKey("back_off_factor") ? within(table, "back_off_factor", 1, 100) : 1;
        longestRestS = table.containsKey("longest_rest_s") ? within(table, "longest_rest_s", 0, Double.MAX_VALUE) : 600;
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
        // A threshold written in decimals is no exact binary number: what misses the next sum by rounding is that sum.
        return (int) Math.ceil(threshold * window * Gate.STEPS - 1e-6);
    }
}
