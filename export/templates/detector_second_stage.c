/* $name. Generated; do not edit. */
#include "detector_second_stage.h"

#include <string.h>

#include "detector_second_stage_model.h"

/* A fully connected layer is a convolution whose kernel covers its whole input, but rounds otherwise. */
typedef enum { CONVOLUTION, DEPTHWISE, AVERAGE, FULLY_CONNECTED } Operation;

/* Rows are frames, columns are channels of the front end. */
typedef struct {
  uint16_t rows;
  uint16_t columns;
  uint16_t channels;
} Shape;

/* One layer without padding. Places are in DetectorSecondStage.memory, weights in kDetectorSecondStageModel. */
typedef struct {
  Operation operation;
  Shape input;
  Shape output;
  uint16_t kernel_rows;
  uint16_t kernel_columns;
  uint16_t stride_rows;
  uint16_t stride_columns;
  uint32_t from;
  uint32_t to;
  uint32_t weights;
  uint32_t first_filter; /* in kFilters */
  int32_t output_zero;
  int32_t lowest; /* output: -128, or the zero point where negative values are cut off */
} Layer;

/* One channel of an output. */
typedef struct {
  int32_t bias; /* what the input's zero point adds is in it */
  int32_t multiplier;
  int32_t shift; /* to the left; negative: to the right */
} Filter;

static const Layer kLayers[] = {
$second_layers
};

static const Filter kFilters[] = {
$second_filters
};

/* Output for every value of the last layer, from -128 on. */
static const int8_t kLogistic[256] = {
$second_logistic
};

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

/* The same, rounded once, halves up: what LiteRT does in fully connected layers. TensorFlow Lite Micro rounds twice there too. */
static int32_t ScaleOnce(int32_t value, int32_t multiplier, int32_t shift) {
  const int64_t divisor = (int64_t)1 << (uint32_t)(31 - shift);
  const int64_t product = ((int64_t)value * (int64_t)multiplier) + (divisor / 2);
  const int64_t quotient = product / divisor;
  return (int32_t)(((product % divisor) < 0) ? (quotient - 1) : quotient);
}

static int8_t Bounded(const Layer* layer, int32_t value) {
  const int32_t bounded = (value < layer->lowest) ? layer->lowest : value;
  return (int8_t)((bounded > 127) ? 127 : bounded);
}

static int8_t Scaled(const Layer* layer, const Filter* filter, int32_t sum) {
  const int32_t whole = sum + filter->bias;
  const int32_t scaled = (layer->operation == FULLY_CONNECTED) ? ScaleOnce(whole, filter->multiplier, filter->shift)
                                                               : Scale(whole, filter->multiplier, filter->shift);
  return Bounded(layer, scaled + layer->output_zero);
}

/* `input` is the first value under the kernel, in all three. */
static void Convolution(const Layer* layer, const int8_t* input, int8_t* output) {
  const uint32_t row = (uint32_t)layer->input.columns * layer->input.channels;
  const uint32_t taps = (uint32_t)layer->kernel_columns * layer->input.channels;
  /* The same bytes as signed numbers. */
  const int8_t* weights = (const int8_t*)&kDetectorSecondStageModel[layer->weights];
  for (uint32_t filter = 0U; filter < layer->output.channels; ++filter) {
    int32_t sum = 0;
    for (uint32_t y = 0U; y < layer->kernel_rows; ++y) {
      for (uint32_t i = 0U; i < taps; ++i) {
        sum += (int32_t)input[(y * row) + i] * (int32_t)weights[i];
      }
      weights += taps;
    }
    output[filter] = Scaled(layer, &kFilters[layer->first_filter + filter], sum);
  }
}

