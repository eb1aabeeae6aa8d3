// The few bits of arithmetic that every part needs.

export const dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

// Divided by a power of its length: a badly described fingerprint decodes to a short vector.
export const normalized = (v) => {
  const divisor = Math.max(Math.sqrt(dot(v, v)), 1e-6) ** 1.5;
  return v.map((x) => x / divisor);
};

export const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// Math.round sends halves up; the format wants the even neighbor.
export const roundEven = (x) => {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
};

export const largest = (list, count) => [...list].sort((a, b) => b - a).slice(0, count);
