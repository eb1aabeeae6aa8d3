// Arrays in NumPy's format, as docs/pack-format.md has them.
const TYPES = { '<f4': Float32Array, '<u4': Uint32Array, '|u1': Uint8Array, '<u8': BigUint64Array };

/** Returns {shape, data} of a file's content; refuses another type or shape than expected (null: any). */
export function parseNpy(bytes, type, shape) {
  const head = new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  if (bytes.length < 10 || head.some((value, i) => bytes[i] !== value)) throw new Error('not a .npy array of version 1.0');
  const start = 10 + bytes[8] + 256 * bytes[9];
  const text = new TextDecoder('latin1').decode(bytes.subarray(10, start));
  const found = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \}\s*$/.exec(text);
  if (!found) throw new Error(`unexpected header ${text}`);
  const sizes = found[2].split(',').filter((one) => one.trim()).map(Number);
  const fits = sizes.length === shape.length && sizes.every((size, i) => shape[i] === null || shape[i] === size);
  if (found[1] !== type || !fits) throw new Error(`expected ${type} (${shape}), found ${found[1]} (${sizes})`);
  const data = bytes.slice(start); // a copy begins where any type may begin
  const count = sizes.reduce((product, size) => product * size, 1);
  if (data.length !== count * TYPES[type].BYTES_PER_ELEMENT) throw new Error('the data does not fill the array');
  return { shape: sizes, data: new TYPES[type](data.buffer) };
}
