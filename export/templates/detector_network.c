/* $name. Generated; do not edit. */
#include "detector_network.h"

#include <string.h>

#include "detector_model.h"

/* One convolution over time. Places are in DetectorNetwork.memory, constants in kDetectorModel. */
typedef struct {
  bool is_depthwise;
  uint16_t stride;
  uint16_t taps;
  uint16_t channels;
  uint16_t filters;
  uint16_t frames; /* of the output */
  uint16_t input;
  uint16_t output;
  uint16_t weights;
  uint16_t bias;
  int32_t input_zero;
  int32_t output_zero;
  int32_t lowest; /* output: -128, or the zero point where negative values are cut off */
  int32_t multiplier;
  int32_t shift; /* to the left; negative: to the right */
} Layer;

/* Frames that stay for the next step: they move from the end of a layer's input to its beginning. */
typedef struct {
  uint16_t begin;
  uint16_t end;
  uint16_t bytes;
} Kept;

static const Layer kLayers[] = {
$layers
};

static const Kept kKept[] = {
$kept
};

/* Output for every value of the last layer, from -128 on. */
static const int8_t kLogistic[256] = {
$logistic
};

static int32_t Bias(uint32_t offset) {
  const uint8_t* bytes = &kDetectorModel[offset];
  const uint32_t low = (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8U);
  const uint32_t value = low | ((uint32_t)bytes[2] << 16U) | ((uint32_t)bytes[3] << 24U);
  return (value > 2147483647U) ? -(int32_t)(4294967295U - value) - 1 : (int32_t)value;
}

/* Multiplies by multiplier / 2^31 * 2^shift and rounds twice, as TensorFlow Lite does. */
static int32_t Scale(int32_t value, int32_t multiplier, int32_t shift) {
  const int32_t left = (shift > 0) ? shift : 0;
  const uint32_t right = (uint32_t)((shift > 0) ? 0 : -shift);
  const int64_t product = (int64_t)value * ((int64_t)1 << left) * (int64_t)multiplier;
  const int64_t nudge = (product >= 0) ? ((int64_t)1 << 30) : ((int64_t)1 - ((int64_t)1 << 30));
  const int64_t high = (product + nudge) / ((int64_t)1 << 31);
  const int64_t divisor = (int64_t)1 << right;
  /* To the nearest, halves away from zero. */
  return (int32_t)((high >= 0) ? ((high + (divisor / 2)) / divisor) : -((-high + (divisor / 2)) / divisor));
}

static int32_t Sum(const Layer* layer, const int8_t* input, uint32_t filter) {
  const uint32_t step = layer->is_depthwise ? layer->channels : 1U;
  const uint32_t first = layer->is_depthwise ? filter : 0U;
  const uint32_t end = (uint32_t)layer->taps * layer->channels;
  const uint32_t row = layer->is_depthwise ? 0U : (filter * end);
  /* The same bytes as signed numbers. */
  const int8_t* weights = (const int8_t*)&kDetectorModel[layer->weights + row];
  const int32_t zero = layer->input_zero;
  int32_t sum = 0;
  for (uint32_t i = first; i < end; i += step) {
    sum += ((int32_t)input[i] - zero) * (int32_t)weights[i];
  }
  return sum;
}

static void Run(const Layer* layer, int8_t* memory) {
  int8_t* output = &memory[layer->output];
  for (uint32_t frame = 0U; frame < layer->frames; ++frame) {
    const int8_t* input = &memory[layer->input + (frame * layer->stride * layer->channels)];
    for (uint32_t filter = 0U; filter < layer->filters; ++filter) {
      const int32_t sum = Sum(layer, input, filter) + Bias(layer->bias + (4U * filter));
      const int32_t value = Scale(sum, layer->multiplier, layer->shift) + layer->output_zero;
      const int32_t bounded = (value < layer->lowest) ? layer->lowest : value;
      output[(frame * layer->filters) + filter] = (int8_t)((bounded > 127) ? 127 : bounded);
    }
  }
}

void DetectorNetworkReset(DetectorNetwork* network) {
  (void)memset(network->memory, -128, sizeof(network->memory));
  network->frames = DETECTOR_SILENT_FRAMES;
  network->steps = 0U;
}

bool DetectorNetworkPush(DetectorNetwork* network, const int8_t frame[DETECTOR_CHANNELS], int8_t* output) {
  int8_t* memory = network->memory;
  bool has_output = false;
  (void)memcpy(&memory[(DETECTOR_KEPT_FRAMES + network->frames) * DETECTOR_CHANNELS], frame, DETECTOR_CHANNELS);
  ++network->frames;
  if (network->frames == DETECTOR_STEP_FRAMES) {
    network->frames = 0U;
    for (uint32_t i = 0U; i < (sizeof(kLayers) / sizeof(kLayers[0])); ++i) {
      Run(&kLayers[i], memory);
    }
    *output = kLogistic[(int32_t)memory[$logit] + 128];
    for (uint32_t i = 0U; i < (sizeof(kKept) / sizeof(kKept[0])); ++i) {
      (void)memmove(&memory[kKept[i].begin], &memory[kKept[i].end], kKept[i].bytes);
    }
    if (network->steps < DETECTOR_FIRST_STEP) {
      ++network->steps;
    }
    has_output = network->steps == DETECTOR_FIRST_STEP;
  }
  return has_output;
}
