package org.nowplaying.core.match;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The calibrated probability that the best song is the right one, from the model's manifest (see {@code accept.py}). */
public final class Acceptance {
    private static final int FULL_QUERY = 12; // fingerprints in 8 s
    private static final double STEEPEST = 5; // of a slope by size

    private final double[] coefficients;
    private final double intercept;
    private final double threshold;
    private final double thresholdSingle;
    private final long fitted;
    private final double[] larger; // decrease of the log odds by size: of one fingerprint, and by the logarithm of more
    private final double[] smaller;

    /**
     * Reads the {@code acceptance} table of a fingerprint model's manifest.
     *
     * @throws IllegalArgumentException when the features are not those that this class computes, or a number is wrong
     */
    public Acceptance(Map<String, ?> table) {
        List<String> names = new ArrayList<>(Arrays.asList(Evidence.MEASURES));
        names.add("log_fingerprints");
        for (String name : Evidence.MEASURES) {
            names.add(name + "_x_log_fingerprints");
        }
        Object weights = table.get("coefficients");
        if (!names.equals(table.get("features")) || !(weights instanceof List)
                || ((List<?>) weights).size() != names.size()) {
            throw new IllegalArgumentException("acceptance: expected the features " + names + "; export the model again");
        }
        coefficients = ((List<?>) weights).stream().mapToDouble(one -> finite(one, "coefficients")).toArray();
        intercept = finite(table.get("intercept"), "intercept");
        threshold = within(table.get("threshold"), "threshold");
        thresholdSingle = within(table.get("threshold_single"), "threshold_single");
        fitted = table.containsKey("n_fitted") ? (long) finite(table.get("n_fitted"), "n_fitted") : 1;
        larger = slopes(table, "size_slope");
        smaller = slopes(table, "small_size_slope");
        if (fitted < 1) {
            throw new IllegalArgumentException("acceptance: expected n_fitted >= 1, found " + fitted);
        }
    }

    private static double[] slopes(Map<String, ?> table, String name) {
        double[] found = new double[2];
        String[] names = {name, name + "_x_log_fingerprints"};
        for (int i = 0; i < names.length; i++) {
            found[i] = table.containsKey(names[i]) ? finite(table.get(names[i]), names[i]) : 0;
            if (Math.abs(found[i]) > STEEPEST) {
                throw new IllegalArgumentException("acceptance: expected " + names[i] + " in [-5, 5], found " + found[i]);
            }
        }
        return found;
    }

    private static double finite(Object value, String name) {
        double number = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            throw new IllegalArgumentException("acceptance: expected a finite number for " + name + ", found " + value);
        }
        return number;
    }

    private static double within(Object value, String name) {
        double number = finite(value, name);
        if (number < 0 || number > 1) {
            throw new IllegalArgumentException("acceptance: expected " + name + " in [0, 1], found " + value);
        }
        return number;
    }

    double probability(Evidence evidence, long searched) {
        double logit = intercept;
        double[] features = evidence.features();
        for (int i = 0; i < features.length; i++) {
            logit += coefficients[i] * features[i];
        }
        double growth = Math.log((double) searched / fitted);
        double[] slope = growth >= 0 ? larger : smaller;
        return sigmoid(logit - (slope[0] + slope[1] * Math.log(evidence.fingerprints)) * Math.abs(growth));
    }

    /** Returns the threshold for a query of so many fingerprints: between the two, by their logarithm. */
    double threshold(int fingerprints) {
        double share = Math.min(Math.log(Math.max(fingerprints, 1)) / Math.log(FULL_QUERY), 1);
        if (threshold == thresholdSingle || share == 0 || share == 1) {
            return share == 1 ? threshold : thresholdSingle;
        }
        return sigmoid((1 - share) * logit(thresholdSingle) + share * logit(threshold));
    }

    private static double sigmoid(double logit) {
        return 1 / (1 + Math.exp(-Math.min(Math.max(logit, -40), 40)));
    }

    private static double logit(double probability) {
        return Math.log(Math.max(probability, 1e-12)) - Math.log(Math.max(1 - probability, 1e-12));
    }
}
