package org.nowplaying.core.tflite;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.nowplaying.core.model.Model;

/** One opened graph: its tensors' arrays, and a kernel for each operator, in the file's order. */
final class Interpreter implements Model {
    private static final long MOST_BYTES = 1 << 26;

    private final Tensor[] inputs;
    private final Tensor[] outputs;
    private final Kernel[] kernels;

    /**
     * Opens a graph.
     *
     * @throws IllegalArgumentException where it has what no kernel here computes, or is damaged
     * @throws IndexOutOfBoundsException where it is damaged
     */
    Interpreter(ByteBuffer graph) {
        FlatTable model = FlatTable.root(graph);
        FlatTable[] codes = model.tables(1);
        FlatTable[] graphs = model.tables(2);
        if (graphs.length != 1) {
            throw new IllegalArgumentException("expected one graph in the file, found " + graphs.length);
        }
        Tensor[] tensors = tensors(graphs[0], model.tables(4));
        inputs = select(tensors, graphs[0].int32s(1));
        outputs = select(tensors, graphs[0].int32s(2));
        List<Kernel> made = new ArrayList<>();
        for (FlatTable one : graphs[0].tables(3)) {
            FlatTable code = codes[one.int32(0, 0)];
            // Old files have the number in one byte, newer ones have it there too as long as it fits.
            int number = Math.max(code.int8(0, 0), code.int32(3, 0));
            Tensor[] from = select(tensors, one.int32s(1));
            Tensor[] to = select(tensors, one.int32s(2));
            Kernel kernel = Kernels.of(new Operator(number, one.table(4), from, to));
            if (kernel != null) {
                made.add(kernel);
            }
        }
        kernels = made.toArray(new Kernel[0]);
    }

    private static Tensor[] tensors(FlatTable graph, FlatTable[] buffers) {
        FlatTable[] tables = graph.tables(0);
        Tensor[] tensors = new Tensor[tables.length];
        long bytes = 0;
        for (int i = 0; i < tables.length; i++) {
            tensors[i] = new Tensor(tables[i], buffers[tables[i].int32(2, 0)].bytes(0));
            bytes += (long) tensors[i].elements * tensors[i].type.bytes;
            if (bytes > MOST_BYTES) {
                throw new IllegalArgumentException("tensors of more than " + MOST_BYTES + " bytes");
            }
        }
        return tensors;
    }

    private static Tensor[] select(Tensor[] tensors, int[] numbers) {
        Tensor[] selected = new Tensor[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            selected[i] = numbers[i] < 0 ? null : tensors[numbers[i]];
        }
        return selected;
    }

    @Override
    public void run(ByteBuffer[] given, ByteBuffer[] results) {
        for (int i = 0; i < inputs.length; i++) {
            inputs[i].read(given[i]);
        }
        for (Kernel kernel : kernels) {
            kernel.run();
        }
        for (int i = 0; i < outputs.length; i++) {
            outputs[i].write(results[i]);
        }
    }

    @Override
    public void close() {}
}