static void Depthwise(const Layer* layer, const int8_t* input, int8_t* output) {
  const uint32_t channels = layer->input.channels;
  const uint32_t row = (uint32_t)layer->input.columns * channels;
  const int8_t* weights = (const int8_t*)&kDetectorSecondStageModel[layer->weights];
  for (uint32_t channel = 0U; channel < channels; ++channel) {
    uint32_t tap = channel;
    int32_t sum = 0;
    for (uint32_t y = 0U; y < layer->kernel_rows; ++y) {
      for (uint32_t x = 0U; x < layer->kernel_columns; ++x) {
        sum += (int32_t)input[(y * row) + (x * channels) + channel] * (int32_t)weights[tap];
        tap += channels;
      }
    }
    output[channel] = Scaled(layer, &kFilters[layer->first_filter + channel], sum);
  }
}

static void Average(const Layer* layer, const int8_t* input, int8_t* output) {
  const uint32_t channels = layer->input.channels;
  const uint32_t row = (uint32_t)layer->input.columns * channels;
  const int32_t count = (int32_t)layer->kernel_rows * (int32_t)layer->kernel_columns;
  for (uint32_t channel = 0U; channel < channels; ++channel) {
    int32_t sum = 0;
    for (uint32_t y = 0U; y < layer->kernel_rows; ++y) {
      for (uint32_t x = 0U; x < layer->kernel_columns; ++x) {
        sum += (int32_t)input[(y * row) + (x * channels) + channel];
      }
    }
    output[channel] = Bounded(layer, (sum + ((sum > 0) ? (count / 2) : -(count / 2))) / count);
  }
}

static void Run(const Layer* layer, int8_t* memory) {
  const Shape* in = &layer->input;
  int8_t* output = &memory[layer->to];
  for (uint32_t y = 0U; y < layer->output.rows; ++y) {
    for (uint32_t x = 0U; x < layer->output.columns; ++x) {
      const uint32_t place = ((y * layer->stride_rows * in->columns) + (x * layer->stride_columns)) * in->channels;
      const int8_t* input = &memory[layer->from + place];
      if ((layer->operation == CONVOLUTION) || (layer->operation == FULLY_CONNECTED)) {
        Convolution(layer, input, output);
      } else if (layer->operation == DEPTHWISE) {
        Depthwise(layer, input, output);
      } else {
        Average(layer, input, output);
      }
      output += layer->output.channels;
    }
  }
}

void DetectorSecondStageReset(DetectorSecondStage* stage) {
  (void)memset(stage->frames, $zero_point, sizeof(stage->frames));
  stage->next = 0U;
}

void DetectorSecondStagePush(DetectorSecondStage* stage, const int8_t frame[DETECTOR_CHANNELS]) {
  (void)memcpy(&stage->frames[stage->next * DETECTOR_CHANNELS], frame, DETECTOR_CHANNELS);
  stage->next = (stage->next + 1U) % DETECTOR_SECOND_STAGE_FRAMES;
}

int8_t DetectorSecondStageRun(DetectorSecondStage* stage) {
  int8_t* input = &stage->memory[$second_input];
  const uint32_t n_newest = stage->next * DETECTOR_CHANNELS;
  const uint32_t n_oldest = (uint32_t)sizeof(stage->frames) - n_newest;
  (void)memcpy(input, &stage->frames[n_newest], n_oldest);
  (void)memcpy(&input[n_oldest], stage->frames, n_newest);
  for (uint32_t i = 0U; i < (sizeof(kLayers) / sizeof(kLayers[0])); ++i) {
    Run(&kLayers[i], stage->memory);
  }
  return kLogistic[(int32_t)stage->memory[$second_logit] + 128];
}

bool DetectorCascadePush(DetectorNetwork* network, DetectorSecondStage* stage, const int8_t frame[DETECTOR_CHANNELS],
                         int8_t* output) {
  int8_t first = 0;
  const bool has_output = DetectorNetworkPush(network, frame, &first);
  DetectorSecondStagePush(stage, frame);
  if (has_output) {
    const bool is_wanted = ((int32_t)first + 128) >= DETECTOR_WANTED_ABOVE;
    *output = is_wanted ? DetectorSecondStageRun(stage) : (int8_t)-128;
  }
  return has_output;
}
