// NumPy's .npy, version 1.0 (section 2 of docs/pack-format.md): as much of it as the format allows.

const TYPES = {
  '<f4': Float32Array,
  '<u4': Uint32Array,
  '<u8': Uint32Array, // as pairs of 32-bit words, low one first: plain numbers instead of BigInt
  '|u1': Uint8Array,
  '|i1': Int8Array,
};

export function readNpy(data, type, shape) {
  if (data.length < 10 || data.toString('latin1', 0, 8) !== '\x93NUMPY\x01\x00') {
    throw new Error('not an .npy file of version 1.0');
  }
  const start = 10 + data.readUInt16LE(8);
  const header = data.toString('latin1', 10, start);
  const field = (pattern) => header.match(pattern)?.[1];
  const found = field(/'shape':\s*\(([^)]*)\)/)?.split(',').map((s) => s.trim()).filter(Boolean).map(Number);
  if (field(/'descr':\s*'([^']*)'/) !== type || field(/'fortran_order':\s*(\w+)/) !== 'False') {
    throw new Error('unexpected kind of array');
  }
  // A null in the wanted shape is a size that only the file knows.
  if (found?.length !== shape.length || !shape.every((n, i) => (n === null ? found[i] >= 0 : n === found[i]))) {
    throw new Error(`array of shape (${found}), not (${shape})`);
  }
  const bytes = found.reduce((a, b) => a * b, Number(type[2]));
  if (data.length - start !== bytes) throw new Error('array of the wrong length');
  // A copy, because a typed array must start at a multiple of its item size.
  const array = new TYPES[type](data.buffer.slice(data.byteOffset + start, data.byteOffset + data.length));
  if (type === '<f4' && !array.every((x) => Math.abs(x) <= 4)) throw new Error('a number beyond +-4');
  return array;
}
