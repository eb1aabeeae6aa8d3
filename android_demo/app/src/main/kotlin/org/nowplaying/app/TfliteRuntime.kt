package org.nowplaying.app

import java.nio.ByteBuffer
import org.nowplaying.core.model.Model
import org.tensorflow.lite.Interpreter

/** Graphs on TensorFlow Lite, one thread each: they are small, and a phone has better things to do. */
class TfliteRuntime : Model.Runtime {
    override fun open(graph: ByteBuffer): Model {
        val interpreter = Interpreter(graph, Interpreter.Options().setNumThreads(1))
        interpreter.allocateTensors()
        return TfliteModel(interpreter)
    }

    private class TfliteModel(private val interpreter: Interpreter) : Model {
        override fun run(inputs: Array<ByteBuffer>, outputs: Array<ByteBuffer>) {
            val byNumber = HashMap<Int, Any>()
            for (number in outputs.indices) {
                byNumber[number] = outputs[number]
            }
            val given = arrayOfNulls<Any>(inputs.size)
            for (number in inputs.indices) {
                given[number] = inputs[number]
            }
            interpreter.runForMultipleInputsOutputs(given, byNumber)
        }

        override fun close() = interpreter.close()
    }
}
