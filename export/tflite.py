"""Convert Keras models to TFLite graphs with static shapes, as float or fully integer."""

import contextlib
import io
from collections.abc import Iterable
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["to_float", "to_int8"]


def to_float(model: keras.Model, *, half: bool = False) -> bytes:
    """Convert a model as it is, in float32, or with weights stored in half precision."""
    converter = tf.lite.TFLiteConverter.from_keras_model(static_batch(model))
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return _converted(converter)


def to_int8(
    model: keras.Model,
    calibration: NDArray[np.float32],
    *,
    output: Literal["int8", "float32"],
) -> bytes:
    """Convert a model with int8 weights, activations and input, after training.

    Parameters
    ----------
    model : keras.Model
        One input, one output.
    calibration : ndarray of float32, shape (n, ...)
        Inputs whose activations set the ranges. An array, not a generator: the same array gives the same bytes.
    output : {"int8", "float32"}
        The output tensor's dtype; float32 appends one dequantize operation.
    """

    def examples() -> Iterable[list[NDArray[np.float32]]]:
        for example in calibration:
            yield [example[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(static_batch(model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8 if output == "int8" else tf.float32
    return _converted(converter)


def static_batch(model: keras.Model) -> Any:
    """Return the model with a batch of one, so that no shape in the graph is computed at run time."""
    fixed = keras.Input(batch_shape=(1, *model.inputs[0].shape[1:]), dtype=model.inputs[0].dtype, name="input")
    # Names of our own: Keras's count up in a process and would make each conversion's bytes differ.
    return keras.Model(fixed, model(fixed, training=False), name="graph")


def _converted(converter: Any) -> bytes:
    """Convert without the table that Keras prints on stdout, where results go."""
    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(converter.convert())
